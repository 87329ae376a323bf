package history

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// The lists are texts of the form ",1,7,3", so that an append needn't read.
const createLists = "CREATE TABLE lists (k BIGINT PRIMARY KEY, v TEXT NOT NULL)"

// Workload says what clients do.
type Workload struct {
	Keys    []int
	Clients int
	First   int // the number of the first client
	Txns    int // of each client
	Seed    uint64
	// Options of the transactions; nil: every statement is one by itself.
	Options *sql.TxOptions
	// Outcome says what an error means for the transaction that it ends.
	Outcome func(error) Status
	// Values are taken from here, so that a workload can be continued by another.
	Values *atomic.Int64
}

// Create makes the table of lists, with those of the workload's keys.
func (w *Workload) Create(ctx context.Context, db *sql.DB) error {
	if _, err := db.ExecContext(ctx, createLists); err != nil {
		return err
	}
	for _, k := range w.Keys {
		if _, err := db.ExecContext(ctx, "INSERT INTO lists VALUES (?, '')", k); err != nil {
			return err
		}
	}
	return nil
}

// Run lets the clients run their transactions, and records them. It returns when
// all are done or ctx has ended.
func (w *Workload) Run(ctx context.Context, db *sql.DB, r *Recorder) {
	if w.Values == nil {
		w.Values = new(atomic.Int64)
	}
	var clients sync.WaitGroup
	for c := range w.Clients {
		clients.Go(func() {
			rng := rand.New(rand.NewPCG(w.Seed, uint64(c)))
			for range w.Txns {
				if ctx.Err() != nil {
					return
				}
				w.one(ctx, db, r, w.First+c, rng)
			}
		})
	}
	clients.Wait()
}

// Querier is what a transaction, a connection and a pool have in common.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

func (w *Workload) one(ctx context.Context, db *sql.DB, r *Recorder, client int, rng *rand.Rand) {
	t := r.Begin(client)
	err := func() error {
		if w.Options == nil {
			return w.statement(ctx, db, t, rng)
		}
		tx, err := db.BeginTx(ctx, w.Options)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		for range 1 + rng.IntN(4) {
			if err := w.statement(ctx, tx, t, rng); err != nil {
				return err
			}
		}
		return tx.Commit()
	}()
	end := Committed
	if err != nil {
		end = w.Outcome(err)
	}
	r.End(t, end)
}

// statement reads or appends to some keys.
func (w *Workload) statement(ctx context.Context, q Querier, t *Txn, rng *rand.Rand) error {
	keys := slices.Clone(w.Keys)
	rng.Shuffle(len(keys), func(i, k int) { keys[i], keys[k] = keys[k], keys[i] })
	keys = keys[:1+rng.IntN(min(3, len(keys)))]
	if rng.IntN(2) == 0 || w.Options != nil && w.Options.ReadOnly {
		return Read(ctx, q, t, keys...)
	}
	return Append(ctx, q, t, int(w.Values.Add(1)), keys...)
}

// Read reads lists by one statement, and notes what it has seen.
func Read(ctx context.Context, q Querier, t *Txn, keys ...int) error {
	rows, err := q.QueryContext(ctx, "SELECT k, v FROM lists WHERE k IN ("+marks(len(keys))+")", ints(keys)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	got := map[int][]int{}
	for rows.Next() {
		var key int
		var text string
		if err := rows.Scan(&key, &text); err != nil {
			return err
		}
		if got[key], err = parseList(text); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, k := range keys {
		list, ok := got[k]
		if !ok {
			return fmt.Errorf("history: list %d is gone", k)
		}
		t.Read(k, list)
	}
	return nil
}

// Append appends a value to lists by one statement. It is noted before, as nobody
// may know whether a statement that fails has done it.
func Append(ctx context.Context, q Querier, t *Txn, value int, keys ...int) error {
	for _, k := range keys {
		t.Append(k, value)
	}
	args := append([]any{"," + strconv.Itoa(value)}, ints(keys)...)
	_, err := q.ExecContext(ctx, "UPDATE lists SET v = CONCAT(v, ?) WHERE k IN ("+marks(len(keys))+")", args...)
	return err
}

// Overwrite appends a value to a list as a client does that has read it before:
// by writing all of it.
func Overwrite(ctx context.Context, q Querier, t *Txn, value, key int, seen []int) error {
	t.Append(key, value)
	_, err := q.ExecContext(ctx, "UPDATE lists SET v = ? WHERE k = ?", formatList(append(slices.Clone(seen), value))[1:], key)
	return err
}

func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }

func ints(list []int) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}

// formatList writes a list as it is stored, behind a comma that keeps an empty one
// from being nothing.
func formatList(list []int) string {
	text := strings.Builder{}
	text.WriteByte(',')
	for _, v := range list {
		text.WriteString("," + strconv.Itoa(v))
	}
	return text.String()
}

func parseList(text string) ([]int, error) {
	var out []int
	for v := range strings.SplitSeq(text, ",") {
		if v == "" {
			continue
		}
		n, err := strconv.Atoi(v)
		if err != nil {
			return nil, fmt.Errorf("history: the list %q is none: %w", text, err)
		}
		out = append(out, n)
	}
	return out, nil
}
