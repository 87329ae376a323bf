package capnweb

import (
	"context"
	"encoding/json"
	"reflect"
	"testing"
)

// Rows as arrays of arrays: what a stream of rows costs per chunk of 1000.
func benchRows() []any {
	rows := make([]any, 1000)
	for i := range rows {
		rows[i] = []any{int64(i) * 1000003, "name of the row", float64(i) / 3, nil, []byte("0123456789abcdef")}
	}
	return rows
}

func BenchmarkEncodeRows(b *testing.B) {
	rows := benchRows()
	data, err := Marshal(rows)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	e := Encoder{max: 256}
	for b.Loop() {
		e.buf = e.buf[:0]
		if err := e.Value(rows); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeRows(b *testing.B) {
	rows := benchRows()
	data, err := Marshal(rows)
	if err != nil {
		b.Fatal(err)
	}
	if v, err := Unmarshal(data); err != nil || !reflect.DeepEqual(v, any(rows)) {
		b.Fatal("rows came back otherwise", err)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Unmarshal(data); err != nil {
			b.Fatal(err)
		}
	}
}

// What encoding/json takes for the same, without telling the types apart.
func BenchmarkDecodeRowsByEncodingJSON(b *testing.B) {
	data, err := json.Marshal(benchRows())
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		var v any
		if err := json.Unmarshal(data, &v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeRowsByEncodingJSON(b *testing.B) {
	rows := benchRows()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := json.Marshal(rows); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCall(b *testing.B) {
	ta, tb := Pipe()
	server := NewSession(tb, Methods{"echo": func(_ context.Context, c *Call) (any, error) { return c.Arg(0), nil }}, nil)
	client := NewSession(ta, nil, nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.Main().Do(b.Context(), "echo", "x"); err != nil {
			b.Fatal(err)
		}
	}
	_ = client.Close()
	<-client.Done()
	<-server.Done()
}
