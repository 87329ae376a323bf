package main

import (
	"database/sql"
	"fmt"
)

// writeCases insert and update at one synchronous level.
func writeCases(s *stores, level string) ([]bench, error) {
	if err := s.load(20000); err != nil {
		return nil, err
	}
	if err := s.settleLogs(); err != nil {
		return nil, err
	}
	a, b, err := onTwoShards(s.ours)
	if err != nil {
		return nil, err
	}
	at := atLevel(level)
	return []bench{
		{name: "insert, one shard" + at, base: inserts(s.base), ours: inserts(s.ours)},
		{name: "transaction, two shards" + at, base: transfers(s.base, a, b), ours: transfers(s.ours, a, b)},
	}, nil
}

func atLevel(synchronous string) string { return " (synchronous=" + synchronous + ")" }

// loadCases fill a table.
func loadCases(s *stores) []bench {
	const rows = 50000
	multi := func(db *sql.DB) side {
		next := 0
		return func(int) error {
			next += rows
			return insertRows(db, next-rows, rows)
		}
	}
	single := func(db *sql.DB) side {
		next := 1 << 40
		return func(int) error {
			next += rows
			return loadInTx(db, next-rows, rows)
		}
	}
	return []bench{
		{name: fmt.Sprintf("load 50k rows, INSERTs of %d", chunk), base: multi(s.base), ours: multi(s.ours), once: true},
		{name: "load 50k rows, one transaction", base: single(s.base), ours: single(s.ours), once: true},
	}
}

func inserts(db *sql.DB) side {
	next := 1 << 30
	return func(n int) error {
		for range n {
			next++
			if _, err := db.Exec("INSERT INTO item (id, grp, name) VALUES (?, ?, ?)", next, next%100, "some name"); err != nil {
				return err
			}
		}
		return nil
	}
}

func transfers(db *sql.DB, a, b int) side {
	return func(n int) error {
		for range n {
			if err := transfer(db, a, b); err != nil {
				return err
			}
		}
		return nil
	}
}

func transfer(db *sql.DB, a, b int) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.Exec("UPDATE item SET grp = grp - 1 WHERE id = ?", a); err != nil {
		return err
	}
	if _, err := tx.Exec("UPDATE item SET grp = grp + 1 WHERE id = ?", b); err != nil {
		return err
	}
	return tx.Commit()
}

func loadInTx(db *sql.DB, first, n int) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	st, err := tx.Prepare(insertText(1))
	if err != nil {
		return err
	}
	for id := first; id < first+n; id++ {
		if _, err := st.Exec(id, id%100, itemName(id)); err != nil {
			return err
		}
	}
	if err := st.Close(); err != nil {
		return err
	}
	return tx.Commit()
}

// onTwoShards finds two rows on different shards.
func onTwoShards(db *sql.DB) (a, b int, err error) {
	first := ""
	for id := range 1000 {
		shard, err := shardOf(db, id)
		if err != nil {
			return 0, 0, err
		}
		if first == "" {
			first = shard
		}
		if shard != first {
			return 0, id, nil
		}
	}
	return 0, 0, fmt.Errorf("all of 1000 rows are on shard %s", first)
}

func shardOf(db *sql.DB, id int) (string, error) {
	var planType, combine, keyspace, shards, query string
	err := db.QueryRow("EXPLAIN FORMAT='vitess' "+pointText, id).Scan(&planType, &combine, &keyspace, &shards, &query)
	return shards, err
}
