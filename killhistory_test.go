package vitessdo

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/history"
	"github.com/vitessdo/vitessdo/twopc"
)

// Histories that span crashes: a process runs transactions that append to lists and
// read them, until it is killed; the next one goes on where it was. What all of them
// have seen must keep to the level as if nobody had died, where a transaction that
// was under way may be there or not, but not by half and not for some only.

const (
	historyKeys    = 8
	historyClients = 4
)

// historyLevels are the levels to be checked: of all shards together, and of each.
var historyLevels = []struct {
	name        string
	options     *sql.TxOptions
	whole, each history.Level
}{
	{"autocommit", nil, history.Serializable, history.StrictSerializable},
	{"snapshot", &sql.TxOptions{Isolation: sql.LevelSnapshot}, history.StrongSnapshot, history.StrictSerializable},
	{"serializable", &sql.TxOptions{Isolation: sql.LevelSerializable}, history.StrictSerializable, history.StrictSerializable},
}

func historyWork(level int) *history.Workload {
	w := &history.Workload{Clients: historyClients, Txns: 2000, Options: historyLevels[level].options}
	for k := range historyKeys {
		w.Keys = append(w.Keys, k)
	}
	w.Outcome = func(err error) history.Status {
		var e *Error
		if errors.As(err, &e) && !e.OutcomeUnknown() {
			return history.Aborted
		}
		return history.Unknown
	}
	return w
}

// childHistory works and tells what it does and sees. Its arguments: the directory,
// the round, the level, a seed, and after how many points of commits it dies, if it
// does that by itself.
func childHistory(args []string) error {
	var round, level int
	var seed uint64
	var points int32
	if _, err := fmt.Sscan(strings.Join(args[1:], " "), &round, &level, &seed, &points); err != nil {
		return err
	}
	if points > 0 {
		var passed atomic.Int32
		twopc.OnPoint(func(twopc.Point, int) {
			if passed.Add(1) == points {
				dieNow()
			}
		})
	}
	db, err := sql.Open("vitessdo", killDSN(args[0], round))
	if err != nil {
		return err
	}
	w := historyWork(level)
	w.Seed, w.Values = seed, new(atomic.Int64)
	w.Values.Store(int64(round) * 1_000_000)
	w.Run(bg, db, &history.Recorder{Journal: history.NewJournal(os.Stdout)})
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// TestKillHistories kills the process round after round, some of the time also the
// one that recovers, and checks what was seen before and after.
func TestKillHistories(t *testing.T) {
	rounds := 4
	if s := os.Getenv("VITESSDO_KILL_ROUNDS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		rounds = max(rounds, min(n/25, 12)) // lists grow, and what was read of them
	}
	for i, level := range historyLevels {
		t.Run(level.name, func(t *testing.T) {
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			killHistory(t, i, rounds, rand.New(rand.NewPCG(seed, 0)))
		})
	}
}

func killHistory(t *testing.T, level, rounds int, r *rand.Rand) {
	t.Helper()
	dir := t.TempDir()
	db := openDB(t, killDSN(dir, 0))
	w := historyWork(level)
	if err := w.Create(bg, db); err != nil {
		t.Fatal(err)
	}
	at := map[int]string{}
	for _, k := range w.Keys {
		at[k] = shardOf(t, db, "SELECT v FROM lists WHERE k = ?", k)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	var all []*history.Txn
	unknown := 0
	for round := range rounds {
		seen := killedHistory(t, dir, round, level, r)
		for _, x := range seen {
			if x.Status == history.Unknown {
				unknown++
			}
		}
		all = history.After(all, seen)
		for r.IntN(3) == 0 {
			killOpening(t, dir, time.Duration(r.IntN(60))*time.Millisecond)
		}
		all = history.After(all, readAll(t, killDSN(dir, round+1), w))
	}
	want := historyLevels[level]
	keeps := func(what string, txns []*history.Txn, l history.Level, atLeast int) {
		report := history.Check(txns)
		for _, a := range report.Against(l) {
			t.Errorf("%s, %v: %s\n%s", what, l, a.Name, a.Text)
		}
		if report.Txns < atLeast || report.Edges < atLeast {
			t.Errorf("%s: %d transactions and %d edges were checked, too few to tell", what, report.Txns, report.Edges)
		}
	}
	keeps("all shards", all, want.whole, 5*rounds)
	shards := map[string]bool{}
	for _, shard := range at {
		if !shards[shard] {
			shards[shard] = true
			keeps("shard "+shard, history.Restrict(all, func(k int) bool { return at[k] == shard }), want.each, 1)
		}
	}
	t.Logf("%d rounds, %d transactions, %d of unknown outcome", rounds, len(all), unknown)
	if unknown == 0 {
		t.Error("no transaction was under way when its process was killed: nothing was tested")
	}
}

// killedHistory lets a process work and kills it, and gives what it has told.
func killedHistory(t *testing.T, dir string, round, level int, r *rand.Rand) []*history.Txn {
	t.Helper()
	points := 0
	if round%2 == 1 {
		points = 1 + r.IntN(400)
	}
	cmd, lines, in := child(t, "history", dir, strconv.Itoa(round), strconv.Itoa(level), strconv.FormatUint(r.Uint64(), 10), strconv.Itoa(points))
	defer in.Close()
	lines.Buffer(nil, 1<<20)
	lines.Split(func(data []byte, end bool) (int, []byte, error) { // with its newline, where it has one
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			return i + 1, data[:i+1], nil
		}
		if end && len(data) > 0 {
			return len(data), data, nil
		}
		return 0, nil, nil
	})
	var told bytes.Buffer
	committed := fmt.Appendf(nil, " %d\n", history.Committed)
	commits, life := 0, 0
	if points == 0 {
		life = 20 + r.IntN(600) // by commits, not by time, of which a slow machine takes more for each
	}
	for lines.Scan() {
		told.Write(lines.Bytes())
		if !bytes.HasPrefix(lines.Bytes(), []byte("end ")) || !bytes.HasSuffix(lines.Bytes(), committed) {
			continue
		}
		if commits++; commits == life { // and anywhere in what is under way then
			timer := time.AfterFunc(time.Duration(r.IntN(3000))*time.Microsecond, func() { _ = cmd.Process.Kill() })
			defer timer.Stop()
		}
	}
	_ = cmd.Wait()
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	seen, err := history.ReadJournal(&told)
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

// readAll opens the directory and reads all lists at once.
func readAll(t *testing.T, dsn string, w *history.Workload) []*history.Txn {
	t.Helper()
	db, err := sql.Open("vitessdo", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var rec history.Recorder
	x := rec.Begin(0)
	if err := history.Read(bg, db, x, w.Keys...); err != nil {
		t.Fatal(err)
	}
	rec.End(x, history.Committed)
	return rec.Txns()
}
