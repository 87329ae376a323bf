package vitessdogorm

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"gorm.io/datatypes"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

func TestCreate(t *testing.T) {
	each(t, func(t *testing.T, db *gorm.DB) {
		u := User{Name: "Ann", Birthday: ptr(time.Date(2001, 2, 3, 0, 0, 0, 0, time.UTC))}
		done(t, db.Create(&u), 1)
		if u.ID == 0 || u.CreatedAt.IsZero() || u.Role != "reader" {
			t.Errorf("%+v: ID, creation time and default must be filled in", u)
		}
		var back User
		must(t, db.First(&back, u.ID).Error)
		if back.Name != "Ann" || !back.Birthday.Equal(*u.Birthday) || back.Role != "reader" || !back.CreatedAt.Equal(u.CreatedAt) {
			t.Errorf("read %+v, wrote %+v", back, u)
		}
		users := people(t, db, 25)
		seen := map[uint]string{}
		for _, u := range users { // a batch's IDs are its rows' in order
			var back User
			must(t, db.First(&back, "name = ?", u.Name).Error)
			if back.ID != u.ID || seen[u.ID] != "" {
				t.Errorf("%s has ID %d, Create said %d", u.Name, back.ID, u.ID)
			}
			seen[u.ID] = u.Name
		}
		batch := make([]Company, 53)
		done(t, db.CreateInBatches(&batch, 10), 53)
		done(t, db.Select("Name").Create(&User{Name: "Bob", Age: 9}), 1)
		back = User{}
		must(t, db.Last(&back).Error)
		same(t, []any{back.Name, back.Age}, []any{"Bob", uint8(0)})
		done(t, db.Omit("Age").Create(&User{Name: "Cyd", Age: 9}), 1)
		done(t, db.Model(&User{}).Create(map[string]any{"Name": "map", "Age": 4}), 1)
		done(t, db.Model(&User{}).Create([]map[string]any{{"Name": "m1"}, {"Name": "m2"}}), 2)
		done(t, db.Model(&User{}).Create(map[string]any{"Name": clause.Expr{SQL: "CONCAT('e', ?)", Vars: []any{"x"}}}), 1)
		var n int64
		must(t, db.Model(&User{}).Where("name IN ?", []string{"map", "m1", "m2", "ex"}).Count(&n).Error)
		same(t, n, int64(4))
		var got Line
		done(t, db.Create(&Line{Order: 1, No: 1, Quantity: 3, Price: 1.5}), 1)
		must(t, db.First(&got, "no = 1").Error)
		same(t, got.Total, 4.5) // a generated column
	})
}

func TestUpsert(t *testing.T) {
	each(t, func(t *testing.T, db *gorm.DB) {
		de := Language{Code: "de", Name: "German"}
		done(t, db.Create(&de), 1)
		done(t, db.Clauses(clause.OnConflict{DoNothing: true}).Create(&Language{Code: "de", Name: "other"}), 0)
		done(t, db.Clauses(clause.OnConflict{DoUpdates: clause.AssignmentColumns([]string{"name"})}).
			Create(&[]Language{{"de", "Deutsch"}, {"fr", "French"}}), 3) // MySQL counts a changed row twice
		done(t, db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&Language{"fr", "Français"}), 2)
		done(t, db.Clauses(clause.OnConflict{DoUpdates: clause.Assignments(map[string]any{"name": gorm.Expr("CONCAT(name, ?)", "!")})}).
			Create(&Language{"fr", "x"}), 2)
		var all []string
		must(t, db.Model(&Language{}).Order("code").Pluck("name", &all).Error)
		same(t, all, []string{"Deutsch", "Français!"})

		// By a unique key that isn't the sharding key.
		people(t, db, 3)
		must(t, db.Clauses(clause.OnConflict{DoUpdates: clause.AssignmentColumns([]string{"age"})}).
			Create(&User{Name: "again", Email: ptr("u2@example.org"), Age: 77}).Error)
		var u User
		must(t, db.First(&u, "email = ?", "u2@example.org").Error)
		same(t, []any{u.Name, u.Age}, []any{"u2", uint8(77)})

		u = User{}
		must(t, db.Where(User{Name: "new"}).Attrs(User{Age: 5}).FirstOrCreate(&u).Error)
		must(t, db.Where(User{Name: "new"}).Attrs(User{Age: 6}).FirstOrCreate(&u).Error)
		must(t, db.Where(User{Name: "new"}).Assign(User{Role: "writer"}).FirstOrCreate(&u).Error)
		same(t, []any{u.Age, u.Role}, []any{uint8(5), "writer"})
		var init User
		must(t, db.Where(User{Name: "nobody"}).Attrs(User{Age: 5}).FirstOrInit(&init).Error)
		same(t, []any{init.ID, init.Age}, []any{uint(0), uint8(5)})
		u.Age = 8
		done(t, db.Save(&u), 1)
		l := Language{Code: "xx", Name: "saved"}
		done(t, db.Save(&l), 1) // no such row yet
	})
}

func TestUpdate(t *testing.T) {
	each(t, func(t *testing.T, db *gorm.DB) {
		users := people(t, db, 6)
		done(t, db.Model(&users[0]).Update("name", "one"), 1)
		done(t, db.Model(&users[1]).Updates(User{Name: "two", Age: 20}), 1)
		done(t, db.Model(&users[2]).Select("name", "age").Updates(map[string]any{"name": "three", "age": 0, "role": "x"}), 1)
		done(t, db.Model(&User{}).Where("age > ?", 3).Update("age", gorm.Expr("age * ? + ?", 2, 1)), 4)
		done(t, db.Model(&users[3]).UpdateColumn("role", "silent"), 1)
		done(t, db.Model(&User{}).Where("id IN (?)", db.Model(&User{}).Select("id").Where("name = ?", "three")).Update("role", "sub"), 1)
		var got []User
		must(t, db.Order("id").Find(&got).Error)
		var text []string
		for _, u := range got {
			text = append(text, fmt.Sprint(u.Name, u.Age, u.Role))
		}
		same(t, strings.Join(text, " "), "one1reader two41reader three0sub u49silent u511reader u613reader")
		if err := db.Model(&User{}).Update("age", 1).Error; !errors.Is(err, gorm.ErrMissingWhereClause) {
			t.Error(err)
		}
		done(t, db.Session(&gorm.Session{AllowGlobalUpdate: true}).Model(&User{}).Update("age", 1), 6)
		done(t, db.Model(&User{}).Where("age = 1").Order("id DESC").Limit(2).Update("age", 2), 2)
		var old []uint8
		must(t, db.Model(&User{}).Order("id").Pluck("age", &old).Error)
		same(t, old, []uint8{1, 1, 1, 1, 2, 2})
	})
}

func TestDelete(t *testing.T) {
	each(t, func(t *testing.T, db *gorm.DB) {
		users := people(t, db, 8)
		done(t, db.Delete(&users[0]), 1) // softly
		done(t, db.Where("age > ?", 6).Delete(&User{}), 2)
		var n int64
		must(t, db.Model(&User{}).Count(&n).Error)
		same(t, n, int64(5))
		var gone []User
		must(t, db.Unscoped().Where("deleted_at IS NOT NULL").Order("id").Find(&gone).Error)
		same(t, names(gone), []string{"u1", "u7", "u8"})
		done(t, db.Unscoped().Model(&gone[0]).Update("deleted_at", nil), 1)
		done(t, db.Unscoped().Delete(&User{}, []uint{users[6].ID, users[7].ID}), 2)
		done(t, db.Unscoped().Where("1 = 1").Delete(&User{}), 6)
		lines := []Line{{1, 1, 1, 1, 0}, {1, 2, 1, 1, 0}, {2, 1, 1, 1, 0}}
		done(t, db.Create(&lines), 3)
		rest := lines[1:]
		done(t, db.Delete(&rest), 2) // by composite keys
		var left []Line
		must(t, db.Find(&left).Error)
		same(t, len(left), 1)
	})
}

// Hooked counts what its hooks see.
type Hooked struct {
	ID    uint
	Name  string
	Trace string
}

func (h *Hooked) BeforeCreate(*gorm.DB) error { h.Trace += "c"; return nil }
func (h *Hooked) BeforeUpdate(tx *gorm.DB) error {
	tx.Statement.SetColumn("Trace", h.Trace+"u")
	return nil
}
func (h *Hooked) AfterFind(*gorm.DB) error { h.Trace += "f"; return nil }
func (h *Hooked) AfterCreate(tx *gorm.DB) error {
	if h.Name == "bad" {
		return errors.New("refused")
	}
	return tx.Model(h).UpdateColumn("trace", h.Trace+"a").Error
}
func (h *Hooked) BeforeDelete(*gorm.DB) error {
	if h.Name == "kept" {
		return errors.New("kept")
	}
	return nil
}

func TestHooks(t *testing.T) {
	each(t, func(t *testing.T, db *gorm.DB) {
		must(t, db.AutoMigrate(&Hooked{}))
		h := Hooked{Name: "a"}
		must(t, db.Create(&h).Error)
		must(t, db.Model(&h).Update("name", "b").Error)
		var back Hooked
		must(t, db.First(&back, h.ID).Error)
		same(t, back.Trace, "cauf")
		if db.Create(&Hooked{Name: "bad"}).Error == nil || db.Delete(&Hooked{ID: h.ID, Name: "kept"}).Error == nil {
			t.Error("a hook's error must stop the statement")
		}
		var n int64
		must(t, db.Model(&Hooked{}).Count(&n).Error)
		same(t, n, int64(1)) // the insert was rolled back
	})
}

// Document has columns that are serialised, and JSON ones.
type Document struct {
	ID      uint
	Tags    []string       `gorm:"serializer:json"`
	Blob    map[string]int `gorm:"type:bytes;serializer:gob"`
	Seen    int64          `gorm:"serializer:unixtime;type:datetime"`
	Data    datatypes.JSON
	Typed   datatypes.JSONType[Language]
	Slice   datatypes.JSONSlice[int]
	Map     datatypes.JSONMap
	Day     datatypes.Date
	Time    datatypes.Time
	Unix    int64  `gorm:"autoUpdateTime:milli"`
	Private []byte `gorm:"size:100"`
	Guid    datatypes.UUID
}

func TestSerializedAndJSON(t *testing.T) {
	each(t, func(t *testing.T, db *gorm.DB) {
		must(t, db.AutoMigrate(&Document{}))
		day := time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
		d := Document{
			Tags: []string{"a", "b"}, Blob: map[string]int{"x": 1}, Seen: day.Unix(),
			Data:  datatypes.JSON(`{"name": "Ann", "orgs": {"orga": "A"}, "tags": ["x", "y"], "n": 7}`),
			Typed: datatypes.NewJSONType(Language{"de", "German"}), Slice: datatypes.NewJSONSlice([]int{1, 2}),
			Map: datatypes.JSONMap{"k": "v"}, Day: datatypes.Date(day), Time: datatypes.NewTime(13, 14, 15, 0), Private: []byte{0, 255}, Guid: datatypes.NewUUIDv4(),
		}
		must(t, db.Create(&d).Error)
		must(t, db.Create(&Document{Data: datatypes.JSON(`{"name": "Bob"}`), Day: datatypes.Date(day)}).Error)
		var back Document
		must(t, db.First(&back, d.ID).Error)
		same(t, back.Tags, d.Tags)
		same(t, back.Blob, d.Blob)
		same(t, back.Seen, d.Seen)
		same(t, back.Typed.Data(), d.Typed.Data())
		same(t, back.Slice, d.Slice)
		same(t, back.Map, d.Map)
		same(t, time.Time(back.Day).Equal(day), true)
		same(t, back.Time, d.Time)
		same(t, back.Private, d.Private)
		same(t, back.Guid, d.Guid)
		var a, b any
		must(t, json.Unmarshal(d.Data, &a))
		must(t, json.Unmarshal(back.Data, &b))
		same(t, b, a)

		for name, q := range map[string]*gorm.DB{
			"HasKey":   db.Where(datatypes.JSONQuery("data").HasKey("orgs", "orga")),
			"Equals":   db.Where(datatypes.JSONQuery("data").Equals("Ann", "name")),
			"number":   db.Where(datatypes.JSONQuery("data").Equals(7, "n")),
			"Likes":    db.Where(datatypes.JSONQuery("data").Likes("A%", "name")),
			"Contains": db.Where(datatypes.JSONArrayQuery("data").Contains("x", "tags")),
			"Extract":  db.Where("data->>'$.name' = ?", "Ann"),
			"Overlaps": db.Where("JSON_OVERLAPS(data->'$.tags', ?)", `["y"]`),
		} {
			var found []Document
			if err := q.Find(&found).Error; err != nil || len(found) != 1 || found[0].ID != d.ID {
				t.Errorf("%s: %d documents, %v", name, len(found), err)
			}
		}
		must(t, db.Model(&d).Update("data", datatypes.JSONSet("data").Set("name", "Cyd").Set("orgs.orgb", "B")).Error)
		var name string
		must(t, db.Model(&d).Select("CONCAT(data->>'$.name', data->>'$.orgs.orgb')").Scan(&name).Error)
		same(t, name, "CydB")
	})
}
