package vitessdo

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/vitessdo/vitessdo/exec"
	"github.com/vitessdo/vitessdo/foreign"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/sqlparse"
	"github.com/vitessdo/vitessdo/tablet"
)

// foreignKeys tells who keeps the foreign keys of a snapshot: the gate does where the
// shards of a keyspace are bound.
func foreignKeys(snap *snapshot, bound func(ks string) bool) *foreign.Keys {
	return foreign.Of(snap.schema, snap.vschema, func(ks string) foreign.Shards {
		if m := snap.shards[ks]; m != nil {
			return foreign.Shards{Number: len(m.Names), Bound: bound(ks)}
		}
		return foreign.Shards{}
	})
}

// bound says whether a shard of a keyspace can't leave foreign keys unchecked.
func (m tabletMap) bound(ks string) bool {
	return slices.ContainsFunc(m[ks], func(t tablet.Tablet) bool { return t.Capabilities().BoundKeys })
}

// keptKeys says which foreign keys hold for the session: those of its option
// foreign_keys or, after SET foreign_key_checks=0, none.
func (s *session) keptKeys() string {
	if s.unchecked {
		return "off"
	}
	return s.cfg.ForeignKeys
}

// foreignKeys gives the planner the foreign keys that are to be kept; nil when
// none is.
func (s *session) foreignKeys() *foreign.Keys {
	switch s.keptKeys() {
	case "off":
		return nil
	case "colocated":
		return s.snap.near
	}
	return s.snap.foreign
}

// setChecks is SET foreign_key_checks.
func (s *session) setChecks(on bool) error {
	if on != s.unchecked {
		return nil
	}
	switch {
	case on && s.cfg.ForeignKeys == "off":
		return newError(CodeUnsupported, "foreign_key_checks can't be switched on: the database is open with foreign_keys=off, so that no shard checks them")
	case s.tx != nil && s.tx.checksKeys():
		return newError(CodeUnsupported, "foreign_key_checks can't change inside a transaction that has touched a shard; COMMIT first, or set it before BEGIN")
	}
	s.unchecked = !on
	clear(s.local)
	clear(s.literals)
	return nil
}

// checksKeys says whether a shard has been told to check foreign keys, or not to, for
// this transaction. It isn't where the gate keeps them for a change of the schema.
func (t *transaction) checksKeys() bool {
	return slices.ContainsFunc(t.parts, func(p *part) bool { return !t.unchecked[p.t.Target().Keyspace] })
}

// uncheckedAlone says that a write needs a transaction of its own in which the
// shards leave foreign keys unchecked.
func (s *session) uncheckedAlone() bool {
	return s.tx == nil && s.leavesUnchecked()
}

// execWrite runs a write. Where a session leaves foreign keys unchecked, it runs
// in a transaction, from whose beginning the shards don't check them.
func (s *session) execWrite(ctx context.Context, p *route.Plan, vec []any) (res exec.Result, err error) {
	if !s.uncheckedAlone() {
		return exec.Exec(ctx, s, p, vec)
	}
	err = s.Atomically(ctx, func(exec.Session) error {
		res, err = exec.Exec(ctx, s, p, vec)
		return err
	})
	return res, err
}

// writes runs an INSERT of the gate's own.
func (s *session) writes(ctx context.Context, text string) error {
	st, err := sqlparse.Parse(text, sqlparse.Options{})
	if err != nil {
		return err
	}
	env := s.env()
	env.Internal = true
	plan, err := route.Insert(env, st.Stmt.(*sqlast.Insert), 0, false)
	if err != nil {
		return err
	}
	vec, err := exec.Bind(ctx, s, &plan.Params, nil, nil)
	if err != nil {
		return err
	}
	_, err = exec.Exec(ctx, s, plan, vec)
	return err
}

// finds says whether a query gives a row.
func (s *session) finds(ctx context.Context, text string) (bool, error) {
	st, err := sqlparse.Parse(text, sqlparse.Options{})
	if err != nil {
		return false, err
	}
	plan, err := route.Select(s.env(), st.Stmt.(sqlast.Query), 0, false)
	if err != nil {
		return false, err
	}
	vec, err := exec.Bind(ctx, s, &plan.Params, nil, nil)
	if err != nil {
		return false, err
	}
	rows, err := exec.Query(ctx, s, plan, vec)
	if err != nil {
		return false, err
	}
	err = rows.Next(make([]any, len(plan.Columns)))
	if cerr := rows.Close(); errors.Is(err, io.EOF) || err == nil && cerr != nil {
		return false, cerr
	}
	return err == nil, err
}

// leavesUnchecked says that the shards must be told not to check keys. With
// foreign_keys=off a database's own tablets don't anyway.
func (s *session) leavesUnchecked() bool {
	return s.unchecked && (s.cfg.ForeignKeys != "off" || s.cl.apart)
}
