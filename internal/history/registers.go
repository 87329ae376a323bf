package history

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
)

// Registers is a workload of single values by key that clients read, write, and
// write if they have a certain value, each in autocommit.
type Registers struct {
	Keys    []int
	Clients int
	Ops     int // of each client
	Seed    uint64
}

// Create makes the table of registers, all 0.
func (w *Registers) Create(ctx context.Context, db *sql.DB) error {
	if _, err := db.ExecContext(ctx, "CREATE TABLE registers (k BIGINT PRIMARY KEY, v BIGINT NOT NULL)"); err != nil {
		return err
	}
	for _, k := range w.Keys {
		if _, err := db.ExecContext(ctx, "INSERT INTO registers VALUES (?, 0)", k); err != nil {
			return err
		}
	}
	return nil
}

type registerInput struct {
	key, write int
	reads      bool
	swaps      bool // writes only if the value is old
	old        int
}

type registerOutput struct {
	value   int
	swapped bool
	unknown bool // nobody knows whether it was done
}

// Run lets the clients work, and gives what they have seen. An operation whose
// outcome is unknown may take effect at any later time.
func (w *Registers) Run(ctx context.Context, db *sql.DB) []porcupine.Operation {
	var mu sync.Mutex
	var all []porcupine.Operation
	var clients sync.WaitGroup
	begun := time.Now()
	for c := range w.Clients {
		clients.Go(func() {
			rng := rand.New(rand.NewPCG(w.Seed, uint64(c)))
			for i := range w.Ops {
				in := registerInput{key: w.Keys[rng.IntN(len(w.Keys))], write: 1 + c + i*w.Clients}
				switch rng.IntN(3) {
				case 0:
					in.reads = true
				case 1:
					in.swaps, in.old = true, 1+rng.IntN(1+i*w.Clients)
				}
				op := porcupine.Operation{ClientId: c, Input: in, Call: int64(time.Since(begun))}
				out, err := registerOp(ctx, db, in)
				op.Return = int64(time.Since(begun))
				if err != nil {
					out.unknown = true
					op.Return = int64(24 * time.Hour)
				}
				op.Output = out
				if err == nil || !in.reads {
					mu.Lock()
					all = append(all, op)
					mu.Unlock()
				}
				if err != nil {
					return // the client would overlap with its own operation
				}
			}
		})
	}
	clients.Wait()
	return all
}

func registerOp(ctx context.Context, db *sql.DB, in registerInput) (out registerOutput, err error) {
	if in.reads {
		return out, db.QueryRowContext(ctx, "SELECT v FROM registers WHERE k = ?", in.key).Scan(&out.value)
	}
	query, args := "UPDATE registers SET v = ? WHERE k = ?", []any{in.write, in.key}
	if in.swaps {
		query, args = query+" AND v = ?", append(args, in.old)
	}
	res, err := db.ExecContext(ctx, query, args...)
	if err != nil {
		return out, err
	}
	n, err := res.RowsAffected()
	out.swapped = n == 1
	return out, err
}

// registerModel is what one key does when its operations come one by one.
var registerModel = porcupine.Model{
	Partition: func(ops []porcupine.Operation) [][]porcupine.Operation {
		by := map[int][]porcupine.Operation{}
		for _, op := range ops {
			key := op.Input.(registerInput).key
			by[key] = append(by[key], op)
		}
		var out [][]porcupine.Operation
		for _, ops := range by {
			out = append(out, ops)
		}
		return out
	},
	Init: func() any { return 0 },
	Step: func(state, input, output any) (bool, any) {
		in, out := input.(registerInput), output.(registerOutput)
		switch {
		case in.reads:
			return out.value == state, state
		case !in.swaps:
			return true, in.write
		case out.unknown && state == in.old, out.swapped && state == in.old:
			return true, in.write
		}
		return (out.unknown || !out.swapped) && state != in.old, state
	},
}

// Linearizable says whether each key's operations are as if each had been done at
// once, at some moment between its call and its return. It gives up after limit.
func Linearizable(ops []porcupine.Operation, limit time.Duration) porcupine.CheckResult {
	return porcupine.CheckOperationsTimeout(registerModel, ops, limit)
}
