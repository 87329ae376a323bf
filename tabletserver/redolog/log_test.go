package redolog

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/vitessdo/vitessdo/tablet"
)

func redos(n int64) []tablet.Redo {
	return []tablet.Redo{
		{Keyspace: "ks", Shard: "-80", Queries: []tablet.Query{
			{SQL: "INSERT INTO t VALUES(?1, ?2)", Args: []tablet.Value{n, "text", nil, 2.5, []byte{0, 1}, []byte{}}, Batch: 3},
			{SQL: "DELETE FROM t"},
		}},
		{Keyspace: "ks", Shard: "80-", Holder: tablet.Target{Keyspace: "other", Shard: "-"},
			Queries: []tablet.Query{{SQL: "UPDATE t SET a = ?1", Args: []tablet.Value{int64(math.MinInt64)}}}},
	}
}

func openLog(t testing.TB, path string) *Log {
	t.Helper()
	l, err := Open(path, true)
	if err != nil {
		t.Fatal(err)
	}
	l.chunk = 0 // so that the file ends with its last frame
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func appendTo(t testing.TB, l *Log, n int64) {
	t.Helper()
	if err := l.Append(fmt.Sprint("tx", n), redos(n)); err != nil {
		t.Fatal(err)
	}
}

func recovered(t testing.TB, l *Log) []Entry {
	t.Helper()
	e, err := l.Recover()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestRecoverGivesWhatWasAppended(t *testing.T) {
	path := filepath.Join(t.TempDir(), "redo")
	l := openLog(t, path)
	for i := range int64(3) {
		appendTo(t, l, i)
	}
	var e *tablet.Error
	if err := l.Append("tx1", nil); !errors.As(err, &e) || e.Code != tablet.CodeMisuse {
		t.Fatalf("appending twice: %v", err)
	}
	_ = l.Close()
	l = openLog(t, path)
	want := []Entry{{"tx0", redos(0)}, {"tx1", redos(1)}, {"tx2", redos(2)}}
	if got := recovered(t, l); !reflect.DeepEqual(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	if l.Live() != 3 {
		t.Fatal("recovered transactions must count as under way")
	}
	appendTo(t, l, 3)
	for i := range 4 {
		l.Done(fmt.Sprint("tx", i))
	}
	if err := l.Reset(); err != nil || l.Size() != int64(fileHeader) {
		t.Fatal(err, l.Size())
	}
	_ = l.Close()
	if got := recovered(t, openLog(t, path)); len(got) != 0 {
		t.Fatalf("after Reset: %v", got)
	}
}

// A crash may leave the file at any length: what was appended before the cut
// frame is found, and the log can be used on.
func TestTornEnd(t *testing.T) {
	dir := t.TempDir()
	l := openLog(t, filepath.Join(dir, "redo"))
	ends := []int64{l.Size()}
	for i := range int64(3) {
		appendTo(t, l, i)
		ends = append(ends, l.Size())
	}
	data, err := os.ReadFile(l.path)
	if err != nil {
		t.Fatal(err)
	}
	try := func(name string, file []byte, want int) {
		t.Helper()
		path := filepath.Join(dir, "cut")
		if err := os.WriteFile(path, file, 0o644); err != nil {
			t.Fatal(err)
		}
		l, err := Open(path, false)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := recovered(t, l)
		if len(got) != want {
			t.Fatalf("%s: got %d entries, want %d", name, len(got), want)
		}
		if err := l.Append("more", nil); err != nil {
			t.Fatal(err)
		}
		_ = l.Close()
		want++
		if l, err = Open(path, false); err != nil {
			t.Fatal(err)
		}
		if got := recovered(t, l); len(got) != want {
			t.Fatalf("%s: got %d entries after an append, want %d", name, len(got), want)
		}
		l.Done("more")
		_ = l.Close()
	}
	for cut := 0; cut <= len(data); cut++ {
		n := 0
		for n+1 < len(ends) && ends[n+1] <= int64(cut) {
			n++
		}
		try(fmt.Sprint("cut at ", cut), data[:cut], n)
		// A file may have been extended with zeroes before its data was written.
		if cut == 0 || cut >= fileHeader {
			try(fmt.Sprint("zeroes from ", cut), append(append([]byte(nil), data[:cut]...), make([]byte, 100)...), n)
		}
	}
}

func TestDamageInTheMiddleIsAnError(t *testing.T) {
	dir := t.TempDir()
	l := openLog(t, filepath.Join(dir, "redo"))
	ends := []int64{l.Size()}
	for i := range int64(3) {
		appendTo(t, l, i)
		ends = append(ends, l.Size())
	}
	data, _ := os.ReadFile(l.path)
	for at := 0; at < int(ends[2]); at++ {
		bad := append([]byte(nil), data...)
		bad[at] ^= 0x40
		path := filepath.Join(dir, "bad")
		if err := os.WriteFile(path, bad, 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Open(path, false)
		if at >= magicSize && at < fileHeader {
			// With another epoch no frame is one: the file reads as torn at
			// its start. Nothing can tell it from a first append that failed.
			continue
		}
		if tablet.CodeOf(err) != tablet.CodeCorrupt {
			t.Fatalf("damage at %d: %v", at, err)
		}
		if at >= fileHeader && !strings.Contains(err.Error(), "offset") || !strings.Contains(err.Error(), path) {
			t.Fatalf("the error must say where: %v", err)
		}
	}
}

func TestConcurrentAppendsShareWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "redo")
	l := openLog(t, path)
	const workers, each = 16, 25
	var wg sync.WaitGroup
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range each {
				if err := l.Append(fmt.Sprintf("tx-%d-%d", w, i), redos(int64(i))); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	wg.Wait()
	if l.appends >= workers*each {
		t.Errorf("%d writes for %d appends: none was shared", l.appends, workers*each)
	}
	_ = l.Close()
	last := map[string]int{}
	got := recovered(t, openLog(t, path))
	for _, e := range got {
		var w, i int
		if _, err := fmt.Sscanf(e.DTID, "tx-%d-%d", &w, &i); err != nil {
			t.Fatal(err)
		}
		if n, ok := last[fmt.Sprint(w)]; ok && n+1 != i {
			t.Fatalf("worker %d: entry %d after %d", w, i, n)
		}
		last[fmt.Sprint(w)] = i
	}
	if len(got) != workers*each {
		t.Fatalf("got %d entries, want %d", len(got), workers*each)
	}
}

func TestTruncateWhenIdle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "redo")
	l := openLog(t, path)
	l.SetKeep(1000)
	var befores int
	var gone []string
	l.OnTruncate(func() error { befores++; return nil }, func(dtids []string) { gone = append(gone, dtids...) })
	appendTo(t, l, 0)
	l.Done("tx0")
	if befores != 0 {
		t.Fatal("a small file must be left alone")
	}
	for i := int64(1); i < 20; i++ {
		appendTo(t, l, i)
		if i > 1 {
			l.Done(fmt.Sprint("tx", i-1)) // one is always under way
		}
	}
	if l.Size() <= 1000 || len(gone) != 0 {
		t.Fatal("the file must not be emptied while a transaction is under way", l.Size(), gone)
	}
	l.Done("tx19")
	if l.Size() != int64(fileHeader) || len(gone) != 20 || befores != 1 {
		t.Fatal(l.Size(), gone, befores)
	}
	appendTo(t, l, 20)
	_ = l.Close()
	if got := recovered(t, openLog(t, path)); len(got) != 1 || got[0].DTID != "tx20" {
		t.Fatal(got)
	}
}

func TestTruncateWaitsForWhatCameMeanwhile(t *testing.T) {
	l := openLog(t, filepath.Join(t.TempDir(), "redo"))
	l.SetKeep(0)
	first := true
	l.OnTruncate(func() error {
		if first { // another transaction comes and goes: its commits aren't durable
			first = false
			appendTo(t, l, 2)
			l.mu.Lock()
			delete(l.live, "tx2")
			l.mu.Unlock()
		}
		return nil
	}, nil)
	appendTo(t, l, 1)
	l.Done("tx1")
	if l.Size() == int64(fileHeader) {
		t.Fatal("the file was emptied although an append came in between")
	}
	l.Done("tx2")
	if l.Size() != int64(fileHeader) {
		t.Fatal("the file was not emptied by the next Done")
	}
}

func TestNotALog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "redo")
	for _, data := range []string{"hello, this is text", "x"} {
		if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path, false); tablet.CodeOf(err) != tablet.CodeCorrupt {
			t.Fatal(err)
		}
	}
	if _, err := Open(filepath.Join(path, "below", "a-file"), false); tablet.CodeOf(err) != tablet.CodeIO {
		t.Fatal(err)
	}
	if _, err := Open(t.TempDir(), false); tablet.CodeOf(err) != tablet.CodeIO {
		t.Fatal(err)
	}
}

// A write that fails leaves nothing behind, and the log usable or refusing.
func TestFailedWrite(t *testing.T) {
	l := openLog(t, filepath.Join(t.TempDir(), "redo"))
	appendTo(t, l, 1)
	good := l.file
	ro, err := os.Open(l.path)
	if err != nil {
		t.Fatal(err)
	}
	defer ro.Close()
	l.file = ro // can neither be written nor truncated
	err = l.Append("tx2", redos(2))
	l.file = good
	if tablet.CodeOf(err) != tablet.CodeUnknownResult {
		t.Fatal(err)
	}
	if err := l.Append("tx3", nil); tablet.CodeOf(err) != tablet.CodeUnknownResult {
		t.Fatal("a log in an unknown state must not be written on:", err)
	}
	if err := l.Append("tx4", []tablet.Redo{{Queries: []tablet.Query{{Args: []tablet.Value{true}}}}}); tablet.CodeOf(err) != tablet.CodeMisuse {
		t.Fatal(err)
	}
}

func TestCodecRandom(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	text := func() string {
		b := make([]byte, rng.IntN(20))
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		return string(b)
	}
	for range 500 {
		var want []Entry
		var b []byte
		for range 1 + rng.IntN(3) {
			e := Entry{DTID: text()}
			for range rng.IntN(3) {
				r := tablet.Redo{Keyspace: text(), Shard: text()}
				for range rng.IntN(3) {
					q := tablet.Query{SQL: text(), Batch: rng.IntN(1000)}
					for range rng.IntN(6) {
						q.Args = append(q.Args, []tablet.Value{nil, rng.Int64() - math.MaxInt64/2, rng.NormFloat64(), text(), []byte(text())}[rng.IntN(5)])
					}
					r.Queries = append(r.Queries, q)
				}
				e.Redos = append(e.Redos, r)
			}
			want = append(want, e)
			var err error
			if b, err = appendEntry(b, e.DTID, e.Redos); err != nil {
				t.Fatal(err)
			}
		}
		got, err := decodeEntries(b)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%v\ngot  %#v\nwant %#v", err, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	seed, _ := appendEntry(nil, "tx", redos(1))
	f.Add(seed)
	f.Add([]byte{1, 'x', 255, 255, 255, 255, 15})
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := decodeEntries(b)
		if err != nil {
			return
		}
		var again []byte
		for _, e := range entries {
			if again, err = appendEntry(again, e.DTID, e.Redos); err != nil {
				t.Fatal(err)
			}
		}
		twice, err := decodeEntries(again)
		if err != nil || fmt.Sprintf("%#v", twice) != fmt.Sprintf("%#v", entries) {
			t.Fatalf("%v: %#v is not %#v", err, twice, entries)
		}
	})
}

// FuzzScan: whatever a file holds, scan says where to cut it, and the cut file has
// the same entries.
func FuzzScan(f *testing.F) {
	for _, sync := range []bool{false, true} {
		l, err := Open(filepath.Join(f.TempDir(), "redo"), sync)
		if err != nil {
			f.Fatal(err)
		}
		appendTo(f, l, 1)
		appendTo(f, l, 2)
		data, _ := os.ReadFile(l.path)
		f.Add(data[:l.Size()]) // without the zeros that hold the room behind
		_ = l.Close()
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < fileHeader {
			return
		}
		entries, good, err := scan(b)
		if err != nil {
			return
		}
		if good > int64(len(b)) {
			t.Fatal(good, len(b))
		}
		again, cut, err := scan(b[:good])
		if err != nil || cut > good || !reflect.DeepEqual(again, entries) {
			t.Fatalf("%v: cut at %d of %d\ngot  %#v\nwant %#v", err, cut, good, again, entries)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	for _, sync := range []bool{false, true} {
		b.Run(fmt.Sprint("sync=", sync), func(b *testing.B) {
			l, err := Open(filepath.Join(b.TempDir(), "redo"), sync)
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			b.ReportAllocs()
			r, n := redos(1), 0
			for b.Loop() {
				n++
				id := fmt.Sprint(n)
				if err := l.Append(id, r); err != nil {
					b.Fatal(err)
				}
				l.Done(id)
			}
		})
	}
}

// TestTransactions: those under way are listed, with the shards that take part;
// Read sees what is in the file, whoever has it open.
func TestTransactions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "redo")
	if got, err := Read(path); err != nil || got != nil {
		t.Fatalf("no log: %v, %v", got, err)
	}
	l := openLog(t, path)
	appendTo(t, l, 0)
	appendTo(t, l, 1)
	l.Done("tx0")
	list := l.Transactions()
	if len(list) != 1 || list[0].DTID != "tx1" || !list[0].Decided || list[0].Since.IsZero() {
		t.Fatalf("%+v", list)
	}
	if got, want := fmt.Sprint(list[0].Participants), "[{ks -80} {ks 80-}]"; got != want {
		t.Errorf("participants %s, want %s", got, want)
	}
	want := []Entry{{"tx0", redos(0)}, {"tx1", redos(1)}}
	if got, err := Read(path); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("read %v, %v", got, err)
	}
	if err := os.WriteFile(path, []byte("something else entirely"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path); tablet.CodeOf(err) != tablet.CodeCorrupt {
		t.Errorf("another file: %v", err)
	}
}
