package tabletserver

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"testing"

	"github.com/vitessdo/vitessdo/tablet"
)

func benchTablet(b *testing.B, rows int) *Tablet {
	t := open(b, Config{Path: filepath.Join(b.TempDir(), "s.db"), Synchronous: Normal},
		"CREATE TABLE t(id INTEGER PRIMARY KEY, k INT, txt TEXT, r REAL, b BLOB)")
	const chunk = 1000
	for at := 0; at < rows; at += chunk {
		q := &tablet.Query{SQL: "INSERT INTO t VALUES(?1, ?2, ?3, ?4, ?5)", Batch: chunk}
		for i := range chunk {
			id := int64(at + i)
			q.Args = append(q.Args, id, id%100, fmt.Sprintf("text of row %08d", id), float64(id)/3, make([]byte, 50))
		}
		if _, err := t.Exec(ctx, q); err != nil {
			b.Fatal(err)
		}
	}
	return t
}

func BenchmarkPointSelect(b *testing.B) {
	t := benchTablet(b, 20000)
	cancelable, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, c := range []struct {
		name string
		ctx  context.Context
	}{{"background", ctx}, {"cancelable", cancelable}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			dest := make([]tablet.Value, 3)
			args := make([]tablet.Value, 1)
			q := &tablet.Query{SQL: "SELECT id, k, txt FROM t WHERE id = ?1", Args: args}
			i := int64(0)
			for b.Loop() {
				i = (i + 7919) % 20000
				args[0] = i
				r, err := t.Query(c.ctx, q)
				if err != nil {
					b.Fatal(err)
				}
				if err := r.Next(dest); err != nil || dest[0] != i {
					b.Fatal(err, dest)
				}
				if err := r.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			dest := make([]tablet.Value, 3)
			args := make([]tablet.Value, 1)
			q := &tablet.Query{SQL: "SELECT id, k, txt FROM t WHERE id = ?1", Args: args}
			for i := int64(0); pb.Next(); i = (i + 7919) % 20000 {
				args[0] = i
				r, err := t.Query(ctx, q)
				if err != nil {
					b.Fatal(err)
				}
				_ = r.Next(dest)
				_ = r.Close()
			}
		})
	})
}

func BenchmarkInsert(b *testing.B) {
	for _, sync := range []Synchronous{Normal, Full} {
		b.Run(string(sync), func(b *testing.B) {
			b.ReportAllocs()
			t := open(b, Config{Path: filepath.Join(b.TempDir(), "s.db"), Synchronous: sync},
				"CREATE TABLE t(id INTEGER PRIMARY KEY, k INT, txt TEXT)")
			q := &tablet.Query{SQL: "INSERT INTO t(k, txt) VALUES(?1, ?2)", Args: []tablet.Value{int64(7), "some text"}}
			for b.Loop() {
				if _, err := t.Exec(ctx, q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkBatch1000(b *testing.B) {
	b.ReportAllocs()
	t := open(b, Config{Path: filepath.Join(b.TempDir(), "s.db"), Synchronous: Normal},
		"CREATE TABLE t(id INTEGER PRIMARY KEY, k INT, txt TEXT)")
	q := &tablet.Query{SQL: "INSERT INTO t(k, txt) VALUES(?1, ?2)", Batch: 1000}
	for i := range 1000 {
		q.Args = append(q.Args, int64(i), "some text")
	}
	for b.Loop() {
		if _, err := t.Exec(ctx, q); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkScan100k(b *testing.B) {
	t := benchTablet(b, 100000)
	b.ReportAllocs()
	dest := make([]tablet.Value, 5)
	for b.Loop() {
		r, err := t.Query(ctx, &tablet.Query{SQL: "SELECT id, k, txt, r, b FROM t"})
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for err = r.Next(dest); err == nil; err = r.Next(dest) {
			n++
		}
		if err != io.EOF || n != 100000 {
			b.Fatal(n, err)
		}
		_ = r.Close()
	}
}

// BenchmarkSelectAfterWrite reads with a snapshot that each time must be renewed.
func BenchmarkSelectAfterWrite(b *testing.B) {
	t := open(b, Config{}, "CREATE TABLE t(id INTEGER PRIMARY KEY, v INT)", "INSERT INTO t VALUES(1, 1)")
	b.ReportAllocs()
	dest := make([]tablet.Value, 1)
	write, read := q("UPDATE t SET v = v + 1"), q("SELECT v FROM t")
	for b.Loop() {
		if _, err := t.Exec(ctx, write); err != nil {
			b.Fatal(err)
		}
		r, err := t.Query(ctx, read)
		if err != nil {
			b.Fatal(err)
		}
		if err := r.Next(dest); err != nil {
			b.Fatal(err)
		}
		_ = r.Close()
	}
}
