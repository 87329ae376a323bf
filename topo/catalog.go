package topo

import (
	"context"
	"fmt"
	"io"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/vindex"
)

// Catalog keeps a [State] and the sequences in a tablet of its own. It is safe
// for concurrent use. It caches nothing: what it answers is what is committed.
//
// A mutation that takes a transaction must be given one on the catalog's
// tablet; it is done when the caller commits that, together with the shards'.
// Errors of the tablet are returned wrapped.
type Catalog struct {
	t tablet.Tablet
}

// catalogFormat is the version of the tables below.
const catalogFormat = 1

var catalogTables = []string{
	`CREATE TABLE IF NOT EXISTS meta (
	name TEXT NOT NULL PRIMARY KEY,
	value INTEGER NOT NULL
) WITHOUT ROWID`,
	`CREATE TABLE IF NOT EXISTS keyspaces (
	position INTEGER PRIMARY KEY,
	name TEXT NOT NULL COLLATE NOCASE UNIQUE,
	sharded INTEGER NOT NULL
)`,
	`CREATE TABLE IF NOT EXISTS shards (
	keyspace TEXT NOT NULL COLLATE NOCASE,
	name TEXT NOT NULL,
	file TEXT NOT NULL,
	PRIMARY KEY (keyspace, name)
) WITHOUT ROWID`,
	`CREATE TABLE IF NOT EXISTS relations (
	position INTEGER PRIMARY KEY,
	keyspace TEXT NOT NULL COLLATE NOCASE,
	name TEXT NOT NULL COLLATE NOCASE,
	view INTEGER NOT NULL,
	ddl TEXT NOT NULL,
	UNIQUE (keyspace, name)
)`,
	`CREATE TABLE IF NOT EXISTS vschema (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	json BLOB,
	auto INTEGER NOT NULL
)`,
	// last is the last value that has been reserved, not the next one to give:
	// so the largest integer needs no special case.
	`CREATE TABLE IF NOT EXISTS sequences (
	keyspace TEXT NOT NULL COLLATE NOCASE,
	name TEXT NOT NULL COLLATE NOCASE,
	last INTEGER NOT NULL,
	PRIMARY KEY (keyspace, name)
) WITHOUT ROWID`,
	`CREATE TABLE IF NOT EXISTS locks (
	name TEXT NOT NULL PRIMARY KEY,
	owner TEXT NOT NULL,
	note INTEGER NOT NULL,
	until INTEGER NOT NULL
) WITHOUT ROWID`,
	`INSERT INTO meta (name, value) VALUES ('format', 1), ('version', 0) ON CONFLICT DO NOTHING`,
	`INSERT INTO vschema (id, json, auto) VALUES (1, NULL, 1) ON CONFLICT DO NOTHING`,
}

// NewCatalog returns the catalog that is kept in t, and makes its tables when
// they are not there yet. The tablet stays the caller's to close, after the
// catalog's last use. A catalog of a newer format is refused with
// [ErrNewerFormat].
func NewCatalog(ctx context.Context, t tablet.Tablet) (*Catalog, error) {
	c := &Catalog{t: t}
	made, err := queryInt(ctx, t, `SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('meta', 'keyspaces', 'shards', 'relations', 'vschema', 'sequences', 'locks')`)
	if err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	if made != 7 {
		if err := c.createTables(ctx); err != nil {
			return nil, fmt.Errorf("catalog: can't make its tables: %w", err)
		}
	}
	format, err := queryInt(ctx, t, `SELECT value FROM meta WHERE name = 'format'`)
	if err != nil {
		return nil, fmt.Errorf("catalog: can't read its format: %w", err)
	}
	if format > catalogFormat {
		return nil, fmt.Errorf("catalog: has format %d, this version reads formats up to %d; upgrade vitessdo: %w", format, catalogFormat, ErrNewerFormat)
	}
	return c, nil
}

func (c *Catalog) createTables(ctx context.Context) error {
	return c.inTx(ctx, func(tx tablet.Tx) error {
		for _, sql := range catalogTables {
			if _, err := tx.Exec(ctx, &tablet.Query{SQL: sql}); err != nil {
				return err
			}
		}
		return nil
	})
}

// inTx runs f in a transaction that holds the write lock, and commits it.
func (c *Catalog) inTx(ctx context.Context, f func(tablet.Tx) error) error {
	tx, err := c.t.Begin(ctx, tablet.TxOptions{Write: true})
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		tx.Rollback()
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		tx.Rollback()
		return err
	}
	return nil
}

// Tablet returns the tablet that the catalog is kept in.
func (c *Catalog) Tablet() tablet.Tablet { return c.t }

// Version returns the committed state's version, at the cost of one small read.
func (c *Catalog) Version(ctx context.Context) (uint64, error) { return c.version(ctx, c.t) }

// VersionTx returns the state's version as tx sees it.
func (c *Catalog) VersionTx(ctx context.Context, tx tablet.Tx) (uint64, error) {
	return c.version(ctx, tx)
}

func (c *Catalog) version(ctx context.Context, r tablet.Runner) (uint64, error) {
	v, err := queryInt(ctx, r, `SELECT value FROM meta WHERE name = 'version'`)
	if err != nil {
		return 0, fmt.Errorf("catalog: can't read its version: %w", err)
	}
	return uint64(v), nil
}

// Load reads the committed state. A catalog that has not been initialised has
// no keyspaces.
func (c *Catalog) Load(ctx context.Context) (*State, error) {
	tx, err := c.t.Begin(ctx, tablet.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	defer tx.Rollback()
	st, err := c.LoadTx(ctx, tx)
	if err != nil {
		return nil, err
	}
	return st, nil
}

// Keyspaces reads the keyspaces, with their shards, and the version that they
// are of. Nothing else is in the state.
func (c *Catalog) Keyspaces(ctx context.Context) (*State, error) {
	tx, err := c.t.Begin(ctx, tablet.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	defer tx.Rollback()
	st := new(State)
	for _, load := range []func(context.Context, tablet.Runner, *State) error{loadMeta, loadKeyspaces, loadShards} {
		if err := load(ctx, tx, st); err != nil {
			return nil, fmt.Errorf("catalog: %w", err)
		}
	}
	return st, nil
}

// LoadTx reads the state as tx sees it, its own changes included.
func (c *Catalog) LoadTx(ctx context.Context, tx tablet.Tx) (*State, error) {
	st := new(State)
	for _, load := range []func(context.Context, tablet.Runner, *State) error{loadMeta, loadSchemas, loadKeyspaces, loadShards, loadRelations} {
		if err := load(ctx, tx, st); err != nil {
			return nil, fmt.Errorf("catalog: %w", err)
		}
	}
	return st, nil
}

func loadMeta(ctx context.Context, r tablet.Runner, st *State) error {
	return each(ctx, r, `SELECT m.value, v.json, v.auto FROM meta m, vschema v WHERE m.name = 'version'`, 3, func(row []tablet.Value) error {
		st.Version = uint64(asInt(row[0]))
		if row[1] != nil {
			st.VSchema = []byte(asText(row[1]))
		}
		st.Auto = asInt(row[2]) != 0
		return nil
	})
}

func loadSchemas(ctx context.Context, r tablet.Runner, st *State) error {
	return each(ctx, r, `SELECT substr(name, 8), value FROM meta WHERE name LIKE 'schema/%'`, 2, func(row []tablet.Value) error {
		if st.Schemas == nil {
			st.Schemas = map[string]uint64{}
		}
		st.Schemas[asText(row[0])] = uint64(asInt(row[1]))
		return nil
	})
}

func loadKeyspaces(ctx context.Context, r tablet.Runner, st *State) error {
	return each(ctx, r, `SELECT name, sharded FROM keyspaces ORDER BY position`, 2, func(row []tablet.Value) error {
		st.Keyspaces = append(st.Keyspaces, Keyspace{Name: asText(row[0]), Sharded: asInt(row[1]) != 0})
		return nil
	})
}

func loadShards(ctx context.Context, r tablet.Runner, st *State) error {
	err := each(ctx, r, `SELECT keyspace, name, file FROM shards`, 3, func(row []tablet.Value) error {
		name := asText(row[1])
		k := st.Keyspace(asText(row[0]))
		if k == nil {
			return fmt.Errorf("shard %s belongs to keyspace %s, which does not exist", name, asText(row[0]))
		}
		kr, err := vindex.ParseKeyRange(name)
		if err != nil {
			return fmt.Errorf("keyspace %s: %w", k.Name, err)
		}
		k.Shards = append(k.Shards, Shard{Name: name, Range: kr, File: asText(row[2])})
		return nil
	})
	if err != nil {
		return err
	}
	for i := range st.Keyspaces {
		if err := checkShards(&st.Keyspaces[i]); err != nil {
			return err
		}
	}
	return nil
}

func loadRelations(ctx context.Context, r tablet.Runner, st *State) error {
	return each(ctx, r, `SELECT keyspace, name, view, ddl FROM relations ORDER BY position`, 4, func(row []tablet.Value) error {
		st.Relations = append(st.Relations, Relation{
			Keyspace: asText(row[0]), Name: asText(row[1]), View: asInt(row[2]) != 0, DDL: asText(row[3])})
		return nil
	})
}

// each calls f with every row; what f is given is its to keep, blobs excepted.
func each(ctx context.Context, r tablet.Runner, sql string, columns int, f func([]tablet.Value) error, args ...tablet.Value) (err error) {
	rows, err := r.Query(ctx, &tablet.Query{SQL: sql, Args: args})
	if err != nil {
		return err
	}
	defer func() {
		if e := rows.Close(); err == nil {
			err = e
		}
	}()
	row := make([]tablet.Value, columns)
	for {
		switch err := rows.Next(row); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		if err := f(row); err != nil {
			return err
		}
	}
}

// queryInt returns the one integer that a statement gives, 0 when it gives no
// row.
func queryInt(ctx context.Context, r tablet.Runner, sql string, args ...tablet.Value) (v int64, err error) {
	err = each(ctx, r, sql, 1, func(row []tablet.Value) error {
		v = asInt(row[0])
		return nil
	}, args...)
	return v, err
}

func asInt(v tablet.Value) int64 {
	i, _ := v.(int64)
	return i
}

// asText copies text or a blob.
func asText(v tablet.Value) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return ""
}
