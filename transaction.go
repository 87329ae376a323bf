package vitessdo

import (
	"context"
	"errors"
	"math/rand/v2"

	"github.com/vitessdo/vitessdo/exec"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/twopc"
)

// transaction is a session's transaction: a participant on every shard that it
// has touched.
type transaction struct {
	s        *session
	id       uint64 // see tablet.TxOptions, as age
	age      uint64
	readOnly bool
	level    isolation
	sealed   bool // the snapshot of all shards is taken
	// alone: it is a single statement's own, which is run anew if it conflicts.
	alone bool
	// unasked: autocommit=0 has opened it.
	unasked bool
	parts   []*part
	saves   []save // savepoints, oldest first
	// changes are those of the schema; nil: none was tried.
	changes *changes
	// holds are the keyspaces that it has all shards of, for a change of their schema;
	// unchecked are those whose shards leave foreign keys unchecked for it.
	holds, unchecked map[string]bool
	// sequences are those whose tables were written.
	sequences []sequenceName
	// snaps are what its statements were planned with, oldest first.
	snaps []*snapshot
	// broken: an error has rolled everything back; only ROLLBACK is possible.
	broken error
	// statements counts those that were run.
	statements int64
	// again is what it shares with other attempts of RunTx; nil elsewhere.
	again *attempts
}

// part is the transaction on one shard.
type part struct {
	t      tablet.Tablet
	tx     tablet.Tx
	locked bool // asked for the write lock
	writes bool // a statement of it did, or does
	// unchecked: the shard leaves foreign keys unchecked.
	unchecked bool
}

// save is a savepoint, with what had been made of the schema by then.
type save struct {
	name    string
	changes *changes
}

func (s *session) newTransaction(readOnly bool) *transaction {
	return &transaction{s: s, id: s.cl.waiterID(), age: s.cl.at.nextAge(), readOnly: readOnly}
}

// waiterID gives a transaction the name under which its shards see what it waits for; 0
// where no process has all shards.
func (c *cluster) waiterID() uint64 {
	if c.at.scattered() {
		return 0
	}
	return max(1, rand.Uint64())
}

// on gives the transaction's part on a shard, beginning it at first touch.
func (t *transaction) on(ctx context.Context, tab tablet.Tablet, to exec.Access) (tablet.Tx, error) {
	if t.broken != nil {
		return nil, t.brokenError()
	}
	if to != exec.Reading && t.readOnly {
		return nil, readOnlyTx()
	}
	if n := len(t.snaps); n == 0 || t.snaps[n-1] != t.s.snap {
		t.snaps = append(t.snaps, t.s.snap)
	}
	if t.level == serializable {
		to = exec.Locking
	}
	if err := t.lockAhead(ctx); err != nil {
		return nil, err
	}
	if p := t.part(tab); p != nil {
		return p.tx, t.lock(ctx, p, to)
	}
	if t.sealed {
		return nil, newError(CodeTxState, "keyspace %s was created after the transaction's snapshot; begin it anew", tab.Target().Keyspace)
	}
	p := &part{t: tab}
	return t.begin(ctx, p, to, t.options(p))
}

// options are those that any part of the transaction begins with.
func (t *transaction) options(p *part) tablet.TxOptions {
	return tablet.TxOptions{ID: t.id, Age: t.age, Holds: func() bool { return t.holdsBeside(p) }}
}

// begin begins the transaction's part on a shard.
func (t *transaction) begin(ctx context.Context, p *part, to exec.Access, o tablet.TxOptions) (tablet.Tx, error) {
	// The shard can leave keys unchecked only from a transaction's beginning.
	o.NoForeignKeys = !t.readOnly && (t.s.leavesUnchecked() || len(t.unchecked) > 0 && t.unchecked[p.t.Target().Keyspace])
	if o.NoForeignKeys {
		to = exec.Locking
	}
	p.locked, p.writes = to == exec.Locking, to != exec.Reading
	o.ReadOnly, o.Write, o.Late = t.readOnly && !p.writes, p.writes, to == exec.Writing
	tx, err := p.t.Begin(ctx, o)
	if err != nil {
		return nil, t.failed(err)
	}
	p.tx, p.unchecked = tx, o.NoForeignKeys
	t.parts = append(t.parts, p)
	for _, s := range t.saves {
		if err := tx.Savepoint(ctx, s.name); err != nil {
			return nil, err
		}
	}
	return tx, nil
}

// part gives the transaction's part on a shard, nil if it hasn't touched it.
func (t *transaction) part(tab tablet.Tablet) *part {
	for _, p := range t.parts {
		if p.t == tab {
			return p
		}
	}
	return nil
}

// lock takes the write lock of a part that has only read so far. A write takes it
// by itself.
func (t *transaction) lock(ctx context.Context, p *part, to exec.Access) error {
	p.writes = p.writes || to != exec.Reading
	if to != exec.Locking || p.locked {
		return nil
	}
	if err := p.tx.Lock(ctx); err != nil {
		return t.failed(err)
	}
	p.locked = true
	return nil
}

// holdsBeside says whether another shard's write lock is held: only then can
// waiting for p's be part of a deadlock.
func (t *transaction) holdsBeside(p *part) bool {
	for _, o := range t.parts {
		if o != p && (o.writes || o.tx.Wrote()) {
			return true
		}
	}
	return false
}

// failed rolls the whole transaction back when it can't go on: its snapshot is
// no longer the newest, waiting could last for ever (that is what MySQL does on
// error 1213), or a failed statement's part on some shard could not be undone.
func (t *transaction) failed(err error) error {
	var undo *exec.UndoError
	switch code := tablet.CodeOf(err); {
	case code == tablet.CodeConflict, code == tablet.CodeDeadlock, code == tablet.CodeTxExpired, errors.As(err, &undo):
		t.broken = err
		t.remember(err)
		if !t.alone && (&tablet.Error{Code: code}).Retryable() {
			t.s.lostAge = t.age
		}
		t.end()
	}
	return err
}

func (t *transaction) brokenError() error {
	if tablet.CodeOf(t.broken) == CodeTxExpired {
		return mapError(t.broken) // nobody may have heard of it yet
	}
	return errorFrom(CodeTxState, t.broken, "the transaction was rolled back by an earlier error: %v; begin it anew", t.broken)
}

func (t *transaction) txs() []tablet.Tx {
	out := make([]tablet.Tx, len(t.parts))
	for i, p := range t.parts {
		out[i] = p.tx
		if st := t.s.running; st != nil && p.t != t.s.cl.catTab {
			out[i] = &tracedTx{p.tx, st}
		}
	}
	return out
}

func (t *transaction) end() {
	if t.s.cl.apart {
		twopc.RollbackApart(t.txs())
	} else {
		twopc.Rollback(t.txs())
	}
	t.parts = nil
}

func (t *transaction) rollback() { t.end() }

func (t *transaction) commit(ctx context.Context) error {
	if t.broken != nil {
		return t.brokenError()
	}
	defer func() {
		for _, q := range t.sequences {
			t.s.cl.seqs.Forget(q.keyspace, q.name)
		}
	}()
	if t.changed() {
		return t.commitChanges(ctx)
	}
	dtid := ""
	if len(t.parts) > 1 {
		dtid = t.s.cl.nextDTID()
	}
	err := t.s.cl.commit(ctx, t.s.commitMode(), dtid, t.txs())
	t.parts = nil
	return withDTID(err, dtid)
}

// savepoint sets a savepoint on every part, and on those that come later.
func (t *transaction) savepoint(ctx context.Context, name string) error {
	if t.broken != nil {
		return t.brokenError()
	}
	for _, p := range t.parts {
		if err := p.tx.Savepoint(ctx, name); err != nil {
			return err
		}
	}
	t.saves = append(t.saves, save{name, t.changes})
	return nil
}

func noSavepoint(name string) error {
	e := newError(CodeTxState, "SAVEPOINT %s does not exist", name)
	e.Number, e.SQLState = mysqlNoSavepoint, "42000"
	return e
}

func (t *transaction) findSave(name string) (int, error) {
	if t.broken != nil {
		return 0, t.brokenError()
	}
	for i := len(t.saves) - 1; i >= 0; i-- {
		if equalFold(t.saves[i].name, name) {
			return i, nil
		}
	}
	return 0, noSavepoint(name)
}

func (t *transaction) rollbackTo(ctx context.Context, name string) error {
	i, err := t.findSave(name)
	if err != nil {
		return err
	}
	for _, p := range t.parts {
		if err := p.tx.RollbackTo(ctx, t.saves[i].name); err != nil {
			return err
		}
	}
	if t.changes = t.saves[i].changes; t.changes == nil && len(t.unchecked) > 0 {
		t.changes = &changes{}
	}
	t.saves = t.saves[:i+1]
	return nil
}

func (t *transaction) release(ctx context.Context, name string) error {
	i, err := t.findSave(name)
	if err != nil {
		return err
	}
	for _, p := range t.parts {
		if err := p.tx.Release(ctx, t.saves[i].name); err != nil {
			return err
		}
	}
	t.saves = t.saves[:i]
	return nil
}

func (s *session) commitMode() twopc.Mode {
	if s.directed != nil && s.directed.multi {
		return twopc.Multi
	}
	if m, ok := s.sysvars["transaction_mode"].(string); ok {
		return twopc.Mode(m)
	}
	return twopc.Mode(s.cfg.TransactionMode)
}
