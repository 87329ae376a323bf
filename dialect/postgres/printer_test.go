package postgres_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/dialect/postgres"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/sqlparse"
)

func parse(t *testing.T, text string) sqlast.Stmt {
	t.Helper()
	st, err := sqlparse.Parse(text, sqlparse.Options{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return st.Stmt
}

func define(t *testing.T, text string) *sqlast.TableDef {
	t.Helper()
	return parse(t, text).(*sqlast.CreateTable).Def
}

// TestTables: what a table is on a shard.
func TestTables(t *testing.T) {
	for _, c := range []struct{ mysql, want string }{
		{"CREATE TABLE t (id INT PRIMARY KEY, a TINYINT, b BIGINT UNSIGNED, c DECIMAL(10,2), d DECIMAL(30,2), e FLOAT, f VARCHAR(9), g BLOB, h DATETIME(3))",
			`CREATE TABLE "t" ("id" integer NOT NULL, "a" smallint, "b" bigint, "c" numeric, "d" bytea, "e" double precision, "f" text COLLATE "C", "g" bytea, "h" text COLLATE "C", CONSTRAINT "t.PRIMARY" PRIMARY KEY ("id"))`},
		{"CREATE TABLE t (a INT, b TEXT, KEY k (a, b(5) DESC))",
			`CREATE TABLE "t" ("a" integer, "b" text COLLATE "C", _vt_rowid bigint NOT NULL); ` +
				`ALTER TABLE "t" ALTER COLUMN _vt_rowid SET DEFAULT _vt_next_row('"t"'::regclass); CREATE UNIQUE INDEX IF NOT EXISTS "t._vt_rowid" ON "t" (_vt_rowid); ` +
				`CREATE INDEX "t.k" ON "t" ("a" NULLS FIRST, "b" DESC NULLS LAST)`},
		{"CREATE TABLE t (id INT PRIMARY KEY, n INT NOT NULL DEFAULT 5, s VARCHAR(9) COLLATE utf8mb4_general_ci DEFAULT 'it''s', at DATE DEFAULT '2024-01-02', UNIQUE KEY u (s), CHECK (n > 0))",
			`CREATE TABLE "t" ("id" integer NOT NULL, "n" integer NOT NULL DEFAULT 5, "s" text COLLATE "C" DEFAULT 'it''s', "at" text COLLATE "C" DEFAULT '2024-01-02', ` +
				`CONSTRAINT "t.PRIMARY" PRIMARY KEY ("id"), CONSTRAINT "t_chk_1" CHECK (("n" > 0))); CREATE UNIQUE INDEX "t.u" ON "t" (lower(("s") COLLATE "C") NULLS FIRST)`},
		{"CREATE TABLE t (id INT PRIMARY KEY, a INT, b BIGINT AS (a + 1), now DATETIME DEFAULT NOW())",
			`CREATE TABLE "t" ("id" integer NOT NULL, "a" integer, "b" bigint GENERATED ALWAYS AS (("a"::bigint + 1::bigint)) STORED, "now" text COLLATE "C", CONSTRAINT "t.PRIMARY" PRIMARY KEY ("id"))`},
	} {
		got, err := postgres.Printer{}.CreateTable(define(t, c.mysql), dialect.TableOptions{})
		if text := strings.ReplaceAll(strings.Join(got, "; "), `CONSTRAINT "" `, ""); err != nil || text != c.want && strings.ReplaceAll(c.want, `CONSTRAINT "t_chk_1" `, "") != text {
			t.Errorf("%s:\n got %s\nwant %s\n%v", c.mysql, text, c.want, err)
		}
	}
}

// TestRefusals: what has another meaning, or can't be had, is refused by name.
func TestRefusals(t *testing.T) {
	for _, c := range []struct{ mysql, want string }{
		{"CREATE TABLE t (id INT PRIMARY KEY, s TEXT, CHECK (s REGEXP 'a'))", "this operator"},
		{"CREATE TABLE t (id INT PRIMARY KEY, s TEXT, u TEXT AS (UPPER(s)))", "the function UPPER"},
		{"CREATE TABLE t (id INT PRIMARY KEY, d DECIMAL(30,2), e DECIMAL(31,2) AS (d + 1))", "arithmetic of"},
		{"CREATE TABLE t (id INT PRIMARY KEY, p INT, FOREIGN KEY f (p) REFERENCES t (id))", "foreign key"},
		{"CREATE TABLE t (id INT PRIMARY KEY, s VARCHAR(9) DEFAULT 'a\\0b')", "constant"},
	} {
		_, err := postgres.Printer{}.CreateTable(define(t, c.mysql), dialect.TableOptions{})
		var refused *dialect.UnsupportedError
		if !errors.As(err, &refused) || !strings.Contains(refused.Construct, c.want) {
			t.Errorf("%s: %v", c.mysql, err)
		}
	}
}

// TestAlter: a change is made with PostgreSQL's own words, and keeps what it can.
func TestAlter(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"CREATE TABLE t (id INT PRIMARY KEY, a INT)", "CREATE TABLE t (id INT PRIMARY KEY, a BIGINT NOT NULL DEFAULT 3)",
			`ALTER TABLE "t" ALTER COLUMN "a" TYPE bigint; ALTER TABLE "t" ALTER COLUMN "a" SET NOT NULL; ALTER TABLE "t" ALTER COLUMN "a" SET DEFAULT 3`},
		{"CREATE TABLE t (id INT PRIMARY KEY, a INT, KEY k (a))", "CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT NOT NULL, KEY k2 (a, b))",
			`DROP INDEX "t.k"; ALTER TABLE "t" ADD COLUMN "b" integer NOT NULL DEFAULT 0; ALTER TABLE "t" ALTER COLUMN "b" DROP DEFAULT; CREATE INDEX "t.k2" ON "t" ("a" NULLS FIRST, "b")`},
		{"CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT AS (a * 2))", "CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT AS (a * 3))",
			`ALTER TABLE "t" DROP COLUMN "b"; ALTER TABLE "t" ADD COLUMN "b" integer GENERATED ALWAYS AS (("a"::bigint * 3::bigint)) STORED`},
		{"CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(5))", "CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(50))", ""},
	} {
		plan, err := postgres.Printer{}.Alter(define(t, c.old), define(t, c.new), dialect.AlterOptions{})
		if text := strings.Join(plan.Statements, "; "); err != nil || text != c.want {
			t.Errorf("%s\nto %s:\n got %s\nwant %s\n%v", c.old, c.new, text, c.want, err)
		}
	}
	_, err := postgres.Printer{}.Alter(define(t, "CREATE TABLE t (id INT PRIMARY KEY, a TEXT)"), define(t, "CREATE TABLE t (id INT PRIMARY KEY, a INT)"), dialect.AlterOptions{})
	if !errors.As(err, new(*dialect.UnsupportedError)) {
		t.Errorf("text becomes numbers: %v", err)
	}
}

// TestLiteral: values in a statement's text, for which there are no parameters left.
func TestLiteral(t *testing.T) {
	for _, tc := range []struct {
		value any
		want  string // "" is an error
	}{
		{nil, "NULL"}, {int64(-5), "'-5'::bigint"}, {int64(math.MinInt64), "'-9223372036854775808'::bigint"},
		{1.5, "'1.5e+00'::double precision"}, {math.Inf(-1), "'-Infinity'::double precision"}, {math.NaN(), "NULL"},
		{`it's \n`, `'it''s \n'`}, {[]byte{0, 255}, `'\x00ff'::bytea`}, {"a\x00b", ""}, {"\xff", ""},
	} {
		got, err := postgres.Printer{}.Literal(tc.value)
		if (err != nil) != (tc.want == "") || err == nil && got != tc.want {
			t.Errorf("%#v is %s, %v; want %s", tc.value, got, err, tc.want)
		}
	}
}
