package vitessdogorm

import (
	"fmt"
	"testing"

	"gorm.io/gorm"
)

func TestByPrimaryKey(t *testing.T) {
	sharded(t, func(t *testing.T, db *gorm.DB) {
		must(t, db.AutoMigrate(models...))
		must(t, db.Use(ByPrimaryKey{}))
		people(t, db, 20)
		u := User{Name: "Ann"}
		for i := range 9 {
			u.Pets = append(u.Pets, Pet{Name: fmt.Sprint(i)})
			u.Languages = append(u.Languages, Language{Code: fmt.Sprint(i)})
		}
		must(t, db.Create(&u).Error)
		var all []User
		must(t, db.Where("age > ?", 0).Limit(7).Find(&all).Error)
		same(t, names(all), []string{"u1", "u2", "u3", "u4", "u5", "u6", "u7"})
		must(t, db.Joins("Company").Find(&all, "`users`.`age` > 15").Error)
		same(t, names(all), []string{"u16", "u17", "u18", "u19", "u20"})
		var some []string
		must(t, db.Model(&User{}).Where("age BETWEEN 3 AND 6").Pluck("name", &some).Error)
		same(t, some, []string{"u3", "u4", "u5", "u6"})
		var back User
		must(t, db.Preload("Pets").Preload("Languages").First(&back, u.ID).Error)
		must(t, db.Model(&u).Association("Pets").Find(&u.Pets))
		for i := range 9 {
			same(t, []string{back.Pets[i].Name, u.Pets[i].Name, back.Languages[i].Code}, []string{fmt.Sprint(i), fmt.Sprint(i), fmt.Sprint(i)})
		}

		// What has an order of its own, or none by a row's key.
		must(t, db.Order("age DESC").Limit(2).Find(&all).Error)
		same(t, names(all), []string{"u20", "u19"})
		var n int64
		must(t, db.Model(&User{}).Where("id IN (?)", db.Model(&Pet{}).Select("user_id")).Count(&n).Error)
		same(t, n, int64(1))
		must(t, db.Model(&User{}).Distinct("role").Count(&n).Error)
		same(t, n, int64(1))
		var sum int
		must(t, db.Model(&User{}).Select("SUM(age)").Scan(&sum).Error)
		same(t, sum, 210)
		var groups []struct {
			Role string
			N    int
		}
		must(t, db.Model(&User{}).Select("role, COUNT(*) AS n").Group("role").Find(&groups).Error)
		same(t, groups[0].N, 21)
		must(t, db.Model(&User{}).Distinct().Pluck("role", &some).Error)
		same(t, some, []string{"reader"})
		must(t, db.Raw("SELECT name FROM users WHERE age = 3").Scan(&some).Error)
		same(t, some, []string{"u3"})
		must(t, db.Table("(?) AS u", db.Model(&User{}).Select("name", "deleted_at").Where("age = 3")).Find(&all).Error)
		same(t, names(all), []string{"u3"})
	})
}
