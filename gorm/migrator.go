package vitessdogorm

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/vitessdo/vitessdo/vschema"
	"gorm.io/driver/mysql"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/migrator"
)

// Migrator is the MySQL dialector's, which also shards tables as their models say.
type Migrator struct {
	mysql.Migrator
}

// AutoMigrate makes and alters the models' tables, and brings their sharding and the
// models' tags together. Wrong tags are found before anything is changed.
func (m Migrator) AutoMigrate(values ...any) error {
	models := m.ReorderModels(values, true)
	for _, value := range models {
		if _, err := m.shardingOf(value); err != nil {
			return err
		}
	}
	if err := m.Migrator.AutoMigrate(values...); err != nil {
		return err
	}
	if m.DB.DryRun {
		return nil
	}
	for _, value := range models {
		if err := m.reconcile(value); err != nil {
			return err
		}
	}
	return nil
}

// CreateTable makes the models' tables, sharded as their tags say.
func (m Migrator) CreateTable(values ...any) error {
	for _, value := range m.ReorderModels(values, false) {
		s, err := m.shardingOf(value)
		if err != nil {
			return err
		}
		if err := m.createLookups(s); err != nil {
			return err
		}
		tx := m.DB.Session(&gorm.Session{})
		if comment := s.comment(); comment != "" {
			options, err := withComment(tx, s.table, comment)
			if err != nil {
				return err
			}
			tx = tx.Set("gorm:table_options", options)
		}
		if err := m.on(tx).CreateTable(value); err != nil {
			return err
		}
		if err := m.createSequence(s); err != nil {
			return err
		}
	}
	return nil
}

// on is the MySQL dialector's migrator over another session.
func (m Migrator) on(db *gorm.DB) mysql.Migrator {
	return mysql.Migrator{
		Migrator:  migrator.Migrator{Config: migrator.Config{DB: db, Dialector: m.Migrator.Migrator.Dialector}},
		Dialector: m.Migrator.Dialector,
	}
}

func (m Migrator) shardingOf(value any) (s *sharding, err error) {
	err = m.RunWithValue(value, func(stmt *gorm.Statement) error {
		if stmt.Schema == nil {
			s = &sharding{table: stmt.Table}
			return nil
		}
		s, err = readSharding(stmt.Schema, stmt.Table)
		return err
	})
	return s, err
}

var commentOption = regexp.MustCompile(`(?i)\bCOMMENT\b`)

// withComment adds a table's comment to the options that the session has for it.
func withComment(db *gorm.DB, table, comment string) (string, error) {
	options := ""
	if v, ok := db.Get("gorm:table_options"); ok {
		options = fmt.Sprint(v)
	}
	if commentOption.MatchString(options) {
		return "", fmt.Errorf("table %s: gorm:table_options has a COMMENT, and the model's vitessdo tags need one; say both in the options: COMMENT '%s; …'", table, comment)
	}
	return options + " COMMENT " + quote(comment), nil
}

func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// createLookups makes the tables of lookup vindexes that aren't there yet.
func (m Migrator) createLookups(s *sharding) error {
	for _, l := range s.lookups {
		if m.DB.Migrator().HasTable(l.table) {
			continue
		}
		column := clause.Column{Name: l.from}
		key := []any{column}
		if !l.unique() {
			key = append(key, clause.Column{Name: l.to})
		}
		err := m.DB.Exec("CREATE TABLE ? (? ? NOT NULL, ? VARBINARY(255), PRIMARY KEY ?)",
			clause.Table{Name: l.table}, column, clause.Expr{SQL: m.Migrator.Migrator.DataTypeOf(l.field)}, clause.Column{Name: l.to}, key).Error
		if err != nil {
			return fmt.Errorf("table %s for the lookup vindex of %s.%s: %w", l.table, s.table, l.from, err)
		}
	}
	return nil
}

// createSequence has the table's AUTO_INCREMENT column take its values from the
// sequence that the model names.
func (m Migrator) createSequence(s *sharding) error {
	if s.sequence == "" {
		return nil
	}
	ks, err := m.keyspace()
	if err != nil {
		return err
	}
	if ks.Table(s.sequence) == nil {
		if err := m.DB.Exec("ALTER VSCHEMA ADD SEQUENCE ?", clause.Table{Name: s.sequence}).Error; err != nil {
			return err
		}
	}
	if ks.Table(s.table) == nil { // an unsharded keyspace needn't declare its tables
		if err := m.DB.Exec("ALTER VSCHEMA ADD TABLE ?", clause.Table{Name: s.table}).Error; err != nil {
			return err
		}
	}
	return m.DB.Exec("ALTER VSCHEMA ON ? ADD AUTO_INCREMENT ? USING ?",
		clause.Table{Name: s.table}, clause.Column{Name: s.sequenced}, clause.Table{Name: s.sequence}).Error
}

// keyspace is the VSchema of the session's keyspace as it stands.
func (m Migrator) keyspace() (*vschema.Keyspace, error) {
	db := m.DB.Session(&gorm.Session{NewDB: true})
	var text string
	if err := db.Raw("SHOW VSCHEMA").Row().Scan(&text); err != nil {
		return nil, err
	}
	v, err := vschema.Parse([]byte(text))
	if err != nil {
		return nil, err
	}
	name := m.DB.Migrator().CurrentDatabase()
	if ks := v.Keyspace(name); ks != nil {
		return ks, nil
	}
	return nil, fmt.Errorf("the VSchema has no keyspace %q", name)
}

// reconcile compares a table's sharding with its model's tags, and adds the lookup
// vindexes and the sequence that only the model has.
func (m Migrator) reconcile(value any) error {
	s, err := m.shardingOf(value)
	if err != nil || s.silent() {
		return err
	}
	ks, err := m.keyspace()
	if err != nil {
		return err
	}
	is := ks.Table(s.table)
	if ks.Sharded { // all rows are on one shard otherwise
		if err := m.complete(s, is); err != nil {
			return err
		}
	}
	if s.sequence != "" && (is == nil || is.AutoIncrement == nil || is.AutoIncrement.Sequence != s.sequence) {
		return m.createSequence(s)
	}
	return nil
}

// complete gives a table the lookup vindexes that it lacks, where its rows live as its
// model says.
func (m Migrator) complete(s *sharding, is *vschema.Table) error {
	if is == nil {
		return fmt.Errorf("table %s isn't in the VSchema", s.table)
	}
	if err := s.sameHome(is); err != nil {
		return err
	}
	for _, l := range s.lookups {
		if l.in(is) {
			continue
		}
		if err := m.createLookups(&sharding{table: s.table, lookups: []lookup{l}}); err != nil {
			return err
		}
		if err := m.DB.Exec(l.alter(s.table)).Error; err != nil {
			return err
		}
	}
	return nil
}
