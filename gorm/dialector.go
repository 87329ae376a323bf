package vitessdogorm

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/vitessdo/vitessdo"
	"gorm.io/driver/mysql"
	"gorm.io/gorm"
	"gorm.io/gorm/migrator"
)

// Dialector is the MySQL dialector with translated errors and sharded models. Its
// Name stays "mysql", as GORM's packages choose their SQL by it.
type Dialector struct {
	*mysql.Dialector
}

var (
	_ gorm.Dialector                     = (*Dialector)(nil)
	_ gorm.ErrorTranslator               = (*Dialector)(nil)
	_ gorm.SavePointerDialectorInterface = (*Dialector)(nil)
)

// Open is the dialector for a data source name of vitessdo.
func Open(dsn string) gorm.Dialector { return New(mysql.Config{DSN: dsn}) }

// New is the dialector with the settings that GORM's MySQL dialector has: a pool that
// exists already (Conn), sizes, precisions. The driver is "vitessdo" unless
// DriverName says otherwise, as for one that is wrapped for tracing.
func New(cfg mysql.Config) gorm.Dialector {
	if cfg.DriverName == "" {
		cfg.DriverName = "vitessdo"
	}
	return &Dialector{mysql.New(cfg).(*mysql.Dialector)}
}

// translations are GORM's names of MySQL's errors.
var translations = map[int]error{
	1062: gorm.ErrDuplicatedKey,
	1451: gorm.ErrForeignKeyViolated,
	1452: gorm.ErrForeignKeyViolated,
	3819: gorm.ErrCheckConstraintViolated,
}

// Translate puts GORM's error above the driver's, where GORM has one. It is called
// when gorm.Config has TranslateError.
func (d *Dialector) Translate(err error) error {
	var e *vitessdo.Error
	if !errors.As(err, &e) {
		return err
	}
	known := translations[int(e.Number)]
	if known == nil || errors.Is(err, known) {
		return err
	}
	return fmt.Errorf("%w: %w", known, err)
}

// Migrator implements [gorm.Dialector].
func (d *Dialector) Migrator(db *gorm.DB) gorm.Migrator {
	return Migrator{mysql.Migrator{
		Migrator:  migrator.Migrator{Config: migrator.Config{DB: db, Dialector: d}},
		Dialector: *d.Dialector,
	}}
}

// Transaction runs fn in a transaction and commits it, and runs it again as long as
// that may help, as [vitessdo.RunTx] does: fn must do its work through tx, and bear
// being called several times. db is a pool's, not one that is in a transaction.
func Transaction(ctx context.Context, db *gorm.DB, opts *sql.TxOptions, fn func(tx *gorm.DB) error) error {
	pool, err := db.DB()
	if err != nil {
		return err
	}
	return vitessdo.RunTx(ctx, pool, opts, func(tx *sql.Tx) error {
		session := db.Session(&gorm.Session{Context: ctx, NewDB: true})
		session.Statement.ConnPool = tx
		return fn(session)
	})
}
