package reshard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/internal/disk"
	"github.com/vitessdo/vitessdo/internal/sqlite"
	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/tablet"
)

// source is an old shard, which is only read.
type source struct {
	name string
	conn *sqlite.Conn
}

// target is a new shard.
type target struct {
	name string
	path string
	conn *sqlite.Conn
	at   map[mark]place // how far it has come
}

// mark names a part of a job: an old shard of a table; indexes have shard -1.
type mark struct {
	table string
	shard int
}

// place is the row ID up to which a target has taken the rows of a part.
type place struct {
	row  int64
	done bool
}

// moving are the keyspaces that are copied row by row, with their databases open.
type moving []*keyspace

// maxCache bounds the page caches of all new shards together.
const (
	maxCache   = 256 << 10 // KiB
	leastCache = 2 << 10
	mostCache  = 64 << 10
)

// openShards opens the old shards and makes the new ones, empty, where they aren't
// there yet. What it returns is to be closed, also with an error.
func (m *mover) openShards(ctx context.Context) (out moving, err error) {
	for _, k := range m.plan.keyspaces {
		if k.whole {
			continue
		}
		out = append(out, k)
		for i := range k.old.Shards {
			s := &source{name: k.old.Shards[i].Name}
			if s.conn, err = sqlite.Open(ctx, m.dir.File(k.old.Shards[i].File), sqlite.Options{NoCreate: true, VFS: m.disk.Engine()}); err != nil {
				return out, inShard(err, k.name, s.name)
			}
			k.sources = append(k.sources, s)
		}
		if err := k.checkTables(ctx); err != nil {
			return out, err
		}
		for i := range k.now.Shards {
			t := &target{name: k.now.Shards[i].Name, path: m.dir.File(k.now.Shards[i].File), at: map[mark]place{}}
			k.targets = append(k.targets, t)
			if err := t.open(ctx, m.disk, maxCache/len(k.now.Shards)); err != nil {
				return out, inShard(err, k.name, t.name)
			}
			if err := t.prepare(ctx, k); err != nil {
				return out, inShard(err, k.name, t.name)
			}
			reach(Prepared)
		}
	}
	return out, nil
}

// close closes all databases; again does nothing.
func (list moving) close() error {
	var errs []error
	for _, k := range list {
		for _, s := range k.sources {
			if s.conn != nil {
				errs = append(errs, s.conn.Close())
			}
		}
		for _, t := range k.targets {
			if t.conn != nil {
				errs = append(errs, t.conn.Close())
			}
		}
		k.sources, k.targets = nil, nil
	}
	return errors.Join(errs...)
}

func inShard(err error, ks, shard string) error {
	var e *tablet.Error
	if errors.As(err, &e) && e.Target.Shard == "" {
		e.Target = tablet.Target{Keyspace: ks, Shard: shard}
	}
	return err
}

const listTables = `SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid`

// ours says whether a table is the tablet's own, or SQLite's, and not copied.
func ours(name string) bool {
	lower := strings.ToLower(name)
	return strings.HasPrefix(lower, "sqlite_") || schema.Hidden(name) && !strings.HasPrefix(lower, "_vt_unique.")
}

// checkTables sees that the old shards have the tables that the catalog has, and no
// rows where nobody looks for them; it counts the rows.
func (k *keyspace) checkTables(ctx context.Context) error {
	for i, s := range k.sources {
		rows, err := s.conn.QueryAll(ctx, listTables)
		if err != nil {
			return inShard(err, k.name, s.name)
		}
		there := map[string]bool{}
		for _, r := range rows {
			name, _ := r[0].(string)
			there[strings.ToLower(name)] = true
		}
		for _, j := range k.jobs {
			if !there[strings.ToLower(j.source)] {
				return fmt.Errorf("shard %s/%s lacks table %s, which the catalog has", k.name, s.name, j.source)
			}
			rows, err := s.conn.QueryAll(ctx, "SELECT count(*) FROM "+quoteName(j.source))
			if err != nil {
				return inShard(err, k.name, s.name)
			}
			n, _ := rows[0][0].(int64)
			switch {
			case slices.Contains(j.shards(len(k.sources)), i):
				j.total += n
				j.counts[i] = n
			case n > 0 && !j.origin.Everywhere:
				return fmt.Errorf("table %s has %d rows on shard %s/%s, where nobody looks for them: its rows are kept on shard %s alone; "+
					"delete them there, or insert them anew (USE `%s/%s` leads to that shard)", j.source, n, k.name, s.name, k.sources[j.origin.Shard].name, k.name, s.name)
			}
		}
	}
	return nil
}

func (t *target) open(ctx context.Context, on disk.FS, cache int) (err error) {
	t.conn, err = sqlite.Open(ctx, t.path, sqlite.Options{VFS: on.Engine(), CacheKiB: min(max(cache, leastCache), mostCache)})
	return err
}

// The tables that a target has while it is filled.
const (
	marksTable   = `CREATE TABLE _vt_reshard (tbl TEXT NOT NULL, shard INTEGER NOT NULL, at INTEGER NOT NULL, done INTEGER NOT NULL, PRIMARY KEY (tbl, shard)) WITHOUT ROWID`
	indexesTable = `CREATE TABLE _vt_reshard_indexes (position INTEGER PRIMARY KEY, tbl TEXT NOT NULL, ddl TEXT NOT NULL)`
	putMark      = `INSERT INTO _vt_reshard (tbl, shard, at, done) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (tbl, shard) DO UPDATE SET at = excluded.at, done = excluded.done`
)

// settings of a target: what is committed is on the disk. Whether rows keep CHECKs and
// foreign keys was asked when they were written.
const settings = `PRAGMA journal_mode=TRUNCATE; PRAGMA synchronous=FULL; PRAGMA foreign_keys=OFF; PRAGMA ignore_check_constraints=ON;`

// prepare makes the tables, all or none, or reads how far an earlier run has come.
func (t *target) prepare(ctx context.Context, k *keyspace) error {
	page, err := k.sources[0].conn.QueryAll(ctx, "PRAGMA page_size")
	if err != nil {
		return err
	}
	if err := t.conn.Script(fmt.Sprintf("PRAGMA page_size=%d; %s", page[0][0], settings)); err != nil {
		return err
	}
	made, err := t.conn.QueryAll(ctx, "SELECT 1 FROM sqlite_schema LIMIT 1")
	if err != nil {
		return err
	}
	if len(made) == 0 {
		return t.make(ctx, k)
	}
	there, err := t.conn.QueryAll(ctx, "SELECT 1 FROM sqlite_schema WHERE name = '_vt_reshard'")
	if err != nil || len(there) == 0 {
		return err // it is finished
	}
	rows, err := t.conn.QueryAll(ctx, "SELECT tbl, shard, at, done FROM _vt_reshard")
	for _, r := range rows {
		table, _ := r[0].(string)
		shard, _ := r[1].(int64)
		at, _ := r[2].(int64)
		t.at[mark{table, int(shard)}] = place{at, r[3] != int64(0)}
	}
	return err
}

// make copies the definitions of an old shard, makes of them what they are to be, and
// takes the indexes away, to be made when the rows are there.
func (t *target) make(ctx context.Context, k *keyspace) error {
	rows, err := k.sources[0].conn.QueryAll(ctx, `SELECT name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type <> 'table', rowid`)
	if err != nil {
		return err
	}
	script := []string{"BEGIN IMMEDIATE"}
	for _, r := range rows {
		name, _ := r[0].(string)
		table, _ := r[1].(string)
		if text, _ := r[2].(string); !ours(name) && !ours(table) {
			script = append(script, text)
		}
	}
	script = append(script, k.statements...)
	script = append(script, marksTable, indexesTable,
		`INSERT INTO _vt_reshard_indexes (tbl, ddl) SELECT tbl_name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY rowid`)
	for _, sql := range script {
		if err := t.conn.Script(sql); err != nil {
			return err
		}
	}
	rows, err = t.conn.QueryAll(ctx, `SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL`)
	if err != nil {
		return err
	}
	for _, r := range rows {
		name, _ := r[0].(string)
		if err := t.conn.Script("DROP INDEX " + quoteName(name)); err != nil {
			return err
		}
	}
	return t.conn.Control("COMMIT")
}

// finish takes away what only the copying needed, and gives the shards the version of
// the schema that the new catalog has.
func (k *keyspace) finish(ctx context.Context) error {
	stats, err := k.sources[0].conn.QueryAll(ctx, "SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'")
	if err != nil {
		return err
	}
	for _, t := range k.targets {
		script := fmt.Sprintf("DROP TABLE IF EXISTS _vt_reshard; DROP TABLE IF EXISTS _vt_reshard_indexes; PRAGMA user_version=%d;", k.to.Schema)
		if len(stats) > 0 {
			script += "ANALYZE;"
		}
		if err := t.conn.Script("BEGIN IMMEDIATE; " + script + "COMMIT"); err != nil {
			return inShard(err, k.name, t.name)
		}
		reach(Finished)
	}
	return nil
}

// copyFiles copies the databases of a keyspace as they are.
func (m *mover) copyFiles(ctx context.Context, k *keyspace) error {
	for i := range k.old.Shards {
		from, to := m.dir.File(k.old.Shards[i].File), m.dir.File(k.now.Shards[i].File)
		if _, err := os.Stat(to); err == nil {
			continue // an earlier run has
		}
		if err := settled(ctx, from, m.disk); err != nil {
			return inShard(err, k.name, k.old.Shards[i].Name)
		}
		if err := copyFile(m.disk, from, to); err != nil {
			return diskError(err)
		}
		reach(Filed)
	}
	return nil
}

// settled brings what is in a database's log into the database.
func settled(ctx context.Context, path string, on disk.FS) error {
	c, err := sqlite.Open(ctx, path, sqlite.Options{NoCreate: true, VFS: on.Engine()})
	if err != nil {
		return err
	}
	rows, err := c.QueryAll(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	if err == nil && rows[0][0] != int64(0) {
		err = fmt.Errorf("the write-ahead log of %s can't be emptied", path)
	}
	return errors.Join(err, c.Close())
}

// copyFile copies a file, whole or not at all.
func copyFile(on disk.FS, from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := on.OpenFile(to+disk.TmpSuffix, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err == nil {
		err = out.Sync()
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return err
	}
	return on.Rename(to+disk.TmpSuffix, to)
}
