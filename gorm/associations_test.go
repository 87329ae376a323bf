package vitessdogorm

import (
	"strings"
	"testing"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// family saves a user with everything that hangs on him.
func family(t *testing.T, db *gorm.DB, name string) User {
	t.Helper()
	u := User{
		Name: name, Account: Account{Number: name + "-acc"}, Company: Company{Name: name + "-co"},
		Pets:      []Pet{{Name: name + "-pet1", Toy: Toy{Name: name + "-bone"}}, {Name: name + "-pet2"}},
		Toys:      []Toy{{Name: name + "-toy1"}, {Name: name + "-toy2"}},
		Manager:   &User{Name: name + "-boss"},
		Team:      []User{{Name: name + "-t1"}, {Name: name + "-t2"}},
		Languages: []Language{{"en", "English"}, {"de", "German"}},
		Friends:   []*User{{Name: name + "-f1"}},
	}
	must(t, db.Create(&u).Error)
	return u
}

func TestAssociationsAreSavedAndLoaded(t *testing.T) {
	each(t, func(t *testing.T, db *gorm.DB) {
		family(t, db, "Bob")
		u := family(t, db, "Ann")
		var back User
		must(t, db.Preload(clause.Associations).Preload("Pets.Toy").Preload("Pets", func(tx *gorm.DB) *gorm.DB { return tx.Order("pets.name DESC") }).
			Preload("Languages", "code <> ?", "de").First(&back, u.ID).Error)
		same(t, back.Account.Number, "Ann-acc")
		same(t, back.Company.Name, "Ann-co")
		same(t, back.Manager.Name, "Ann-boss")
		same(t, []string{back.Pets[0].Name, back.Pets[1].Name, back.Pets[1].Toy.Name}, []string{"Ann-pet2", "Ann-pet1", "Ann-bone"})
		same(t, []int{len(back.Toys), len(back.Team), len(back.Friends)}, []int{2, 2, 1})
		same(t, back.Languages, []Language{{"en", "English"}})

		var all []User
		must(t, db.Preload("Account").Preload("Languages").Where("name IN ?", []string{"Ann", "Bob"}).Order("name").Find(&all).Error)
		same(t, []string{all[0].Account.Number, all[1].Account.Number}, []string{"Ann-acc", "Bob-acc"})
		same(t, len(all[1].Languages), 2)
	})
}

func TestJoins(t *testing.T) {
	each(t, func(t *testing.T, db *gorm.DB) {
		family(t, db, "Ann")
		family(t, db, "Bob")
		var found []User
		must(t, db.Joins("Company").Joins("Account").Joins("Manager").Where("`Company`.`name` = ?", "Bob-co").Find(&found).Error)
		same(t, names(found), []string{"Bob"})
		same(t, []string{found[0].Company.Name, found[0].Account.Number, found[0].Manager.Name}, []string{"Bob-co", "Bob-acc", "Bob-boss"})
		must(t, db.InnerJoins("Account", db.Where(&Account{Number: "Ann-acc"})).Find(&found).Error)
		same(t, names(found), []string{"Ann"})
		must(t, db.Joins("Manager.Company").Where("`users`.`name` = 'Ann'").Find(&found).Error)
		same(t, len(found), 1)
		var pairs []struct{ Name, Pet string }
		must(t, db.Model(&User{}).Select("users.name, pets.name AS pet").Joins("LEFT JOIN pets ON pets.user_id = users.id AND pets.name <> ?", "Bob-pet1").
			Where("users.name IN ?", []string{"Ann", "Bob"}).Order("users.name, pet").Scan(&pairs).Error)
		same(t, len(pairs), 3)
		same(t, pairs[2].Pet, "Bob-pet2")
		sub := db.Model(&Pet{}).Select("user_id, COUNT(*) AS n").Group("user_id")
		var n int64
		must(t, db.Model(&User{}).Joins("JOIN (?) p ON p.user_id = users.id AND p.n = ?", sub, 2).Count(&n).Error)
		same(t, n, int64(2))
	})
}

func TestAssociationMode(t *testing.T) {
	each(t, func(t *testing.T, db *gorm.DB) {
		u := family(t, db, "Ann")
		langs := func() *gorm.Association { return db.Model(&u).Association("Languages") }
		codes := func() string {
			var ls []Language
			must(t, db.Model(&u).Order("code").Association("Languages").Find(&ls))
			out := []string{}
			for _, l := range ls {
				out = append(out, l.Code)
			}
			return strings.Join(out, " ")
		}
		same(t, codes(), "de en")
		must(t, langs().Append(&Language{"fr", "French"}, &Language{"en", "English"}))
		same(t, codes(), "de en fr")
		must(t, langs().Delete(&Language{Code: "de"}))
		same(t, codes(), "en fr")
		must(t, langs().Replace([]Language{{"it", "Italian"}, {"en", "English"}}))
		same(t, codes(), "en it")
		same(t, langs().Count(), int64(2))
		must(t, langs().Clear())
		same(t, langs().Count(), int64(0))

		pets := func() *gorm.Association { return db.Model(&u).Association("Pets") }
		same(t, pets().Count(), int64(2))
		must(t, pets().Unscoped().Delete(&u.Pets[0]))
		same(t, pets().Count(), int64(1))
		toys := func() *gorm.Association { return db.Model(&u).Association("Toys") }
		must(t, toys().Append(&Toy{Name: "new"}))
		same(t, toys().Count(), int64(3))
		must(t, db.Model(&u).Association("Company").Replace(&Company{Name: "other"}))
		var back User
		must(t, db.Joins("Company").First(&back, u.ID).Error)
		same(t, back.Company.Name, "other")
		must(t, db.Select("Account", "Languages").Delete(&User{Model: gorm.Model{ID: u.ID}}).Error)
	})
}
