package await

import (
	"runtime"
	"testing"
	"time"
)

const (
	limit = 30 * time.Second
	pause = time.Millisecond
)

// Nil calls check until it gives no error. Once the limit is over, the test fails with
// the last one.
func Nil(tb testing.TB, check func() error) {
	tb.Helper()
	for end := time.Now().Add(limit); ; time.Sleep(pause) {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			tb.Fatalf("after %v: %v", limit, err)
		}
	}
}

// True calls is until it gives true. Once the limit is over, the test fails, and says
// what it has waited for.
func True(tb testing.TB, what string, is func() bool) {
	tb.Helper()
	for end := time.Now().Add(limit); !is(); time.Sleep(pause) {
		if time.Now().After(end) {
			tb.Fatalf("after %v not yet: %s", limit, what)
		}
	}
}

// Goroutines lets the test end when there are no more goroutines than now, else it
// fails with the stacks of all. A test that runs beside others can't use it.
func Goroutines(tb testing.TB) {
	tb.Helper()
	before := runtime.NumGoroutine()
	tb.Cleanup(func() {
		// One that is about to end counts until the scheduler has run it.
		for end := time.Now().Add(limit); runtime.NumGoroutine() > before; time.Sleep(pause) {
			if time.Now().After(end) {
				buf := make([]byte, 1<<20)
				tb.Fatalf("%d goroutines are left of %d:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
			}
		}
	})
}
