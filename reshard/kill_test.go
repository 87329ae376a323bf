package reshard

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/faultfs"
	"github.com/vitessdo/vitessdo/tablet"
)

// childRole makes a run of this test binary reshard a directory instead of testing,
// and die on the way: "directory|shards|keyspace or none|discard|point|times".
const childRole = "VITESSDO_RESHARD_CHILD"

func TestMain(m *testing.M) {
	if role, ok := os.LookupEnv(commitRole); ok {
		dieCommitting(role)
		return
	}
	role, ok := os.LookupEnv(childRole)
	if !ok {
		os.Exit(m.Run())
	}
	args := strings.Split(role, "|")
	shards, _ := strconv.Atoi(args[1])
	point, _ := strconv.Atoi(args[4])
	left, _ := strconv.Atoi(args[5])
	OnPoint(func(p Point) {
		if int(p) != point {
			return
		}
		if left--; left == 0 {
			self, _ := os.FindProcess(os.Getpid())
			_ = self.Kill()
			select {}
		}
	})
	_, err := Run(context.Background(), Options{Dir: args[0], Shards: shards, Keyspaces: strings.Fields(args[2]), Discard: args[3] == "true"})
	fmt.Println("not killed:", err)
	os.Exit(1)
}

// killed runs a child that is to be killed.
func killed(t *testing.T, o Options, p Point, times int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s|%d|%s|%v|%d|%d", childRole, o.Dir, o.Shards, strings.Join(o.Keyspaces, " "), o.Discard, p, times))
	out, err := cmd.CombinedOutput()
	if err == nil || strings.Contains(string(out), "not killed") {
		t.Fatalf("at %v, %d times: %v %s", p, times, err, out)
	}
}

func copyOf(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// TestKilled kills a run at every point, and finds a database that answers as
// before; a run that follows comes to the end, from where the other was if nobody has
// used the directory in between.
func TestKilled(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	passed := map[Point]bool{}
	for _, c := range []struct {
		from, to  int
		keyspaces []string
	}{{4, 3, nil}, {1, 4, nil}, {4, 3, []string{"main"}}} { // the last leaves keyspace crm as it is
		fresh := t.TempDir()
		build(t, fresh, c.from)
		want := answers(t, "file:"+fresh)
		for p, most := range pointsOf(t, Options{Dir: copyOf(t, fresh), Shards: c.to, Keyspaces: c.keyspaces}) {
			if c.keyspaces != nil && passed[p] {
				continue
			}
			passed[p] = true
			for _, times := range []int{1, 1 + r.IntN(most)} {
				wrote, o := r.IntN(2) == 0, Options{Shards: c.to, Keyspaces: c.keyspaces, Discard: r.IntN(2) == 0}
				t.Run(fmt.Sprintf("%d-%d/%v/%d/%v", c.from, c.to, p, times, wrote), func(t *testing.T) {
					t.Parallel()
					o.Dir = copyOf(t, fresh)
					runKilled(t, o, p, times, wrote, want)
				})
			}
		}
	}
	for _, p := range Points() {
		if !passed[p] {
			t.Errorf("no run passes %v", p)
		}
	}
}

// pointsOf does a run, and counts how often it passes each point.
func pointsOf(t *testing.T, o Options) map[Point]int {
	passed := map[Point]int{}
	count := make(chan Point, 10_000)
	OnPoint(func(p Point) { count <- p })
	_, err := Run(t.Context(), o)
	OnPoint(nil)
	if err != nil {
		t.Fatal(err)
	}
	close(count)
	for p := range count {
		passed[p]++
	}
	return passed
}

// runKilled kills a run at a point, writes something or nothing, and lets another run
// come to the end.
func runKilled(t *testing.T, o Options, p Point, times int, wrote bool, want []string) {
	killed(t, o, p, times)
	if wrote {
		same(t, "after the kill", want, answers(t, "file:"+o.Dir))
		db := openDB(t, "file:"+o.Dir)
		do(t, db, "INSERT INTO pinned VALUES (3, 'meanwhile')")
		db.Close()
		want = answers(t, "file:"+o.Dir)
	}
	if times > 1 && p < Switched { // and once more, somewhere else
		again := p
		if p == Filed {
			again = Copied // all that is copied as it is may have been
		}
		killed(t, o, again, 1)
	}
	res, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if res.Already != (p >= Switched) || res.Resumed != (p >= Begun && p < Switched && (!wrote || times > 1)) {
		t.Errorf("%+v", res)
	}
	if len(res.Keyspaces) > 0 && res.Keyspaces[0].Tables[0].Rows == 0 {
		t.Errorf("%+v", res.Keyspaces[0])
	}
	same(t, "in the end", want, answers(t, fmt.Sprintf("file:%s?keyspace=main&shards=%d", o.Dir, o.Shards)))
	usable(t, "file:"+o.Dir)
	if !o.Discard && (p < Switched || !wrote) {
		same(t, "aside", want, answers(t, "file:"+o.Dir+"/before~1"))
	}
}

// TestDiskFull fills the disk at some operation: the database is as it was, the space
// is free again, and when there is enough a run comes to the end.
func TestDiskFull(t *testing.T) {
	fresh := t.TempDir()
	build(t, fresh, 2)
	want := answers(t, "file:"+fresh)
	ops := 0
	for n := 0; n == 0 || n < ops; n += 1 + ops/12 {
		dir := copyOf(t, fresh)
		disk, err := faultfs.New(dir)
		if err != nil {
			t.Fatal(err)
		}
		full := n > 0
		if full {
			disk.SetRule(faultfs.FailFrom(n, 1<<30))
		}
		res, err := Run(t.Context(), Options{Dir: dir, Shards: 3, disk: disk})
		switch {
		case !full && err != nil:
			t.Fatal(err)
		case !full:
			ops = disk.Ops()
		case err == nil:
			t.Errorf("operation %d of %d: a full disk went unnoticed: %+v", n, ops, res)
		case tablet.CodeOf(err) != tablet.CodeFull && !strings.Contains(err.Error(), "no space left"):
			t.Errorf("operation %d of %d: %v", n, ops, err)
		}
		disk.SetRule(nil)
		if full {
			same(t, fmt.Sprintf("operation %d of %d", n, ops), want, answers(t, "file:"+dir))
			if _, err := Run(t.Context(), Options{Dir: dir, Shards: 3, disk: disk}); err != nil {
				t.Errorf("operation %d of %d: afterwards: %v", n, ops, err)
			}
		}
		same(t, "in the end", want, answers(t, "file:"+dir))
		disk.Close()
	}
}
