//go:build linux && !nopostgres

package postgres_test

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/contract"
	"github.com/vitessdo/vitessdo/interop/postgres"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
)

var shard = tablet.Target{Keyspace: "ks", Shard: "-"}

// open opens a tablet; its tables t number their rows by what is there, as SQLite does.
func open(t *testing.T, url string, at tablet.Target, o postgres.Options, peer func(tablet.Target) (tablet.Resolver, error)) *tabletserver.Tablet {
	t.Helper()
	e, err := postgres.Open(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	tab, err := tabletserver.Open(t.Context(), tabletserver.Config{Target: at, Engine: e, LockWait: 100 * time.Millisecond, Peer: peer, AskAfter: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tab.Close() })
	return tab
}

// words are PostgreSQL's for the contract's statements.
var words = strings.NewReplacer(
	"CREATE TABLE t(id INTEGER PRIMARY KEY", "CREATE FUNCTION next_id() RETURNS bigint LANGUAGE plpgsql AS $f$ BEGIN RETURN (SELECT coalesce(max(id), 0) + 1 FROM t); END $f$; "+
		"CREATE TABLE t(id bigint PRIMARY KEY DEFAULT next_id()",
	", v TEXT)", ", v text)", ", v)", ", v bigint)", "(v)", "(v bigint)", "INSERT INTO t(v)", "INSERT INTO t(v)",
	"hex(zeroblob(1000))", "repeat('00', 1000)", "SELECT 1 UNION ALL", "SELECT 1::bigint UNION ALL",
	"abs(-9223372036854775807 - 1)", "abs(-9223372036854775807 - i + 3999)", // a constant would fail before the first row
)

// TestContract runs the contract of tablets.
func TestContract(t *testing.T) {
	at := database(t)
	n := 0
	contract.Run(t, func(t *testing.T) tablet.Tablet {
		n++
		return open(t, at(fmt.Sprint("contract", n)), shard, postgres.Options{}, nil)
	}, contract.Options{JSON: true, LastRow: true, Spell: spelled})
}

// spelled gives a statement of the contract in PostgreSQL's words.
func spelled(sql string) string {
	if strings.HasPrefix(sql, "INSERT") {
		return strings.ReplaceAll(sql, "SELECT 1 UNION ALL", "SELECT 1::bigint UNION ALL")
	}
	return words.Replace(sql)
}

func write(t *testing.T, on tablet.Runner, text string, args ...tablet.Value) tablet.Result {
	t.Helper()
	res, err := on.Exec(t.Context(), &tablet.Query{SQL: text, Args: args})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return res
}

func all(t *testing.T, on tablet.Runner, text string, args ...tablet.Value) (out [][]tablet.Value) {
	t.Helper()
	rows, err := on.Query(t.Context(), &tablet.Query{SQL: text, Args: args})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	defer rows.Close()
	for {
		row := make([]tablet.Value, len(rows.Columns()))
		if err := rows.Next(row); err != nil {
			return out
		}
		out = append(out, row)
	}
}

// TestValues: what is bound comes back as it was, by itself and from a column.
func TestValues(t *testing.T) {
	tab := open(t, database(t)("values"), shard, postgres.Options{}, nil)
	write(t, tab, `CREATE TABLE "v" ("id" bigint PRIMARY KEY, "i" bigint, "s" smallint, "d" double precision, "n" numeric, "t" text COLLATE "C", "b" bytea)`)
	for i, c := range []struct {
		column string
		v      tablet.Value
	}{
		{"i", int64(0)}, {"i", int64(-1)}, {"i", int64(math.MaxInt64)}, {"i", int64(math.MinInt64)}, {"i", int64(1<<53 + 1)}, {"s", int64(-7)},
		{"d", 0.0}, {"d", -5.5}, {"d", 0.1}, {"d", math.MaxFloat64}, {"d", math.SmallestNonzeroFloat64}, {"d", math.Inf(1)}, {"d", math.Inf(-1)},
		{"n", int64(12)}, {"n", 0.1}, {"n", -123456789.25}, {"n", 0.00001},
		{"t", ""}, {"t", "5"}, {"t", "ünï 𝄞 \u2028 \ufffd ' \" \\ ?1 $1"}, {"b", []byte{}}, {"b", []byte{0, 1, 255}}, {"i", nil}, {"t", nil}, {"b", nil},
	} {
		write(t, tab, `INSERT INTO "v" ("id", "`+c.column+`") VALUES ($1, $2)`, int64(i), c.v)
		for _, text := range []string{`SELECT "` + c.column + `" FROM "v" WHERE "id" = $1`, "SELECT ?2 WHERE $1 = $1"} {
			if got := all(t, tab, text, int64(i), c.v); len(got) != 1 || !reflect.DeepEqual(got[0][0], c.v) {
				t.Errorf("%s %#v: %#v came back", c.column, c.v, got)
			}
		}
	}
	for _, v := range []tablet.Value{"a\x00b", "\xff"} {
		if _, err := tab.Query(t.Context(), &tablet.Query{SQL: "SELECT ?1", Args: []tablet.Value{v}}); tablet.CodeOf(err) != tablet.CodeDataType {
			t.Errorf("%q: %v", v, err)
		}
	}
	// What a parameter is taken for, and what is given: text is the number it begins with,
	// a fraction meets no integer, and the same argument may be both.
	write(t, tab, `INSERT INTO "v" ("id", "i", "t", "n") VALUES (100, 7, '7', 7)`)
	for _, c := range []struct {
		where string
		v     tablet.Value
		want  int
	}{
		{`"i" = $1`, "7", 1}, {`"i" = $1`, "7x", 1}, {`"i" = $1`, 7.0, 1}, {`"i" = $1`, 7.5, 0}, {`"i" < $1`, 7.5, 1}, {`"t" = $1`, int64(7), 1}, {`"t" = $1`, 7.0, 0},
		{`"n" = $1`, "7.0", 1}, {`"n" = $1`, 7.0, 1}, {`"i" = $1 AND "t" = $1`, int64(7), 1}, {`"i" IN (?1, ?1)`, int64(7), 1}, {`"t" IN (?1, ?1)`, "7", 1},
		{`"s" IS NULL AND "i" = $1 + 2`, int64(5), 1}, {`"i" = $1`, nil, 0}, {`"i" = $1`, int64(math.MaxInt64), 0}, {`"s" = $1`, int64(1 << 40), 0},
	} {
		if got := all(t, tab, `SELECT "id" FROM "v" WHERE "id" = 100 AND `+c.where, c.v); len(got) != c.want {
			t.Errorf("%s with %#v finds %d rows, want %d", c.where, c.v, len(got), c.want)
		}
	}
}

// TestStatements: what a statement tells of what it did, and of why it didn't.
func TestStatements(t *testing.T) {
	tab := open(t, database(t)("statements"), shard, postgres.Options{}, nil)
	write(t, tab, `CREATE TABLE "t" ("id" bigint PRIMARY KEY, "v" text COLLATE "C" NOT NULL, "n" integer CONSTRAINT "few" CHECK ("n" < 10))`)
	write(t, tab, `CREATE UNIQUE INDEX "t.v" ON "t" (lower(("v") COLLATE "C"))`)
	write(t, tab, `CREATE TABLE "two, b" ("a" bigint, "b ""q" bigint, PRIMARY KEY ("a", "b ""q"))`)
	for _, c := range []struct {
		sql         string
		changed, id int64
	}{
		{`INSERT INTO "t" VALUES (1, 'a', 1), (2, 'b', 2)`, 2, 0},
		{`INSERT INTO "t" VALUES (1, 'x', 1) ON CONFLICT DO NOTHING`, 0, tablet.NoRowID},
		{`INSERT INTO "t" VALUES (1, 'x', 1) ON CONFLICT ("id") DO UPDATE SET "n" = 5`, 1, tablet.NoRowID},
		{`INSERT INTO "t" VALUES (3, 'c', 1) ON CONFLICT ("id") DO UPDATE SET "n" = 5`, 1, 0},
		{`UPDATE "t" SET "n" = "n" + 1 WHERE "id" > 1`, 2, 0},
		{`DELETE FROM "t" WHERE "id" = 3`, 1, 0},
		{`INSERT INTO "two, b" VALUES (1, 2)`, 1, 0},
		{`CREATE INDEX "i" ON "t" ("n")`, 0, 0},
	} {
		if res := write(t, tab, c.sql); res.RowsAffected != c.changed || res.LastInsertID != c.id {
			t.Errorf("%s: %+v, want %d rows and ID %d", c.sql, res, c.changed, c.id)
		}
	}
	for _, c := range []struct {
		sql     string
		code    tablet.Code
		table   string
		columns []string
	}{
		{`INSERT INTO "t" VALUES (1, 'y', 1)`, tablet.CodeUnique, "t", []string{"id"}},
		{`INSERT INTO "t" VALUES (9, 'A', 1)`, tablet.CodeUnique, "t", []string{"v"}},
		{`INSERT INTO "two, b" VALUES (1, 2)`, tablet.CodeUnique, "two, b", []string{"a", `b "q`}},
		{`INSERT INTO "t" VALUES (9, NULL, 1)`, tablet.CodeNotNull, "t", []string{"v"}},
		{`INSERT INTO "t" VALUES (9, 'z', 10)`, tablet.CodeCheck, "", nil},
		{`UPDATE "t" SET "n" = 3000000000`, tablet.CodeOutOfRange, "", nil},
		{`SELECT 9223372036854775807 + "id" FROM "t"`, tablet.CodeOutOfRange, "", nil},
		{`SELECT * FROM "absent"`, tablet.CodeNoTable, "absent", nil},
		{`SELECT "absent" FROM "t"`, tablet.CodeNoColumn, "", []string{"absent"}},
		{`CREATE TABLE "t" ("x" bigint)`, tablet.CodeTableExists, "t", nil},
		{`SELEC 1`, tablet.CodeSyntax, "", nil},
		{`PRAGMA integrity_check("t")`, tablet.CodeUnsupported, "", nil},
		{`COMMIT`, tablet.CodeUnsupported, "", nil},
	} {
		// In a transaction the statements around it stay.
		x, err := tab.Begin(t.Context(), tablet.TxOptions{})
		if err != nil {
			t.Fatal(err)
		}
		write(t, x, `UPDATE "t" SET "n" = 0 WHERE "id" = 2`)
		_, err = x.Exec(t.Context(), &tablet.Query{SQL: c.sql})
		var e *tablet.Error
		if !errors.As(err, &e) || e.Code != c.code || e.Table != c.table || !slices.Equal(e.Columns, c.columns) {
			t.Errorf("%s: %v is %+v, want %s of %s %q", c.sql, err, e, c.code, c.table, c.columns)
		}
		if got := all(t, x, `SELECT "n" FROM "t" WHERE "id" = 2`); len(got) != 1 || got[0][0] != int64(0) {
			t.Errorf("behind %s the transaction sees %v", c.sql, got)
		}
		if err := x.Rollback(); err != nil {
			t.Fatal(err)
		}
	}
	// Names that the server would cut off.
	long := strings.Repeat("ä", 32)
	write(t, tab, `CREATE TABLE "`+long+`a" ("x" bigint)`)
	write(t, tab, `CREATE TABLE "`+long+`b" ("x" bigint)`)
	write(t, tab, `INSERT INTO "`+long+`b" VALUES (1)`)
	if got := all(t, tab, `SELECT count(*) FROM "`+long+`a"`); got[0][0] != int64(0) {
		t.Errorf("two long names are one table's: %v", got)
	}
}

// TestOwner: a database has one owner, which the next one may follow when it closes or
// isn't there any more; what the first one then still tries to write fails.
func TestOwner(t *testing.T) {
	url := database(t)("owner")
	first := open(t, url, shard, postgres.Options{}, nil)
	write(t, first, `CREATE TABLE "t" ("v" bigint)`)
	if _, err := postgres.Open(t.Context(), url, postgres.Options{}); tablet.CodeOf(err) != tablet.CodeLockTimeout {
		t.Errorf("a second owner: %v", err)
	}
	stolen, err := postgres.Open(t.Context(), url, postgres.Options{Steal: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.Exec(t.Context(), &tablet.Query{SQL: `INSERT INTO "t" VALUES (1)`}); tablet.CodeOf(err) != tablet.CodeClosed {
		t.Errorf("a write of the old owner: %v", err)
	}
	if _, err := first.Query(t.Context(), &tablet.Query{SQL: "SELECT 1"}); tablet.CodeOf(err) != tablet.CodeClosed {
		t.Errorf("a read of the old owner: %v", err)
	}
	_ = first.Close()
	_ = stolen.Close()
	third := open(t, url, shard, postgres.Options{}, nil)
	if got := all(t, third, `SELECT count(*) FROM "t"`); got[0][0] != int64(0) {
		t.Errorf("the table holds %v", got)
	}
}

// TestPrepared: what is prepared outlives the tablet, and is committed or rolled back as
// its holder says.
func TestPrepared(t *testing.T) {
	at := database(t)
	for _, commit := range []bool{true, false} {
		a, b := tablet.Target{Keyspace: "ks", Shard: "a"}, tablet.Target{Keyspace: "ks", Shard: "b"}
		urlA, urlB := at(fmt.Sprint("a", commit)), at(fmt.Sprint("b", commit))
		holder := open(t, urlB, b, postgres.Options{}, nil)
		part := open(t, urlA, a, postgres.Options{}, nil)
		write(t, part, `CREATE TABLE "t" ("v" bytea)`)
		write(t, holder, `CREATE TABLE "t" ("v" bigint)`)
		x, _ := part.Begin(t.Context(), tablet.TxOptions{})
		y, _ := holder.Begin(t.Context(), tablet.TxOptions{})
		write(t, x, `INSERT INTO "t" VALUES ($1)`, []byte{0, 1})
		write(t, y, `INSERT INTO "t" VALUES (2)`)
		if _, err := x.Prepare(t.Context(), "d1", b); err != nil {
			t.Fatal(err)
		}
		if got := all(t, part, `SELECT count(*) FROM "t"`); got[0][0] != int64(0) {
			t.Errorf("what is prepared shows: %v", got)
		}
		if commit {
			if err := y.Decide(t.Context(), "d1", []tablet.Target{a}); err != nil {
				t.Fatal(err)
			}
		} else if err := y.Rollback(); err != nil {
			t.Fatal(err)
		}
		_ = part.Close() // as though it had died: its redo is in the database
		again := open(t, urlA, a, postgres.Options{}, func(tablet.Target) (tablet.Resolver, error) { return holder, nil })
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			if list, _ := again.Prepared(t.Context()); len(list) == 0 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("the prepared transaction isn't settled")
			}
		}
		want := map[bool]int{true: 1, false: 0}[commit]
		if got := all(t, again, `SELECT "v" FROM "t"`); len(got) != want || commit && !reflect.DeepEqual(got[0][0], []byte{0, 1}) {
			t.Errorf("commit %v: the table holds %v", commit, got)
		}
		if got := all(t, again, "SELECT count(*) FROM _vt_redo"); got[0][0] != int64(0) {
			t.Errorf("commit %v: %v redos are left", commit, got)
		}
	}
}
