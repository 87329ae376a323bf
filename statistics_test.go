package vitessdo

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
)

// table reads an answer's rows by their columns' names.
func table(t *testing.T, db querier, query string) (out []map[string]string) {
	t.Helper()
	rows, err := db.QueryContext(bg, query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	cols, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		vals, to := make([]sql.NullString, len(cols)), make([]any, len(cols))
		for i := range vals {
			to[i] = &vals[i]
		}
		if err := rows.Scan(to...); err != nil {
			t.Fatal(err)
		}
		row := map[string]string{}
		for i, c := range cols {
			row[c] = vals[i].String
		}
		out = append(out, row)
	}
	return out
}

func TestStatementStatistics(t *testing.T) {
	db := memDB(t, "statement_stats=10&slow_query=1ns",
		"CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR(20))", "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')")
	for id := range 4 {
		count(t, db, fmt.Sprintf("SELECT id FROM t WHERE id = %d", id), min(id, 1))
	}
	count(t, db, "SELECT id FROM t WHERE id IN (1, 3)", 2)
	count(t, db, "SELECT name FROM t", 3)
	mustFail(t, db, CodeUnique, "INSERT INTO t VALUES (1, 'a secret')")

	find := func(list []map[string]string, text string) map[string]string {
		t.Helper()
		for _, row := range list {
			if strings.HasPrefix(row["Statement"], text) {
				return row
			}
		}
		t.Fatalf("nothing was told of %s: %v", text, list)
		return nil
	}
	list := table(t, db, "SHOW VITESS_STATEMENTS")
	for _, c := range []struct{ text, want string }{
		{"select `id` from `t` where `id` = ?", "single_shard 4 0 3 1.00 0.00"},
		{"select `name` from `t`", "scatter 1 0 3 4.00 1.00"},
		{"insert into `t` values ( ... )", "single_shard 1 1 0 1.00 0.00"},
	} {
		r := find(list, c.text)
		got := strings.Join([]string{r["Plan_type"], r["Count"], r["Errors"], r["Rows"], r["Shards"], r["Scatter_ratio"]}, " ")
		if c.text[:6] == "insert" {
			// The first INSERT, of three rows, is the same statement.
			if r["Count"] != "2" || r["Errors"] != "1" || r["Rows"] != "3" {
				t.Errorf("%s: %v", c.text, r)
			}
		} else if got != c.want {
			t.Errorf("%s: %s, want %s", c.text, got, c.want)
		}
		if r["Keyspace"] != "main" || len(r["Digest"]) != 16 || r["Max_us"] < r["Mean_us"] && len(r["Max_us"]) <= len(r["Mean_us"]) {
			t.Errorf("%s: %v", c.text, r)
		}
	}
	if got := table(t, db, "SHOW VITESS_STATEMENTS WHERE Scatter_ratio > 0 AND Statement LIKE 'select%'"); len(got) != 1 {
		t.Errorf("statements that scatter: %v", got)
	}
	if got := table(t, db, "SHOW VITESS_SLOW_STATEMENTS LIKE '%insert into%'"); len(got) != 2 || got[0]["Code"] != string(CodeUnique) || strings.Contains(fmt.Sprint(got), "secret") {
		t.Errorf("slow statements: %v", got)
	}
	shards := table(t, db, "SHOW VITESS_SHARD_STATS")
	if len(shards) != 4 || shards[0]["Shard"] != "-40" || shards[0]["Calls"] == "0" {
		t.Errorf("shards: %v", shards)
	}
	// No more are kept than were asked for.
	for i := range 20 {
		do(t, db, fmt.Sprintf("SELECT id AS c%d FROM t WHERE id = 1", i))
	}
	if got := table(t, db, "SHOW VITESS_STATEMENTS"); len(got) != 10 {
		t.Errorf("%d statements are kept, and 10 were asked for", len(got))
	}
}

func TestNoStatementStatistics(t *testing.T) {
	db := memDB(t, "")
	for _, what := range []string{"STATEMENTS", "SLOW_STATEMENTS", "SHARD_STATS"} {
		rows, err := db.Query("SHOW VITESS_" + what)
		if err == nil {
			_ = rows.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "statement_stats=1000") {
			t.Errorf("SHOW VITESS_%s: %v", what, err)
		}
	}
}

func TestPlanCacheStatus(t *testing.T) {
	db := memDB(t, "plan_cache_size=77", "CREATE TABLE t (id BIGINT PRIMARY KEY)")
	db.SetMaxOpenConns(1)
	at := func() (out [4]string) {
		t.Helper()
		list := table(t, db, "SHOW VITESS_STATUS")
		if len(list) != 4 {
			t.Fatalf("status %v", list)
		}
		for i, r := range list {
			out[i] = strings.TrimPrefix(r["Variable_name"], "Vitess_plan_cache_") + "=" + r["Value"]
		}
		return out
	}
	if got, want := at(), [4]string{"capacity=77", "hits=0", "misses=0", "size=0"}; got != want {
		t.Errorf("at first %v, want %v", got, want)
	}
	for id := range 5 {
		count(t, db, fmt.Sprintf("SELECT id FROM t WHERE id = %d", id), 0)
	}
	do(t, db, "SET @a = 1")
	mustFail(t, db, CodeNoTable, "SELECT * FROM missing")
	other := pin(t, db)
	if err := other.QueryRowContext(bg, "SELECT id FROM t WHERE id = ?", 0).Scan(new(int)); err != sql.ErrNoRows { // another plan
		t.Error(err)
	}
	_ = other.Close()
	if got, want := at(), [4]string{"capacity=77", "hits=4", "misses=2", "size=2"}; got != want {
		t.Errorf("then %v, want %v", got, want)
	}
	if got := table(t, db, "SHOW STATUS LIKE 'vitess\\_plan\\_cache%'"); len(got) != 4 {
		t.Errorf("SHOW STATUS tells %v", got)
	}
}
