package main

import (
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// crew is one way to commit, at synchronous=full, by one or several writers at
// once. All crews take turns.
type crew struct {
	name    string
	against string // the crew that its ratio is about
	writers int
	commit  func(writer int) error

	rates []float64 // commits per second, by round
	took  []time.Duration
}

const commitsName = "commits (synchronous=full)"

// commits compares commits over several shards with those over one and with the
// engine's own, many writers of one shard with one, and writers of more shards
// with those of one.
func commits(o *options) error {
	if !strings.Contains(commitsName, o.only) {
		return nil
	}
	dir, err := os.MkdirTemp("", "vitessdo-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	crews, closeAll, err := commitCrews(dir)
	defer closeAll()
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%s …\n", commitsName)
	for round := range o.rounds + 1 {
		for _, c := range crews {
			if err := c.work(); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			if round == 0 { // to warm up
				c.rates, c.took = nil, nil
			}
		}
	}
	return printCommits(os.Stdout, crews)
}

// commitCrews opens the databases.
func commitCrews(dir string) (crews []*crew, closeAll func(), err error) {
	var open []*sql.DB
	closeAll = func() {
		for _, db := range open {
			_ = db.Close()
		}
	}
	db := func(driver, dsn, column string) *sql.DB {
		if err != nil {
			return nil
		}
		var db *sql.DB
		if db, err = sql.Open(driver, dsn); err != nil {
			return nil
		}
		open = append(open, db)
		if _, err = db.Exec("CREATE TABLE item (id " + column + " PRIMARY KEY, grp BIGINT, name VARCHAR(60))"); err == nil {
			err = insertRows(db, 0, 1000)
		}
		return db
	}
	bare := db("sqlite3", engineDSN(filepath.Join(dir, "one.db"), "full"), "INTEGER")
	shards := map[int]*sql.DB{}
	rows := map[int][]int{} // one of each shard
	for _, n := range []int{1, 2, 4} {
		shards[n] = db("vitessdo", fmt.Sprintf("file:%s?shards=%d&synchronous=full", filepath.Join(dir, fmt.Sprint(n)), n), "BIGINT")
		if err == nil {
			rows[n], err = onEveryShard(shards[n], n)
		}
	}
	if err != nil {
		return nil, closeAll, err
	}
	const bump = "UPDATE item SET grp = grp + 1 WHERE id = ?"
	one := func(db *sql.DB, ids []int) func(int) error {
		return func(w int) error {
			_, err := db.Exec(bump, ids[w%len(ids)])
			return err
		}
	}
	all := func(db *sql.DB, ids []int) func(int) error {
		return func(int) error {
			tx, err := db.Begin()
			if err != nil {
				return err
			}
			defer func() { _ = tx.Rollback() }()
			for _, id := range ids {
				if _, err := tx.Exec(bump, id); err != nil {
					return err
				}
			}
			return tx.Commit()
		}
	}
	four := rows[4]
	return []*crew{
		{name: engineName + ", one row", writers: 1, commit: one(bare, four)},
		{name: engineName + ", four rows", against: engineName + ", one row", writers: 1, commit: all(bare, four)},
		{name: "one shard", against: engineName + ", one row", writers: 1, commit: one(shards[4], four[:1])},
		{name: "two shards", against: "one shard", writers: 1, commit: all(shards[4], four[:2])},
		{name: "four shards", against: "one shard", writers: 1, commit: all(shards[4], four)},
		{name: "four shards, 8 writers", against: "four shards", writers: 8, commit: all(shards[4], four)},
		{name: "a hot shard, 8 writers", against: "one shard", writers: 8, commit: one(shards[4], four[:1])},
		{name: "4 writers, 1 shard", against: "one shard", writers: 4, commit: one(shards[1], rows[1])},
		{name: "4 writers, 2 shards", against: "4 writers, 1 shard", writers: 4, commit: one(shards[2], rows[2])},
		{name: "4 writers, 4 shards", against: "4 writers, 1 shard", writers: 4, commit: one(shards[4], four)},
	}, closeAll, nil
}

// onEveryShard finds a row on each shard.
func onEveryShard(db *sql.DB, n int) (ids []int, err error) {
	seen := map[string]bool{}
	for id := 0; id < 1000 && len(ids) < n; id++ {
		shard, err := shardOf(db, id)
		if err != nil {
			return nil, err
		}
		if !seen[shard] {
			seen[shard] = true
			ids = append(ids, id)
		}
	}
	if len(ids) < n {
		return nil, fmt.Errorf("1000 rows are on %d of %d shards", len(ids), n)
	}
	return ids, nil
}

// work commits for the time of a round.
func (c *crew) work() error {
	var mu sync.Mutex
	var work sync.WaitGroup
	var failed error
	n := 0
	start := time.Now()
	for w := range c.writers {
		work.Go(func() {
			for {
				begun := time.Now()
				if begun.Sub(start) > roundTime {
					return
				}
				err := c.commit(w)
				for retryable(err) {
					err = c.commit(w)
				}
				took := time.Since(begun)
				mu.Lock()
				n++
				c.took = append(c.took, took)
				if err != nil {
					failed = err
				}
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	work.Wait()
	c.rates = append(c.rates, float64(n)/time.Since(start).Seconds())
	return failed
}

// printCommits writes the table: a ratio is of rates, the higher the better.
func printCommits(w io.Writer, crews []*crew) error {
	rates := map[string]float64{}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "%s\tper second\tratio\tto\tmedian\t99%%\t\n", commitsName)
	for _, c := range crews {
		slices.Sort(c.rates)
		slices.Sort(c.took)
		rate := c.rates[len(c.rates)/2]
		rates[c.name] = rate
		ratio := ""
		if c.against != "" {
			ratio = fmt.Sprintf("%.2f", rate/rates[c.against])
		}
		fmt.Fprintf(t, "%s\t%.0f\t%s\t%s\t%s\t%s\t\n", c.name, rate, ratio, c.against,
			short(c.took[len(c.took)/2]), short(c.took[len(c.took)*99/100]))
	}
	return t.Flush()
}

// retryable says that a transaction has lost against another one.
func retryable(err error) bool {
	r, ok := errors.AsType[interface {
		error
		Retryable() bool
	}](err)
	return ok && r.Retryable()
}
