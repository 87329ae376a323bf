package topo

import (
	"context"
	"fmt"

	"github.com/vitessdo/vitessdo/tablet"
)

// Init writes the first state, whole or not at all: keyspaces, VSchema and
// relations of st; its version is ignored. A catalog that has keyspaces already
// is left alone and an error is returned.
func (c *Catalog) Init(ctx context.Context, st *State) error {
	return c.inTx(ctx, func(tx tablet.Tx) error { return c.InitTx(ctx, tx, st) })
}

// InitTx is Init in the caller's transaction.
func (c *Catalog) InitTx(ctx context.Context, tx tablet.Tx, st *State) error {
	fail := func(err error) error { return fmt.Errorf("catalog: can't initialise it: %w", err) }
	n, err := queryInt(ctx, tx, `SELECT count(*) FROM keyspaces`)
	if err != nil {
		return fail(err)
	}
	if n > 0 {
		return fail(fmt.Errorf("it is initialised already, with %d keyspaces", n))
	}
	for _, k := range st.Keyspaces {
		if err := c.PutKeyspace(ctx, tx, k); err != nil {
			return fail(err)
		}
	}
	for _, r := range st.Relations {
		if err := c.PutRelation(ctx, tx, r); err != nil {
			return fail(err)
		}
	}
	if err := c.PutVSchema(ctx, tx, st.VSchema, st.Auto); err != nil {
		return fail(err)
	}
	return nil
}

// BumpVersion raises the state's version by one and returns the new one, which
// holds once tx has been committed.
func (c *Catalog) BumpVersion(ctx context.Context, tx tablet.Tx) (uint64, error) {
	v, err := queryInt(ctx, tx, `UPDATE meta SET value = value + 1 WHERE name = 'version' RETURNING value`)
	if err != nil {
		return 0, fmt.Errorf("catalog: can't raise its version: %w", err)
	}
	return uint64(v), nil
}

// MoveSchema raises the state's version by one and makes it the version of a
// keyspace's schema. The caller tells it the shards, in the same distributed
// transaction.
func (c *Catalog) MoveSchema(ctx context.Context, tx tablet.Tx, keyspace string) (uint64, error) {
	v, err := c.BumpVersion(ctx, tx)
	if err != nil {
		return 0, err
	}
	_, err = tx.Exec(ctx, &tablet.Query{SQL: `INSERT INTO meta (name, value) VALUES ('schema/' || lower(?1), ?2)
ON CONFLICT (name) DO UPDATE SET value = excluded.value`, Args: []tablet.Value{keyspace, int64(v)}})
	if err != nil {
		return 0, fmt.Errorf("catalog: can't record the version of keyspace %s: %w", keyspace, err)
	}
	return v, nil
}

// mutate runs one statement and raises the version. It returns how many rows
// the statement changed; when none, the version stays.
func (c *Catalog) mutate(ctx context.Context, tx tablet.Tx, sql string, args ...tablet.Value) (int64, error) {
	res, err := tx.Exec(ctx, &tablet.Query{SQL: sql, Args: args})
	if err != nil || res.RowsAffected == 0 {
		return 0, err
	}
	_, err = c.BumpVersion(ctx, tx)
	return res.RowsAffected, err
}

// PutKeyspace records a keyspace with its shards, in the place of what was
// recorded under that name, and raises the version.
func (c *Catalog) PutKeyspace(ctx context.Context, tx tablet.Tx, k Keyspace) error {
	k = cloneKeyspaces([]Keyspace{k})[0]
	err := CheckKeyspaceName(k.Name)
	if err == nil {
		err = checkShards(&k)
	}
	if err != nil {
		return fmt.Errorf("catalog: %w", err)
	}
	fail := func(err error) error { return fmt.Errorf("catalog: can't record keyspace %s: %w", k.Name, err) }
	if _, err := c.mutate(ctx, tx, `INSERT INTO keyspaces (name, sharded) VALUES (?1, ?2)
ON CONFLICT (name) DO UPDATE SET name = excluded.name, sharded = excluded.sharded`, k.Name, boolInt(k.Sharded)); err != nil {
		return fail(err)
	}
	if _, err := tx.Exec(ctx, &tablet.Query{SQL: `DELETE FROM shards WHERE keyspace = ?1`, Args: []tablet.Value{k.Name}}); err != nil {
		return fail(err)
	}
	args := make([]tablet.Value, 0, 3*len(k.Shards))
	for _, s := range k.Shards {
		args = append(args, k.Name, s.Name, s.File)
	}
	if _, err := tx.Exec(ctx, &tablet.Query{
		SQL: `INSERT INTO shards (keyspace, name, file) VALUES (?1, ?2, ?3)`, Args: args, Batch: len(k.Shards)}); err != nil {
		return fail(err)
	}
	return nil
}

// DropKeyspace forgets a keyspace, its shards, relations and sequences, and
// raises the version. The files and the VSchema are the caller's to change. One
// that is not recorded is an error with code NO_SUCH_TABLE.
func (c *Catalog) DropKeyspace(ctx context.Context, tx tablet.Tx, keyspace string) error {
	n, err := c.mutate(ctx, tx, `DELETE FROM keyspaces WHERE name = ?1`, keyspace)
	for _, table := range []string{"shards", "relations", "sequences"} {
		if err != nil || n == 0 {
			break
		}
		_, err = tx.Exec(ctx, &tablet.Query{SQL: `DELETE FROM ` + table + ` WHERE keyspace = ?1`, Args: []tablet.Value{keyspace}})
	}
	if err == nil && n == 0 {
		err = c.missing("keyspace", keyspace)
	}
	if err != nil {
		return fmt.Errorf("catalog: can't drop keyspace %s: %w", keyspace, err)
	}
	return nil
}

// PutRelation records a table or view, in the place of what was recorded under
// that name, and raises the version.
func (c *Catalog) PutRelation(ctx context.Context, tx tablet.Tx, r Relation) error {
	_, err := c.mutate(ctx, tx, `INSERT INTO relations (keyspace, name, view, ddl) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (keyspace, name) DO UPDATE SET name = excluded.name, view = excluded.view, ddl = excluded.ddl`,
		r.Keyspace, r.Name, boolInt(r.View), r.DDL)
	if err != nil {
		return fmt.Errorf("catalog: can't record %s.%s: %w", r.Keyspace, r.Name, err)
	}
	return nil
}

// DropRelation forgets a table or view and raises the version. One that is not
// recorded is an error with code NO_SUCH_TABLE.
func (c *Catalog) DropRelation(ctx context.Context, tx tablet.Tx, keyspace, name string) error {
	n, err := c.mutate(ctx, tx, `DELETE FROM relations WHERE keyspace = ?1 AND name = ?2`, keyspace, name)
	if err == nil && n == 0 {
		err = c.missing("table", name)
	}
	if err != nil {
		return fmt.Errorf("catalog: can't drop %s.%s: %w", keyspace, name, err)
	}
	return nil
}

// RenameRelation gives a table or view a new name and, with it, its DDL as it
// reads from now on, and raises the version. An old name that is not recorded
// is an error with code NO_SUCH_TABLE, a new one that is, one with code
// TABLE_EXISTS; a change of case only is fine.
func (c *Catalog) RenameRelation(ctx context.Context, tx tablet.Tx, keyspace, oldName, newName, ddl string) error {
	taken, err := queryInt(ctx, tx, `SELECT count(*) FROM relations WHERE keyspace = ?1 AND name = ?3 AND name <> ?2`, keyspace, oldName, newName)
	switch {
	case err != nil:
	case taken > 0:
		err = &tablet.Error{Code: tablet.CodeTableExists, Target: c.t.Target(), Table: newName,
			Message: fmt.Sprintf("table %s exists already", newName)}
	default:
		var n int64
		n, err = c.mutate(ctx, tx, `UPDATE relations SET name = ?3, ddl = ?4 WHERE keyspace = ?1 AND name = ?2`, keyspace, oldName, newName, ddl)
		if err == nil && n == 0 {
			err = c.missing("table", oldName)
		}
	}
	if err != nil {
		return fmt.Errorf("catalog: can't rename %s.%s to %s: %w", keyspace, oldName, newName, err)
	}
	return nil
}

// PutVSchema records the VSchema's JSON, nil for none, and whether tables that
// it doesn't declare route themselves, and raises the version.
func (c *Catalog) PutVSchema(ctx context.Context, tx tablet.Tx, json []byte, auto bool) error {
	var v tablet.Value
	if json != nil {
		v = json
	}
	if _, err := c.mutate(ctx, tx, `UPDATE vschema SET json = ?1, auto = ?2`, v, boolInt(auto)); err != nil {
		return fmt.Errorf("catalog: can't record the VSchema: %w", err)
	}
	return nil
}

func (c *Catalog) missing(kind, name string) error {
	return &tablet.Error{Code: tablet.CodeNoTable, Target: c.t.Target(), Table: name, Message: fmt.Sprintf("%s %s is not recorded", kind, name)}
}

func boolInt(b bool) tablet.Value {
	if b {
		return int64(1)
	}
	return int64(0)
}
