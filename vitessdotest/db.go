package vitessdotest

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/sqlparse"
)

// DB is a database for one test. It is safe for concurrent use.
type DB struct {
	*sql.DB
	*Recorder
}

// Option says how New makes the database.
type Option func(*options)

type options struct {
	shards  int
	schema  []string
	vschema string
	dsn     string
	forbid  bool
	change  []func(*vitessdo.Config)
}

// Shards is the number of shards, 1 to 256; without it there are four.
func Shards(n int) Option { return func(o *options) { o.shards = n } }

// Schema is a script of statements, separated by semicolons, that make the tables
// and what is to be in them. Several run one after the other. The assertions don't
// look at it.
func Schema(script string) Option {
	return func(o *options) { o.schema = append(o.schema, script) }
}

// VSchema is a VSchema as JSON, ours or Vitess's. Without one tables are sharded
// automatically, or as they say themselves.
func VSchema(json string) Option { return func(o *options) { o.vschema = json } }

// Options are further options of a data source name, as
// "foreign_keys=off&transaction_mode=single".
func Options(query string) Option { return func(o *options) { o.dsn += "&" + query } }

// Config changes what has no option.
func Config(change func(*vitessdo.Config)) Option {
	return func(o *options) { o.change = append(o.change, change) }
}

// ForbidScatter fails the test at every statement that asks all shards, because
// nothing says where its rows are.
func ForbidScatter() Option { return func(o *options) { o.forbid = true } }

// New opens a database that is closed when the test ends. What is wrong with the
// options ends the test.
func New(t testing.TB, opts ...Option) *DB {
	t.Helper()
	o := &options{shards: 4}
	for _, set := range opts {
		set(o)
	}
	cfg, err := vitessdo.ParseDSN(":memory:?" + o.dsn)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Shards = o.shards
	if o.vschema != "" {
		cfg.VSchema = filepath.Join(t.TempDir(), "vschema.json")
		if err := os.WriteFile(cfg.VSchema, []byte(o.vschema), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, change := range o.change {
		change(cfg)
	}
	r := &Recorder{}
	cfg.Observers = append(cfg.Observers, r)
	c, err := vitessdo.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	db := &DB{DB: sql.OpenDB(c), Recorder: r}
	t.Cleanup(func() {
		r.forbid(nil)
		if err := db.Close(); err != nil {
			t.Errorf("closing the database: %v", err)
		}
	})
	for _, script := range o.schema {
		db.run(t, script)
	}
	if o.forbid {
		r.forbid(t)
	}
	return db
}

func (db *DB) run(t testing.TB, script string) {
	t.Helper()
	parts, err := sqlparse.Split(script, sqlparse.Options{})
	if err != nil {
		t.Fatalf("the schema can't be read: %v", err)
	}
	for _, statement := range parts {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("the schema fails: %v\nin %s", err, statement)
		}
	}
}
