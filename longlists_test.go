package vitessdo

import (
	"fmt"
	"strings"
	"testing"
)

// TestLongLists: a statement may have more arguments and members of lists than the shards
// take parameters, of every type, wherever they stand.
func TestLongLists(t *testing.T) {
	const n = 33000 // SQLite takes 32,766
	db := openDB(t, ":memory:?shards=2")
	do(t, db, "CREATE TABLE p (id BIGINT PRIMARY KEY, s VARCHAR(40), ci VARCHAR(40) COLLATE utf8mb4_general_ci, b VARBINARY(40), f DOUBLE, d DECIMAL(12,2), k DECIMAL(30,4), at DATETIME)")
	for i := range 5 {
		do(t, db, "INSERT INTO p VALUES (?, ?, ?, ?, ?, ?, ?, ?)", i, fmt.Sprintf("it's %d", i), fmt.Sprintf("Ann%d", i), []byte{0, 0xff, byte(i)}, float64(i)+0.5,
			fmt.Sprintf("%d.25", i), fmt.Sprintf("12345678901234567890.%04d", i), fmt.Sprintf("2024-01-0%d 10:00:00", i+1))
	}
	check := func(what string, err error, got, want string) {
		t.Helper()
		if err != nil { // its statement is too long to show
			text := err.Error()
			t.Errorf("%s: …%s", what, text[max(0, len(text)-200):])
		} else if got != want {
			t.Errorf("%s: got %s, want %s", what, got, want)
		}
	}
	write := func(what, query string, args ...any) {
		t.Helper()
		var n int64
		res, err := db.Exec(query, args...)
		if err == nil {
			n, err = res.RowsAffected()
		}
		check(what, err, fmt.Sprint(n), "3")
	}
	marks := strings.Repeat("?, ", n-1) + "?"
	for _, tc := range []struct {
		column string
		member func(i int) any
	}{
		{"id", func(i int) any { return i }},
		{"id", func(i int) any { return fmt.Sprint(i) }},
		{"id", func(i int) any { return float64(i) }},
		{"s", func(i int) any { return fmt.Sprintf("it's %d", i) }},
		{"ci", func(i int) any { return fmt.Sprintf("aNN%d", i) }},
		{"b", func(i int) any { return []byte{0, 0xff, byte(i), byte(i >> 8), byte(i >> 16)}[:3+min(2, i/256)] }},
		{"f", func(i int) any { return float64(i) + 0.5 }},
		{"d", func(i int) any { return fmt.Sprintf("%d.25", i) }},
		{"k", func(i int) any { return fmt.Sprintf("12345678901234567890.%04d", i) }},
		{"at", func(i int) any { return fmt.Sprintf("20%02d-01-0%d 10:00:00", 24+i/9%70, i%9+1) }},
	} {
		args, marks := make([]any, n), marks
		if tc.column == "k" { // in PostgreSQL another parameter has what its key is
			args = args[:n/2+1]
			marks = marks[:len(args)*3-2]
		}
		for i := range args {
			args[i] = tc.member(len(args) - 1 - i) // those that are there come last
		}
		rows, err := rowsOf(db, "SELECT id FROM p WHERE "+tc.column+" IN ("+marks+") ORDER BY id", args...)
		if tc.column == "k" && lacks(longTexts) { // the gate can't do it either: it is the shard that knows the key
			wantCode(t, err, CodeUnsupported, "a list that no statement of the shard's can hold")
			continue
		}
		check(tc.column, err, strings.Join(rows, " "), "0 1 2 3 4")
	}
	args := make([]any, 0, n+1)
	for i := range n / 2 {
		args = append(args, i, fmt.Sprintf("it's %d", i))
	}
	rows, err := rowsOf(db, "SELECT COUNT(*) FROM p WHERE (id, s) IN ("+strings.Repeat("(?, ?), ", n/2-1)+"(?, ?))", args...)
	check("rows", err, strings.Join(rows, " "), "5")
	for i := range args {
		args[i] = i
	}
	write("UPDATE", "UPDATE p SET f = ? WHERE id IN ("+marks+") AND id > 1", append([]any{9.5}, args...)...)
	write("DELETE", "DELETE FROM p WHERE f = ? AND id IN ("+marks+")", append([]any{9.5}, args...)...)
}
