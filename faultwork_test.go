package vitessdo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vitessdo/vitessdo/internal/disk"
	"github.com/vitessdo/vitessdo/internal/faultfs"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
)

// faultStride makes the tests of faults try every so-manieth moment, all of them with
// 1; 0 is a small sample.
var faultStride, _ = strconv.Atoi(os.Getenv("VITESSDO_FAULT_STRIDE"))

var allFaults = faultStride > 0

// stride is how far the moments lie apart that a test tries; sample is how far in
// an everyday run.
func stride(sample int) int {
	if allFaults { // by VITESSDO_FAULT_AT, too, which says no stride
		return max(faultStride, 1)
	}
	return sample
}

// faultStep is one thing that is done to a database while its disk fails. How
// much of it is there can be looked up at any time.
type faultStep struct {
	name string
	run  func(db *sql.DB) error
	// state says "none" or "all", or else what of it is there by half.
	state func(db *sql.DB) (string, error)
	// schema says that it changes the schema.
	schema bool
	// undo is the step that takes back what this one does.
	undo *faultStep
}

const (
	faultAccounts = 8
	faultBalance  = 1000
)

// faultSteps is the workload: the creation of everything, commits over one shard
// and several, changes of the schema, sequences, unique keys across shards,
// checkpoints, and the closing and opening of the database (nil).
func faultSteps() []*faultStep {
	steps := []*faultStep{
		ddlStep("CREATE TABLE acc (id BIGINT PRIMARY KEY, bal BIGINT NOT NULL)", "SELECT SUM(bal) FROM acc"),
		{name: "fill acc", run: func(db *sql.DB) error {
			rows := make([]string, faultAccounts)
			for i := range rows {
				rows[i] = fmt.Sprintf("(%d, %d)", i+1, faultBalance)
			}
			_, err := db.Exec("INSERT INTO acc (id, bal) VALUES " + strings.Join(rows, ", "))
			return err
		}, state: counted(fmt.Sprintf("SELECT COUNT(*) FROM acc WHERE id <= %d", faultAccounts), faultAccounts)},
		ddlStep("CREATE TABLE mark (id BIGINT PRIMARY KEY AUTO_INCREMENT, txn BIGINT NOT NULL, email VARCHAR(40) UNIQUE)", "SELECT COUNT(*) FROM mark"),
	}
	txn := 0
	work := func(n int) {
		for range n {
			txn++
			steps = append(steps, moveMoney(txn))
			txn++
			steps = append(steps, oneRow(txn))
		}
	}
	work(3)
	steps = append(steps, ddlStep("ALTER TABLE acc ADD COLUMN note VARCHAR(20) DEFAULT 'n'", "SELECT note FROM acc"))
	work(2)
	steps = append(steps, migration())
	work(1)
	steps = append(steps, checkpoints(), nil)
	work(2)
	create := ddlStep("CREATE DATABASE other", "SHOW TABLES FROM other")
	table := ddlStep("CREATE TABLE other.t (id BIGINT PRIMARY KEY)", "SELECT * FROM other.t")
	drop := &faultStep{name: "DROP DATABASE other", run: ddlStep("DROP DATABASE other", "").run}
	create.undo, table.undo = drop, drop
	steps = append(steps, create, table)
	work(2)
	steps = append(steps, drop, emptied())
	work(2)
	return append(steps, nil)
}

// moveMoney moves money and leaves two marks, on as many shards as it takes.
func moveMoney(txn int) *faultStep {
	return &faultStep{name: fmt.Sprint("transfer ", txn), run: func(db *sql.DB) error {
		tx, err := db.Begin()
		if err != nil {
			return err
		}
		defer tx.Rollback()
		for _, q := range []string{
			fmt.Sprintf("UPDATE acc SET bal = bal - 1 WHERE id = %d", txn%faultAccounts+1),
			fmt.Sprintf("INSERT INTO mark (txn, email) VALUES (%d, 'a%d'), (%d, 'b%d')", txn, txn, txn, txn),
			fmt.Sprintf("UPDATE acc SET bal = bal + 1 WHERE id = %d", (txn+3)%faultAccounts+1),
		} {
			if _, err := tx.Exec(q); err != nil {
				return err
			}
		}
		return tx.Commit()
	}, state: counted(fmt.Sprintf("SELECT COUNT(*) FROM mark WHERE txn = %d", txn), 2)}
}

// oneRow writes to one shard.
func oneRow(txn int) *faultStep {
	id := 1_000_000 + txn
	return &faultStep{name: fmt.Sprint("single ", txn), run: func(db *sql.DB) error {
		_, err := db.Exec(fmt.Sprintf("INSERT INTO acc (id, bal) VALUES (%d, 0)", id))
		return err
	}, state: counted(fmt.Sprintf("SELECT COUNT(*) FROM acc WHERE id = %d", id), 1)}
}

// counted is the state of what inserts n rows.
func counted(query string, n int) func(*sql.DB) (string, error) {
	return func(db *sql.DB) (string, error) {
		got, err := rowsOf(db, query)
		switch {
		case isCode(err, CodeNoTable):
			return "none", nil
		case err != nil:
			return "", err
		case got[0] == "0":
			return "none", nil
		case got[0] == fmt.Sprint(n):
			return "all", nil
		}
		return got[0] + " of " + fmt.Sprint(n), nil
	}
}

// ddlStep is a change of the schema after which probe works.
func ddlStep(ddl, probe string) *faultStep {
	return &faultStep{name: ddl, schema: true, run: func(db *sql.DB) error {
		_, err := db.Exec(ddl)
		return err
	}, state: func(db *sql.DB) (string, error) {
		_, err := rowsOf(db, probe)
		if err == nil {
			return "all", nil
		}
		for _, c := range []Code{CodeNoTable, CodeNoColumn, CodeUnknownDatabase} {
			if isCode(err, c) {
				return "none", nil
			}
		}
		return "", err
	}}
}

// migration changes the schema and rows in one transaction, some of which is taken back.
func migration() *faultStep {
	return &faultStep{name: "migration", schema: true, run: func(db *sql.DB) error {
		tx, err := db.Begin()
		if err != nil {
			return err
		}
		defer tx.Rollback()
		for _, q := range []string{
			"CREATE TABLE person (id BIGINT PRIMARY KEY AUTO_INCREMENT, email VARCHAR(40) UNIQUE)",
			"INSERT INTO person (email) VALUES ('a'), ('b'), ('c'), ('d')",
			"ALTER TABLE acc ADD COLUMN more INT DEFAULT 1 FIRST",
			"SAVEPOINT s",
			"DROP TABLE mark",
			"TRUNCATE TABLE person",
			"ROLLBACK TO s",
			"INSERT INTO person (email) SELECT 'e' UNION SELECT 'f'",
			"CREATE VIEW people AS SELECT email FROM person",
			"ALTER TABLE person MODIFY email VARCHAR(50) NOT NULL FIRST",
		} {
			if _, err := tx.Exec(q); err != nil {
				return fmt.Errorf("%s: %w", q, err)
			}
		}
		return tx.Commit()
	}, state: func(db *sql.DB) (string, error) {
		out := ""
		for _, q := range []string{"SELECT email FROM people ORDER BY 1", "SELECT email FROM person ORDER BY id", "SELECT more FROM acc LIMIT 1"} {
			rows, err := rowsOf(db, q)
			switch {
			case isCode(err, CodeNoTable), isCode(err, CodeNoColumn):
				out += "none "
			case err != nil:
				return "", err
			default:
				out += strings.Join(rows, "") + " "
			}
		}
		switch out {
		case "none none none ":
			return "none", nil
		case "abcdef abcdef 1 ", "abcdef abcdef  ":
			return "all", nil
		}
		return out, nil
	}}
}

// checkpoints moves everything into the database files.
func checkpoints() *faultStep {
	return &faultStep{name: "checkpoint", run: func(db *sql.DB) error {
		return withCluster(db, func(c *cluster) error {
			return c.at.(*embedded).each(func(t *tabletserver.Tablet) error { return t.Checkpoint(bg) })
		})
	}}
}

// emptied empties the redo log.
func emptied() *faultStep {
	return &faultStep{name: "empty the redo log", run: func(db *sql.DB) error {
		return withCluster(db, func(c *cluster) error { return c.at.(*embedded).redo.Reset() })
	}}
}

func isCode(err error, code Code) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}

// withCluster calls f with what is behind a pool.
func withCluster(db *sql.DB, f func(*cluster) error) error {
	conn, err := db.Conn(bg)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Raw(func(c any) error { return mapError(f(c.(*Conn).s.cl)) })
}

// side runs f for 0 … n-1, several of them side by side: they mostly wait.
func side(n int, f func(i int)) {
	var next atomic.Int64
	var work sync.WaitGroup
	for range 2 * runtime.GOMAXPROCS(0) {
		work.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				f(i)
			}
		})
	}
	work.Wait()
}

// openOn opens a directory on a file system of the test's.
func openOn(tb testing.TB, on disk.FS, dir, mode string) *sql.DB {
	tb.Helper()
	cfg, err := ParseDSN("file:" + escapePath(dir) + "?synchronous=" + mode)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "vitessdo.json")); err != nil {
		cfg.Shards = 2
	}
	cfg.disk = on
	c, err := NewConnector(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	return sql.OpenDB(c)
}

// newFaultFS makes a file system with faults, and names a directory on it.
func newFaultFS(tb testing.TB) (*faultfs.FS, string) {
	tb.Helper()
	root, err := filepath.EvalSymlinks(tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	fs, err := faultfs.New(root)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(fs.Close)
	return fs, filepath.Join(root, "a", "data")
}

// stepsOn lists the numbered steps that a shard has something of, in order.
func stepsOn(db *sql.DB, shard string) ([]string, error) {
	list, err := rowsOf(db, fmt.Sprintf("SELECT id - 1000000 AS n FROM `main/%[1]s`.acc WHERE id > 1000000 UNION SELECT txn FROM `main/%[1]s`.mark ORDER BY n", shard))
	if isCode(err, CodeNoTable) {
		return nil, nil
	}
	return list, err
}

// sound checks what must hold in any case: the files, the money, the unique
// keys and their lookups, the sequence; and that every shard can be written to.
func sound(db *sql.DB) error {
	if err := withCluster(db, intact); err != nil {
		return err
	}
	accounts, err := rowsOf(db, "SELECT COUNT(*), SUM(bal) FROM acc WHERE id <= ?", faultAccounts)
	if isCode(err, CodeNoTable) {
		return nil // nothing was made yet
	}
	if err != nil {
		return err
	}
	if full := fmt.Sprintf("%d|%d", faultAccounts, faultAccounts*faultBalance); accounts[0] != full && accounts[0] != "0|∅" {
		return fmt.Errorf("accounts and their sum are %s", accounts[0])
	}
	for _, by := range []int{1, -1} {
		if _, err := db.Exec("UPDATE acc SET bal = bal + ?", by); err != nil {
			return err
		}
	}
	marks, err := rowsOf(db, "SELECT email, txn FROM mark")
	if isCode(err, CodeNoTable) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, m := range marks {
		f := strings.Split(m, "|")
		got, err := rowsOf(db, "SELECT txn FROM mark WHERE email = ?", f[0])
		if err != nil || len(got) != 1 || got[0] != f[1] {
			return fmt.Errorf("email %s leads to %v, %v; the row has txn %s", f[0], got, err, f[1])
		}
		if _, err := db.Exec("INSERT INTO mark (txn, email) VALUES (0, ?)", f[0]); !isCode(err, CodeUnique) {
			return fmt.Errorf("email %s a second time: %v", f[0], err)
		}
	}
	return newID(db)
}

// newID sees that the sequence gives no value that was given before.
func newID(db *sql.DB) error {
	ids, err := rowsOf(db, "SELECT id FROM mark")
	if isCode(err, CodeNoTable) {
		return nil
	}
	if err != nil {
		return err
	}
	last := int64(0)
	for _, s := range ids {
		var id int64
		if _, err := fmt.Sscan(s, &id); err != nil {
			return err
		}
		last = max(last, id)
	}
	res, err := db.Exec("INSERT INTO mark (txn, email) VALUES (0, 'new')")
	if err != nil {
		return err
	}
	if id, _ := res.LastInsertId(); id <= last {
		return fmt.Errorf("the sequence gives %d after %d", id, last)
	}
	_, err = db.Exec("DELETE FROM mark WHERE email = 'new'")
	return err
}

// intact looks at each database's file.
func intact(c *cluster) error {
	return c.eachTablet(func(t tablet.Tablet) error {
		rows, err := t.Query(context.Background(), &tablet.Query{SQL: "PRAGMA integrity_check"})
		if err != nil {
			return err
		}
		defer rows.Close()
		row := make([]tablet.Value, 1)
		if err := rows.Next(row); err != nil || row[0] != "ok" {
			return fmt.Errorf("integrity of %v: %v, %v", t.Target(), row[0], err)
		}
		return nil
	})
}
