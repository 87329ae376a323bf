package vitessdo

import (
	"context"
	"sync"

	"github.com/vitessdo/vitessdo/exec"
	"github.com/vitessdo/vitessdo/tablet"
)

// firstLook is a moment that a transaction's statement finds on shards that the
// transaction hasn't touched yet. Their parts begin with the statement's own queries, and
// the answers say whether they show one moment; so a part needs no message to take its
// snapshot. Where they don't, the parts are begun anew, by [transaction.together].
type firstLook struct {
	t   *transaction
	old int // parts that were there before

	mu    sync.Mutex
	looks map[*part]*look // at those that were asked; nil where the answer doesn't tell
	met   bool
}

var _ exec.Moment = (*firstLook)(nil)

// firstLook begins one, nil where parts must be begun in another way.
func (t *transaction) firstLook() exec.Moment {
	if t.broken != nil || t.level == serializable || t.sealed || t.alone && len(t.parts) > 0 || t.s.cl.loses() || t.s.cl.eachTablet(cuts) != nil {
		return nil
	}
	return &firstLook{t: t, old: len(t.parts), looks: map[*part]*look{}}
}

// Add implements exec.View.
func (l *firstLook) Add(ctx context.Context, at []exec.Place) error {
	for _, p := range at {
		if _, err := l.t.s.Tx(ctx, p.Keyspace, p.Shard, exec.Reading); err != nil {
			return err
		}
	}
	return nil
}

// Tablet implements exec.View.
func (l *firstLook) Tablet(at exec.Place) tablet.Tablet {
	t := l.t.s.tabletAt(at.Keyspace, at.Shard)
	for i, p := range l.t.parts {
		if p.t != t {
			continue
		}
		t = &seenTablet{t, l, p, i >= l.old}
		if l.t.s.running != nil {
			t = &tracedTablet{t, l.t.s.running}
		}
		return t
	}
	return nil
}

// Met implements exec.Moment.
func (l *firstLook) Met(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var parts []cutPart
	asked := l.t.parts[:l.old:l.old]
	for _, p := range l.t.parts[l.old:] {
		if lk, ok := l.looks[p]; ok {
			parts, asked = append(parts, cutPart{p.tx.(tablet.SnapshotTx), lk}), append(asked, p)
		}
	}
	if !l.t.s.cl.newest(ctx, parts) {
		return exec.ErrStale
	}
	l.t.parts = asked // what wasn't is seen when it is touched
	l.met = true
	return nil
}

// Close implements exec.View.
func (l *firstLook) Close() {
	if !l.met {
		l.t.dropParts(l.old)
	}
}

// dropParts lets go of all parts but the first ones.
func (t *transaction) dropParts(old int) {
	old = min(old, len(t.parts))
	drop := t.parts[old:]
	t.parts = t.parts[:old]
	_ = t.s.cl.each(len(drop), func(i int) error { return drop[i].tx.Rollback() })
}

// seenTablet is a transaction's part, as its first look sees it.
type seenTablet struct {
	tablet.Tablet
	l     *firstLook
	part  *part
	fresh bool
}

// Query implements tablet.Runner.
func (s *seenTablet) Query(ctx context.Context, q *tablet.Query) (tablet.Rows, error) {
	if !s.fresh {
		return s.part.tx.Query(ctx, q)
	}
	s.l.mu.Lock()
	_, again := s.l.looks[s.part]
	late := !again && s.l.met
	if !again {
		s.l.looks[s.part] = nil
	}
	s.l.mu.Unlock()
	switch {
	case late:
		return nil, exec.ErrStale // nobody would hold it against the others
	case again:
		return s.part.tx.Query(ctx, q)
	}
	timed := *q
	timed.Moment = true
	lk := look{shard: s.Target(), asked: sinceStart()}
	rows, err := s.part.tx.Query(ctx, &timed)
	if err != nil {
		return nil, err
	}
	known := false
	if lk.span, known = tablet.MomentOf(rows); known {
		lk.told = sinceStart()
		s.l.mu.Lock()
		s.l.looks[s.part] = &lk
		s.l.mu.Unlock()
	}
	return rows, nil
}
