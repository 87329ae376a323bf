package tabletserver

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver/redolog"
)

const crashDir = "VITESSDO_TEST_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		fmt.Println("error:", crashWriter(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// crashShards opens two shards and their log, and recovers.
func crashShards(dir string) (shards [2]*Tablet, log *redolog.Log, lacked int, err error) {
	for i, name := range []string{"-80", "80-"} {
		shards[i], err = Open(ctx, Config{Path: filepath.Join(dir, name+".db"), Synchronous: Normal,
			CheckpointPages: 50, Target: tablet.Target{Keyspace: "ks", Shard: name}})
		if err != nil {
			return
		}
		if _, err = shards[i].Exec(ctx, q("CREATE TABLE IF NOT EXISTS t(n INTEGER PRIMARY KEY, v BLOB)")); err != nil {
			return
		}
	}
	if log, err = redolog.Open(filepath.Join(dir, "redo.log"), false); err != nil {
		return
	}
	log.SetKeep(20000)
	log.OnTruncate(nil, func(dtids []string) {
		for _, t := range shards {
			_ = t.Forget(ctx, dtids)
		}
	})
	entries, err := log.Recover()
	if err != nil {
		return
	}
	for _, e := range entries {
		for i, r := range e.Redos {
			applied, rerr := replayed(shards[i], e.DTID, r)
			if rerr != nil {
				return shards, log, lacked, rerr
			}
			if applied {
				lacked++
			}
		}
		log.Done(e.DTID)
	}
	if err = log.Reset(); err == nil {
		for _, t := range shards {
			if err = t.ForgetAll(ctx); err != nil {
				return
			}
		}
	}
	return
}

// crashWriter commits a row per distributed transaction on both shards, and
// says so, until it is killed.
func crashWriter(dir string) error {
	shards, log, _, err := crashShards(dir)
	if err != nil {
		return err
	}
	rows, err := queryRows(shards[0], "SELECT coalesce(max(n), 0) FROM t")
	if err != nil {
		return err
	}
	for n := rows[0][0].(int64) + 1; ; n++ {
		dtid := fmt.Sprint("tx", n)
		var txs [2]tablet.Tx
		var redos []tablet.Redo
		for i, t := range shards {
			if txs[i], err = t.Begin(ctx, tablet.TxOptions{Age: uint64(n)}); err != nil {
				return err
			}
			// In time the row only fits its place: a replay out of order or twice fails.
			if _, err = txs[i].Exec(ctx, q("INSERT INTO t VALUES((SELECT coalesce(max(n), 0) FROM t) + 1, zeroblob(500))")); err != nil {
				return err
			}
			r, err := txs[i].Prepare(ctx, dtid, tablet.Target{})
			if err != nil {
				return err
			}
			redos = append(redos, r)
		}
		if err := log.Append(dtid, redos); err != nil {
			return err
		}
		fmt.Println(n)
		for _, x := range txs {
			if err := x.CommitPrepared(ctx); err != nil {
				return err
			}
		}
		log.Done(dtid)
	}
}

// Kill a process at any moment: what it said was decided is there on both
// shards, once, and nothing is there on one shard only.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	total := 0
	for round := range 12 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), crashDir+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		in := bufio.NewReader(out)
		first, err := in.ReadString('\n')
		if err != nil || strings.HasPrefix(first, "error") {
			t.Fatal(first, err)
		}
		kill := time.AfterFunc(time.Duration(rng.IntN(60_000))*time.Microsecond, func() { _ = cmd.Process.Kill() })
		rest, _ := io.ReadAll(in)
		kill.Stop()
		_ = cmd.Wait()
		said := int64(0)
		for _, line := range strings.Split(first+string(rest), "\n") {
			if strings.HasPrefix(line, "error") {
				t.Fatal(line)
			}
			var n int64
			if _, err := fmt.Sscan(line, &n); err == nil && strings.Contains(first+string(rest), line+"\n") {
				said = max(said, n)
			}
		}
		shards, log, replayed, err := crashShards(dir)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		total += replayed
		counts := [2]int64{}
		for i, s := range shards {
			counts[i] = one(t, s, "SELECT count(*) FROM t").(int64)
			want(t, "last row", one(t, s, "SELECT coalesce(max(n), 0) FROM t"), tablet.Value(counts[i]))
			want(t, "integrity", one(t, s, "PRAGMA integrity_check"), tablet.Value("ok"))
			want(t, "markers", one(t, s, "SELECT count(*) FROM _vt_applied"), tablet.Value(int64(0)))
		}
		if counts[0] != counts[1] || counts[0] < said {
			t.Fatalf("round %d: %d was said to be decided, the shards have %v", round, said, counts)
		}
		for _, s := range shards {
			_ = s.Close()
		}
		_ = log.Close()
	}
	t.Logf("%d replays", total)
}
