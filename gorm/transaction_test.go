package vitessdogorm

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/vitessdo/vitessdo"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

func TestTransactions(t *testing.T) {
	each(t, func(t *testing.T, db *gorm.DB) {
		left := func() (out []string) {
			must(t, db.Model(&Company{}).Order("name").Pluck("name", &out).Error)
			return out
		}
		add := func(tx *gorm.DB, name string) { t.Helper(); must(t, tx.Create(&Company{Name: name}).Error) }
		stop := errors.New("stop")
		must(t, db.Transaction(func(tx *gorm.DB) error {
			add(tx, "a")
			if err := tx.Transaction(func(tx *gorm.DB) error { add(tx, "lost"); return stop }); err != stop {
				t.Error(err)
			}
			return tx.Transaction(func(tx *gorm.DB) error { add(tx, "b"); return nil })
		}))
		if err := db.Transaction(func(tx *gorm.DB) error { add(tx, "lost"); return stop }); err != stop {
			t.Error(err)
		}
		func() {
			defer func() { same(t, recover(), "oops") }()
			_ = db.Transaction(func(tx *gorm.DB) error { add(tx, "lost"); panic("oops") })
		}()
		tx := db.Begin(&sql.TxOptions{Isolation: sql.LevelSerializable})
		add(tx, "c")
		must(t, tx.SavePoint("here").Error)
		add(tx, "lost")
		must(t, tx.RollbackTo("here").Error)
		must(t, tx.Commit().Error)
		tx = db.Begin()
		add(tx, "lost")
		must(t, tx.Rollback().Error)
		prepared := db.Session(&gorm.Session{PrepareStmt: true, SkipDefaultTransaction: true})
		must(t, prepared.Transaction(func(tx *gorm.DB) error { add(tx, "d"); return nil }))
		same(t, left(), []string{"a", "b", "c", "d"})
		// A batch is all or nothing.
		if db.CreateInBatches(&[]Language{{"a", ""}, {"b", ""}, {"c", ""}, {"a", ""}}, 2).Error == nil {
			t.Error("a duplicate key must be refused")
		}
		var n int64
		must(t, db.Model(&Language{}).Count(&n).Error)
		same(t, n, int64(0))
	})
}

func TestTransactionRunsAgain(t *testing.T) {
	sharded(t, func(t *testing.T, db *gorm.DB) {
		must(t, db.AutoMigrate(&Company{}))
		ctx := context.Background()
		const accounts, workers, rounds = 8, 4, 10
		for i := range accounts {
			must(t, db.Create(&Company{ID: uint(i + 1), Name: "0"}).Error)
		}
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				for r := range rounds { // in orders that would wait in circles
					err := Transaction(ctx, db, nil, func(tx *gorm.DB) error {
						for _, id := range []int{(w*3+r)%accounts + 1, (w*5+r*3)%accounts + 1} {
							var c Company
							if err := tx.Clauses(clause.Locking{Strength: "UPDATE"}).First(&c, id).Error; err != nil {
								return err
							}
							if err := tx.Model(&c).Update("name", gorm.Expr("name + 1")).Error; err != nil {
								return err
							}
						}
						return nil
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		var sum int
		must(t, db.Model(&Company{}).Select("SUM(CAST(name AS SIGNED))").Row().Scan(&sum))
		same(t, sum, workers*rounds*2)
	})
}

func TestTranslatedErrors(t *testing.T) {
	sharded(t, func(t *testing.T, db *gorm.DB) {
		must(t, db.AutoMigrate(models...))
		people(t, db, 1)
		must(t, db.Create(&Language{Code: "de"}).Error)
		for name, x := range map[string]struct {
			err  error
			want error
		}{
			"primary key":           {db.Create(&Language{Code: "de"}).Error, gorm.ErrDuplicatedKey},
			"unique over shards":    {db.Create(&User{Email: ptr("u1@example.org")}).Error, gorm.ErrDuplicatedKey},
			"no parent":             {db.Create(&Account{UserID: 99}).Error, gorm.ErrForeignKeyViolated},
			"check":                 {db.Create(&Line{Order: 1, No: 1, Quantity: -1}).Error, gorm.ErrCheckConstraintViolated},
			"in a transaction":      {db.Transaction(func(tx *gorm.DB) error { return tx.Create(&Language{Code: "de"}).Error }), gorm.ErrDuplicatedKey},
			"not one of GORM's":     {db.Exec("SELECT * FROM nowhere").Error, vitessdo.ErrNoTable},
			"no row":                {db.First(&User{}, 77).Error, gorm.ErrRecordNotFound},
			"raw":                   {db.Exec("INSERT INTO languages (code) VALUES ('de')").Error, gorm.ErrDuplicatedKey},
			"a parent with a child": {deleteParent(t, db), gorm.ErrForeignKeyViolated},
		} {
			if !errors.Is(x.err, x.want) {
				t.Errorf("%s: %v is not %v", name, x.err, x.want)
			}
			var e *vitessdo.Error
			if x.want != gorm.ErrRecordNotFound && !errors.As(x.err, &e) {
				t.Errorf("%s: %v has lost the driver's error", name, x.err)
			}
		}
		plain := errors.New("another")
		d := db.Dialector.(*Dialector)
		same(t, d.Translate(plain), plain)
		once := d.Translate(fmt.Errorf("x: %w", db.Create(&Language{Code: "de"}).Error))
		same(t, d.Translate(once), once)
	})
}

func deleteParent(t *testing.T, db *gorm.DB) error {
	u := User{Account: Account{Number: "1"}}
	must(t, db.Create(&u).Error)
	return db.Unscoped().Delete(&u).Error
}
