package exec

import (
	"context"
	"io"
	"sync"

	"github.com/vitessdo/vitessdo/tablet"
)

// source is a stream of rows inside the gate. next gives a row that is valid
// until the following call, or io.EOF; its errors are sticky. close may be
// called more than once and waits for what the source has started.
type source interface {
	next() ([]any, error)
	close() error
}

// rowReader reads a run's rows, the shard's ordinal behind them when the
// fragment is tagged.
type rowReader struct {
	rows tablet.Rows
	own  int // columns of the statement itself
	row  []any
}

func (r *rowReader) open(ctx context.Context, run *run) error {
	rows, err := run.runner.Query(ctx, &run.q)
	if err != nil {
		return err
	}
	r.rows = rows
	r.own = len(rows.Columns())
	n := r.own
	if run.frag.Tag {
		n++
	}
	r.row = make([]any, n)
	if run.frag.Tag {
		r.row[r.own] = int64(run.shard)
	}
	return nil
}

// direct is the source of a single run: the tablet's stream on the caller's
// goroutine.
type direct struct {
	rowReader
	err error
}

func openDirect(ctx context.Context, r *run) (source, error) {
	d := &direct{}
	if err := d.open(ctx, r); err != nil {
		return nil, err
	}
	return d, nil
}

func (d *direct) next() ([]any, error) {
	if d.err != nil {
		return nil, d.err
	}
	if d.err = d.rows.Next(d.row[:d.own]); d.err != nil {
		return nil, d.err
	}
	return d.row, nil
}

func (d *direct) close() error {
	if d.err == nil {
		d.err = io.EOF
	}
	return d.rows.Close()
}

// The bounds of a batch. The first batches of a stream are small, so that the
// first rows come soon and short streams cost little.
const (
	firstBatch = 16
	maxBatch   = 256
	batchBytes = 64 << 10
	batches    = 3 // per producer: one being read and two ahead
)

// batch is a run of rows on its way from a producer to the consumer.
type batch struct {
	from  *producer
	run   *run
	width int
	vals  []any
	blobs []byte // backs the rows' blobs
	bytes int
	last  bool // nothing follows from this producer
}

func (b *batch) reset() {
	b.vals, b.blobs, b.bytes, b.last = b.vals[:0], b.blobs[:0], 0, false
}

func (b *batch) rows() int {
	if b.width == 0 {
		return 0
	}
	return len(b.vals) / b.width
}

func (b *batch) row(i int) []any { return b.vals[i*b.width : (i+1)*b.width : (i+1)*b.width] }

// add copies a row in.
func (b *batch) add(row []any) {
	for _, v := range row {
		switch x := v.(type) {
		case []byte:
			v = b.blob(x)
			b.bytes += len(x)
		case string:
			b.bytes += len(x)
		}
		b.vals = append(b.vals, v)
	}
	b.bytes += 16 * len(row)
}

// blob copies x behind the others. When there is no room, a new array is
// begun; what lies in the old one stays valid.
func (b *batch) blob(x []byte) []byte {
	if len(x) == 0 {
		return []byte{} // a slice of no array would be NULL
	}
	if cap(b.blobs)-len(b.blobs) < len(x) {
		b.blobs = make([]byte, 0, max(2*cap(b.blobs), len(x), 1024))
	}
	n := len(b.blobs)
	b.blobs = append(b.blobs, x...)
	return b.blobs[n:len(b.blobs):len(b.blobs)]
}

// scatter owns the producers of a statement. Its methods are the consumer's.
type scatter struct {
	ctx    context.Context // the producers'
	cancel context.CancelFunc
	wg     sync.WaitGroup
	begun  sync.WaitGroup // producers whose first statement hasn't begun yet
	mu     sync.Mutex
	first  error // the first error of any producer, or why the consumer stopped
}

// producer runs the runs of one group, one after the other, and sends their
// rows. It never blocks in sending, as its batches are counted.
type producer struct {
	sc   *scatter
	runs []*run
	out  chan *batch
	free chan *batch
	made int
}

func newScatter(ctx context.Context) *scatter {
	sc := &scatter{}
	sc.ctx, sc.cancel = context.WithCancel(ctx)
	return sc
}

// fail keeps the first error and stops all producers.
func (sc *scatter) fail(err error) {
	sc.mu.Lock()
	if sc.first == nil {
		sc.first = err
	}
	sc.mu.Unlock()
	sc.cancel()
}

func (sc *scatter) err() error {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	if sc.first == nil && sc.ctx.Err() != nil {
		sc.first = canceled(sc.ctx)
	}
	return sc.first
}

// stop ends all producers and waits for them.
func (sc *scatter) stop() {
	sc.fail(io.EOF)
	sc.wg.Wait()
}

// start begins a producer; out must have room for all batches of all producers
// that share it.
func (sc *scatter) start(runs []*run, out chan *batch) *producer {
	p := &producer{sc: sc, runs: runs, out: out, free: make(chan *batch, batches)}
	sc.wg.Add(1)
	sc.begun.Add(1)
	go p.work()
	return p
}

func (p *producer) work() {
	defer p.sc.wg.Done()
	for i, r := range p.runs {
		if err := p.produce(r, i == len(p.runs)-1); err != nil {
			p.sc.fail(err)
			return
		}
	}
}

// get gives an empty batch, waiting until the consumer hands one back when all
// are under way.
func (p *producer) get(r *run, width int) (*batch, error) {
	var b *batch
	select {
	case b = <-p.free:
	default:
		if p.made < batches {
			p.made++
			b = &batch{from: p}
			break
		}
		select {
		case b = <-p.free:
		case <-p.sc.ctx.Done():
			return nil, canceled(p.sc.ctx)
		}
	}
	b.reset()
	b.run, b.width = r, width
	return b, nil
}

func (p *producer) produce(r *run, last bool) (err error) {
	var in rowReader
	err = in.open(p.sc.ctx, r)
	if err != nil {
		p.sc.fail(err)
	}
	if r == p.runs[0] {
		p.sc.begun.Done()
	}
	if err != nil {
		return err
	}
	defer func() {
		if cerr := in.rows.Close(); err == nil {
			err = cerr
		}
	}()
	limit := firstBatch
	for {
		b, err := p.get(r, len(in.row))
		if err != nil {
			return err
		}
		end, err := b.fill(&in, limit)
		if err != nil {
			return err
		}
		b.last = end && last
		if b.last || len(b.vals) > 0 {
			p.out <- b
		} else {
			p.free <- b
		}
		if end {
			return nil
		}
		limit = min(2*limit, maxBatch)
	}
}

func (b *batch) fill(in *rowReader, limit int) (end bool, err error) {
	for n := 0; n < limit && b.bytes < batchBytes; n++ {
		err := in.rows.Next(in.row[:in.own])
		if err == io.EOF {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		b.add(in.row)
	}
	return false, nil
}

// receive takes the next batch from out, or says why there is none.
func (sc *scatter) receive(out <-chan *batch) (*batch, error) {
	select {
	case b := <-out:
		return b, nil
	default:
	}
	select {
	case b := <-out:
		return b, nil
	case <-sc.ctx.Done():
		return nil, sc.err()
	}
}

// concat reads all producers' batches as they come.
type concat struct {
	sc    *scatter
	out   chan *batch
	live  int // producers that have more to send
	cur   *batch
	pos   int
	err   error
	begun bool // every shard's statement
}

// openConcat starts a producer per group of runs.
func openConcat(ctx context.Context, groups [][]*run) *concat {
	c := &concat{sc: newScatter(ctx), live: len(groups), out: make(chan *batch, batches*len(groups))}
	for _, g := range groups {
		c.sc.start(g, c.out)
	}
	return c
}

// eachBatch hands the batches of all groups to f as they come. A batch is f's until it
// returns.
func eachBatch(ctx context.Context, groups [][]*run, f func(*batch) error) error {
	in := openConcat(ctx, groups)
	defer in.close()
	for {
		b, err := in.nextBatch()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = f(b)
		}
		if err != nil {
			return err
		}
	}
}

// nextBatch gives the next batch, taking the one before back.
func (c *concat) nextBatch() (*batch, error) {
	if c.err != nil {
		return nil, c.err
	}
	if c.cur != nil {
		if c.cur.last {
			c.live--
		} else {
			c.cur.from.free <- c.cur
		}
		c.cur = nil
	}
	if c.live == 0 {
		c.err = io.EOF
		return nil, c.err
	}
	if !c.begun {
		// A shard that can't run its statement, as after a change of the schema,
		// is found out before any row is given out.
		c.sc.begun.Wait()
		c.begun = true
		if c.sc.ctx.Err() != nil {
			c.err = c.sc.err()
			return nil, c.err
		}
	}
	c.cur, c.err = c.sc.receive(c.out)
	return c.cur, c.err
}

func (c *concat) next() ([]any, error) {
	for c.cur == nil || c.pos >= c.cur.rows() {
		if _, err := c.nextBatch(); err != nil {
			return nil, err
		}
		c.pos = 0
	}
	c.pos++
	return c.cur.row(c.pos - 1), nil
}

func (c *concat) close() error {
	if c.err == nil {
		c.err = io.EOF
	}
	c.sc.stop()
	return nil
}

// groups says which runs may work side by side: all of them, except that those
// in one transaction on one shard take turns.
func groups(runs []run, inTx bool) [][]*run {
	out := make([][]*run, 0, len(runs))
	if !inTx {
		for i := range runs {
			out = append(out, []*run{&runs[i]})
		}
		return out
	}
	at := map[Place]int{}
	for i := range runs {
		r := &runs[i]
		k := Place{r.frag.Keyspace, r.shard}
		j, ok := at[k]
		if !ok {
			j = len(out)
			at[k] = j
			out = append(out, nil)
		}
		out[j] = append(out[j], r)
	}
	return out
}
