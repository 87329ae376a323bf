package vitessdo

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/vitessdo/vitessdo/exec"
	"github.com/vitessdo/vitessdo/tablet"
)

// moment is a view that is found and not made: each shard's answer says in which span
// of time the shard was so, and all spans must have a moment in common. So a statement
// over shards elsewhere is answered by as many rounds of messages as its own queries
// need. Where that can't be told of the answers, each shard is asked once more whether
// it still is as it was: then that is the moment.
type moment struct {
	s *session

	mu    sync.Mutex
	read  []tablet.Tablet // for each query, the shard
	looks []look
	met   bool
}

var _ exec.Moment = (*moment)(nil)

// Moment implements exec.Session.
func (s *session) Moment() exec.Moment {
	if !s.cl.apart || s.cl.eachTablet(tells) != nil {
		return nil
	}
	if s.tx != nil {
		return s.tx.firstLook()
	}
	return &moment{s: s}
}

var errNoMoments = errors.New("the tablet tells no moments")

// tells is an error for tablets whose answers don't say when the shard was so.
func tells(t tablet.Tablet) error {
	if !t.Capabilities().Moments {
		return errNoMoments
	}
	return nil
}

// Add implements exec.View.
func (m *moment) Add(context.Context, []exec.Place) error { return nil }

// Tablet implements exec.View.
func (m *moment) Tablet(at exec.Place) tablet.Tablet {
	t := m.s.tabletAt(at.Keyspace, at.Shard)
	if t == nil {
		return nil
	}
	t = &timedTablet{t, m}
	if m.s.running != nil {
		return &tracedTablet{t, m.s.running}
	}
	return t
}

// Close implements exec.View.
func (m *moment) Close() {}

// Met implements exec.Moment.
func (m *moment) Met(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !meet(m.looks) {
		if err := m.lookAgain(ctx); err != nil {
			return exec.Stale(err)
		}
		if !meet(m.looks) {
			return exec.ErrStale
		}
	}
	m.met = true
	return nil
}

// lookAgain asks each shard since when it is as it is.
func (m *moment) lookAgain(ctx context.Context) error {
	var shards []tablet.Tablet
	for i, t := range m.read {
		if !slices.ContainsFunc(m.read[:i], func(o tablet.Tablet) bool { return o.Target() == t.Target() }) {
			shards = append(shards, t)
		}
	}
	again, err := inParallel(len(shards), func(i int) (look, error) {
		l, rows, err := lookAt(ctx, shards[i], &tablet.Query{SQL: "SELECT 1", Moment: true})
		if err != nil {
			return look{}, err
		}
		l.again = true
		return l, rows.Close()
	})
	m.looks = append(m.looks, again...)
	return err
}

// timedTablet is a shard whose answers are held against those of others.
type timedTablet struct {
	tablet.Tablet
	m *moment
}

// Query implements tablet.Runner.
func (t *timedTablet) Query(ctx context.Context, q *tablet.Query) (tablet.Rows, error) {
	timed := *q
	timed.Moment = true
	l, rows, err := lookAt(ctx, t.Tablet, &timed)
	if err != nil {
		return nil, err
	}
	t.m.mu.Lock()
	defer t.m.mu.Unlock()
	if t.m.met {
		_ = rows.Close()
		return nil, exec.ErrStale // nobody would hold it against the others
	}
	t.m.read, t.m.looks = append(t.m.read, t.Tablet), append(t.m.looks, l)
	return rows, nil
}

// look is what is known of a shard by one answer.
type look struct {
	shard tablet.Target
	span  tablet.Moment
	// asked and told are when it was asked for and had, by the clock of this process.
	asked, told int64
	again       bool // nothing was read but the span
}

var start = time.Now()

func sinceStart() int64 { return int64(time.Since(start)) }

// lookAt runs a query that is to tell its moment.
func lookAt(ctx context.Context, t tablet.Tablet, q *tablet.Query) (look, tablet.Rows, error) {
	l := look{shard: t.Target(), asked: sinceStart()}
	rows, err := t.Query(ctx, q)
	if err != nil {
		return l, nil, err
	}
	known := false
	if l.span, known = tablet.MomentOf(rows); !known {
		_ = rows.Close()
		return l, nil, exec.ErrStale
	}
	l.told = sinceStart()
	return l, rows, nil
}

// process is what looks at several shards have in common by the clock of their
// process, and what is known of that clock.
type process struct {
	clock        string
	since, until int64
	// behind and ahead bound what must be added to the clock's time for that of the
	// clock here: it has shown a look's Until between the question and the answer.
	behind, ahead int64
}

// meet says whether there was a moment at which every shard was as the looks show it.
//
// The spans of one process compare as they are. Those of several do by the clock here,
// as far as one knows the others': where no shard has changed for as long as messages
// take, that is enough. Clocks need not agree for that, nor stay the same, but must run
// about as fast while the statement does.
func meet(looks []look) bool {
	if len(looks) < 2 {
		return true
	}
	var shards []look // each shard's state, as long as it is known to have lasted
	var all []process
	first, last := looks[0].asked, looks[0].told
	for _, l := range looks {
		first, last = min(first, l.asked), max(last, l.told)
		if !stays(&shards, l) {
			return false
		}
		p := processOf(&all, l.span.Clock)
		p.behind, p.ahead = max(p.behind, l.asked-l.span.Until), min(p.ahead, l.told-l.span.Until)
	}
	for _, l := range shards {
		p := processOf(&all, l.span.Clock)
		p.since, p.until = max(p.since, l.span.Since), min(p.until, l.span.Until)
	}
	for _, p := range all {
		if p.since > p.until || p.behind > p.ahead {
			return false
		}
	}
	if len(all) == 1 {
		return true
	}
	from := slices.MaxFunc(all, func(a, b process) int { return cmp.Compare(a.since+a.ahead, b.since+b.ahead) })
	to := slices.MinFunc(all, func(a, b process) int { return cmp.Compare(a.until+a.behind, b.until+b.behind) })
	return from.since+from.ahead+(last-first)/clockError <= to.until+to.behind
}

// clockError is how much of a time clocks may differ by, the reciprocal: those that are
// being set right run faster or slower by one in 2000 at the most.
const clockError = 1000

// stays adds a look to what is known of its shard. It says whether what was read of
// that was one state.
func stays(shards *[]look, l look) bool {
	i := slices.IndexFunc(*shards, func(o look) bool { return o.shard == l.shard })
	switch {
	case i < 0:
		*shards = append(*shards, l)
	case (*shards)[i].span.Clock == l.span.Clock && (*shards)[i].span.Since == l.span.Since:
		s := &(*shards)[i].span
		s.Until = max(s.Until, l.span.Until)
	default:
		return l.again
	}
	return true
}

func processOf(all *[]process, clock string) *process {
	i := slices.IndexFunc(*all, func(p process) bool { return p.clock == clock })
	if i < 0 {
		i = len(*all)
		*all = append(*all, process{clock: clock, since: minTime, until: maxTime, behind: minTime, ahead: maxTime})
	}
	return &(*all)[i]
}

// Times that are before and after all others, and can be added to them.
const minTime, maxTime = -1 << 61, 1 << 61
