package main

import (
	"database/sql"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"text/tabwriter"
	"time"
)

// combineCases are the statements that no shard can answer by itself: the gate joins
// what lies on different shards, or runs the rest of a statement over gathered
// rows. rows is the size of the large tables, by which the others go.
func combineCases(s *stores, rows int) ([]bench, error) {
	join := rows / 10
	few := max(1, join/100)
	if err := loadShop(s, join, few); err != nil {
		return nil, err
	}
	if err := s.load(rows); err != nil {
		return nil, err
	}
	name := func(what string, a, b int) string {
		return fmt.Sprintf("combine: join %s × %s, %s", count(a), count(b), what)
	}
	var cases []bench
	add := func(name, query string, want int, args ...any) {
		cases = append(cases, bench{name: name, once: true,
			base: readsAll(s.base, query, want, args...), ours: readsAll(s.ours, query, want, args...)})
	}
	add(name("groups", join, few), "SELECT b.grp, COUNT(*), SUM(o.qty) FROM ord o JOIN buyer b ON b.id = o.buyer GROUP BY b.grp", min(few, 20))
	add(name("rows", join, few), "SELECT o.id, o.qty, b.name FROM ord o JOIN buyer b ON b.id = o.buyer", join)
	add(name("rows in order", join, few), "SELECT o.id, o.qty, b.name FROM ord o JOIN buyer b ON b.id = o.buyer ORDER BY b.name, o.id", join)
	add(name("groups", join, join), "SELECT p.paid, COUNT(*), SUM(o.qty) FROM ord o JOIN pay p ON p.ord = o.id GROUP BY p.paid", 2)
	add(name("rows", join, join), "SELECT o.id, o.qty, p.paid FROM ord o JOIN pay p ON p.ord = o.id", join)
	add(name("expressions", join, few), "SELECT SUM(o.qty * LENGTH(b.name)) FROM ord o JOIN buyer b ON b.id = o.buyer", 1)
	add(name("groups, by SQL", join, few), "SELECT /*vt+ COMBINE=query */ b.grp, COUNT(*), SUM(o.qty) FROM ord o JOIN buyer b ON b.id = o.buyer GROUP BY b.grp", min(few, 20))
	add(name("rows, by SQL", join, join), "SELECT /*vt+ COMBINE=query */ o.id, o.qty, p.paid FROM ord o JOIN pay p ON p.ord = o.id", join)
	for _, keys := range []int{1, 10, 100, 1000} {
		if keys <= join/10 {
			add(name(fmt.Sprintf("%d picked", keys), join, join), "SELECT o.id, o.qty, p.paid FROM ord o JOIN pay p ON p.ord = o.id WHERE p.id < ?", keys, keys)
		}
	}
	add(name("1 buyer's, no index", join, few), "SELECT p.id, o.id FROM ord o JOIN pay p ON p.amount = o.qty WHERE o.id = ?", 1+(join-8)/1009, 7)
	add("combine: correlated subquery", "SELECT b.id, (SELECT COUNT(*) FROM ord o WHERE o.buyer = b.id) FROM buyer b", few)
	add("combine: correlated EXISTS", "SELECT b.id FROM buyer b WHERE EXISTS (SELECT 1 FROM ord o WHERE o.buyer = b.id AND o.qty > 100)", -1)
	add("combine: IN subquery", "SELECT o.id, o.qty FROM ord o WHERE o.buyer IN (SELECT id FROM buyer WHERE grp = 1)", -1)
	add(fmt.Sprintf("combine: window over %s rows", count(rows)),
		"SELECT id, SUM(id) OVER (PARTITION BY grp ORDER BY id) FROM item", rows)
	for _, c := range []struct{ name, key string }{{"rows", "id"}, {"rows that change their shard", "id + 1"}} {
		cases = append(cases, bench{name: fmt.Sprintf("combine: INSERT … SELECT of %s %s", count(rows), c.name), once: true,
			base: copies(s.base, c.key, rows), ours: copies(s.ours, c.key, rows)})
	}
	return cases, nil
}

func count(n int) string {
	switch {
	case n >= 1_000_000 && n%1_000_000 == 0:
		return fmt.Sprintf("%dM", n/1_000_000)
	case n >= 1000 && n%1000 == 0:
		return fmt.Sprintf("%dk", n/1000)
	}
	return fmt.Sprint(n)
}

// loadShop makes orders by few buyers, and a payment for each order under an id
// of its own. None of them lie together.
func loadShop(s *stores, orders, buyers int) error {
	for _, ddl := range []string{
		"CREATE TABLE buyer (id BIGINT PRIMARY KEY, grp INT, name VARCHAR(40))",
		"CREATE TABLE ord (id BIGINT PRIMARY KEY, buyer BIGINT, qty INT)",
		"CREATE TABLE pay (id BIGINT PRIMARY KEY, ord BIGINT, amount INT, paid INT)",
		"CREATE TABLE copy (id BIGINT PRIMARY KEY, grp BIGINT, name VARCHAR(60))",
		"CREATE INDEX ord_buyer ON ord (buyer)",
	} {
		if err := s.both(ddl, strings.Replace(ddl, "BIGINT PRIMARY KEY", "INTEGER PRIMARY KEY", 1)); err != nil {
			return err
		}
	}
	for _, db := range []*sql.DB{s.base, s.ours} {
		for _, t := range []struct {
			text string
			n    int
			row  func(i int) []any
		}{
			{"INSERT INTO buyer VALUES (?, ?, ?)", buyers, func(i int) []any { return []any{i, i % 20, fmt.Sprintf("buyer %d", i*7919%buyers)} }},
			{"INSERT INTO ord VALUES (?, ?, ?)", orders, func(i int) []any { return []any{i, i * 31 % buyers, i % 1009} }},
			{"INSERT INTO pay VALUES (?, ?, ?, ?)", orders, func(i int) []any { return []any{i, (i + orders/3) % orders, i % 1009, i % 2} }},
		} {
			if err := insertMany(db, t.text, t.n, t.row); err != nil {
				return err
			}
		}
	}
	return nil
}

func insertMany(db *sql.DB, text string, n int, row func(i int) []any) error {
	one := text[strings.Index(text, "("):]
	for at := 0; at < n; at += chunk {
		rows := min(chunk, n-at)
		var args []any
		for i := at; i < at+rows; i++ {
			args = append(args, row(i)...)
		}
		if _, err := db.Exec(text+strings.Repeat(", "+one, rows-1), args...); err != nil {
			return fmt.Errorf("%s from %d on: %w", text, at, err)
		}
	}
	return nil
}

// readsAll reads a query's rows; want is their number, -1 for any but none.
func readsAll(db *sql.DB, query string, want int, args ...any) side {
	return func(int) error {
		rows, err := db.Query(query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		cols, err := rows.Columns()
		if err != nil {
			return err
		}
		vals, dest := make([]sql.RawBytes, len(cols)), make([]any, len(cols))
		for i := range vals {
			dest[i] = &vals[i]
		}
		n := 0
		for ; rows.Next(); n++ {
			if err := rows.Scan(dest...); err != nil {
				return err
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
		if n != want && want >= 0 || n == 0 {
			return fmt.Errorf("%s: %d rows, not %d", query, n, want)
		}
		return nil
	}
}

// copies fills the table copy anew from item, with the given expression as key.
func copies(db *sql.DB, key string, rows int) side {
	return func(int) error {
		if _, err := db.Exec("DELETE FROM copy"); err != nil {
			return err
		}
		res, err := db.Exec("INSERT INTO copy SELECT "+key+", grp, name FROM item WHERE id < ?", rows)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n != int64(rows) {
			return fmt.Errorf("copied %d rows, not %d (%v)", n, rows, err)
		}
		return nil
	}
}

// combines measures the combines, and then how much memory each one takes.
func combines(o *options) ([]outcome, error) {
	if !o.wanted("combine: join", "combine: correlated", "combine: IN", "combine: window", "combine: INSERT") {
		return nil, nil
	}
	s, err := openStores("normal")
	if err != nil {
		return nil, err
	}
	defer s.close()
	cases, err := combineCases(s, o.rows)
	if err != nil {
		return nil, err
	}
	list, err := measureAll(o, min(o.rounds, 5), cases)
	if err != nil {
		return nil, err
	}
	return list, memoryTable(o, cases)
}

// memoryTable prints how far the process grows while each side works.
func memoryTable(o *options, cases []bench) error {
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "peak memory\t%s\tvitessdo\t\n", engineName)
	for i := range cases {
		if !strings.Contains(cases[i].name, o.only) {
			continue
		}
		base, err := peakResident(func() error { return cases[i].base(1) })
		if err != nil {
			return err
		}
		ours, err := peakResident(func() error { return cases[i].ours(1) })
		if err != nil {
			return err
		}
		fmt.Fprintf(t, "%s\t%.0f MB\t%.0f MB\t\n", cases[i].name, float64(base)/1e6, float64(ours)/1e6)
	}
	return t.Flush()
}

// peakResident is how far the memory that the process holds grows while f runs;
// what was free before is given back first.
func peakResident(f func() error) (int64, error) {
	debug.FreeOSMemory()
	start := resident()
	peak, done, stopped := start, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			peak = max(peak, resident())
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
	err := f()
	close(done)
	<-stopped
	return peak - start, err
}

// resident is the memory of the process in bytes; where the system doesn't tell,
// its heap.
func resident() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	var size, pages int64
	if err == nil {
		_, err = fmt.Sscan(string(text), &size, &pages)
	}
	if err != nil {
		return heap()
	}
	return pages * int64(os.Getpagesize())
}
