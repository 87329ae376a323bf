package vitessdo

import (
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestRandomMigrations makes up batches of changes of the schema and of rows. A batch in a
// transaction leaves what the same statements leave one by one, each failing where it
// fails there; and one that is rolled back leaves nothing, be it whole or to a savepoint.
func TestRandomMigrations(t *testing.T) {
	for _, shards := range []int{1, 4} {
		t.Run(fmt.Sprint(shards, " shards"), func(t *testing.T) { randomMigrations(t, shards) })
	}
}

func randomMigrations(t *testing.T, shards int) {
	seed := uint64(time.Now().UnixNano())
	batches := 25
	if v, err := strconv.ParseUint(os.Getenv("VITESSDO_SEED"), 10, 64); err == nil {
		seed = v
	}
	if v, err := strconv.Atoi(os.Getenv("VITESSDO_BATCHES")); err == nil {
		batches = v
	}
	t.Logf("VITESSDO_SEED=%d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	dsn := fmt.Sprintf(":memory:?shards=%d", shards)
	single, whole := openDB(t, dsn), openDB(t, dsn)
	var log []string
	done, failed := 0, 0
	for n := range batches {
		log = log[:0]
		before := everything(t, whole)
		tx := begin(t, whole)
		run := func(statements []string) {
			for _, q := range statements {
				_, err := tx.Exec(q)
				log = append(log, fmt.Sprintf("%s -- %s", q, codeOf(err)))
			}
		}
		run(batch(r))
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		if after := everything(t, whole); after != before {
			t.Fatalf("batch %d: after ROLLBACK of\n%s\nthere is\n%s\nbefore it was\n%s", n, strings.Join(log, "\n"), after, before)
		}
		log = log[:0]
		tx = begin(t, whole)
		do(t, tx, "CREATE TABLE first (id BIGINT PRIMARY KEY)") // so that any order is allowed
		do(t, tx, "DROP TABLE first")
		kept := batch(r)
		for i, q := range kept {
			if r.IntN(4) == 0 {
				log = append(log, "SAVEPOINT s")
				do(t, tx, "SAVEPOINT s")
				run(batch(r)[:3])
				log = append(log, "ROLLBACK TO s")
				do(t, tx, "ROLLBACK TO s")
			}
			_, want := single.Exec(q)
			_, got := tx.Exec(q)
			log = append(log, fmt.Sprintf("%s -- %s", q, codeOf(got)))
			if got == nil {
				done++
			} else {
				failed++
			}
			if (got == nil) != (want == nil) {
				t.Fatalf("batch %d, statement %d:\n%s\ngives %v, alone %v", n, i, strings.Join(log, "\n"), got, want)
			}
		}
		commit(t, tx)
		if got, want := everything(t, whole), everything(t, single); got != want {
			t.Fatalf("batch %d: after COMMIT of\n%s\nthere is\n%s\none by one that gives\n%s", n, strings.Join(log, "\n"), got, want)
		}
	}
	t.Logf("%d statements done, %d failed alike", done, failed)
	sameOnShards(t, whole)
}

func codeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	if err != nil {
		return Code(err.Error())
	}
	return ""
}

// batch makes up statements, of which some will fail.
func batch(r *rand.Rand) []string {
	out := make([]string, 6)
	for i := range out {
		out[i] = randomChange(r)
	}
	return out
}

func randomChange(r *rand.Rand) string {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	table, other := pick("a", "b", "c"), pick("a", "b", "c")
	id, k := 1+r.IntN(12), r.IntN(5)
	rows := func() string {
		var out []string
		for range 1 + r.IntN(4) {
			out = append(out, fmt.Sprintf("(%d, %d)", 1+r.IntN(40), r.IntN(30)))
		}
		return strings.Join(out, ", ")
	}
	switch r.IntN(22) {
	case 0:
		return fmt.Sprintf("CREATE TABLE %s (id BIGINT PRIMARY KEY, n INT, s VARCHAR(20) DEFAULT 's')", table)
	case 1:
		return fmt.Sprintf("CREATE TABLE %s (id BIGINT PRIMARY KEY, n INT UNIQUE, s VARCHAR(20) DEFAULT 's')", table)
	case 2:
		return fmt.Sprintf("CREATE TABLE %s (id BIGINT, n BIGINT, PRIMARY KEY (id), CONSTRAINT %s_%s FOREIGN KEY (n) REFERENCES %s (id) ON DELETE %s)",
			table, table, other, other, pick("CASCADE", "SET NULL", "RESTRICT"))
	case 3:
		return fmt.Sprintf("CREATE TABLE %s (PRIMARY KEY (id)) AS SELECT id, n FROM %s", table, other)
	case 4:
		return fmt.Sprintf("CREATE TABLE %s LIKE %s", table, other)
	case 5:
		return "DROP TABLE " + table
	case 6:
		return "TRUNCATE TABLE " + table
	case 7:
		return fmt.Sprintf("RENAME TABLE %s TO %s", table, other)
	case 8:
		return fmt.Sprintf("ALTER TABLE %s ADD COLUMN x%d INT DEFAULT %d %s", table, k%2, k, pick("", "FIRST", "AFTER id"))
	case 9:
		return fmt.Sprintf("ALTER TABLE %s DROP COLUMN x%d", table, k%2)
	case 10:
		return fmt.Sprintf("ALTER TABLE %s MODIFY n %s", table, pick("BIGINT", "INT", "BIGINT NOT NULL", "VARCHAR(20)"))
	case 11:
		return fmt.Sprintf("ALTER TABLE %s ADD %s", table, pick("UNIQUE KEY u (n)", "KEY k (n)", "CONSTRAINT c CHECK (n < 25)"))
	case 12:
		return fmt.Sprintf("ALTER TABLE %s DROP %s", table, pick("KEY u", "KEY k", "CHECK c"))
	case 13:
		return fmt.Sprintf("CREATE OR REPLACE VIEW v AS SELECT id, n FROM %s", table)
	case 14:
		return "DROP VIEW IF EXISTS v"
	case 15, 16, 17:
		return fmt.Sprintf("INSERT INTO %s (id, n) VALUES %s", table, rows())
	case 18:
		return fmt.Sprintf("INSERT IGNORE INTO %s (id, n) SELECT id + %d, n FROM %s ORDER BY id", table, k, other)
	case 19:
		return fmt.Sprintf("UPDATE %s SET n = %d WHERE id = %d", table, r.IntN(40), id)
	case 20:
		return fmt.Sprintf("DELETE FROM %s WHERE id = %d", table, id)
	}
	return fmt.Sprintf("UPDATE %s SET id = id + %d WHERE id = %d", table, 50+r.IntN(9), id)
}

// everything is every table's definition and rows.
func everything(t *testing.T, db *sql.DB) string {
	t.Helper()
	var out strings.Builder
	for _, name := range mustRows(t, db, "SHOW TABLES") {
		fmt.Fprintln(&out, strings.Join(mustRows(t, db, "SHOW CREATE TABLE "+name), ""))
		rows, err := rowsOf(db, "SELECT * FROM "+name+" ORDER BY id")
		fmt.Fprintln(&out, rows, codeOf(err))
	}
	return out.String()
}
