package vitessdogorm

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

func TestConditions(t *testing.T) {
	each(t, func(t *testing.T, db *gorm.DB) {
		users := people(t, db, 9)
		for _, x := range []struct {
			name string
			q    *gorm.DB
			want string
		}{
			{"primary key", db.Where(users[2].ID), "u3"},
			{"primary keys", db.Where([]uint{users[0].ID, users[8].ID}), "u1 u9"},
			{"struct", db.Where(&User{Name: "u2", Age: 0}), "u2"},
			{"struct with zero field", db.Where(&User{Name: "u2"}, "name", "Age"), ""},
			{"map", db.Where(map[string]any{"name": "u2", "age": 2}), "u2"},
			{"in", db.Where("name IN ?", []string{"u1", "u5", "none"}), "u1 u5"},
			{"tuples", db.Where("(name, age) IN ?", [][]any{{"u1", 1}, {"u2", 3}}), "u1"},
			{"not", db.Not("age > ?", 2), "u1 u2"},
			{"not in", db.Not(map[string]any{"name": []string{"u1", "u2", "u3", "u4", "u5", "u6", "u7"}}), "u8 u9"},
			{"or", db.Where("age = 1").Or("age = 3").Or(User{Age: 4}), "u1 u3 u4"},
			{"group", db.Where(db.Where("age < 3").Where(db.Where("name = 'u1'").Or("name = 'u9'"))).Or("age = 5"), "u1 u5"},
			{"named", db.Where("name = @n OR email = @e", sql.Named("n", "u1"), sql.Named("e", "u2@example.org")), "u1 u2"},
			{"named map", db.Where("name = @n OR age = @a", map[string]any{"n": "u1", "a": 7}), "u1 u7"},
			{"between", db.Where("age BETWEEN ? AND ?", 4, 6), "u4 u5 u6"},
			{"like", db.Where("email LIKE ?", "u3@%"), "u3"},
			{"limit and offset", db.Limit(2).Offset(3), "u4 u5"},
			{"subquery", db.Where("age > (?)", db.Model(&User{}).Select("AVG(age)")), "u6 u7 u8 u9"},
			{"in subquery", db.Where("id IN (?)", db.Model(&User{}).Select("id").Where("age < ?", 3)), "u1 u2"},
			{"from subquery", db.Table("(?) AS u", db.Model(&User{}).Select("id", "name", "age", "deleted_at").Where("age > ?", 7)), "u8 u9"},
			{"exists", db.Where("EXISTS (?)", db.Table("users u2").Select("1").Where("u2.age = users.age + 8")), "u1"},
			{"scopes", db.Scopes(older(6), func(tx *gorm.DB) *gorm.DB { return tx.Where("age < 9") }), "u7 u8"},
			{"clauses", db.Clauses(clause.Where{Exprs: []clause.Expression{clause.Gte{Column: "age", Value: 8}}}), "u8 u9"},
			{"tuple comparison", db.Where("(age, name) > (?, ?)", 8, "u8"), "u9"},
			{"locking", db.Clauses(clause.Locking{Strength: "UPDATE"}).Where("age = 2"), "u2"},
			{"locking share", db.Clauses(clause.Locking{Strength: "SHARE", Table: clause.Table{Name: clause.CurrentTable}}).Where("age = 2"), "u2"},
			{"no wait", db.Clauses(clause.Locking{Strength: "UPDATE", Options: "NOWAIT"}).Where("age = 2"), "u2"},
			{"skip locked", db.Clauses(clause.Locking{Strength: "UPDATE", Options: "SKIP LOCKED"}).Where("age = 2"), "u2"},
			{"raw", db.Raw("SELECT * FROM users WHERE age = @a OR age = @b ORDER BY id", map[string]any{"a": 2, "b": 3}), "u2 u3"},
		} {
			var found []User
			if err := x.q.Order("id").Find(&found).Error; err != nil {
				t.Errorf("%s: %v", x.name, err)
			}
			if got := strings.Join(names(found), " "); got != x.want {
				t.Errorf("%s: %s, want %s", x.name, got, x.want)
			}
		}
	})
}

func older(age int) func(*gorm.DB) *gorm.DB {
	return func(tx *gorm.DB) *gorm.DB { return tx.Where("age > ?", age) }
}

func TestSingleRows(t *testing.T) {
	each(t, func(t *testing.T, db *gorm.DB) {
		people(t, db, 5)
		for name, find := range map[string]func(*User) *gorm.DB{
			"u1": func(u *User) *gorm.DB { return db.First(u) },
			"u5": func(u *User) *gorm.DB { return db.Last(u) },
			"u3": func(u *User) *gorm.DB { return db.Take(u, "age = ?", 3) },
			"u4": func(u *User) *gorm.DB { return db.Order("age DESC").Offset(1).Take(u) },
		} {
			var u User
			must(t, find(&u).Error)
			same(t, u.Name, name)
		}
		if err := db.First(&User{}, "age = 99").Error; !errors.Is(err, gorm.ErrRecordNotFound) {
			t.Error(err)
		}
		done(t, db.Find(&User{}, "age = 99"), 0)
		row := map[string]any{}
		must(t, db.Model(&User{}).Select("name", "age").Take(&row, "age = 2").Error)
		same(t, fmt.Sprint(row), "map[age:2 name:u2]")
		u, err := gorm.G[User](db).Where("age = ?", 4).First(context.Background())
		must(t, err)
		same(t, u.Name, "u4")
		n, err := gorm.G[User](db).Where("age > ?", 3).Update(context.Background(), "role", "x")
		must(t, err)
		same(t, n, 2)
	})
}

func TestAggregates(t *testing.T) {
	each(t, func(t *testing.T, db *gorm.DB) {
		people(t, db, 12)
		must(t, db.Model(&User{}).Where("age > 8").Update("role", "old").Error)
		type group struct {
			Role  string
			N     int
			Total int
			Mean  float64
		}
		var groups []group
		must(t, db.Model(&User{}).Select("role, COUNT(*) AS n, SUM(age) AS total, AVG(age) AS mean").
			Group("role").Having("COUNT(*) > ?", 1).Order("n DESC").Find(&groups).Error)
		same(t, groups, []group{{"reader", 8, 36, 4.5}, {"old", 4, 42, 10.5}})
		var n int64
		must(t, db.Model(&User{}).Distinct("role").Count(&n).Error)
		same(t, n, int64(2))
		must(t, db.Model(&User{}).Group("role").Count(&n).Error)
		same(t, n, int64(2))
		must(t, db.Model(&User{}).Where("age > 3").Count(&n).Error)
		same(t, n, int64(9))
		var roles []string
		must(t, db.Model(&User{}).Distinct().Order("role DESC").Pluck("role", &roles).Error)
		same(t, roles, []string{"reader", "old"})
		var sum int
		must(t, db.Model(&User{}).Select("SUM(age)").Row().Scan(&sum))
		same(t, sum, 78)
		var max struct{ Max int }
		must(t, db.Raw("SELECT MAX(age) AS max FROM users WHERE role = ?", "old").Scan(&max).Error)
		same(t, max.Max, 12)
		var smart []struct{ Name string } // only the columns that are asked for
		must(t, db.Model(&User{}).Order("age DESC").Limit(1).Find(&smart).Error)
		same(t, smart[0].Name, "u12")
	})
}

func TestRowsAndBatches(t *testing.T) {
	each(t, func(t *testing.T, db *gorm.DB) {
		people(t, db, 23)
		rows, err := db.Model(&User{}).Where("age > ?", 20).Order("age").Rows()
		must(t, err)
		defer rows.Close()
		var got []string
		for rows.Next() {
			var u User
			must(t, db.ScanRows(rows, &u))
			got = append(got, u.Name)
		}
		must(t, rows.Err())
		same(t, got, []string{"u21", "u22", "u23"})
		var batch []User
		total, sizes := 0, []int{}
		done(t, db.Where("age > 3").FindInBatches(&batch, 8, func(tx *gorm.DB, n int) error {
			total += len(batch)
			sizes = append(sizes, len(batch))
			for i := range batch {
				batch[i].Role = "seen"
			}
			return tx.Save(&batch).Error
		}), 20)
		same(t, total, 20)
		same(t, sizes, []int{8, 8, 4})
		var n int64
		must(t, db.Model(&User{}).Where("role = 'seen'").Count(&n).Error)
		same(t, n, int64(20))
	})
}

func TestPreparedStatements(t *testing.T) {
	each(t, func(t *testing.T, db *gorm.DB) {
		tx := db.Session(&gorm.Session{PrepareStmt: true})
		for i := range 3 {
			must(t, tx.Create(&Company{Name: fmt.Sprint("c", i)}).Error)
			var c Company
			must(t, tx.Where("name = ?", fmt.Sprint("c", i)).First(&c).Error)
		}
		// What was prepared before a change of the schema goes on after it.
		must(t, tx.Exec("ALTER TABLE companies ADD country VARCHAR(2) DEFAULT 'de' FIRST").Error)
		var c Company
		must(t, tx.Where("name = ?", "c1").First(&c).Error)
		same(t, c.Name, "c1")
	})
}

func TestDryRun(t *testing.T) {
	each(t, func(t *testing.T, db *gorm.DB) {
		st := db.Session(&gorm.Session{DryRun: true}).Where("name = ?", "x").Order("id").Find(&[]User{}).Statement
		same(t, st.SQL.String(), "SELECT * FROM `users` WHERE name = ? AND `users`.`deleted_at` IS NULL ORDER BY id")
		same(t, st.Vars, []any{"x"})
		text := db.ToSQL(func(tx *gorm.DB) *gorm.DB {
			return tx.Model(&Company{}).Where("id = ?", 7).Update("name", "it's")
		})
		same(t, text, "UPDATE `companies` SET `name`='it''s' WHERE id = 7")
		must(t, db.Exec(text).Error) // what it prints can be run
	})
}

func TestUserVariablesOnOneConnection(t *testing.T) {
	each(t, func(t *testing.T, db *gorm.DB) {
		must(t, db.Connection(func(tx *gorm.DB) error {
			if err := tx.Exec("SET @who := ?", "Ann").Error; err != nil {
				return err
			}
			var who string
			err := tx.Raw("SELECT @who").Scan(&who).Error
			same(t, who, "Ann")
			return err
		}))
	})
}
