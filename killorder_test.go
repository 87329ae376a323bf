package vitessdo

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// The invariants of Vitess's fuzzer of distributed transactions: every transaction
// adds the same to one row per shard, and notes beside it what it made of it. Then
// all rows are equal, and the shards have seen the transactions in one order.

// orderSchema makes a row per shard, and beside each the place for the notes.
func orderSchema(t *testing.T, db *sql.DB) {
	t.Helper()
	do(t, db, "CREATE TABLE hits (id BIGINT PRIMARY KEY, col BIGINT NOT NULL)")
	do(t, db, "CREATE TABLE trail (hit BIGINT, txn BIGINT, n BIGINT NOT NULL, PRIMARY KEY (hit, txn)) PARTITION BY KEY(hit)")
	seen := map[string]bool{}
	for id := 1; len(seen) < 4; id++ {
		if on := shardOf(t, db, "SELECT col FROM hits WHERE id = ?", id); !seen[on] {
			seen[on] = true
			do(t, db, "INSERT INTO hits VALUES (?, 0)", id)
		}
	}
}

// orderStep is one such transaction.
func orderStep(db *sql.DB, r *rand.Rand, txn int64) error {
	ids, err := rowsOf(db, "SELECT id FROM hits ORDER BY id")
	if err != nil {
		return err
	}
	by := 1 + r.IntN(5)
	r.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	return stubborn(func() error {
		tx, err := db.Begin()
		if err != nil {
			return err
		}
		defer tx.Rollback()
		for _, id := range ids {
			if _, err := tx.Exec("UPDATE hits SET col = col + ? WHERE id = ?", by, id); err != nil {
				return err
			}
			if _, err := tx.Exec("INSERT INTO trail SELECT id, ?, col FROM hits WHERE id = ?", txn, id); err != nil {
				return err
			}
		}
		return tx.Commit()
	})
}

// checkOrder looks at what they left.
func checkOrder(t *testing.T, db *sql.DB) {
	t.Helper()
	want(t, db, "1", "SELECT COUNT(DISTINCT col) FROM hits")
	want(t, db, "", "SELECT txn, COUNT(*), COUNT(DISTINCT n) FROM trail GROUP BY txn HAVING COUNT(*) <> 4 OR COUNT(DISTINCT n) <> 1")
	want(t, db, "1", "SELECT COUNT(DISTINCT n) = COUNT(DISTINCT txn) FROM trail")
	want(t, db, "1", "SELECT (SELECT COALESCE(MAX(n), 0) FROM trail) = (SELECT MAX(col) FROM hits)")
}

// linkSchema makes tables whose keys lead to other shards.
func linkSchema(t *testing.T, db *sql.DB) {
	t.Helper()
	do(t, db, "CREATE TABLE named (id BIGINT PRIMARY KEY AUTO_INCREMENT, txn BIGINT NOT NULL, name VARCHAR(30) UNIQUE)")
	do(t, db, "CREATE TABLE link (id BIGINT PRIMARY KEY, named_id BIGINT NOT NULL, FOREIGN KEY (named_id) REFERENCES named (id)) PARTITION BY KEY(id)")
	do(t, db, "CREATE TABLE copy (id BIGINT PRIMARY KEY, gen BIGINT NOT NULL)")
}

// linkStep writes a name, a child of it on another shard, and in one statement a
// copy of many rows.
func linkStep(db *sql.DB, txn int64) error {
	return stubborn(func() error {
		tx, err := db.Begin()
		if err != nil {
			return err
		}
		defer tx.Rollback()
		res, err := tx.Exec("INSERT INTO named (txn, name) VALUES (?, ?)", txn, fmt.Sprint("name", txn))
		if err != nil {
			return err
		}
		id, err := res.LastInsertId()
		if err != nil {
			return err
		}
		if _, err := tx.Exec("INSERT INTO link VALUES (?, ?)", txn, id); err != nil {
			return err
		}
		if _, err := tx.Exec("INSERT INTO copy SELECT id * 1000000000 + ?, ? FROM acc", txn, txn); err != nil {
			return err
		}
		return tx.Commit()
	})
}

// checkLinks looks whether all that belongs together is there.
func checkLinks(t *testing.T, db *sql.DB, acked map[int64]int64) {
	t.Helper()
	want(t, db, "", "SELECT l.id FROM link l LEFT JOIN named n ON n.id = l.named_id WHERE n.id IS NULL OR n.txn <> l.id")
	want(t, db, "1", "SELECT (SELECT COUNT(*) FROM link) = (SELECT COUNT(*) FROM named)")
	want(t, db, "", fmt.Sprintf("SELECT gen, COUNT(*) FROM copy GROUP BY gen HAVING COUNT(*) <> %d", killAccounts))
	want(t, db, "1", "SELECT (SELECT COUNT(DISTINCT gen) FROM copy) = (SELECT COUNT(*) FROM named)")
	rows := mustRows(t, db, "SELECT txn FROM named ORDER BY txn DESC LIMIT 5")
	there := map[string]bool{}
	for _, txn := range rows { // each by its name's entry, on another shard
		there[txn] = true
		want(t, db, txn, "SELECT txn FROM named WHERE name = ?", "name"+txn)
		mustFail(t, db, CodeUnique, "INSERT INTO named (txn, name) VALUES (0, ?)", "name"+txn)
	}
	all := map[string]bool{}
	for _, txn := range mustRows(t, db, "SELECT txn FROM named") {
		all[txn] = true
	}
	for txn, id := range acked {
		if id == withLinks && !all[fmt.Sprint(txn)] {
			t.Errorf("transaction %d with its links is lost", txn)
		}
	}
}

// withLinks stands for the row's ID in what linkStep acknowledges.
const withLinks = -1

// lockFree writes to every shard, soon after the database was opened.
func lockFree(t *testing.T, db *sql.DB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(bg, 10*time.Second)
	defer cancel()
	if _, err := db.ExecContext(ctx, "UPDATE acc SET note = CONCAT('free', ?)", time.Now().UnixNano()); err != nil {
		t.Errorf("after 10 s a lock is not free: %v", err)
	}
}

// killOpening kills a process while it opens the directory, and so in the midst
// of a recovery.
func killOpening(t *testing.T, dir string, wait time.Duration) {
	t.Helper()
	cmd, lines, in := child(t, "open", dir)
	defer in.Close()
	timer := time.AfterFunc(wait, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	for lines.Scan() {
	}
	_ = cmd.Wait()
}
