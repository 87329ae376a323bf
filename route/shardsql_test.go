package route_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/vitessdo/vitessdo/tablet"
)

// mockTablet is a tablet whose database is a go-sqlmock.
type mockTablet struct {
	tablet.Tablet
	db *sql.DB
}

// sqlRunner is what *sql.DB and *sql.Tx have in common.
type sqlRunner interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	ExecContext(context.Context, string, ...any) (sql.Result, error)
}

func (m *mockTablet) Query(ctx context.Context, q *tablet.Query) (tablet.Rows, error) {
	return mockQuery(ctx, m.db, q)
}

func (m *mockTablet) Exec(ctx context.Context, q *tablet.Query) (tablet.Result, error) {
	return mockExec(ctx, m.db, q)
}

func (m *mockTablet) Begin(ctx context.Context, _ tablet.TxOptions) (tablet.Tx, error) {
	tx, err := m.db.BeginTx(ctx, nil)
	return &mockTx{tx: tx}, err
}

type mockTx struct {
	tablet.Tx
	tx *sql.Tx
}

func (m *mockTx) Query(ctx context.Context, q *tablet.Query) (tablet.Rows, error) {
	return mockQuery(ctx, m.tx, q)
}

func (m *mockTx) Exec(ctx context.Context, q *tablet.Query) (tablet.Result, error) {
	return mockExec(ctx, m.tx, q)
}

func (m *mockTx) Commit(context.Context) error { return m.tx.Commit() }
func (m *mockTx) Rollback() error              { return m.tx.Rollback() }

func mockQuery(ctx context.Context, r sqlRunner, q *tablet.Query) (tablet.Rows, error) {
	rows, err := r.QueryContext(ctx, q.SQL, q.Args...)
	if err != nil {
		return nil, err
	}
	cols, err := rows.Columns()
	return &mockRows{rows, cols}, err
}

func mockExec(ctx context.Context, r sqlRunner, q *tablet.Query) (res tablet.Result, err error) {
	n := max(1, q.Batch)
	width := len(q.Args) / n
	for i := range n {
		out, err := r.ExecContext(ctx, q.SQL, q.Args[i*width:(i+1)*width]...)
		if err != nil {
			return res, err
		}
		changed, _ := out.RowsAffected()
		id, _ := out.LastInsertId()
		res.RowsAffected += changed
		res.Changed, res.InsertIDs = append(res.Changed, changed), append(res.InsertIDs, id)
	}
	return res, nil
}

type mockRows struct {
	rows *sql.Rows
	cols []string
}

func (m *mockRows) Columns() []string { return m.cols }
func (m *mockRows) Close() error      { return m.rows.Close() }

func (m *mockRows) Next(dest []any) error {
	if !m.rows.Next() {
		if err := m.rows.Err(); err != nil {
			return err
		}
		return io.EOF
	}
	ptrs := make([]any, len(dest))
	for i := range dest {
		ptrs[i] = &dest[i]
	}
	return m.rows.Scan(ptrs...)
}

// call is what one shard is to be sent. kind is "query", "exec", "begin" or
// "commit".
type call struct {
	kind string
	sql  string
	args []driver.Value
	rows string // of a query: rows by blanks, cells by commas; one column by default
}

func query(sql string, args ...driver.Value) call { return call{kind: "query", sql: sql, args: args} }

func exec1(sql string, args ...driver.Value) call { return call{kind: "exec", sql: sql, args: args} }

func (c call) gives(rows string) call { c.rows = rows; return c }

var begin, commit = call{kind: "begin"}, call{kind: "commit"}

func everywhere(calls ...call) map[int][]call {
	return map[int][]call{0: calls, 1: calls, 2: calls, 3: calls}
}

func expect(m sqlmock.Sqlmock, c call) {
	switch c.kind {
	case "begin":
		m.ExpectBegin()
	case "commit":
		m.ExpectCommit()
	case "exec":
		m.ExpectExec(c.sql).WithArgs(c.args...).WillReturnResult(sqlmock.NewResult(0, 1))
	case "query":
		width := max(1, strings.Count(strings.SplitN(c.rows, " ", 2)[0], ",")+1)
		cols := make([]string, width)
		rows := sqlmock.NewRows(cols)
		for _, line := range strings.Fields(c.rows) {
			cells := make([]driver.Value, 0, width)
			for _, cell := range strings.Split(line, ",") {
				cells = append(cells, argument(cell))
			}
			rows.AddRow(cells...)
		}
		m.ExpectQuery(c.sql).WithArgs(c.args...).WillReturnRows(rows)
	}
}

const i1, i2, i3 = int64(1), int64(2), int64(3)

// Customers 1 and 2 are on shard 0, 3 and 5 on shard 1, 4 and 8 on shard 3.
var shardSQL = []struct {
	text string
	args []any
	want map[int][]call
	rows string
}{
	{"SELECT name FROM customer WHERE id = ?", []any{3},
		map[int][]call{1: {query(`SELECT "name" FROM "customer" WHERE "id" = ?1`, i3).gives("cid")}}, "cid"},
	{"SELECT name FROM customer WHERE id = 3", nil,
		map[int][]call{1: {query(`SELECT "name" FROM "customer" WHERE "id" = 3`).gives("cid")}}, "cid"},
	{"SELECT name FROM customer WHERE id IN (1, 2, 3)", nil,
		map[int][]call{0: {query(`SELECT "name" FROM "customer" WHERE "id" IN (?1, ?2)`, i1, i2).gives("ann bob")},
			1: {query(`SELECT "name" FROM "customer" WHERE "id" IN (?1)`, i3).gives("cid")}}, "ann bob cid"},
	{"SELECT name FROM customer WHERE id IN (?, ?, ?) AND score > ?", []any{1, 2, 3, 9},
		map[int][]call{0: {query(`SELECT "name" FROM "customer" WHERE "id" IN (?5, ?6) AND "score" > ?4`, i1, i2, i3, int64(9), i1, i2)},
			1: {query(`SELECT "name" FROM "customer" WHERE "id" IN (?5) AND "score" > ?4`, i1, i2, i3, int64(9), i3).gives("cid")}}, "cid"},
	{"SELECT name FROM customer", nil, everywhere(query(`SELECT "name" FROM "customer"`).gives("x")), "x x x x"},
	{"SELECT id FROM customer ORDER BY id DESC LIMIT 2 OFFSET 1", nil,
		everywhere(query(`SELECT "id" FROM "customer" ORDER BY "id" DESC LIMIT 3`).gives("3 1")), "3 3"},
	{"SELECT id FROM customer ORDER BY id LIMIT ? OFFSET ?", []any{1, 1},
		everywhere(query(`SELECT "id" FROM "customer" ORDER BY "id" LIMIT ?1 + ?2`, i1, i1).gives("7")), "7"},
	{"SELECT name FROM customer ORDER BY score", nil,
		everywhere(query(`SELECT "name", "score" FROM "customer" ORDER BY "score"`).gives("a,1 b,2")), "a a a a b b b b"},
	{"SELECT COUNT(*), SUM(score), AVG(score) FROM customer", nil,
		everywhere(query(`SELECT count(*), sum("score"), count("score") FROM "customer"`).gives("2,10,2")), "8,40,5"},
	{"SELECT country, COUNT(*) FROM customer GROUP BY country", nil,
		everywhere(query(`SELECT "country", count(*) FROM "customer" GROUP BY "country"`).gives("de,2")), "de,8"},
	{"SELECT country FROM customer GROUP BY country HAVING COUNT(*) > ?", []any{5},
		everywhere(query(`SELECT "country", count(*) FROM "customer" GROUP BY "country"`, int64(5)).gives("de,2")), "de"},
	{"SELECT COUNT(DISTINCT country) FROM customer", nil,
		everywhere(query(`SELECT "country" FROM "customer" GROUP BY "country"`).gives("de fr")), "2"},
	{"SELECT DISTINCT country FROM customer", nil,
		everywhere(query(`SELECT DISTINCT "country" FROM "customer"`).gives("de")), "de"},
	{"SELECT c.name FROM customer c JOIN orders o ON o.customer_id = c.id WHERE c.id = 5", nil,
		map[int][]call{1: {query(`SELECT "c"."name" FROM "customer" AS "c" JOIN "orders" AS "o" ON "o"."customer_id" = "c"."id" WHERE "c"."id" = 5`).gives("eve")}}, "eve"},
	{"SELECT name FROM country WHERE code = 'de'", nil,
		map[int][]call{0: {query(`SELECT "name" FROM "country" WHERE "code" = 'de'`).gives("Germany")}}, "Germany"},
	{"SELECT val FROM setting", nil, map[int][]call{0: {query(`SELECT "val" FROM "setting"`).gives("1")}}, "1"},
	{"SELECT note FROM audit", nil, map[int][]call{2: {query(`SELECT "note" FROM "audit"`).gives("in")}}, "in"},
	{"SELECT n FROM event WHERE day = ?", []any{"2024-1-1"},
		map[int][]call{0: {query(`SELECT "n" FROM "event" WHERE "day" = ?1`, "2024-01-01").gives("1")}}, "1"},
	{"INSERT INTO customer (id, name) VALUES (3, 'x')", nil,
		map[int][]call{1: {exec1(`INSERT INTO "customer" ("id", "name") VALUES (?1, ?2)`, i3, "x")}}, "1"},
	{"INSERT INTO customer (id, name) VALUES (1, 'a'), (3, 'c'), (2, 'b')", nil,
		map[int][]call{0: {begin, exec1(`INSERT INTO "customer" ("id", "name") VALUES (?1, ?2)`, i1, "a"),
			exec1(`INSERT INTO "customer" ("id", "name") VALUES (?1, ?2)`, i2, "b"), commit},
			1: {begin, exec1(`INSERT INTO "customer" ("id", "name") VALUES (?1, ?2)`, i3, "c"), commit}}, "3"},
	{"INSERT INTO event (day, kind) VALUES (?, 'k')", []any{"2024-1-1"},
		map[int][]call{0: {exec1(`INSERT INTO "event" ("day", "kind") VALUES (?1, ?2)`, "2024-01-01", "k")}}, "1"},
	{"INSERT INTO country VALUES ('x', 'y', 1)", nil,
		everywhere(begin, exec1(`INSERT INTO "country" ("code", "name", "area") VALUES (?1, ?2, ?3)`, "x", "y", i1), commit), "1"},
	{"UPDATE customer SET name = ? WHERE id = ?", []any{"x", 3},
		map[int][]call{1: {exec1(`UPDATE "customer" SET "name" = ?1 WHERE "id" = ?2`, "x", i3)}}, "1"},
	{"UPDATE customer SET name = 'x' WHERE country = 'de'", nil,
		everywhere(begin, exec1(`UPDATE "customer" SET "name" = 'x' WHERE "country" = 'de'`), commit), "4"},
	{"UPDATE loose SET k = 3 WHERE k = 1", nil,
		map[int][]call{0: {begin, query(`SELECT "rowid" AS "_vt0", 3 AS "_vt1", "v" AS "_vt2" FROM "loose" WHERE "k" = 1`).gives("77,3,10"),
			exec1(`DELETE FROM "loose" WHERE rowid = ?1`, int64(77)), commit},
			1: {begin, exec1(`INSERT INTO "loose" ("k", "v") VALUES (?1, ?2)`, i3, int64(10)), commit}}, "1"},
	{"DELETE FROM customer WHERE id IN (1, 3)", nil,
		map[int][]call{0: {begin, exec1(`DELETE FROM "customer" WHERE "id" IN (?1)`, i1), commit},
			1: {begin, exec1(`DELETE FROM "customer" WHERE "id" IN (?1)`, i3), commit}}, "2"},
	{"DELETE FROM customer ORDER BY score LIMIT 1", nil,
		map[int][]call{0: {begin, query(`SELECT "rowid" AS "_vt0", "score" FROM "customer" ORDER BY "score" LIMIT 1`).gives("5,1"),
			exec1(`DELETE FROM "customer" WHERE rowid = ?1`, int64(5)), commit},
			1: {begin, query(`SELECT "rowid" AS "_vt0", "score" FROM "customer" ORDER BY "score" LIMIT 1`).gives("6,2"), commit},
			2: {begin, query(`SELECT "rowid" AS "_vt0", "score" FROM "customer" ORDER BY "score" LIMIT 1`).gives("7,3"), commit},
			3: {begin, query(`SELECT "rowid" AS "_vt0", "score" FROM "customer" ORDER BY "score" LIMIT 1`).gives("8,4"), commit}}, "1"},
}

// Each shard gets exactly the statements that it must, with their arguments,
// and nothing else.
func TestShardSQL(t *testing.T) {
	w := newWorld()
	w.keyspace(t, "shop", 4, true, "", shopTables)
	for _, tt := range shardSQL {
		t.Run(tt.text, func(t *testing.T) {
			c := newCluster()
			var tablets []tablet.Tablet
			var mocks []sqlmock.Sqlmock
			for range 4 {
				db, mock, err := sqlmock.New(sqlmock.QueryMatcherOption(sqlmock.QueryMatcherEqual))
				if err != nil {
					t.Fatal(err)
				}
				defer func() { mock.ExpectClose(); _ = db.Close() }()
				tablets, mocks = append(tablets, &mockTablet{db: db}), append(mocks, mock)
			}
			c.add("shop", tablets)
			for i, calls := range tt.want {
				for _, x := range calls {
					expect(mocks[i], x)
				}
			}
			rows, err := c.run(newEnv(c, w.many, "shop"), tt.text, tt.args, nil)
			if err != nil {
				t.Fatal(err)
			}
			list := rowTexts(rows)
			if !strings.Contains(tt.text, "ORDER BY") {
				slices.Sort(list)
			}
			if got := strings.Join(list, " "); got != tt.rows {
				t.Errorf("rows %q, want %q", got, tt.rows)
			}
			for i, m := range mocks {
				if err := m.ExpectationsWereMet(); err != nil {
					t.Errorf("shard %d: %v", i, err)
				}
			}
		})
	}
}
