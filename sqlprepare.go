package vitessdo

import (
	"context"
	"database/sql/driver"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

const (
	mysqlUnknownStatement = 1243
	mysqlNotPreparable    = 1295
)

// prepareText keeps the text of PREPARE under its name. Whether it can be run
// shows now, as in MySQL.
func (s *session) prepareText(st *sqlast.Prepare) error {
	text := st.Text
	if st.Var != "" {
		var ok bool
		if text, ok = asText(s.uservars[strings.ToLower(st.Var)]); !ok {
			return newError(CodeSyntax, "user variable @%s, which PREPARE %s is to read its statement from, is NULL", st.Var, st.Name)
		}
	}
	name := strings.ToLower(st.Name)
	delete(s.prepared, name)
	p, _, err := s.prepare(text, false)
	if err != nil {
		return err
	}
	if p.parsed != nil {
		switch p.parsed.Stmt.(type) {
		case *sqlast.Prepare, *sqlast.Execute, *sqlast.Deallocate:
			e := newError(CodeUnsupported, "%s can't be prepared", statementName(p.parsed))
			e.Number, e.SQLState = mysqlNotPreparable, "HY000"
			return e
		}
	}
	if s.prepared == nil {
		s.prepared = map[string]string{}
	}
	s.prepared[name] = text
	return nil
}

// preparedText finds the statement of EXECUTE and DEALLOCATE.
func (s *session) preparedText(name, verb string) (string, error) {
	text, ok := s.prepared[strings.ToLower(name)]
	if !ok {
		e := newError(CodePlan, "unknown prepared statement handler (%s) given to %s", name, verb)
		e.Number, e.SQLState = mysqlUnknownStatement, "HY000"
		return "", e
	}
	return text, nil
}

func (s *session) deallocate(st *sqlast.Deallocate) error {
	_, err := s.preparedText(st.Name, "DEALLOCATE PREPARE")
	delete(s.prepared, strings.ToLower(st.Name))
	return err
}

// executed gives what EXECUTE runs: the prepared statement, and its arguments,
// which are user variables.
func (s *session) executed(st *sqlast.Execute) (*prepared, []driver.NamedValue, error) {
	text, err := s.preparedText(st.Name, "EXECUTE")
	if err != nil {
		return nil, nil, err
	}
	p, _, err := s.prepare(text, false)
	if err != nil {
		return nil, nil, err
	}
	if p.params != len(st.Vars) {
		return nil, nil, newError(CodeParameterCount, "incorrect arguments to EXECUTE: the statement %s has %d parameters, USING names %d variables", st.Name, p.params, len(st.Vars))
	}
	args := make([]driver.NamedValue, len(st.Vars))
	for i, v := range st.Vars {
		args[i] = driver.NamedValue{Ordinal: i + 1, Value: s.uservars[strings.ToLower(v)]}
	}
	p, err = s.planFor(p, text, args)
	return p, args, err
}

func (s *session) execute(ctx context.Context, st *sqlast.Execute) (driver.Result, error) {
	p, args, err := s.executed(st)
	if err != nil {
		return nil, err
	}
	return s.execPrepared(ctx, p, args, nil)
}

func (s *session) executeRows(ctx context.Context, st *sqlast.Execute) (*rows, error) {
	p, args, err := s.executed(st)
	if err != nil {
		return nil, err
	}
	return s.runQuery(ctx, p, args, nil)
}

// noKill says how statements are ended here.
func noKill() error {
	return newError(CodeUnsupported, "KILL is not supported: cancel the context of the statement, or close the connection, that is to end")
}
