package sqlite

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"github.com/vitessdo/vitessdo/dialect"
	engine "github.com/vitessdo/vitessdo/internal/sqlite"
	"github.com/vitessdo/vitessdo/sqlast"
)

var printerDef = &sqlast.TableDef{
	Name: "users",
	Columns: []*sqlast.ColumnDef{
		{Name: "id", Type: typ("BIGINT", sqlast.ClassInt), AutoInc: true},
		{Name: "name", Type: ciType()},
		{Name: "tag", Type: typ("VARCHAR", sqlast.ClassText)},
		{Name: "born", Type: typ("DATE", sqlast.ClassDate)},
		{Name: "seen", Type: fspType(3)},
		{Name: "at", Type: fspType(0)},
		{Name: "data", Type: typ("BLOB", sqlast.ClassBlob)},
		{Name: "doc", Type: typ("JSON", sqlast.ClassJSON)},
	},
}

func typ(name string, c sqlast.Class) sqlast.Type {
	t := sqlast.TypeOf(c)
	t.Name = name
	return t
}

func ciType() sqlast.Type {
	t := typ("VARCHAR", sqlast.ClassText)
	t.NoCase = true
	return t
}

func fspType(n int) sqlast.Type {
	t := typ("DATETIME", sqlast.ClassDateTime)
	t.Scale = n
	return t
}

func col(name string) *sqlast.Col {
	def := printerDef.Column(name)
	c := &sqlast.Col{Name: name, Def: def}
	if def != nil {
		*c.Type() = def.Type
	}
	return c
}

func num(s string) sqlast.Expr { return &sqlast.Lit{Kind: sqlast.LitInt, Text: s} }
func str(s string) sqlast.Expr { return &sqlast.Lit{Kind: sqlast.LitString, Text: s} }
func raw(s string) sqlast.Expr { return &sqlast.Lit{Kind: sqlast.LitBytes, Text: s} }
func par(i int) sqlast.Expr    { return &sqlast.Param{Index: i} }
func fn(name string, args ...sqlast.Expr) sqlast.Expr {
	return &sqlast.Func{Name: name, Args: args}
}
func bin(op sqlast.Op, l, r sqlast.Expr) sqlast.Expr { return &sqlast.Binary{Op: op, L: l, R: r} }
func eq(l, r sqlast.Expr) sqlast.Expr                { return bin(sqlast.OpEq, l, r) }

func typedParam(i int, t sqlast.Type) sqlast.Expr {
	p := &sqlast.Param{Index: i}
	*p.Type() = t
	return p
}

func TestExpr(t *testing.T) {
	null := &sqlast.Lit{Kind: sqlast.LitNull}
	for _, tc := range []struct {
		e    sqlast.Expr
		want string
	}{
		{sqlast.And(eq(col("id"), par(0)), eq(col("name"), str("it's"))), `"id" = ?1 AND "name" = 'it''s'`},
		{bin(sqlast.OpAnd, bin(sqlast.OpOr, col("id"), num("1")), num("2")), `("id" OR 1) AND 2`},
		{bin(sqlast.OpSub, num("1"), bin(sqlast.OpSub, num("2"), num("3"))), "1 - (2 - 3)"},
		{&sqlast.Unary{Op: sqlast.OpNeg, X: &sqlast.Unary{Op: sqlast.OpNeg, X: num("1")}}, "-(-1)"},
		{&sqlast.Unary{Op: sqlast.OpNot, X: eq(num("1"), num("2"))}, "NOT (1 = 2)"},
		{eq(eq(num("1"), num("2")), num("3")), "(1 = 2) = 3"},
		{str("a\x00b"), "CAST(X'610062' AS TEXT)"},
		// Collations.
		{eq(col("tag"), str("x")), `"tag" = 'x'`},
		{eq(str("x"), col("name")), `'x' = "name"`},
		{eq(col("name"), col("tag")), `"name" = "tag" COLLATE BINARY`},
		{eq(col("tag"), col("name")), `"tag" = "name"`},
		{eq(withNoCase(fn("CONCAT", col("name"), str("x"))), str("y")), `"name" || 'x' = 'y' COLLATE NOCASE`},
		{eq(&sqlast.Unary{Op: sqlast.OpBinary, X: col("name")}, par(0)), `"name" = ?1 AND "name" COLLATE BINARY = ?1`},
		{&sqlast.In{X: str("x"), List: []sqlast.Expr{col("name")}}, `'x' COLLATE NOCASE IN ("name")`},
		{&sqlast.Like{X: col("name"), Pattern: str("a%")}, `"name" LIKE 'a%'`},
		{&sqlast.Like{X: col("name"), Pattern: str(`a\%`)}, `"name" LIKE 'a\%' ESCAPE '\'`},
		{&sqlast.Like{X: col("name"), Pattern: par(0)}, `"name" LIKE ?1 ESCAPE '\'`},
		{&sqlast.Like{X: col("tag"), Pattern: str(`a[*_\%%`), Not: true}, `"tag" NOT GLOB 'a[[][*]?%*'`},
		{&sqlast.Like{X: col("tag"), Pattern: par(1)}, `"tag" GLOB like_to_glob(?2, '\')`},
		{bin(sqlast.OpRegexp, col("name"), par(0)), `"name" REGEXP ('(?i)' || ?1)`},
		// Dates.
		{eq(col("at"), str("2024-02-29")), `"at" = '2024-02-29 00:00:00'`},
		{eq(col("seen"), str("2024-02-29 10:00")), `"seen" = '2024-02-29 10:00:00.000'`},
		{eq(col("at"), str("2024-02-29 10:00:00.500")), `"at" = '2024-02-29 10:00:00.5'`},
		{eq(col("born"), str("2024-02-29 00:00:00")), `"born" = '2024-02-29'`},
		{eq(col("at"), par(0)), `"at" = cmp_datetime(?1, 0)`},
		{eq(col("at"), typedParam(0, fspType(0))), `"at" = ?1`},
		{eq(col("at"), col("seen")), `cmp_datetime("at", 3) = "seen"`},
		{eq(col("at"), col("born")), `"at" = cmp_datetime("born", 0)`},
		{&sqlast.Between{X: col("at"), Lo: str("2024-01-01"), Hi: str("2024-01-02")}, `"at" BETWEEN '2024-01-01 00:00:00' AND '2024-01-02 00:00:00'`},
		{eq(col("at"), null), `"at" = NULL`},
		{fn("DATE_ADD", col("at"), &sqlast.Interval{X: num("1"), Unit: "MONTH"}), `datetime("at", '+1 months', 'floor')`},
		{fn("DATE_SUB", col("born"), &sqlast.Interval{X: par(0), Unit: "DAY"}), `date_sub("born", ?1, 'day')`},
		{bin(sqlast.OpSub, col("born"), &sqlast.Interval{X: num("2"), Unit: "HOUR"}), `datetime("born", '-2 hours')`},
		// Bytes by what stands beside them.
		{eq(col("name"), raw("A")), `"name" = CAST(X'41' AS TEXT)`},
		{eq(col("data"), raw("A")), `"data" = X'41'`},
		{bin(sqlast.OpAdd, raw("\x01\x00"), num("1")), "256 + 1"},
		{eq(col("id"), raw("\x05")), `"id" = 5`},
		// Numbers and text.
		{eq(col("tag"), num("5")), `CAST("tag" AS NUMERIC) = 5`},
		{eq(col("id"), str("5")), `"id" = '5'`},
		{bin(sqlast.OpDiv, col("id"), num("2")), `wide_div("id", 2, 4)`},
		{bin(sqlast.OpIntDiv, col("id"), num("2")), `"id" / 2`},
		{bin(sqlast.OpBitAnd, col("id"), &sqlast.Unary{Op: sqlast.OpBitNot, X: num("1")}), `unsigned("id" & ~1)`},
		// Lists and rows.
		{&sqlast.In{X: &sqlast.Row{Items: []sqlast.Expr{col("id"), col("at")}}, List: []sqlast.Expr{
			&sqlast.Row{Items: []sqlast.Expr{num("1"), str("2024-01-01")}}, &sqlast.Row{Items: []sqlast.Expr{num("2"), par(0)}}}},
			`("id", "at") = (1, '2024-01-01 00:00:00') OR ("id", "at") = (2, cmp_datetime(?1, 0))`},
		{eq(bin(sqlast.OpJSONGet, col("doc"), str("$.a[last]")), str("x")), `json_extract(json_extract_of("doc", '$.a[last]'), '$') = 'x'`},
		{fn("JSON_OBJECT", str("d"), col("doc"), str("t"), &sqlast.Lit{Kind: sqlast.LitTrue}), `json_object('d', json("doc"), 't', json('true'))`},
		{&sqlast.Values{Name: "a"}, `excluded."a"`},
		{&sqlast.Col{Schema: "ks", Table: "u", Name: `a"b`}, `"u"."a""b"`},
	} {
		got, err := Printer{}.Expr(tc.e)
		if err != nil || got != tc.want {
			t.Errorf("got  %s\nwant %s (%v)", got, tc.want, err)
		}
	}
}

func withNoCase(e sqlast.Expr) sqlast.Expr {
	e.Type().NoCase = true
	e.Type().Class = sqlast.ClassText
	return e
}

func pointSelect() *sqlast.Select {
	return &sqlast.Select{
		Items: []sqlast.SelectItem{{Expr: col("id")}, {Expr: col("name")}},
		From:  &sqlast.TableRef{Name: "users", Table: printerDef},
		Where: eq(col("id"), par(0)),
	}
}

func TestStmt(t *testing.T) {
	users := func() *sqlast.TableRef { return &sqlast.TableRef{Name: "users", Table: printerDef} }
	set := func(name string, e sqlast.Expr) sqlast.Assignment { return sqlast.Assignment{Col: col(name), Expr: e} }
	for _, tc := range []struct {
		s    sqlast.Stmt
		want string
	}{
		{pointSelect(), `SELECT "id", "name" FROM "users" WHERE "id" = ?1`},
		{&sqlast.Select{Items: []sqlast.SelectItem{{Star: true}}, From: users(),
			Where: &sqlast.In{X: col("id"), List: []sqlast.Expr{&dialect.ListSlot{Index: 3}}}, Limit: &sqlast.Limit{Offset: num("2")}},
			`SELECT * FROM "users" WHERE "id" IN (::list3) LIMIT -1 OFFSET 2`},
		{&sqlast.Insert{Table: users(), Columns: []string{"id", "at", "born", "name"}, Rows: [][]sqlast.Expr{
			{num("0"), par(0), str("2024-01-02 03:04:05"), raw("A")}, {par(1), typedParam(2, fspType(0)), fn("DATE", par(3)), &sqlast.Default{}}}},
			`INSERT INTO "users" ("id", "at", "born", "name") VALUES (NULL, store_datetime(?1, 0), '2024-01-02', CAST(X'41' AS TEXT)), (store_int(?2, -9223372036854775808, 9223372036854775807, 'id'), ?3, date_of(?4), NULL)`},
		{&sqlast.Insert{Table: users(), Columns: []string{"id"}, Ignore: true,
			Query: &sqlast.Select{Items: []sqlast.SelectItem{{Expr: col("id")}}, From: users()}},
			`INSERT OR IGNORE INTO "users" ("id") SELECT "id" FROM "users"`},
		{&sqlast.Update{From: users(), Set: []sqlast.Assignment{set("tag", str("x")), set("at", str("2024-01-01"))},
			Where: &sqlast.In{X: col("id"), List: []sqlast.Expr{&dialect.ListSlot{}}}, Returning: []sqlast.SelectItem{{Expr: col("id")}}},
			`UPDATE "users" SET "tag" = 'x', "at" = '2024-01-01 00:00:00' WHERE "id" IN (::list0) RETURNING "id"`},
		{&sqlast.Delete{From: users(), Where: eq(col("id"), par(0)), OrderBy: []sqlast.OrderItem{{Expr: col("id"), Desc: true}}, Limit: &sqlast.Limit{Count: par(1)}},
			`DELETE FROM "users" WHERE rowid IN (SELECT rowid FROM "users" WHERE "id" = ?1 ORDER BY "id" DESC LIMIT ?2)`},
		{&sqlast.SetOp{Kind: sqlast.Union, L: pointSelect(), R: &sqlast.SetOp{Kind: sqlast.Union, All: true, L: pointSelect(), R: pointSelect()}},
			`SELECT "id", "name" FROM "users" WHERE "id" = ?1 UNION SELECT * FROM (SELECT "id", "name" FROM "users" WHERE "id" = ?1 UNION ALL SELECT "id", "name" FROM "users" WHERE "id" = ?1)`},
		{&sqlast.Select{Items: []sqlast.SelectItem{{Star: true}}, From: &sqlast.Derived{Alias: "d", Columns: []string{"a", "b"}, Query: pointSelect()}},
			`SELECT * FROM (WITH "d"("a", "b") AS (SELECT "id", "name" FROM "users" WHERE "id" = ?1) SELECT * FROM "d") AS "d"`},
	} {
		got, err := Printer{}.Stmt(tc.s)
		if err != nil || got.String() != tc.want {
			t.Errorf("got  %s\nwant %s (%v)", got, tc.want, err)
		}
	}
}

func TestListSlots(t *testing.T) {
	got, err := Printer{}.Stmt(&sqlast.Select{Items: []sqlast.SelectItem{{Star: true}}, Where: sqlast.And(
		&sqlast.In{X: col("id"), List: []sqlast.Expr{&dialect.ListSlot{Index: 1}}},
		&sqlast.In{X: col("tag"), List: []sqlast.Expr{&dialect.ListSlot{Index: 0}}, Not: true})})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`SELECT * WHERE "id" IN (`, `) AND "tag" NOT IN (`, `)`}
	if strings.Join(got.Segments, "#") != strings.Join(want, "#") || len(got.Lists) != 2 || got.Lists[0] != 1 || got.Lists[1] != 0 {
		t.Errorf("got %q %v", got.Segments, got.Lists)
	}
}

func TestUnsupported(t *testing.T) {
	for _, e := range []sqlast.Expr{
		&sqlast.SysVar{Name: "version"}, &sqlast.UserVar{Name: "x"}, fn("NO_SUCH_FUNCTION"), fn("RAND", num("1")),
		fn("JSON_REMOVE", col("doc"), str("$.a[*]")), fn("LEFT", num("1")), nil,
	} {
		_, err := Printer{}.Expr(e)
		if _, ok := err.(*dialect.UnsupportedError); !ok {
			t.Errorf("%T: error %v, want an UnsupportedError", e, err)
		}
	}
}

// TestFunctionsExist: whatever the table of names leads to, the engine has it.
func TestFunctionsExist(t *testing.T) {
	c := open(t)
	st, _, err := c.Prepare("SELECT DISTINCT name FROM pragma_function_list")
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	have := map[string]bool{}
	for st.Step() {
		have[strings.ToLower(st.ColumnText(0))] = true
	}
	for from, name := range sameArgs {
		if !have[name] {
			t.Errorf("%s prints as %s, which the engine doesn't have", from, name)
		}
	}
	for from, name := range aggNames {
		if !have[name] {
			t.Errorf("%s prints as %s, which the engine doesn't have", from, name)
		}
	}
	for _, name := range []string{"cmp_datetime", "store_datetime", "datetime_of", "time_of", "like_to_glob", "locate", "trim_word", "ltrim_word", "rtrim_word",
		"ascii_code", "round_digits", "truncate_digits", "cast_signed", "date_add", "date_sub", "date_format", "timestampdiff", "extract_unit",
		"unix_timestamp", "from_unixtime", "json_unquote", "json_length", "json_keys", "json_contains", "group_concat_distinct", "addtime", "mod", "regexp_like"} {
		if !have[name] {
			t.Errorf("the engine doesn't have %s", name)
		}
	}
}

func open(tb testing.TB) *sqlite3.Conn {
	c, err := sqlite3.Open(":memory:")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	if err := engine.RegisterFunctions(c); err != nil {
		tb.Fatal(err)
	}
	return c
}

// value is an integer or NULL.
type value struct {
	n    int64
	null bool
}

func truth(b bool) value {
	if b {
		return value{n: 1}
	}
	return value{}
}

// randomExpr makes an expression of integers and its value by MySQL's rules.
func randomExpr(r *rand.Rand, depth int) (sqlast.Expr, value) {
	if depth == 0 || r.IntN(8) == 0 {
		if r.IntN(6) == 0 {
			return &sqlast.Lit{Kind: sqlast.LitNull}, value{null: true}
		}
		n := r.IntN(5)
		return num(string(rune('0' + n))), value{n: int64(n)}
	}
	l, a := randomExpr(r, depth-1)
	if r.IntN(5) == 0 {
		switch r.IntN(3) {
		case 0:
			return &sqlast.Unary{Op: sqlast.OpNot, X: l}, value{n: truth(a.n == 0).n, null: a.null}
		case 1:
			return &sqlast.Unary{Op: sqlast.OpNeg, X: l}, value{n: -a.n, null: a.null}
		default:
			return &sqlast.Is{X: l, Not: true}, truth(!a.null)
		}
	}
	rt, b := randomExpr(r, depth-1)
	ops := []sqlast.Op{sqlast.OpOr, sqlast.OpAnd, sqlast.OpXor, sqlast.OpEq, sqlast.OpNe, sqlast.OpNullSafeEq, sqlast.OpLt, sqlast.OpLe,
		sqlast.OpGt, sqlast.OpGe, sqlast.OpAdd, sqlast.OpSub, sqlast.OpMul, sqlast.OpBitAnd, sqlast.OpBitOr, sqlast.OpBitXor}
	op := ops[r.IntN(len(ops))]
	e, v := bin(op, l, rt), apply(op, a, b)
	if isBitOp(op) && v.n < 0 {
		// Beyond 63 bits a result is an error, unless a mask takes the rest away.
		return bin(sqlast.OpBitAnd, e, num("7")), value{n: v.n & 7, null: v.null}
	}
	return e, v
}

func apply(op sqlast.Op, a, b value) value {
	switch op {
	case sqlast.OpAnd:
		if !a.null && a.n == 0 || !b.null && b.n == 0 {
			return value{}
		}
		return value{n: 1, null: a.null || b.null}
	case sqlast.OpOr:
		if !a.null && a.n != 0 || !b.null && b.n != 0 {
			return value{n: 1}
		}
		return value{null: a.null || b.null}
	case sqlast.OpNullSafeEq:
		return truth(a.null && b.null || !a.null && !b.null && a.n == b.n)
	}
	if a.null || b.null {
		return value{null: true}
	}
	switch op {
	case sqlast.OpXor:
		return truth((a.n != 0) != (b.n != 0))
	case sqlast.OpEq:
		return truth(a.n == b.n)
	case sqlast.OpNe:
		return truth(a.n != b.n)
	case sqlast.OpLt:
		return truth(a.n < b.n)
	case sqlast.OpLe:
		return truth(a.n <= b.n)
	case sqlast.OpGt:
		return truth(a.n > b.n)
	case sqlast.OpGe:
		return truth(a.n >= b.n)
	case sqlast.OpAdd:
		return value{n: a.n + b.n}
	case sqlast.OpSub:
		return value{n: a.n - b.n}
	case sqlast.OpMul:
		return value{n: a.n * b.n}
	case sqlast.OpBitAnd:
		return value{n: a.n & b.n}
	case sqlast.OpBitOr:
		return value{n: a.n | b.n}
	}
	return value{n: a.n ^ b.n}
}

// TestPrecedence compares random expressions' values with the engine's.
func TestPrecedence(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	c := open(t)
	for range 3000 {
		e, want := randomExpr(r, 5)
		text, err := Printer{}.Expr(e)
		if err != nil {
			t.Fatal(err)
		}
		st, _, err := c.Prepare("SELECT " + text)
		if err != nil {
			if strings.Contains(err.Error(), "depth") {
				continue
			}
			t.Fatalf("seed %d: %s: %v", seed, text, err)
		}
		st.Step()
		if err := st.Err(); err != nil {
			t.Fatalf("seed %d: %s: %v", seed, text, err)
		}
		null := st.ColumnType(0) == sqlite3.NULL
		if null != want.null || !null && st.ColumnInt64(0) != want.n {
			t.Errorf("seed %d: %s is %s, want %+v", seed, text, st.ColumnText(0), want)
		}
		st.Close()
	}
}

// TestAnyAll: with NULLs, comparisons with ANY and ALL have three values.
func TestAnyAll(t *testing.T) {
	c := open(t)
	if err := c.Exec("CREATE TABLE n (x); INSERT INTO n VALUES (1), (NULL), (3)"); err != nil {
		t.Fatal(err)
	}
	sub := func(kind sqlast.SubKind, x string, op sqlast.Op, where string) string {
		text, err := Printer{}.Expr(&sqlast.Subquery{Kind: kind, X: num(x), Op: op, Query: &sqlast.Select{
			Items: []sqlast.SelectItem{{Expr: &sqlast.Col{Name: "x"}}}, From: &sqlast.TableRef{Name: "n"}, Where: &sqlast.Raw{Text: where}}})
		if err != nil {
			t.Fatal(err)
		}
		st, _, err := c.Prepare("SELECT " + text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		defer st.Close()
		st.Step()
		if st.ColumnType(0) == sqlite3.NULL {
			return "NULL"
		}
		return st.ColumnText(0)
	}
	for _, tc := range []struct {
		kind     sqlast.SubKind
		x        string
		op       sqlast.Op
		where    string
		expected string
	}{
		{sqlast.SubAll, "5", sqlast.OpGt, "true", "NULL"}, {sqlast.SubAll, "2", sqlast.OpGt, "true", "0"}, {sqlast.SubAll, "5", sqlast.OpGt, "x > 0", "1"}, {sqlast.SubAll, "5", sqlast.OpGt, "false", "1"},
		{sqlast.SubAny, "0", sqlast.OpGt, "true", "NULL"}, {sqlast.SubAny, "2", sqlast.OpGt, "true", "1"}, {sqlast.SubAny, "0", sqlast.OpGt, "x > 0", "0"}, {sqlast.SubAny, "0", sqlast.OpGt, "false", "0"},
		{sqlast.SubAny, "1", sqlast.OpEq, "true", "1"}, {sqlast.SubAll, "2", sqlast.OpNe, "true", "NULL"},
	} {
		if got := sub(tc.kind, tc.x, tc.op, tc.where); got != tc.expected {
			t.Errorf("%v: got %s", tc, got)
		}
	}
}

func BenchmarkPointSelect(b *testing.B) {
	s := pointSelect()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (Printer{}).Stmt(s); err != nil {
			b.Fatal(err)
		}
	}
}
