package main

import (
	"database/sql"
	"fmt"
	"runtime"
	"runtime/metrics"
	"sync/atomic"
	"time"
)

// scatterCases read all of a table of rows.
func scatterCases(s *stores, rows int) ([]bench, error) {
	if err := s.load(rows); err != nil {
		return nil, err
	}
	cases := []bench{{
		name: fmt.Sprintf("count and sum of %d rows", rows), most: 1 / 1.6, once: true,
		base: counts(s.base, rows), ours: counts(s.ours, rows),
	}}
	for _, order := range []string{"id", "grp, id"} {
		cases = append(cases, bench{
			name: fmt.Sprintf("read %d rows ORDER BY %s", rows, order), once: true,
			base: func(int) error { return readSorted(s.base, order, rows) },
			ours: func(int) error { return readSorted(s.ours, order, rows) },
		})
	}
	return cases, nil
}

func counts(db *sql.DB, rows int) side {
	return func(int) error {
		var n, sum int64
		if err := db.QueryRow("SELECT COUNT(*), SUM(id) FROM item WHERE grp < ?", 50).Scan(&n, &sum); err != nil {
			return err
		}
		if n != int64(rows/2) {
			return fmt.Errorf("counted %d rows, there are %d", n, rows/2)
		}
		return nil
	}
}

func readSorted(db *sql.DB, order string, want int) error {
	rows, err := db.Query("SELECT id, grp, name FROM item WHERE id < ? ORDER BY "+order, want)
	if err != nil {
		return err
	}
	defer rows.Close()
	var id, grp int64
	var name sql.RawBytes
	n := 0
	for ; rows.Next(); n++ {
		if err := rows.Scan(&id, &grp, &name); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if n != want {
		return fmt.Errorf("read %d rows, there are %d", n, want)
	}
	return nil
}

// peakHeap runs f and gives the highest size of the heap, what isn't swept yet
// included, above the one before, in bytes.
func peakHeap(f func() error) (int64, error) {
	runtime.GC()
	start := heap()
	var peak atomic.Int64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			if h := heap(); h > peak.Load() {
				peak.Store(h)
			}
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	}()
	err := f()
	close(stop)
	<-stopped
	return peak.Load() - start, err
}

func heap() int64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64())
}

// mergeMemory tells how the heap grows while a merge of few and of many rows
// streams.
func mergeMemory(s *stores, few, many int) (fewPeak, manyPeak int64, err error) {
	// The first merge opens what later ones use again.
	if err = readSorted(s.ours, "id", few); err != nil {
		return 0, 0, err
	}
	if fewPeak, err = peakHeap(func() error { return readSorted(s.ours, "id", few) }); err != nil {
		return 0, 0, err
	}
	manyPeak, err = peakHeap(func() error { return readSorted(s.ours, "id", many) })
	return fewPeak, manyPeak, err
}
