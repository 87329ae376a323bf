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

// execAll runs several statements, for the result of the last one.
func (c *Conn) execAll(ctx context.Context, parts []string, args []driver.NamedValue) (res driver.Result, err error) {
	s, text := c.s, c.text(parts)
	if !text.whole {
		res, err = c.execEach(ctx, text, parts, args)
		return res, mapError(err)
	}
	err = again(ctx, s.lockWait(), func() (err error) {
		uservars := maps.Clone(s.uservars)
		res, err = c.execEach(ctx, text, parts, args)
		if err = text.end(ctx, err); err != nil {
			s.uservars = uservars
		}
		return err
	})
	return res, s.told(mapError(err))
}

// Text is a text of several statements that are run one by one, on whose connection
// nothing else runs meanwhile. It sees to it that they are one transaction where they
// are for [Conn.ExecContext]: if they change the schema and leave transactions alone.
type Text struct {
	c     *Conn
	whole bool
	age   uint64
}

// Text begins a text of these statements. [Text.Next] is to be called before each of
// them, and [Text.End] behind the last one, or the one that has failed.
func (c *Conn) Text(statements []string) *Text {
	defer c.s.enter()()
	return c.text(statements)
}

func (c *Conn) text(statements []string) *Text {
	t := &Text{c: c, whole: len(statements) > 1 && c.changesAtOnce(statements)}
	if t.whole {
		t.age = c.s.newTransaction(false).age
	}
	return t
}

// Next readies the connection for another statement.
func (t *Text) Next(ctx context.Context) error {
	defer t.c.s.enter()()
	return mapError(t.next(ctx))
}

func (t *Text) next(ctx context.Context) error {
	s := t.c.s
	if !t.whole || s.tx != nil {
		return nil
	}
	level, readOnly := s.nextTransaction()
	if err := s.start(ctx, level, readOnly); err != nil {
		return err
	}
	s.tx.age = t.age
	s.tx.expectChanges(s.keyspace)
	return nil
}

// End ends the text: with nil it commits what is one transaction, with a statement's
// error it undoes it. It gives that error, or the commit's.
func (t *Text) End(ctx context.Context, err error) error {
	defer t.c.s.enter()()
	return t.c.s.told(mapError(t.end(ctx, err)))
}

func (t *Text) end(ctx context.Context, err error) error {
	switch {
	case !t.whole || t.c.s.tx == nil:
	case err == nil:
		return t.c.s.commit(ctx)
	default:
		t.c.s.rollback()
	}
	return err
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

func (c *Conn) execEach(ctx context.Context, text *Text, parts []string, args []driver.NamedValue) (driver.Result, error) {
	var res driver.Result
	for _, part := range parts {
		own, err := c.takeArgs(part, &args)
		if err == nil {
			err = text.next(ctx)
		}
		if err == nil {
			res, err = c.exec(ctx, part, own)
		}
		if err != nil {
			return nil, err
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
