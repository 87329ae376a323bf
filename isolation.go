package vitessdo

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"slices"
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/tablet"
)

// isolation is a transaction's level; docs/transactions.md says what each gives.
type isolation uint8

const (
	// repeatableRead: a shard is seen as it was at the first statement that
	// touched it. Shards that one statement touches first are of one moment.
	repeatableRead isolation = iota
	// readCommitted: each statement sees one moment, of its own.
	readCommitted
	// snapshotLevel: all shards are seen as of one moment, the transaction's
	// beginning.
	snapshotLevel
	// serializable: every shard that is touched is locked, so that no transaction
	// reads what another is to change: order by locks, not by snapshots.
	serializable
)

// isolationNames are MySQL's, and SNAPSHOT. READ-UNCOMMITTED gives as much as
// READ-COMMITTED: SQLite shows nobody what isn't committed.
var isolationNames = map[string]isolation{
	"READ-UNCOMMITTED": readCommitted, "READ-COMMITTED": readCommitted, "REPEATABLE-READ": repeatableRead,
	"SNAPSHOT": snapshotLevel, "SERIALIZABLE": serializable,
}

const validIsolation = "READ-UNCOMMITTED, READ-COMMITTED, REPEATABLE-READ, SNAPSHOT or SERIALIZABLE"

// isolationName brings a level's name into the form that @@transaction_isolation
// has.
func isolationName(v string) (name string, ok bool) {
	name = strings.ToUpper(strings.Trim(v, "'\""))
	name = strings.NewReplacer(" ", "-", "_", "-").Replace(name)
	_, ok = isolationNames[name]
	return name, ok
}

// characteristics are what SET TRANSACTION sets: an isolation level, "" for the
// session's, and whether writes are refused.
type characteristics struct {
	level    string
	readOnly bool
	access   bool // readOnly was set
}

// nextTransaction gives the characteristics of the transaction that begins now.
// SET TRANSACTION without SESSION is about one transaction only.
func (s *session) nextTransaction() (level isolation, readOnly bool) {
	name := s.cfg.TransactionIsolation
	if v, ok := s.sysvars["transaction_isolation"].(string); ok {
		name = v
	}
	readOnly = s.sysvars["transaction_read_only"] == int64(1)
	if next := s.next; next != nil {
		if next.level != "" {
			name = next.level
		}
		if next.access {
			readOnly = next.readOnly
		}
		s.next = nil
	}
	return isolationNames[name], readOnly
}

// levelOf maps the levels of database/sql. Linearizable is what SERIALIZABLE
// gives: locks that are held to the end order transactions as their clients see
// them end.
func levelOf(level driver.IsolationLevel, def isolation) (isolation, error) {
	switch sql.IsolationLevel(level) {
	case sql.LevelDefault:
		return def, nil
	case sql.LevelReadUncommitted, sql.LevelReadCommitted:
		return readCommitted, nil
	case sql.LevelRepeatableRead:
		return repeatableRead, nil
	case sql.LevelSnapshot:
		return snapshotLevel, nil
	case sql.LevelSerializable, sql.LevelLinearizable:
		return serializable, nil
	}
	return 0, newError(CodeUnsupported, "isolation level %s is not supported; there are Read Uncommitted, Read Committed, Repeatable Read, Snapshot, Serializable and Linearizable", sql.IsolationLevel(level))
}

// start opens the session's transaction.
func (s *session) start(ctx context.Context, level isolation, readOnly bool) error {
	t := s.newTransaction(readOnly)
	t.level = level
	s.inherits(ctx, t)
	if t.level == snapshotLevel {
		s.snap = s.newest()
		if err := t.seeAll(ctx); err != nil {
			t.rollback()
			return err
		}
	}
	s.tx = t
	s.guard.watch()
	return nil
}

// seeAll takes the snapshot of all shards.
func (t *transaction) seeAll(ctx context.Context) error {
	var shards []tablet.Tablet
	all := *t.s.cl.tablets.Load()
	for _, list := range all {
		shards = append(shards, list...)
	}
	if err := t.together(ctx, shards); err != nil {
		return err
	}
	t.sealed = true
	return nil
}

// renew readies a transaction for its next statement. In READ COMMITTED, shards
// that are only read are seen anew.
func (t *transaction) renew() {
	if t.level != readCommitted {
		return
	}
	t.parts = slices.DeleteFunc(t.parts, func(p *part) bool {
		if p.writes || p.tx.Wrote() {
			return false
		}
		_ = p.tx.Rollback()
		return true
	})
}

// setIsolation is SET of transaction_isolation: for the session, or, with scope
// "transaction", for its next transaction.
func (s *session) setIsolation(scope string, val any) error {
	text, _ := asText(val)
	name, ok := isolationName(text)
	if !ok {
		return newError(CodeUnsupported, "isolation level %s is not supported; it must be %s", text, validIsolation)
	}
	if scope == "transaction" {
		if err := s.changeNext(); err != nil {
			return err
		}
		s.next.level = name
		return nil
	}
	s.sysvars["transaction_isolation"], s.sysvars["tx_isolation"] = name, name
	return nil
}

// setReadOnly is SET of transaction_read_only.
func (s *session) setReadOnly(scope string, val any) error {
	on := truth(val)
	if scope == "transaction" {
		if err := s.changeNext(); err != nil {
			return err
		}
		s.next.readOnly, s.next.access = on, true
		return nil
	}
	s.sysvars["transaction_read_only"], s.sysvars["tx_read_only"] = boolean(on), boolean(on)
	return nil
}

func (s *session) changeNext() error {
	if s.tx != nil {
		return newError(CodeTxState, "transaction characteristics can't be changed while a transaction is in progress; use SET SESSION TRANSACTION for later ones, or end it first")
	}
	if s.next == nil {
		s.next = &characteristics{}
	}
	return nil
}

// autoBegin readies a statement's transaction: it opens the one that SET
// autocommit=0 asks for, and refuses to write where that was ruled out.
func (s *session) autoBegin(ctx context.Context, writes bool) error {
	switch {
	case s.tx != nil && s.tx.broken != nil:
		return s.tx.brokenError()
	case s.tx != nil:
		s.tx.renew()
		return s.tx.countStatement()
	case s.noCommit:
		level, readOnly := s.nextTransaction()
		if err := s.start(ctx, level, readOnly); err != nil {
			return err
		}
		s.tx.unasked = true
		return s.tx.countStatement()
	case s.next == nil && s.sysvars == nil:
		return nil
	}
	if _, readOnly := s.nextTransaction(); readOnly && writes {
		return readOnlyTx()
	}
	return nil
}

func readOnlyTx() error { return newError(CodeTxReadOnly, "cannot write in a READ ONLY transaction") }

// readsOnly says whether a statement that is no query may not write.
func (s *session) readsOnly() bool {
	if s.tx != nil {
		return s.tx.readOnly
	}
	return s.sysvars["transaction_read_only"] == int64(1)
}

// setCompletion is SET of completion_type: what COMMIT and ROLLBACK do behind them.
func (s *session) setCompletion(val any) error {
	text, _ := asText(val)
	types := []string{"NO_CHAIN", "CHAIN", "RELEASE"}
	for i, name := range types {
		if strings.EqualFold(text, name) || text == strconv.Itoa(i) {
			s.sysvars["completion_type"] = name
			return nil
		}
	}
	return wrongValue("completion_type", val)
}
