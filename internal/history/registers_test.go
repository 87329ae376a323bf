package history

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	_ "github.com/vitessdo/vitessdo"
)

// TestRegisters: single rows in autocommit are linearizable, key by key.
func TestRegisters(t *testing.T) {
	for _, dsn := range []string{":memory:?shards=1", ":memory:?shards=4", "file:" + t.TempDir() + "/d?shards=2&synchronous=off"} {
		t.Run(dsn[:8], func(t *testing.T) {
			db, err := sql.Open("vitessdo", dsn)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			w := &Registers{Keys: []int{1, 2, 3}, Clients: 5, Ops: 80, Seed: rand.Uint64()}
			t.Logf("seed %d", w.Seed)
			if err := w.Create(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			ops := w.Run(t.Context(), db)
			if len(ops) != w.Clients*w.Ops {
				t.Errorf("%d operations", len(ops))
			}
			if r := Linearizable(ops, 20*time.Second); r != porcupine.Ok {
				t.Errorf("the history is %v", r)
			}
		})
	}
}

// TestRegisterModel: the model bites.
func TestRegisterModel(t *testing.T) {
	write := func(v int) registerInput { return registerInput{key: 1, write: v} }
	read := registerInput{key: 1, reads: true}
	swap := func(old, v int) registerInput { return registerInput{key: 1, swaps: true, old: old, write: v} }
	type op struct {
		in        registerInput
		out       registerOutput
		call, ret int64
	}
	tests := []struct {
		name string
		ops  []op
		want porcupine.CheckResult
	}{
		{"one by one", []op{{write(1), registerOutput{}, 1, 2}, {read, registerOutput{value: 1}, 3, 4}}, porcupine.Ok},
		{"stale read", []op{{write(1), registerOutput{}, 1, 2}, {read, registerOutput{}, 3, 4}}, porcupine.Illegal},
		{"beside each other", []op{{write(1), registerOutput{}, 1, 4}, {read, registerOutput{}, 2, 3}}, porcupine.Ok},
		{"there and gone", []op{{write(1), registerOutput{}, 1, 9}, {read, registerOutput{value: 1}, 2, 3}, {read, registerOutput{}, 4, 5}}, porcupine.Illegal},
		{"swap", []op{{swap(0, 5), registerOutput{swapped: true}, 1, 2}, {read, registerOutput{value: 5}, 3, 4}}, porcupine.Ok},
		{"swap of what isn't there", []op{{swap(3, 5), registerOutput{swapped: true}, 1, 2}}, porcupine.Illegal},
		{"no swap of what is", []op{{swap(0, 5), registerOutput{}, 1, 2}}, porcupine.Illegal},
		{"two swaps of one value", []op{{swap(0, 5), registerOutput{swapped: true}, 1, 4}, {swap(0, 6), registerOutput{swapped: true}, 2, 3}}, porcupine.Illegal},
		{"unknown and done", []op{{swap(0, 5), registerOutput{unknown: true}, 1, 99}, {read, registerOutput{value: 5}, 3, 4}}, porcupine.Ok},
	}
	for _, tc := range tests {
		var ops []porcupine.Operation
		for i, o := range tc.ops {
			ops = append(ops, porcupine.Operation{ClientId: i, Input: o.in, Output: o.out, Call: o.call, Return: o.ret})
		}
		if got := Linearizable(ops, time.Minute); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, fmt.Sprint(got), tc.want)
		}
	}
}
