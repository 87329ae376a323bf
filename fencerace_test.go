package vitessdo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/vitessdo/vitessdo/schema"
)

// racer writes rows of t and their parents as they come, with keys that clash with
// those of other racers at times.
type racer struct {
	db  *sql.DB
	rnd *rand.Rand
}

// statement is one of every kind of write: of one shard and of many, by key and
// whole, with a SELECT, row by row.
func (r *racer) statement() string {
	id, other, p := r.rnd.IntN(60), r.rnd.IntN(60), 1+r.rnd.IntN(12)
	email := fmt.Sprintf("'e%d'", r.rnd.IntN(80))
	switch r.rnd.IntN(13) {
	case 0:
		return fmt.Sprintf("INSERT INTO t (id, email, p) VALUES (%d, %s, %d)", id, email, p)
	case 1:
		return fmt.Sprintf("INSERT INTO t (id, email, p) VALUES (%d, %s, %d), (%d, NULL, %d), (%d, 'n%d', NULL)", id, email, p, other, p, id+other, id)
	case 2:
		return fmt.Sprintf("INSERT INTO t (id, email, p) VALUES (%d, %s, %d) ON DUPLICATE KEY UPDATE email = %s, p = %d", id, email, p, email, p)
	case 3:
		return fmt.Sprintf("INSERT IGNORE INTO t (id, email, p) SELECT id + 30, CONCAT('s', email), p FROM t WHERE id IN (%d, %d)", id, other)
	case 4:
		return fmt.Sprintf("REPLACE INTO t (id, email, p) VALUES (%d, %s, %d), (%d, 'r%d', NULL)", id, email, p, other, other)
	case 5:
		return fmt.Sprintf("UPDATE t SET email = %s, p = %d WHERE id = %d", email, p, id)
	case 6:
		return fmt.Sprintf("UPDATE t SET email = CONCAT('u', id), p = %d WHERE id IN (%d, %d)", p, id, other)
	case 7:
		return fmt.Sprintf("UPDATE t SET p = %d, email = CONCAT('v', id) WHERE id > %d ORDER BY id LIMIT 3", p, id)
	case 8:
		return fmt.Sprintf("DELETE FROM t WHERE id IN (%d, %d)", id, other)
	case 9:
		return fmt.Sprintf("DELETE FROM par WHERE id = %d", p)
	case 10:
		return fmt.Sprintf("INSERT IGNORE INTO par VALUES (%d)", p)
	case 11:
		return fmt.Sprintf("UPDATE t SET email = NULL WHERE email = %s", email)
	}
	return fmt.Sprintf("DELETE FROM t WHERE p = %d", p)
}

// write runs a statement by itself or a few in a transaction. Keys that forbid it and
// what asks for another attempt are fine, anything else isn't.
func (r *racer) write(ctx context.Context) error {
	if r.rnd.IntN(3) > 0 {
		_, err := r.db.ExecContext(ctx, r.statement())
		return r.judge(err)
	}
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for range 1 + r.rnd.IntN(3) {
		if r.rnd.IntN(2) == 0 {
			_, err = rowsOf(tx, fmt.Sprintf("SELECT email FROM t WHERE id = %d", r.rnd.IntN(60)))
		} else {
			_, err = tx.ExecContext(ctx, r.statement())
		}
		var e *Error
		if errors.As(err, &e) && (e.Retryable() || e.Code == CodeTxState) {
			return nil
		}
		if err := r.judge(err); err != nil {
			return err
		}
	}
	return r.judge(tx.Commit())
}

func (r *racer) judge(err error) error {
	var e *Error
	switch {
	case err == nil:
	case errors.As(err, &e) && e.Retryable():
	case errors.Is(err, ErrDuplicateKey), errors.Is(err, ErrForeignKey):
	default:
		return err
	}
	return nil
}

// add runs a change that the rows which are there may forbid, once these are mended.
func add(t *testing.T, db *sql.DB, change, mend string) {
	t.Helper()
	for range 1000 {
		_, err := db.Exec(change)
		var e *Error
		switch {
		case err == nil:
			return
		case errors.Is(err, ErrDuplicateKey), errors.Is(err, ErrForeignKey):
			_, _ = db.Exec(mend)
		case !errors.As(err, &e) || !e.Retryable():
			t.Fatalf("%s: %v", change, err)
		}
	}
	t.Fatalf("%s: the rows are never fit for it", change)
}

// countOnShards counts the rows of a table, also of one that the gate hides.
func countOnShards(t *testing.T, db *sql.DB, table string) (n int64) {
	t.Helper()
	c := pin(t, db)
	defer c.Close()
	err := c.Raw(func(d any) error {
		for _, tab := range d.(*Conn).s.cl.tabletsOf("main") {
			v, err := oneValue(bg, tab, "SELECT COUNT(*) FROM "+quoteName(table))
			if err != nil {
				return err
			}
			n += v.(int64)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestWritersRaceSchemaChanges adds keys of all kinds while others write, and looks
// afterwards whether the keys hold.
func TestWritersRaceSchemaChanges(t *testing.T) {
	const orphans, twins = "UPDATE t LEFT JOIN par ON t.p = par.id SET t.p = NULL WHERE par.id IS NULL",
		"UPDATE t SET email = CONCAT('m', id)"
	changes := [][2]string{
		{"ALTER TABLE t ADD UNIQUE KEY mail (email)", twins},
		{"ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (p) REFERENCES par (id)", orphans},
		{"ALTER VSCHEMA ON t ADD VINDEX by_p(p) USING lookup WITH owner=t, table=p_idx, `from`=p, `to`=ksid", ""},
		{"ALTER TABLE t ADD COLUMN w INT DEFAULT 7", ""},
		{"CREATE TABLE passing (id BIGINT PRIMARY KEY, email VARCHAR(50) UNIQUE)", ""},
		{"ALTER TABLE t DROP COLUMN x", ""},
	}
	for round := range 4 {
		seed := rand.Uint64()
		t.Run(fmt.Sprintf("round %d, seed %d", round, seed), func(t *testing.T) {
			db := memDB(t, "", "CREATE TABLE par (id BIGINT PRIMARY KEY)", "INSERT INTO par VALUES (1), (2), (3), (4), (5), (6), (7), (8)",
				"CREATE TABLE t (id BIGINT PRIMARY KEY, email VARCHAR(50), p BIGINT, x INT)",
				"CREATE TABLE p_idx (p BIGINT, ksid VARBINARY(64), PRIMARY KEY (p, ksid))")
			ctx, stop := context.WithCancel(bg)
			var writers sync.WaitGroup
			for k := range uint64(4) {
				writers.Go(func() {
					r := &racer{db: db, rnd: rand.New(rand.NewPCG(seed, k))}
					for ctx.Err() == nil {
						if err := r.write(bg); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			rnd := rand.New(rand.NewPCG(seed, 100))
			order := rnd.Perm(len(changes))
			for _, i := range order {
				add(t, db, changes[i][0], changes[i][1])
			}
			stop()
			writers.Wait()
			want(t, db, "0", "SELECT COUNT(*) FROM t LEFT JOIN par ON t.p = par.id WHERE t.p IS NOT NULL AND par.id IS NULL")
			want(t, db, fmt.Sprint(countOnShards(t, db, schema.UniqueTable("t", "mail"))), "SELECT COUNT(email) FROM t")
			keyHolds(t, db)
			r, err := VerifyVindex(bg, pin(t, db), "t", "by_p", false, nil)
			if err != nil || r.Missing+r.Wrong+r.Duplicate+r.Stray > 0 {
				t.Errorf("vindex by_p: %+v, %v", r, err)
			}
			want(t, db, "0", "SELECT COUNT(*) FROM t WHERE w <> 7")
			want(t, db, "email id p w", "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_NAME = 't' ORDER BY COLUMN_NAME")
		})
	}
}
