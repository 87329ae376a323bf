package tpcc

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/vitessdo/vitessdo"
)

var (
	forFlag    = flag.Duration("tpcc.for", time.Second, "how long each run takes")
	sizeFlag   = flag.Int("tpcc.size", 1, "multiplies the tables' sizes")
	roundsFlag = flag.Int("tpcc.kills", 3, "how many processes are killed in the midst of a run")
)

func config() Config {
	c := Tiny
	c.Seed = uint64(time.Now().UnixNano())
	c.Warehouses *= *sizeFlag
	c.Customers *= *sizeFlag
	c.Items *= *sizeFlag
	return c
}

func open(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("vitessdo", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func load(t *testing.T, db *sql.DB, c Config) {
	t.Helper()
	if err := c.Load(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if wrong := check(t, db, append(c.Conditions(), c.Fresh())...); len(wrong) > 0 {
		t.Fatalf("after loading: %s", strings.Join(wrong, "\n"))
	}
}

func check(t *testing.T, db *sql.DB, conditions ...Condition) []string {
	t.Helper()
	wrong, err := Check(t.Context(), db, conditions...)
	if err != nil {
		t.Fatal(err)
	}
	return wrong
}

// Terminals of several warehouses work side by side, across shards; all
// conditions hold afterwards, and nothing that was committed is missing.
func TestRun(t *testing.T) {
	for _, tt := range []struct {
		name, dsn string
	}{
		{"one shard", ":memory:?shards=1"},
		{"memory", ":memory:?shards=4"},
		{"directory", "file:DIR?shards=3&synchronous=normal"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := config()
			t.Logf("seed %d", c.Seed)
			db := open(t, strings.Replace(tt.dsn, "DIR", t.TempDir(), 1))
			load(t, db, c)
			start := time.Now()
			got := runFor(t, c, db, *forFlag)
			report(t, got, time.Since(start))
			if wrong := check(t, db, c.Conditions()...); len(wrong) > 0 {
				t.Error(strings.Join(wrong, "\n"))
			}
			orders, payments, err := c.Count(t.Context(), db)
			if err != nil {
				t.Fatal(err)
			}
			// A commit that the end of the run cut off may have been made.
			within(t, "orders", orders, got.Committed[NewOrder], 2*c.Warehouses)
			within(t, "payments", payments, got.Committed[Payment], 2*c.Warehouses)
			if got.Crossed == 0 && c.Warehouses > 1 {
				t.Error("no transaction wrote to two warehouses: little was tested")
			}
		})
	}
}

// runFor lets all terminals work for a time, and on until they have done enough to tell.
func runFor(t *testing.T, c Config, db *sql.DB, d time.Duration) Result {
	t.Helper()
	const enough = 100
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var done atomic.Int64
	end := time.Now().Add(d)
	got, err := c.Run(ctx, db, Load{Terminals: 2 * c.Warehouses, Tell: func(_ Kind, committed bool) {
		if committed && done.Add(1) >= enough && time.Now().After(end) {
			cancel()
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func within(t *testing.T, what string, got, least, more int) {
	t.Helper()
	if got < least || got > least+more {
		t.Errorf("%d %s are there, want %d to %d", got, what, least, least+more)
	}
}

func report(t *testing.T, r Result, took time.Duration) {
	t.Helper()
	var parts []string
	all := 0
	for k, n := range r.Committed {
		parts = append(parts, fmt.Sprintf("%v %d", Kind(k), n))
		all += n
	}
	t.Logf("%d transactions in %v (%s), %d over several warehouses, %d rolled back, %d retries", all, took.Round(time.Millisecond),
		strings.Join(parts, ", "), r.Crossed, r.RolledBack, r.Retries)
}

// Each condition finds the damage that it is there for.
func TestConditionsFindDamage(t *testing.T) {
	c := Tiny
	c.Warehouses, c.Districts = 3, 2
	db := open(t, ":memory:?shards=3")
	load(t, db, c)
	for _, tt := range []struct {
		damage string
		breaks []string // numbers of the conditions
	}{
		{"UPDATE warehouse SET w_ytd = w_ytd + 0.01 WHERE w_id = 2", []string{"1", "8"}},
		{"UPDATE district SET d_ytd = d_ytd - 1 WHERE d_w_id = 1 AND d_id = 2", []string{"1", "9"}},
		{"UPDATE district SET d_next_o_id = d_next_o_id + 1 WHERE d_w_id = 3 AND d_id = 1", []string{"2"}},
		{"DELETE FROM new_order WHERE no_w_id = 3 AND no_d_id = 1 AND no_o_id = 25", []string{"3", "5", "11"}},
		{"UPDATE orders SET o_ol_cnt = o_ol_cnt + 1 WHERE o_w_id = 1 AND o_d_id = 1 AND o_id = 4", []string{"4", "6"}},
		{"DELETE FROM order_line WHERE ol_w_id = 2 AND ol_d_id = 1 AND ol_o_id = 3 AND ol_number = 2", []string{"4", "6"}},
		{"UPDATE orders SET o_carrier_id = NULL WHERE o_w_id = 1 AND o_d_id = 1 AND o_id = 1", []string{"5", "7"}},
		{"UPDATE order_line SET ol_delivery_d = NULL WHERE ol_w_id = 1 AND ol_d_id = 1 AND ol_o_id = 1 AND ol_number = 1", []string{"7"}},
		{"DELETE FROM history WHERE h_w_id = 1 AND h_d_id = 1 AND h_c_id = 7", []string{"8", "9", "10"}},
		{"UPDATE customer SET c_balance = c_balance + 1 WHERE c_w_id = 2 AND c_d_id = 2 AND c_id = 5", []string{"10", "12"}},
		{"UPDATE customer SET c_ytd_payment = 0 WHERE c_w_id = 2 AND c_d_id = 2 AND c_id = 5", []string{"12"}},
		{"UPDATE stock SET s_ytd = 1 WHERE s_w_id = 2 AND s_i_id = 9", []string{"stock"}},
		{"UPDATE stock SET s_order_cnt = 1 WHERE s_w_id = 2 AND s_i_id = 9", []string{"stock"}},
		{"UPDATE stock SET s_remote_cnt = 1 WHERE s_w_id = 2 AND s_i_id = 9", []string{"stock"}},
	} {
		t.Run(tt.damage, func(t *testing.T) {
			damaged(t, db, c, tt.damage, tt.breaks)
		})
	}
	if wrong := check(t, db, c.Conditions()...); len(wrong) > 0 {
		t.Errorf("after undoing the damage: %s", strings.Join(wrong, "\n"))
	}
}

// damaged runs the damage in a transaction that it undoes.
func damaged(t *testing.T, db *sql.DB, c Config, damage string, breaks []string) {
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	exec := func(q string) {
		t.Helper()
		if _, err := conn.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	exec("BEGIN")
	defer exec("ROLLBACK")
	exec(damage)
	var found []string
	for _, cond := range append(c.Conditions(), c.Fresh()) {
		wrong, err := violations(t.Context(), conn, cond.Violations)
		if err != nil {
			t.Fatal(err)
		}
		number, _, _ := strings.Cut(cond.Name, ":")
		if len(wrong) > 0 && !slices.Contains(found, number) {
			found = append(found, number)
		}
	}
	if !slices.Equal(found, breaks) {
		t.Errorf("found by the conditions %v, want %v", found, breaks)
	}
}
