package vitessdo

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
)

// TestObjectLimits: what goes over a limit of Durable Objects is spread over several
// statements, done by the gate, or refused before anything is written.
func TestObjectLimits(t *testing.T) {
	meetLimits(t, openHere(t, ":memory:?shards=4&engine=durable_object"))
}

func meetLimits(t *testing.T, db *sql.DB) {
	c := pin(t, db)
	joined := func(n int, sep string, f func(i int) string) string {
		parts := make([]string, n)
		for i := range parts {
			parts[i] = f(i)
		}
		return strings.Join(parts, sep)
	}
	do(t, c, "CREATE TABLE wide (id INT PRIMARY KEY, "+joined(9, ", ", func(i int) string { return fmt.Sprintf("c%d INT", i) })+")")
	do(t, c, "CREATE TABLE texts (id INT PRIMARY KEY, v LONGTEXT)")

	// 100 parameters: 1000 rows of 10 columns, as literals and as arguments.
	const rows = 1000
	row := func(i int) string { return fmt.Sprintf("(%d%s)", i, strings.Repeat(fmt.Sprintf(", %d", i), 9)) }
	mustAffect(t, c, rows, "INSERT INTO wide VALUES "+joined(rows, ", ", row))
	want(t, c, "1000|499500|499500", "SELECT COUNT(*), SUM(c0), SUM(c8) FROM wide")
	var args []any
	for i := range rows {
		args = append(args, i, i, i, i, i, i, i, i, i, i)
	}
	question := func(int) string { return "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)" }
	many := "INSERT INTO wide VALUES " + joined(rows, ", ", question)
	mustFail(t, c, CodeUnique, many, args...)
	do(t, c, "DELETE FROM wide WHERE id < 500")
	mustFail(t, c, CodeUnique, many, args...) // the rows that had room aren't there
	want(t, c, "500", "SELECT COUNT(*) FROM wide")
	do(t, c, "DELETE FROM wide")
	mustAffect(t, c, rows, many, args...)
	var ids []any
	for i := range rows {
		ids = append(ids, 2*i)
	}
	in := "(" + joined(rows, ", ", func(int) string { return "?" }) + ")"
	want(t, c, "500|249500", "SELECT COUNT(*), SUM(c1) FROM wide WHERE id IN "+in, ids...)
	want(t, c, "500", "SELECT COUNT(*) FROM wide WHERE c3 IN "+in, ids...)
	want(t, c, "500", "SELECT COUNT(*) FROM wide WHERE c3 NOT IN ("+joined(rows, ", ", func(i int) string { return fmt.Sprint(2 * i) })+")")
	mustAffect(t, c, 500, "UPDATE wide SET c5 = -1 WHERE id IN "+in, ids...)
	mustAffect(t, c, 500, "DELETE FROM wide WHERE c4 IN "+in, ids...)
	want(t, c, "500", "SELECT COUNT(*) FROM wide")

	// 5 members of UNION, and an expression's depth.
	want(t, c, "30", "SELECT COUNT(*) FROM ("+joined(30, " UNION ALL ", func(i int) string { return fmt.Sprintf("SELECT id FROM wide WHERE id = %d", 2*i+1) })+") u")
	want(t, c, "12", "SELECT COUNT(*) FROM ("+joined(12, " UNION ", func(i int) string { return fmt.Sprintf("SELECT %d AS n FROM wide", i) })+") u")
	want(t, c, "500", "SELECT COUNT(*) FROM wide WHERE "+joined(1200, " OR ", func(i int) string { return fmt.Sprintf("c7 = %d", i) }))

	// 100 KB of text: a statement whose literals are longer, and one that is.
	long := strings.Repeat("x", 300_000)
	mustAffect(t, c, 1, "INSERT INTO texts VALUES (1, ?)", long)
	mustAffect(t, c, 1, "INSERT INTO texts VALUES (2, '"+long+"')")
	want(t, c, "2|600000", "SELECT COUNT(*), SUM(LENGTH(v)) FROM texts")
	want(t, c, "1 2", "SELECT id FROM texts WHERE v = '"+long+"' ORDER BY id")
	mustAffect(t, c, 2, "UPDATE texts SET v = CONCAT(v, '"+long+"')")
	want(t, c, "1200000", "SELECT SUM(LENGTH(v)) FROM texts")

	// 100 columns: a table, and a result.
	e := mustFail(t, c, CodeUnsupported, "CREATE TABLE wider ("+joined(120, ", ", func(i int) string { return fmt.Sprintf("c%d INT", i) })+")")
	if !strings.Contains(e.Error(), "120 columns") {
		t.Errorf("it names no limit: %v", e)
	}
	want(t, c, "0", "SELECT COUNT(*) FROM information_schema.tables WHERE table_name = 'wider'")
	want(t, c, strings.Repeat("1|", 199)+"1", "SELECT "+joined(200, ", ", func(int) string { return "c0" })+" FROM wide WHERE id = 1")
}
