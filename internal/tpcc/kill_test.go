package tpcc

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// childDSN, in the environment, makes a run of this test binary work on that
// database until it is killed, instead of testing.
const (
	childDSN  = "VITESSDO_TPCC_CHILD"
	childSeed = "VITESSDO_TPCC_SEED"
)

func TestMain(m *testing.M) {
	dsn, ok := os.LookupEnv(childDSN)
	if !ok {
		os.Exit(m.Run())
	}
	if err := childWork(dsn); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

// childWork tells of each order and payment before and after.
func childWork(dsn string) error {
	seed, err := strconv.ParseUint(os.Getenv(childSeed), 10, 64)
	if err != nil {
		return err
	}
	db, err := sql.Open("vitessdo", dsn)
	if err != nil {
		return err
	}
	if err := db.Ping(); err != nil {
		return err
	}
	c := Tiny
	c.Seed = seed
	var mu sync.Mutex
	fmt.Println("ready")
	_, err = c.Run(context.Background(), db, Load{Terminals: 2 * c.Warehouses, Tell: func(k Kind, committed bool) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Println(int(k), committed)
	}})
	return err
}

// A process is killed in the midst of its transactions, again and again. Each
// time all conditions hold for what it leaves, everything that it acknowledged
// is there, and nothing that it hadn't begun.
func TestKill9(t *testing.T) {
	c := Tiny
	c.Seed = uint64(time.Now().UnixNano())
	t.Logf("seed %d", c.Seed)
	r := rand.New(rand.NewPCG(c.Seed, 0))
	dsn := "file:" + t.TempDir() + "?shards=4&synchronous=normal"
	db := open(t, dsn)
	load(t, db, c)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	var begun, acked [kinds]int
	for round := range *roundsFlag {
		wait := time.Duration(20+r.IntN(600)) * time.Millisecond
		childUntil(t, dsn, c.Seed+uint64(round), wait, round%2 == 1, &begun, &acked)
		if t.Failed() {
			return
		}
		again, err := sql.Open("vitessdo", dsn)
		if err != nil {
			t.Fatal(err)
		}
		wrong := check(t, again, c.Conditions()...)
		orders, payments, err := c.Count(t.Context(), again)
		if err != nil {
			t.Fatal(err)
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
		within(t, "orders", orders, acked[NewOrder], begun[NewOrder]-acked[NewOrder])
		within(t, "payments", payments, acked[Payment], begun[Payment]-acked[Payment])
		// What was under way is settled now.
		begun[NewOrder], acked[NewOrder], begun[Payment], acked[Payment] = orders, orders, payments, payments
		if len(wrong) > 0 || t.Failed() {
			t.Fatalf("round %d, killed after %v: %s", round, wait, strings.Join(wrong, "\n"))
		}
		t.Logf("killed after %v: %d orders, %d payments", wait, orders, payments)
	}
	if acked[NewOrder] == 0 {
		t.Error("no order was acknowledged: nothing was tested")
	}
}

// childUntil runs a child, kills it after a while of work, which may begin with the
// first order that it acknowledges, and counts what it told.
func childUntil(t *testing.T, dsn string, seed uint64, wait time.Duration, ordered bool, begun, acked *[kinds]int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDSN+"="+dsn, childSeed+"="+strconv.FormatUint(seed, 10))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "ready" {
		t.Errorf("before it is ready, the child says: %s", lines.Text())
	}
	timer := time.AfterFunc(wait, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	if ordered {
		timer.Stop()
	}
	for lines.Scan() {
		var k int
		var committed bool
		if _, err := fmt.Sscan(lines.Text(), &k, &committed); err != nil {
			t.Errorf("the child says: %s", lines.Text())
			continue
		}
		if committed {
			acked[k]++
			if ordered && Kind(k) == NewOrder {
				timer.Reset(wait)
				ordered = false
			}
		} else {
			begun[k]++
		}
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the child has ended by itself")
	}
}
