package vitessdo

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
)

// recorder keeps what it is told, as text.
type recorder struct {
	mu   sync.Mutex
	open int
	list []string
	tell func(*Statement) string
}

func (r *recorder) StatementStart(ctx context.Context, st *Statement) context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open++
	return ctx
}

func (r *recorder) StatementEnd(_ context.Context, st *Statement) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open--
	r.list = append(r.list, r.tell(st))
}

// told gives what was told since the last call, and checks that every statement has
// ended.
func (r *recorder) told(t *testing.T) []string {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open != 0 {
		t.Errorf("%d statements were begun and haven't ended", r.open)
	}
	list := r.list
	r.list = nil
	return list
}

func observedDB(t *testing.T, change func(*Config)) *sql.DB {
	t.Helper()
	cfg := NewConfig()
	cfg.Memory, cfg.Shards, cfg.MultiStatements = true, 4, true
	change(cfg)
	c, err := NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(c)
	t.Cleanup(func() { _ = db.Close() })
	return withScript(t, db, []string{
		"CREATE TABLE t (id BIGINT PRIMARY KEY, grp BIGINT, name VARCHAR(20), UNIQUE KEY by_name (name))",
		"CREATE TABLE note (id BIGINT PRIMARY KEY, text TEXT) COMMENT 'unsharded'",
		"INSERT INTO t VALUES (1, 1, 'a'), (2, 1, 'b'), (3, 2, 'c'), (4, 2, 'd'), (5, 3, 'e'), (6, 3, 'f')",
	})
}

func TestObserver(t *testing.T) {
	r := &recorder{tell: func(st *Statement) string {
		kinds := map[string]bool{}
		for _, c := range st.Calls {
			kinds[c.Kind] = true
		}
		calls := ""
		for _, k := range []string{"query", "exec", "prepare", "decide", "commit"} {
			if kinds[k] {
				calls += " " + k
			}
		}
		scatter := ""
		if st.Scatter {
			scatter = " SCATTER"
		}
		return fmt.Sprintf("%s | %s%s | %d shards | %d rows |%s | %s", st.Query, st.PlanType, scatter, len(st.Shards), st.Rows, calls, st.Code())
	}}
	db := observedDB(t, func(c *Config) { c.Observers = []Observer{r} })
	r.told(t)
	for _, c := range []struct {
		name string
		run  func(*testing.T)
		want []string
	}{
		{"a point select", func(t *testing.T) {
			var n int64
			if err := db.QueryRow("SELECT grp FROM t WHERE id = ?", 3).Scan(&n); n != 2 || err != nil {
				t.Error(n, err)
			}
		}, []string{"SELECT grp FROM t WHERE id = ? | single_shard | 1 shards | 1 rows | query | "}},
		{"a prepared one", func(t *testing.T) {
			st, err := db.Prepare("SELECT id FROM t WHERE id = ?")
			if err != nil {
				t.Fatal(err)
			}
			defer st.Close()
			for id := range 2 {
				rows, err := st.Query(id)
				if err != nil {
					t.Fatal(err)
				}
				for rows.Next() {
				}
				_ = rows.Close()
			}
		}, []string{
			"SELECT id FROM t WHERE id = ? | single_shard | 1 shards | 0 rows | query | ",
			"SELECT id FROM t WHERE id = ? | single_shard | 1 shards | 1 rows | query | ",
		}},
		{"a scatter", func(t *testing.T) { count(t, db, "SELECT name FROM t ORDER BY name", 6) },
			[]string{"SELECT name FROM t ORDER BY name | scatter SCATTER | 4 shards | 6 rows | query | "}},
		{"an aggregate", func(t *testing.T) { count(t, db, "SELECT COUNT(*) FROM t", 1) },
			[]string{"SELECT COUNT(*) FROM t | scatter_aggregate SCATTER | 4 shards | 1 rows | query | "}},
		{"a unique key that leads to the shard", func(t *testing.T) { count(t, db, "SELECT id FROM t WHERE name = 'c'", 1) },
			[]string{"SELECT id FROM t WHERE name = 'c' | lookup | 2 shards | 1 rows | query | "}},
		{"a table on one shard", func(t *testing.T) { count(t, db, "SELECT * FROM note", 0) },
			[]string{"SELECT * FROM note | unsharded | 1 shards | 0 rows | query | "}},
		{"rows that are given up", func(t *testing.T) {
			rows, err := db.Query("SELECT id FROM t")
			if err != nil || !rows.Next() {
				t.Fatal(err)
			}
			_ = rows.Close()
		}, []string{"SELECT id FROM t | scatter SCATTER | 4 shards | 1 rows | query | "}},
		{"a write to one shard", func(t *testing.T) { mustAffect(t, db, 1, "UPDATE t SET grp = 9 WHERE id = 3") },
			[]string{"UPDATE t SET grp = 9 WHERE id = 3 | single_shard | 1 shards | 1 rows | exec | "}},
		{"a write to all", func(t *testing.T) { mustAffect(t, db, 6, "UPDATE t SET grp = grp + 1") },
			[]string{"UPDATE t SET grp = grp + 1 | scatter SCATTER | 4 shards | 6 rows | exec prepare commit | "}},
		{"one that can't be prepared", func(t *testing.T) {
			_, err := db.Prepare("SELECT nothing FROM t WHERE id = ?")
			wantCode(t, err, CodeNoColumn, "a missing column")
		}, []string{"SELECT nothing FROM t WHERE id = ? |  | 0 shards | 0 rows | | NO_SUCH_COLUMN"}},
		{"errors", func(t *testing.T) {
			mustFail(t, db, CodeSyntax, "SELECT FROM WHERE")
			mustFail(t, db, CodeUnique, "INSERT INTO note VALUES (1, 'x'), (1, 'y')")
		}, []string{
			"SELECT FROM WHERE |  | 0 shards | 0 rows | | " + string(CodeSyntax),
			"INSERT INTO note VALUES (1, 'x'), (1, 'y') | unsharded | 1 shards | 0 rows | exec | " + string(CodeUnique),
		}},
		{"several in one text", func(t *testing.T) {
			do(t, db, "UPDATE t SET grp = ? WHERE id = ?; DELETE FROM note WHERE id = ?", 1, 1, 7)
			rows, err := db.Query("SELECT id FROM t WHERE id = 1; SELECT grp FROM t WHERE id IN (1, 2, 3)")
			if err != nil {
				t.Fatal(err)
			}
			for more := true; more; more = rows.NextResultSet() {
				for rows.Next() {
				}
			}
			_ = rows.Close()
		}, []string{
			"UPDATE t SET grp = ? WHERE id = ? | single_shard | 1 shards | 1 rows | exec | ",
			"DELETE FROM note WHERE id = ? | unsharded | 1 shards | 0 rows | exec | ",
			"SELECT id FROM t WHERE id = 1 | single_shard | 1 shards | 1 rows | query | ",
			"SELECT grp FROM t WHERE id IN (1, 2, 3) | scatter | 2 shards | 3 rows | query | ",
		}},
		{"a transaction", func(t *testing.T) {
			err := RunTx(bg, db, nil, func(tx *sql.Tx) error {
				do(t, tx, "UPDATE t SET grp = 50 WHERE id = 1")
				do(t, tx, "UPDATE t SET grp = 50 WHERE id = 3")
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			tx, err := db.Begin()
			if err == nil {
				err = tx.Rollback()
			}
			if err != nil {
				t.Fatal(err)
			}
		}, []string{
			"UPDATE t SET grp = 50 WHERE id = 1 | single_shard | 1 shards | 1 rows | exec | ",
			"UPDATE t SET grp = 50 WHERE id = 3 | single_shard | 1 shards | 1 rows | exec | ",
			"COMMIT |  | 2 shards | 0 rows | prepare commit | ",
			"ROLLBACK |  | 0 shards | 0 rows | | ",
		}},
		{"what no shard is needed for", func(t *testing.T) {
			tx, err := db.Begin()
			if err != nil {
				t.Fatal(err)
			}
			for _, query := range []string{"SELECT 1 + 1, NOW(), @@autocommit", "SELECT i FROM JSON_TABLE('[1, 2]', '$[*]' COLUMNS (i INT PATH '$')) j", "SELECT 1 FROM DUAL WHERE 1 = 0 FOR UPDATE"} {
				if _, err := rowsOf(tx, query); err != nil {
					t.Error(err)
				}
			}
			if err := tx.Rollback(); err != nil {
				t.Error(err)
			}
		}, []string{
			"SELECT 1 + 1, NOW(), @@autocommit | unsharded | 0 shards | 1 rows | | ",
			"SELECT i FROM JSON_TABLE('[1, 2]', '$[*]' COLUMNS (i INT PATH '$')) j | unsharded | 0 shards | 2 rows | | ",
			"SELECT 1 FROM DUAL WHERE 1 = 0 FOR UPDATE | unsharded | 0 shards | 0 rows | | ",
			"ROLLBACK |  | 0 shards | 0 rows | | ",
		}},
		{"a query that another statement overtakes", func(t *testing.T) {
			c := pin(t, db)
			rows, err := c.QueryContext(bg, "SELECT id FROM t")
			if err != nil {
				t.Fatal(err)
			}
			do(t, c, "DO 1")
			n := 0
			for rows.Next() {
				n++
			}
			if err := rows.Close(); n != 6 || err != nil {
				t.Error(n, err)
			}
		}, []string{
			"SELECT id FROM t | scatter SCATTER | 4 shards | 6 rows | query | ",
			"DO 1 |  | 0 shards | 0 rows | | ",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.run(t)
			got := r.told(t)
			if !slices.Equal(got, c.want) {
				t.Errorf("told:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// count reads a query's rows.
func count(t *testing.T, db querier, query string, want int) {
	t.Helper()
	rows, err := db.QueryContext(bg, query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		n++
	}
	if err := rows.Err(); n != want || err != nil {
		t.Errorf("%s: %d rows, %v; want %d", query, n, err, want)
	}
}

// A statement's plan may be asked for while it ends, and is that of EXPLAIN.
func TestObservedPlan(t *testing.T) {
	r := &recorder{tell: func(st *Statement) string { return fmt.Sprint(st.Cached, st.Plan()) }}
	db := observedDB(t, func(c *Config) { c.Observers = []Observer{r} })
	r.told(t)
	for _, query := range []string{
		"SELECT id FROM t WHERE id = ?", "SELECT grp, COUNT(*) FROM t GROUP BY grp",
		"SELECT a.id FROM t a JOIN t b ON a.id = b.grp WHERE a.id = (SELECT MIN(id) FROM t)", "INSERT INTO note (id) VALUES (?)", "DELETE FROM t WHERE grp = ?",
	} {
		args := []any{77}[:strings.Count(query, "?")]
		do(t, db, query, args...)
		got := r.told(t)[0]
		rows, err := db.Query("EXPLAIN FORMAT='vitess' "+query, args...)
		if err != nil {
			t.Fatal(err)
		}
		var want []PlanPart
		for rows.Next() {
			var p PlanPart
			if err := rows.Scan(&p.PlanType, &p.Combine, &p.Keyspace, &p.Shards, &p.Query); err != nil {
				t.Fatal(err)
			}
			want = append(want, p)
		}
		_ = rows.Close()
		r.told(t)
		if len(want) == 0 || got != fmt.Sprint(false, want) {
			t.Errorf("%s:\n%s\nEXPLAIN says\n%v", query, got, want)
		}
	}
}

func TestStatementLog(t *testing.T) {
	var out bytes.Buffer
	level := new(slog.LevelVar)
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "duration" || a.Key == "calls" {
			return slog.Attr{}
		}
		return a
	}}))
	db := observedDB(t, func(c *Config) { c.Logger = log })
	ctx := WithLabel(WithLabel(WithLabel(bg, "job", "old"), "page", "checkout"), "job", "nightly")
	run := func(query string, args ...any) string {
		t.Helper()
		out.Reset()
		_, err := db.ExecContext(ctx, query, args...)
		var e *Error
		if err != nil && !errors.As(err, &e) {
			t.Fatal(err)
		}
		return out.String()
	}
	if got := run("UPDATE t SET grp = 1 WHERE id = 1"); got != "" {
		t.Errorf("at INFO a statement was logged: %s", got)
	}
	level.Set(slog.LevelDebug)
	got := run("UPDATE t SET name = 'a secret' WHERE id = ?", 424242)
	for _, want := range []string{
		"level=DEBUG msg=statement digest=", "statement=\"update `t` set `name` = ? where `id` = ?\"", "keyspace=main", "plan_type=single_shard",
		"scatter=false", "rows=0", "labels.page=checkout labels.job=nightly",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q isn't in %s", want, got)
		}
	}
	got += run("INSERT INTO note VALUES (1, 'a secret'), (1, 'a secret')")
	if !strings.Contains(got, "code="+string(CodeUnique)) {
		t.Errorf("the error isn't in %s", got)
	}
	if strings.Contains(got, "a secret") || strings.Contains(got, "424242") {
		t.Errorf("the log holds values: %s", got)
	}
}

func TestSlowQuery(t *testing.T) {
	var out bytes.Buffer
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&out, nil)))
	defer slog.SetDefault(old)
	db := openHere(t, ":memory:?shards=4&slow_query=1ns")
	do(t, db, "CREATE TABLE t (id BIGINT PRIMARY KEY, name TEXT)")
	out.Reset()
	count(t, db, "SELECT COUNT(*) FROM t WHERE name <> 'a secret'", 1)
	got := out.String()
	for _, want := range []string{"level=WARN msg=\"slow statement\"", "scatter_aggregate, aggregate: main/-40,40-80,80-c0,c0-", "main/80-c0 query: 1 rows in "} {
		if !strings.Contains(got, want) {
			t.Errorf("%q isn't in %s", want, got)
		}
	}
	if strings.Contains(got, "a secret") {
		t.Errorf("the log holds values: %s", got)
	}
	quiet := openHere(t, ":memory:?shards=4&slow_query=1h")
	out.Reset()
	do(t, quiet, "CREATE TABLE t (id BIGINT PRIMARY KEY)")
	if out.Len() > 0 {
		t.Errorf("logged though it wasn't slow: %s", out.String())
	}
}

// A plan outlives the keyspace that it is about, as far as an observer is told of it.
func TestObservedPlanOfDroppedKeyspace(t *testing.T) {
	r := &recorder{tell: func(st *Statement) string { return fmt.Sprint(st.Code(), " ", len(st.Plan())) }}
	db := observedDB(t, func(c *Config) { c.Observers = []Observer{r} })
	do(t, db, "CREATE DATABASE gone")
	do(t, db, "CREATE TABLE gone.t (id BIGINT PRIMARY KEY)")
	rows, err := db.Query("SELECT id FROM gone.t")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	do(t, db, "DROP DATABASE gone")
	r.mu.Lock()
	r.list = nil
	r.mu.Unlock()
	_ = rows.Close()
	if got := r.told(t); len(got) != 1 || !strings.HasSuffix(got[0], " 1") {
		t.Errorf("told %q", got)
	}
}

func TestQuiet(t *testing.T) {
	r := &recorder{tell: func(st *Statement) string { return st.Query }}
	db := observedDB(t, func(c *Config) { c.Observers = []Observer{r} })
	r.told(t)
	c := pin(t, db)
	quiet := func(on bool) {
		if err := c.Raw(func(dc any) error { dc.(*Conn).Quiet(on); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	quiet(true)
	do(t, c, "SELECT id FROM t WHERE id = 1")
	quiet(false)
	do(t, c, "SELECT id FROM t WHERE id = 2")
	if got := r.told(t); !slices.Equal(got, []string{"SELECT id FROM t WHERE id = 2"}) {
		t.Errorf("told %q", got)
	}
}
