package main

import (
	"database/sql"
	"fmt"
	"sync"
)

// hot is the number of rows that point selects choose from.
const hot = 20000

const pointText = "SELECT id, grp, name FROM item WHERE id = ?"

// pointCases select one row of three columns by its primary key.
func pointCases(s *stores) ([]bench, error) {
	if err := s.load(hot); err != nil {
		return nil, err
	}
	prepared := func(db *sql.DB) (side, error) {
		st, err := db.Prepare(pointText)
		return func(n int) error {
			return pick(n, func(id int64) *sql.Row { return st.QueryRow(id) })
		}, err
	}
	unprepared := func(db *sql.DB) side {
		return func(n int) error {
			return pick(n, func(id int64) *sql.Row { return db.QueryRow(pointText, id) })
		}
	}
	texts := make([]string, hot)
	for i := range texts {
		texts[i] = fmt.Sprintf("SELECT id, grp, name FROM item WHERE id = %d", i)
	}
	literal := func(db *sql.DB) side {
		return func(n int) error {
			return pick(n, func(id int64) *sql.Row { return db.QueryRow(texts[id]) })
		}
	}
	base, err := prepared(s.base)
	if err != nil {
		return nil, err
	}
	ours, err := prepared(s.ours)
	if err != nil {
		return nil, err
	}
	return []bench{
		{name: "point select, prepared", base: base, ours: ours, most: 0.5},
		{name: "point select, unprepared", base: unprepared(s.base), ours: unprepared(s.ours), most: 0.5},
		{name: "point select, literals in the text", base: literal(s.base), ours: literal(s.ours)},
		{name: "point select, 2 goroutines", base: twice(unprepared(s.base)), ours: twice(unprepared(s.ours))},
	}, nil
}

// pick reads n rows in an order that jumps.
func pick(n int, query func(id int64) *sql.Row) error {
	var got, grp int64
	var name string
	id := int64(0)
	for range n {
		id = (id + 7919) % hot
		if err := query(id).Scan(&got, &grp, &name); err != nil {
			return err
		}
		if got != id {
			return fmt.Errorf("asked for id %d, got %d", id, got)
		}
	}
	return nil
}

// twice lets two goroutines share the work.
func twice(s side) side {
	return func(n int) error {
		var wg sync.WaitGroup
		var errs [2]error
		for i := range errs {
			wg.Go(func() { errs[i] = s((n + i) / 2) })
		}
		wg.Wait()
		if errs[0] != nil {
			return errs[0]
		}
		return errs[1]
	}
}
