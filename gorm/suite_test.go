package vitessdogorm

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"gorm.io/driver/mysql"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// The models are those of GORM's documentation: every kind of association, soft
// delete, defaults, and unique and checked columns.
type (
	User struct {
		gorm.Model
		Name      string `gorm:"size:50;index:idx_users_name"`
		Age       uint8
		Email     *string    `gorm:"size:80;uniqueIndex"`
		Birthday  *time.Time `gorm:"type:date"`
		Role      string     `gorm:"size:20;default:reader"`
		Account   Account    // has one
		Pets      []Pet      // has many
		Toys      []Toy      `gorm:"polymorphic:Owner"`
		CompanyID *uint
		Company   Company // belongs to
		ManagerID *uint
		Manager   *User
		Team      []User     `gorm:"foreignKey:ManagerID"`
		Languages []Language `gorm:"many2many:user_speaks"`
		Friends   []*User    `gorm:"many2many:user_friends"`
	}
	Account struct {
		gorm.Model
		UserID uint
		Number string `gorm:"size:20"`
	}
	Pet struct {
		ID     uint
		UserID uint
		Name   string `gorm:"size:30;not null"`
		Toy    Toy    `gorm:"polymorphic:Owner"`
	}
	Toy struct {
		ID        uint
		Name      string `gorm:"size:30"`
		OwnerID   uint   `gorm:"index"`
		OwnerType string `gorm:"size:20"`
	}
	Company struct {
		ID   uint
		Name string `gorm:"size:30"`
	}
	Language struct {
		Code string `gorm:"primaryKey;size:5"`
		Name string `gorm:"size:30"`
	}
	// Line has a composite key and is a child of nothing.
	Line struct {
		Order    uint `gorm:"primaryKey;autoIncrement:false"`
		No       uint `gorm:"primaryKey;autoIncrement:false"`
		Quantity int  `gorm:"check:quantity_positive,quantity > 0"`
		Price    float64
		Total    float64 `gorm:"->;type:double GENERATED ALWAYS AS (quantity * price) STORED"`
	}
)

var models = []any{&Company{}, &Language{}, &User{}, &Account{}, &Pet{}, &Toy{}, &Line{}}

// dialectors are ways to open a database in GORM; everything works with both.
var dialectors = map[string]func(dsn string) gorm.Dialector{
	"stock": func(dsn string) gorm.Dialector {
		return mysql.New(mysql.Config{DriverName: "vitessdo", DSN: dsn})
	},
	"vitessdogorm": Open,
}

func open(t *testing.T, d gorm.Dialector, cfg gorm.Config) *gorm.DB {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = logger.Discard
	}
	db, err := gorm.Open(d, &cfg)
	must(t, err)
	pool, err := db.DB()
	must(t, err)
	t.Cleanup(func() { must(t, pool.Close()) })
	return db
}

// each runs a test with both dialectors on one shard and on four, on fresh tables.
func each(t *testing.T, run func(t *testing.T, db *gorm.DB)) {
	for name, dialector := range dialectors {
		for _, shards := range []int{1, 4} {
			t.Run(fmt.Sprintf("%s/%d", name, shards), func(t *testing.T) {
				t.Parallel()
				db := open(t, dialector(fmt.Sprintf(":memory:?shards=%d", shards)), gorm.Config{})
				must(t, db.AutoMigrate(models...))
				run(t, db)
			})
		}
	}
}

// sharded runs a test with this package's dialector on four shards.
func sharded(t *testing.T, run func(t *testing.T, db *gorm.DB)) {
	t.Parallel()
	run(t, open(t, Open(":memory:?shards=4"), gorm.Config{TranslateError: true}))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func same(t *testing.T, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// done checks a statement's error and how many rows it has affected.
func done(t *testing.T, tx *gorm.DB, rows int64) {
	t.Helper()
	must(t, tx.Error)
	if tx.RowsAffected != rows {
		t.Errorf("%d rows affected, want %d", tx.RowsAffected, rows)
	}
}

func ptr[T any](v T) *T { return &v }

// people makes users named u1 … un, aged 1 … n.
func people(t *testing.T, db *gorm.DB, n int) []User {
	t.Helper()
	users := make([]User, n)
	for i := range users {
		users[i] = User{Name: fmt.Sprintf("u%d", i+1), Age: uint8(i + 1), Email: ptr(fmt.Sprintf("u%d@example.org", i+1))}
	}
	done(t, db.Create(&users), int64(n))
	return users
}

func names(users []User) []string {
	out := []string{}
	for _, u := range users {
		out = append(out, u.Name)
	}
	return out
}
