package host

import (
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/await"
)

// A tablet is part of a look at several shards as of one moment, and stays open as
// long as the look needs it.
func TestMoments(t *testing.T) {
	h := open(t, Options{Dir: t.TempDir(), Idle: time.Millisecond})
	declare(t, h, "ks", "-")
	s := shard(t, h, "ks", "-")
	exec(t, s, "CREATE TABLE t(v)")
	snap, err := s.Snapshot(t.Context())
	must(t, err)
	if !snap.Newest(t.Context()) {
		t.Error("nothing was committed since the snapshot, and it isn't the newest")
	}
	releaseDecisions, err := s.HoldDecisions(t.Context())
	must(t, err)
	release, err := s.HoldCommits(t.Context())
	must(t, err)
	written := make(chan struct{})
	go func() {
		defer close(written)
		exec(t, s, "INSERT INTO t VALUES(1)")
	}()
	if !snap.Newest(t.Context()) || s.closeIdle(0) {
		t.Error("a commit has shown, or the tablet was closed, while both were held")
	}
	if !release() || !releaseDecisions() {
		t.Error("what was held wasn't held until the release")
	}
	<-written
	if snap.Newest(t.Context()) {
		t.Error("a commit has shown, and the snapshot is the newest")
	}
	if s.closeIdle(0) {
		t.Error("the tablet was closed under a snapshot")
	}
	must(t, snap.Close())
	must(t, snap.Close())
	await.True(t, "the tablet that nobody uses is closed", func() bool {
		s.closeIdle(0)
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.t == nil
	})
}
