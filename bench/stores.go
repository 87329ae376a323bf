package main

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	_ "github.com/vitessdo/vitessdo" // registers "vitessdo"
)

// stores are the two sides' databases with the same content.
type stores struct {
	dir        string
	base, ours *sql.DB
}

// openStores makes an empty pair in a directory of its own.
func openStores(synchronous string) (*stores, error) {
	dir, err := os.MkdirTemp("", "vitessdo-bench-")
	if err != nil {
		return nil, err
	}
	s := &stores{dir: dir}
	if s.base, err = sql.Open("sqlite3", engineDSN(filepath.Join(dir, "one.db"), synchronous)); err == nil {
		s.ours, err = sql.Open("vitessdo", "file:"+filepath.Join(dir, "four")+"?shards=4&synchronous="+synchronous)
	}
	if err == nil {
		err = s.tables()
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// tables makes the table of both sides.
func (s *stores) tables() error {
	return s.both("CREATE TABLE item (id BIGINT PRIMARY KEY, grp BIGINT, name VARCHAR(60))",
		"CREATE TABLE item (id INTEGER PRIMARY KEY, grp INTEGER, name TEXT)")
}

func (s *stores) close() {
	for _, db := range []*sql.DB{s.base, s.ours} {
		if db != nil {
			_ = db.Close()
		}
	}
	_ = os.RemoveAll(s.dir)
}

// both runs a statement of ours and its like of the engine.
func (s *stores) both(ours, base string) error {
	if _, err := s.ours.Exec(ours); err != nil {
		return fmt.Errorf("vitessdo: %s: %w", ours, err)
	}
	if _, err := s.base.Exec(base); err != nil {
		return fmt.Errorf("%s: %s: %w", engineName, base, err)
	}
	return nil
}

// load fills item with rows 0 … n-1 on both sides.
func (s *stores) load(n int) error {
	for _, db := range []*sql.DB{s.base, s.ours} {
		if err := insertRows(db, 0, n); err != nil {
			return err
		}
	}
	return nil
}

// settleLogs writes until each write-ahead log, which begins anew after 1000
// pages, has done so: as long as its file grows, making a commit durable costs
// more, and one log is through with that four times as soon as four.
func (s *stores) settleLogs() error {
	const all = "UPDATE item SET grp = grp + 0" // of 20000 rows: 170 pages per shard
	for range 8 {
		if err := s.both(all, all); err != nil {
			return err
		}
	}
	return nil
}

// chunk is the number of rows of a multi-row INSERT.
const chunk = 500

// insertRows inserts n rows from id first on, chunk by chunk in autocommit.
func insertRows(db *sql.DB, first, n int) error {
	args := make([]any, 0, 3*chunk)
	for at := first; at < first+n; at += chunk {
		rows := min(chunk, first+n-at)
		args = args[:0]
		for id := at; id < at+rows; id++ {
			args = append(args, id, id%100, itemName(id))
		}
		if _, err := db.Exec(insertText(rows), args...); err != nil {
			return fmt.Errorf("rows from %d on: %w", at, err)
		}
	}
	return nil
}

func insertText(rows int) string {
	return "INSERT INTO item (id, grp, name) VALUES (?, ?, ?)" + strings.Repeat(", (?, ?, ?)", rows-1)
}

func itemName(id int) string { return fmt.Sprintf("the name of item %d", id) }
