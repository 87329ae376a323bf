package vitessdogorm

import (
	"slices"
	"strings"
	"testing"

	"gorm.io/gorm"
)

// The versions of one table over its life.
type (
	articleV1 struct {
		ID    uint
		Title string `gorm:"size:20;index:idx_title"`
		Price int
		Old   string `gorm:"size:5"`
	}
	articleV2 struct {
		ID        uint
		Title     string  `gorm:"size:40;not null;default:untitled;comment:what it says on it;index:idx_title"`
		Price     float64 `gorm:"type:decimal(10,2);check:price_positive,price >= 0"`
		Code      string  `gorm:"size:10;unique"`
		CompanyID *uint
		Company   Company
	}
)

func (articleV1) TableName() string { return "articles" }
func (articleV2) TableName() string { return "articles" }

func TestMigrations(t *testing.T) {
	each(t, func(t *testing.T, db *gorm.DB) {
		must(t, db.AutoMigrate(&articleV1{}))
		must(t, db.Create(&[]articleV1{{Title: "a", Price: 3}, {Title: "b", Price: 4}}).Error)
		m := db.Migrator()
		must(t, m.AddColumn(&articleV2{}, "Code"))
		must(t, db.Exec("UPDATE articles SET code = title").Error)
		for range 2 { // the second time finds nothing to do
			must(t, db.AutoMigrate(&articleV2{}))
		}
		var all []articleV2
		must(t, db.Order("id").Find(&all).Error)
		same(t, []any{all[0].Title, all[0].Price, all[1].Code}, []any{"a", 3.0, "b"})

		same(t, m.HasColumn(&articleV1{}, "Old"), true)
		must(t, m.RenameColumn(&articleV1{}, "old", "fresh"))
		must(t, m.DropColumn(&articleV1{}, "fresh"))
		same(t, m.HasColumn(&articleV1{}, "Old"), false)
		must(t, m.RenameIndex(&articleV2{}, "idx_title", "idx_new"))
		same(t, []bool{m.HasIndex(&articleV2{}, "idx_title"), m.HasIndex(&articleV2{}, "idx_new")}, []bool{false, true})
		must(t, m.DropIndex(&articleV2{}, "idx_new"))
		must(t, m.CreateIndex(&articleV2{}, "idx_title"))

		for _, c := range []string{"price_positive", "fk_articles_company", "uni_articles_code"} {
			same(t, m.HasConstraint(&articleV2{}, c), true)
			must(t, m.DropConstraint(&articleV2{}, c))
			same(t, m.HasConstraint(&articleV2{}, c), false)
			must(t, m.CreateConstraint(&articleV2{}, c))
		}
		if db.Create(&articleV2{Price: -1, Code: "c"}).Error == nil || db.Create(&articleV2{Code: "a"}).Error == nil ||
			db.Create(&articleV2{Code: "d", CompanyID: ptr(uint(99))}).Error == nil {
			t.Error("a constraint doesn't hold")
		}
		must(t, m.AlterColumn(&articleV1{}, "Title")) // back to 20 characters
		must(t, m.RenameTable("articles", "papers"))
		same(t, []bool{m.HasTable("articles"), m.HasTable("papers")}, []bool{false, true})
		must(t, m.RenameTable("papers", "articles"))
		must(t, m.DropTable(&articleV2{}, "papers"))
		same(t, m.HasTable(&articleV2{}), false)
	})
}

func TestViews(t *testing.T) {
	each(t, func(t *testing.T, db *gorm.DB) {
		people(t, db, 6)
		q := db.Model(&User{}).Select("id", "name").Where("age > ?", 3)
		must(t, db.Migrator().CreateView("grown", gorm.ViewOption{Query: q}))
		must(t, db.Migrator().CreateView("grown", gorm.ViewOption{Query: q, Replace: true}))
		var found []struct{ Name string }
		must(t, db.Table("grown").Order("id").Limit(2).Find(&found).Error)
		same(t, []string{found[0].Name, found[1].Name}, []string{"u4", "u5"})
		must(t, db.Migrator().DropView("grown"))
	})
}

func TestIntrospection(t *testing.T) {
	each(t, func(t *testing.T, db *gorm.DB) {
		m := db.Migrator()
		same(t, m.CurrentDatabase(), "main")
		tables, err := m.GetTables()
		must(t, err)
		slices.Sort(tables)
		same(t, strings.Join(tables, " "), "accounts companies languages lines pets toys user_friends user_speaks users")
		kind, err := m.TableType(&User{})
		must(t, err)
		same(t, []string{kind.Schema(), kind.Name(), kind.Type()}, []string{"main", "users", "BASE TABLE"})
		indexes, err := m.GetIndexes(&User{})
		must(t, err)
		var names []string
		for _, i := range indexes {
			unique, _ := i.Unique()
			primary, _ := i.PrimaryKey()
			names = append(names, i.Name()+"("+strings.Join(i.Columns(), ",")+")"+map[bool]string{true: " unique"}[unique]+map[bool]string{true: " primary"}[primary])
		}
		slices.Sort(names)
		same(t, strings.Join(names, "; "), "PRIMARY(id) unique primary; fk_users_company(company_id); fk_users_team(manager_id); idx_users_deleted_at(deleted_at); idx_users_email(email) unique; idx_users_name(name)")

		columns, err := m.ColumnTypes(&User{})
		must(t, err)
		got := map[string]string{}
		for _, c := range columns {
			full, _ := c.ColumnType()
			nullable, _ := c.Nullable()
			primary, _ := c.PrimaryKey()
			unique, _ := c.Unique()
			auto, _ := c.AutoIncrement()
			def, _ := c.DefaultValue()
			if primary {
				full += " primary"
			}
			if unique {
				full += " unique"
			}
			if auto {
				full += " auto"
			}
			if nullable {
				full += " null"
			}
			if def != "" {
				full += " =" + def
			}
			got[c.Name()] = full
		}
		for name, want := range map[string]string{
			"id": "bigint unsigned primary auto", "created_at": "datetime(3) null", "name": "varchar(50) null", "age": "tinyint unsigned null",
			"email": "varchar(80) unique null", "birthday": "date null", "role": "varchar(20) null =reader", "company_id": "bigint unsigned null",
		} {
			same(t, got[name], want)
		}
		same(t, []bool{m.HasTable("users"), m.HasTable("none"), m.HasColumn(&User{}, "age"), m.HasColumn(&User{}, "none"),
			m.HasConstraint(&User{}, "Account"), m.HasConstraint(&User{}, "none")},
			[]bool{true, false, true, false, true, false})
	})
}
