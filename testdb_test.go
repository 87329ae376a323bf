package vitessdo

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/remotetest"
)

// bg is the context of what isn't about contexts.
var bg = context.Background()

// querier and execer are what *sql.DB, *sql.Conn and *sql.Tx have in common.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// tabletsFlag runs the tests whose database is in memory with other tablets
// instead, which they don't know of.
var tabletsFlag = flag.String("tablets", "", "what the tablets of databases in memory are: \"\", plain or durable_object for an engine in this process, http or ws for a server's, worker for a Worker's in workerd")

// tabletKinds give, by tabletsFlag, the name of a database whose options are query.
var tabletKinds = map[string]func(tb testing.TB, query string) (dsn string){
	"plain":          func(_ testing.TB, query string) string { return ":memory:?engine=plain&" + query },
	"durable_object": func(_ testing.TB, query string) string { return ":memory:?engine=durable_object&" + query },
	"ws":             func(tb testing.TB, query string) string { return atServer(tb).DSN("ws", query) },
	"http":           func(tb testing.TB, query string) string { return atServer(tb).DSN("http", query) },
}

func atServer(tb testing.TB) *remotetest.Server {
	s := remotetest.Start("")
	tb.Cleanup(s.Close)
	return s
}

// openDB opens a database that the test's end closes.
func openDB(tb testing.TB, dsn string) *sql.DB {
	tb.Helper()
	if query, ok := strings.CutPrefix(dsn, ":memory:"); ok && *tabletsFlag != "" {
		kind := tabletKinds[*tabletsFlag]
		if kind == nil {
			tb.Fatalf("-tablets=%s is none of %v", *tabletsFlag, slices.Sorted(maps.Keys(tabletKinds)))
		}
		dsn = kind(tb, strings.TrimPrefix(query, "?"))
	}
	return openHere(tb, dsn)
}

// openHere is openDB for tests that look into the tablets, or count on what happens
// in this process and when.
func openHere(tb testing.TB, dsn string) *sql.DB {
	tb.Helper()
	db, err := sql.Open("vitessdo", dsn)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	return db
}

// memDB opens four shards in memory and runs a script on them.
func memDB(tb testing.TB, options string, script ...string) *sql.DB {
	tb.Helper()
	return withScript(tb, openDB(tb, memDSN(options)), script)
}

// ability is what some kinds of tablets lack, so that they declare it.
type ability string

const (
	// readersBesideWriters: who reads doesn't wait for a transaction that has written.
	readersBesideWriters ability = "capability concurrentReads"
	// oldStates: a transaction sees what it saw, whatever was committed since.
	oldStates ability = "capability losesSnapshots, which must be lacking"
	// oldStatesAtOnce: and commits over several shards show within a lock wait of 10 ms.
	oldStatesAtOnce ability = "capability losesSnapshots, which must be lacking, and commits within 10 ms"
	// interrupts: a running statement can be ended.
	interrupts ability = "the engine's own"
	// anyText: text may be any bytes.
	anyText ability = "NUL bytes, and text that isn't UTF-8, which PostgreSQL refuses"
	// sqliteText: the shards take what this process's own engine does, which a test asks them.
	sqliteText ability = "texts in SQLite's dialect"
	// makesAnew: some changes of a table make it anew.
	makesAnew ability = "tables that are changed by copying them"
	// ownKeys: shards keep the foreign keys between their own rows.
	ownKeys ability = "capability boundKeys, which must be lacking"
	// oldTables: who reads a table sees it as it was while a transaction changes it.
	oldTables ability = "reads of a table that an open transaction has changed"
	// roundsDefaults: a default has any spelling that its column can round.
	roundsDefaults ability = "DEFAULT of another spelling than its type's"
	// keyOrder: rows come in their primary key's order, where none is asked for.
	keyOrder ability = "rows in the primary key's order without ORDER BY"
	// assignsInTurn: an assignment sees those before it.
	assignsInTurn ability = "an UPDATE whose assignments hang on each other"
	// looksOver: the engine can look its own tables over.
	looksOver ability = "CHECK TABLE"
	// longTexts: a statement may have a megabyte.
	longTexts ability = "capability maxStatement, which must be lacking"
	// mysqlFunctions: what is stored can be computed on the shard.
	mysqlFunctions ability = "capability mysqlFunctions"
)

// lacks says whether the tablets of tabletsFlag lack something.
func lacks(need ability) bool { return slices.Contains(lacking[*tabletsFlag], need) }

// lacking says what the tablets of tabletsFlag's kinds can't do.
var lacking = map[string][]ability{"plain": {mysqlFunctions}, "durable_object": {mysqlFunctions, longTexts}}

// openDBWith is openDB for a test that needs more of its tablets than all have: where
// those of tabletsFlag lack it, they are those of this process.
func openDBWith(tb testing.TB, need ability, dsn string) *sql.DB {
	tb.Helper()
	if lacks(need) {
		return openHere(tb, dsn)
	}
	return openDB(tb, dsn)
}

// memDBWith is memDB, as openDBWith is openDB.
func memDBWith(tb testing.TB, need ability, options string, script ...string) *sql.DB {
	tb.Helper()
	return withScript(tb, openDBWith(tb, need, memDSN(options)), script)
}

// memHere is memDB in this process, as openHere is openDB.
func memHere(tb testing.TB, options string, script ...string) *sql.DB {
	tb.Helper()
	return withScript(tb, openHere(tb, memDSN(options)), script)
}

func memDSN(options string) string {
	if options != "" {
		options = "&" + options
	}
	return ":memory:?shards=4" + options
}

func withScript(tb testing.TB, db *sql.DB, script []string) *sql.DB {
	tb.Helper()
	for _, s := range script {
		do(tb, db, s)
	}
	return db
}

// dirDB opens a directory of four shards.
func dirDB(tb testing.TB, dir string, script ...string) *sql.DB {
	tb.Helper()
	return withScript(tb, openDB(tb, "file:"+escapePath(dir)+"?shards=4&synchronous=normal"), script)
}

// pin takes a connection out of the pool.
func pin(tb testing.TB, db *sql.DB) *sql.Conn {
	tb.Helper()
	c, err := db.Conn(bg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

func do(tb testing.TB, x execer, query string, args ...any) sql.Result {
	tb.Helper()
	r, err := x.ExecContext(bg, query, args...)
	if err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
	return r
}

// mustAffect runs a write and compares RowsAffected.
func mustAffect(tb testing.TB, x execer, want int64, query string, args ...any) {
	tb.Helper()
	if n, err := do(tb, x, query, args...).RowsAffected(); n != want || err != nil {
		tb.Errorf("%s: %d rows affected, %v; want %d", query, n, err, want)
	}
}

// mustFail runs what has to fail with the code, and gives the error.
func mustFail(tb testing.TB, x execer, code Code, query string, args ...any) *Error {
	tb.Helper()
	_, err := x.ExecContext(bg, query, args...)
	return wantCode(tb, err, code, query)
}

func wantCode(tb testing.TB, err error, code Code, what string) *Error {
	tb.Helper()
	var e *Error
	if !errors.As(err, &e) {
		tb.Fatalf("%s: error is %v (%T), want code %s", what, err, err, code)
	}
	if e.Code != code {
		tb.Fatalf("%s: code is %s (%v), want %s", what, e.Code, err, code)
	}
	return e
}

// rowsOf gives a result as text: values joined by "|", NULL as "∅".
func rowsOf(x querier, query string, args ...any) ([]string, error) {
	rows, err := x.QueryContext(bg, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	return drainRows(rows)
}

func drainRows(rows *sql.Rows) ([]string, error) {
	cols, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var out []string
	for rows.Next() {
		vals := make([]any, len(cols))
		ptrs := make([]any, len(cols))
		for i := range vals {
			ptrs[i] = &vals[i]
		}
		if err := rows.Scan(ptrs...); err != nil {
			return nil, err
		}
		parts := make([]string, len(vals))
		for i, v := range vals {
			parts[i] = textOf(v)
		}
		out = append(out, strings.Join(parts, "|"))
	}
	return out, rows.Err()
}

func textOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "∅"
	case []byte:
		return string(v)
	case time.Time:
		return v.Format("2006-01-02 15:04:05.999999")
	}
	return fmt.Sprint(v)
}

// want runs a query and compares its rows, joined by spaces.
func want(tb testing.TB, x querier, rows, query string, args ...any) {
	tb.Helper()
	got, err := rowsOf(x, query, args...)
	if err != nil {
		tb.Errorf("%s: %v", query, err)
		return
	}
	if s := strings.Join(got, " "); s != rows {
		tb.Errorf("%s:\n got  %s\n want %s", query, s, rows)
	}
}

// shardOf says which shards a statement goes to.
func shardOf(tb testing.TB, x querier, query string, args ...any) string {
	tb.Helper()
	rows, err := x.QueryContext(bg, "EXPLAIN FORMAT='vitess' "+query, args...)
	if err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var plan, combine, keyspace, shards, text string
		if err := rows.Scan(&plan, &combine, &keyspace, &shards, &text); err != nil {
			tb.Fatal(err)
		}
		all = append(all, shards)
	}
	if err := rows.Err(); err != nil {
		tb.Fatal(err)
	}
	return strings.Join(all, ";")
}

// soon runs f and fails if it hasn't returned in time.
func soon(tb testing.TB, what string, f func() error) error {
	tb.Helper()
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-time.After(20 * time.Second):
		tb.Fatalf("%s: still running after 20 s", what)
		return nil
	}
}

// idsOn gives k ids from 1 on that live on pairwise different shards, as
// SELECT … WHERE id = ? of the table finds them.
func idsOn(tb testing.TB, x querier, table string, k int) []int {
	tb.Helper()
	seen := map[string]bool{}
	var out []int
	for id := 1; len(out) < k; id++ {
		if id > 1000 {
			tb.Fatalf("no %d shards in use", k)
		}
		if s := shardOf(tb, x, "SELECT id FROM "+table+" WHERE id = ?", id); !seen[s] {
			seen[s] = true
			out = append(out, id)
		}
	}
	return out
}

// mustRows is rowsOf for a query that has to work.
func mustRows(tb testing.TB, x querier, query string, args ...any) []string {
	tb.Helper()
	rows, err := rowsOf(x, query, args...)
	if err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
	return rows
}
