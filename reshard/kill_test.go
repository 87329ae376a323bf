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
// and die on the way: "directory|shards|discard|point|times".
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
	point, _ := strconv.Atoi(args[3])
	left, _ := strconv.Atoi(args[4])
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
	_, err := Run(context.Background(), Options{Dir: args[0], Shards: shards, Discard: args[2] == "true"})
	fmt.Println("not killed:", err)
	os.Exit(1)
}

// killed runs a child that is to be killed.
func killed(t *testing.T, dir string, shards int, discard bool, p Point, times int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s|%d|%v|%d|%d", childRole, dir, shards, discard, p, times))
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
	for _, c := range []struct{ from, to int }{{4, 3}, {1, 4}} {
		fresh := t.TempDir()
		build(t, fresh, c.from)
		want := answers(t, "file:"+fresh)
		passed := map[Point]int{}
		count := make(chan Point, 10_000)
		OnPoint(func(p Point) { count <- p })
		if _, err := Run(t.Context(), Options{Dir: copyOf(t, fresh), Shards: c.to}); err != nil {
			t.Fatal(err)
		}
		OnPoint(nil)
		close(count)
		for p := range count {
			passed[p]++
		}
		for _, p := range Points() {
			if passed[p] == 0 && p != Filed { // which needs a keyspace that stays
				t.Errorf("%d → %d shards never pass %v", c.from, c.to, p)
				continue
			}
			if passed[p] == 0 {
				continue
			}
			for _, times := range []int{1, 1 + r.IntN(passed[p])} {
				wrote, discard := r.IntN(2) == 0, r.IntN(2) == 0
				t.Run(fmt.Sprintf("%d-%d/%v/%d/%v", c.from, c.to, p, times, wrote), func(t *testing.T) {
					t.Parallel()
					dir := copyOf(t, fresh)
					killed(t, dir, c.to, discard, p, times)
					want := want
					if wrote {
						same(t, "after the kill", want, answers(t, "file:"+dir))
						db := openDB(t, "file:"+dir)
						do(t, db, "INSERT INTO pinned VALUES (3, 'meanwhile')")
						db.Close()
						want = answers(t, "file:"+dir)
					}
					if times > 1 && p < Switched { // and once more, somewhere else
						killed(t, dir, c.to, discard, p, 1)
					}
					res, err := Run(t.Context(), Options{Dir: dir, Shards: c.to, Discard: discard})
					if err != nil {
						t.Fatal(err)
					}
					if res.Already != (p >= Switched) || res.Resumed != (p >= Begun && p < Switched && (!wrote || times > 1)) {
						t.Errorf("%+v", res)
					}
					if len(res.Keyspaces) > 0 && res.Keyspaces[0].Tables[0].Rows == 0 {
						t.Errorf("%+v", res.Keyspaces[0])
					}
					same(t, "in the end", want, answers(t, fmt.Sprintf("file:%s?keyspace=main&shards=%d", dir, c.to)))
					usable(t, "file:"+dir)
					if !discard && (p < Switched || !wrote) {
						same(t, "aside", want, answers(t, "file:"+dir+"/before~1"))
					}
				})
			}
		}
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
