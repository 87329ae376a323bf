package vitessdo

import (
	"context"
	"database/sql/driver"
	"errors"
	"maps"
	"slices"

	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/sqlparse"
)

// Texts of several statements, where multi_statements allows them.

// several gives the statements of a text that holds more than one, where that is
// allowed, after it failed to parse as one.
func (c *Conn) several(query string, err error) []string {
	var syn *sqlparse.SyntaxError
	if !c.s.cfg.MultiStatements || !errors.As(err, &syn) {
		return nil
	}
	parts, splitErr := c.s.split(query)
	if splitErr != nil || len(parts) < 2 {
		return nil
	}
	return parts
}

// execAll runs several statements, for the result of the last one. With those that
// change the schema, they are one transaction.
func (c *Conn) execAll(ctx context.Context, parts []string, args []driver.NamedValue) (driver.Result, error) {
	if !c.changesAtOnce(parts) {
		return c.execEach(ctx, parts, args, func() error { return nil })
	}
	s := c.s
	first := s.newTransaction(false)
	var res driver.Result
	err := again(ctx, s.lockWait(), func() (err error) {
		uservars := maps.Clone(s.uservars)
		begin := func() error {
			if s.tx != nil {
				return nil
			}
			level, readOnly := s.nextTransaction()
			if err := s.start(ctx, level, readOnly); err != nil {
				return err
			}
			s.tx.age = first.age
			s.tx.expectChanges(s.keyspace)
			return nil
		}
		res, err = c.execEach(ctx, parts, args, begin)
		if err == nil {
			return s.commit(ctx)
		}
		s.rollback()
		s.uservars = uservars
		return err
	})
	return res, c.s.told(mapError(err))
}

// changesAtOnce says whether the statements of a text run in one transaction: a
// migration, of which all is to be done or nothing. A text that begins and ends
// transactions itself is left alone, as is one that changes no schema.
func (c *Conn) changesAtOnce(parts []string) bool {
	s := c.s
	if s.tx != nil || s.noCommit || s.readOnly || s.commitsDDL() {
		return false
	}
	changes := false
	for _, part := range parts {
		st, err := s.parse(part, nil)
		if err != nil {
			continue // it fails when it is run
		}
		switch x := st.Stmt.(type) {
		case *sqlast.Begin, *sqlast.Commit, *sqlast.Rollback, *sqlast.Prepare, *sqlast.Execute:
			return false
		case *sqlast.Set:
			if slices.ContainsFunc(x.Vars, func(v sqlast.SetVar) bool { return equalFold(v.Name, "autocommit") || equalFold(v.Name, "ddl") }) {
				return false
			}
		default:
			changes = changes || changesSchema(st.Stmt)
		}
	}
	return changes
}

// changesSchema says whether a statement is a change of the schema.
func changesSchema(stmt sqlast.Stmt) bool {
	switch stmt.(type) {
	case *sqlast.CreateTable, *sqlast.DropTable, *sqlast.AlterTable, *sqlast.CreateIndex, *sqlast.DropIndex,
		*sqlast.Truncate, *sqlast.RenameTable, *sqlast.CreateView, *sqlast.AlterVSchema:
		return true
	}
	return false
}

// execEach runs the statements one after the other, before each of which it calls
// before.
func (c *Conn) execEach(ctx context.Context, parts []string, args []driver.NamedValue, before func() error) (driver.Result, error) {
	var res driver.Result
	for _, part := range parts {
		own, err := c.takeArgs(part, &args)
		if err == nil {
			err = before()
		}
		if err == nil {
			res, err = c.exec(ctx, part, own)
		}
		if err != nil {
			return nil, mapError(err)
		}
	}
	if len(args) > 0 {
		return nil, newError(CodeParameterCount, "%d arguments more than the statements have parameters", len(args))
	}
	return res, nil
}

// takeArgs cuts a statement's share off the arguments of several.
func (c *Conn) takeArgs(part string, args *[]driver.NamedValue) ([]driver.NamedValue, error) {
	st, err := c.s.parse(part, nil)
	if err != nil {
		return nil, inStatement(err, part)
	}
	if len(*args) < st.Params {
		return nil, wrongCount(st.Params, len(*args))
	}
	own := append([]driver.NamedValue(nil), (*args)[:st.Params]...)
	*args = (*args)[st.Params:]
	for i := range own {
		own[i].Ordinal = i + 1
	}
	return own, nil
}

// queryAll runs several statements; each that gives rows is a result set.
func (c *Conn) queryAll(ctx context.Context, parts []string, args []driver.NamedValue) (driver.Rows, error) {
	out := &rows{s: c.s, src: &literalSource{}}
	out.more = func() (*rows, error) {
		for len(parts) > 0 {
			part := parts[0]
			parts = parts[1:]
			own, err := c.takeArgs(part, &args)
			if err != nil {
				return nil, mapError(err)
			}
			r, err := c.query(ctx, part, own)
			if err != nil {
				return nil, mapError(err)
			}
			if len(r.cols) > 0 {
				return r, nil
			}
			_ = r.Close()
		}
		return nil, nil
	}
	if err := out.NextResultSet(); err != nil && !isEOF(err) {
		return nil, err
	}
	return out, nil
}
