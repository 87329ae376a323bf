package vitessdo

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/sqlparse"
)

// Dialect is a language that clients may write statements in, besides MySQL's: a
// front end that makes the same trees. Its functions must be safe for concurrent use.
// SET vitess_dialect = 'mysql' leads back, where the dialect can say it.
type Dialect struct {
	// Parse reads exactly one statement. Its errors are *[sqlast.SyntaxError]. With
	// neither a statement nor an error the text is none of the dialect's, and read as
	// MySQL's: SHOW VSCHEMA, VEXPLAIN and the like.
	Parse func(text string) (*sqlast.Statement, error)
	// Split cuts a script at its top-level semicolons and drops empty statements.
	Split func(text string) ([]string, error)
	// Lists, when not nil, are the arguments that are lists.
	Lists *Lists
	// Booleans: what is true or false comes back as a Go bool, not as 1 or 0.
	Booleans bool
	// TypeName, when not nil, names a result column's type, for
	// sql.ColumnType.DatabaseTypeName.
	TypeName func(t *sqlast.Type) string
	// SQLState, when not nil, gives the SQL state of an error in place of MySQL's, or "".
	SQLState func(e *Error) string

	name string
}

// Lists let a dialect's statements take lists as arguments, as x = ANY ($1) does.
type Lists struct {
	// Parse is Dialect.Parse for lists of so many members, one for each of the
	// statement's Lists; -1 is NULL in the place of a list.
	Parse func(text string, lengths []int) (*sqlast.Statement, error)
	// Members reads a list that is written as text.
	Members func(text string) ([]any, error)
}

// dialects are those that are registered, by name.
var dialects = struct {
	sync.RWMutex
	byName map[string]*Dialect
}{byName: map[string]*Dialect{}}

// dialectImports are the packages by which programs get the dialects of this project.
var dialectImports = map[string]string{
	"postgres": "github.com/vitessdo/vitessdo/front/postgres",
	"sqlite":   "github.com/vitessdo/vitessdo/front/sqlite",
}

// RegisterDialect makes a dialect known, for dialect=name in data source names. Front
// ends call it when they are imported. It panics if the name is taken or is "mysql",
// which needs no front end.
func RegisterDialect(name string, d Dialect) {
	if name == "" || name == mysqlDialect || d.Parse == nil || d.Split == nil {
		panic("vitessdo: RegisterDialect: " + name + " can't be registered")
	}
	dialects.Lock()
	defer dialects.Unlock()
	if dialects.byName[name] != nil {
		panic("vitessdo: RegisterDialect: " + name + " is registered twice")
	}
	d.name = name
	dialects.byName[name] = &d
}

// mysqlDialect is the dialect that the driver itself reads.
const mysqlDialect = "mysql"

// findDialect gives a dialect by its name; nil for MySQL's.
func findDialect(name string) (*Dialect, error) {
	if name == "" || name == mysqlDialect {
		return nil, nil
	}
	dialects.RLock()
	defer dialects.RUnlock()
	if d := dialects.byName[name]; d != nil {
		return d, nil
	}
	known := strings.Join(slices.Sorted(slices.Values(append(slices.Collect(maps.Keys(dialects.byName)), mysqlDialect))), ", ")
	if path := dialectImports[name]; path != "" {
		return nil, fmt.Errorf("the dialect %q is not part of this program, which knows %s: import _ %q in a program of your own; of the commands, vitessdo-gate serves it",
			name, known, path)
	}
	return nil, fmt.Errorf("there is no dialect %q in this program, which knows %s", name, known)
}

// SetDialect has the connection's statements read in another dialect, as SET
// vitess_dialect does: until the next one, or until the connection is used anew. Its
// error names the dialects that the program knows.
func (c *Conn) SetDialect(name string) error {
	defer c.s.enter()()
	if c.s.sysvars == nil {
		c.s.sysvars = map[string]any{} // there is something to reset
	}
	return c.s.setDialect(name)
}

// setDialect is SET vitess_dialect.
func (s *session) setDialect(name any) error {
	text, _ := name.(string)
	if text == "" {
		return wrongValue("vitess_dialect", name)
	}
	d, err := findDialect(strings.ToLower(text))
	if err != nil {
		e := wrapError(CodePlan, err, "variable 'vitess_dialect' can't be set")
		e.Number, e.SQLState = mysqlWrongValue, "42000"
		return e
	}
	s.speak(d)
	return nil
}

// speak has statements read in a dialect, and gives the way back to the one before.
func (s *session) speak(d *Dialect) (back func()) {
	before := s.dialect
	if d == before {
		return func() {}
	}
	s.dialect = d
	s.forgetPlans() // they are found by text alone
	return func() { s.speak(before) }
}

// parse reads a statement in the session's dialect; lits are those of a text that
// sqlparse.Normalize made.
func (s *session) parse(text string, lits []any) (*sqlast.Statement, error) {
	if s.dialect == nil {
		return sqlparse.ParseNormalized(text, s.modes, lits)
	}
	st, err := s.dialect.Parse(text)
	if st == nil && err == nil {
		return sqlparse.Parse(text, sqlparse.Options{AnsiQuotes: true})
	}
	if err == nil {
		err = s.complete(st)
	}
	return st, err
}

// complete gives a definition the MySQL texts that the catalog keeps.
func (s *session) complete(st *sqlast.Statement) error {
	var q sqlast.Query
	switch x := st.Stmt.(type) {
	case *sqlast.CreateView:
		q = x.Query
	case *sqlast.CreateTable:
		q = x.Query
	}
	if q != nil {
		if err := s.decided(q); err != nil {
			return err
		}
	}
	return dialect.Complete(st.Stmt)
}

// decided decides what in a query hangs on types, which the binder tells of a copy.
func (s *session) decided(q sqlast.Query) error {
	types := map[*sqlast.Late][]sqlast.Type{}
	late := false
	sqlast.WalkQuery(q, func(e sqlast.Expr) bool {
		l, ok := e.(*sqlast.Late)
		if !ok {
			return true
		}
		late = true
		decide := l.Decide
		l.Decide = func(args []sqlast.Expr) (sqlast.Expr, error) {
			for _, a := range args {
				types[l] = append(types[l], *a.Type())
			}
			return decide(args)
		}
		return true
	})
	if !late {
		return nil
	}
	if _, err := route.Select(s.env(), sqlast.CloneQuery(q), 0, false); err != nil {
		return err
	}
	var failed error
	sqlast.RewriteQuery(q, func(e sqlast.Expr) sqlast.Expr {
		l, ok := e.(*sqlast.Late)
		if !ok || failed != nil {
			return e
		}
		for i, a := range l.Args {
			if i < len(types[l]) {
				*a.Type() = types[l][i]
			}
		}
		x, err := l.Decide(l.Args)
		if err != nil {
			failed = err
			return e
		}
		return x
	})
	return failed
}

// split cuts a script in the session's dialect.
func (s *session) split(text string) ([]string, error) {
	if s.dialect == nil {
		return sqlparse.Split(text, s.modes)
	}
	return s.dialect.Split(text)
}

// dialectName is what plans of the session's texts hang on.
func (s *session) dialectName() string {
	if s.dialect == nil {
		return mysqlDialect
	}
	return s.dialect.name
}

// told gives an error the SQL state of the session's dialect.
func (s *session) told(err error) error {
	if s.dialect == nil || s.dialect.SQLState == nil || err == nil {
		return err
	}
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	if state := s.dialect.SQLState(e); state != "" {
		e.SQLState = state
	}
	return err
}
