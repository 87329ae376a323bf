package vitessdo

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"syscall"

	"github.com/vitessdo/vitessdo/ddl"
	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/exec"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/sqlparse"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/topo"
	"github.com/vitessdo/vitessdo/vindex"
	"github.com/vitessdo/vitessdo/vschema"
)

// mapError makes every failure an *Error, but for those that database/sql must
// see as they are.
func mapError(err error) error {
	var own *Error
	var t *tablet.Error
	switch {
	case err == nil, err == io.EOF, errors.As(err, &own):
		return err
	case tablet.CodeOf(err) == CodeUnknownResult:
		// Also over a broken connection: database/sql would run it again.
		return fromTablet(err)
	case errors.Is(err, driver.ErrBadConn):
		return err
	case errors.As(err, &t):
		return fromTablet(err)
	}
	if e := fromPackages(err); e != nil {
		return e
	}
	var file *fs.PathError
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return errorFrom(CodeFull, err, "%v", err)
	case errors.As(err, &file):
		return errorFrom(CodeIO, err, "%v", err)
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return errorFrom(CodeCanceled, err, "the statement was interrupted: %v", err)
	}
	return errorFrom(CodeInternal, err, "%v", err)
}

// fromPackages maps the typed errors of the packages below; nil for others.
func fromPackages(err error) error {
	var (
		syn   *sqlparse.SyntaxError
		plan  *route.Error
		def   *ddl.Error
		limit *exec.LimitError
		uns   *dialect.UnsupportedError
		vs    *vschema.Error
		val   *vindex.ValueError
		dir   *topo.DirError
	)
	switch {
	case errors.As(err, &syn):
		return fromSyntax(syn)
	case errors.As(err, &plan):
		return fromPlan(plan)
	case errors.As(err, &def):
		e := errorFrom(CodePlan, err, "%s", def.Message)
		if c, ok := codeOfNumber[def.Number]; ok {
			e = errorFrom(c, err, "%s", def.Message)
		} else if def.Number == mysqlErrors[CodeVSchema].number {
			e = errorFrom(CodeVSchema, err, "%s", def.Message)
		}
		e.Number = def.Number
		return e
	case errors.As(err, &limit):
		return errorFrom(CodeLimit, err, "%v", err)
	case errors.As(err, &uns):
		e := errorFrom(CodeUnsupported, err, "%v", err)
		e.Position = uns.Pos
		return e
	case errors.As(err, &vs):
		return errorFrom(CodeVSchema, err, "%v", err)
	case errors.As(err, &val):
		return errorFrom(CodeDataType, err, "%v", err)
	case errors.As(err, &dir):
		return errorFrom(CodeTopology, err, "%v", err)
	}
	return nil
}

func fromSyntax(syn *sqlparse.SyntaxError) error {
	code := CodeSyntax
	if syn.Unsupported != "" {
		code = CodeUnsupported
	}
	e := errorFrom(code, syn, "%s", syntaxMessage(syn))
	e.Position, e.Line, e.Column = syn.Offset, syn.Line, syn.Column
	return e
}

// syntaxMessage is the error's text without the position, which an *Error tells
// by itself.
func syntaxMessage(syn *sqlparse.SyntaxError) string {
	msg := "syntax error"
	switch {
	case syn.Unsupported != "" && syn.Message != "":
		msg = "unsupported: " + syn.Unsupported + " (" + syn.Message + ")"
	case syn.Unsupported != "":
		msg = "unsupported: " + syn.Unsupported
	case syn.Message != "":
		msg = "syntax error: " + syn.Message
	}
	switch {
	case syn.Near != "":
		msg += " near " + strconv.Quote(syn.Near)
	case syn.Unsupported == "":
		msg += " at the end of the statement"
	}
	return msg
}

var codeOfPlan = map[route.Code]struct {
	code   Code
	number uint16
}{
	route.CodeUnknownTable:       {CodeNoTable, 1146},
	route.CodeUnknownColumn:      {CodeNoColumn, 1054},
	route.CodeAmbiguous:          {CodeAmbiguousColumn, 1052},
	route.CodeUnsupported:        {CodeUnsupported, 1235},
	route.CodeNotInVSchema:       {CodeVSchema, 1146},
	route.CodeColumnCount:        {CodeColumnCount, 1136},
	route.CodeUnknownKeyspace:    {CodeUnknownDatabase, 1049},
	route.CodeBadValue:           {CodePlan, 1210},
	route.CodeGenerated:          {CodePlan, 3105},
	route.CodeDuplicateAlias:     {CodePlan, 1066},
	route.CodeNoDefault:          {CodeNotNull, 1364},
	route.CodeNotNull:            {CodeNotNull, 1048},
	route.CodeNotUpdatable:       {CodeUnsupported, 1288},
	route.CodeNotUpdatableColumn: {CodeUnsupported, 1348},
	route.CodeNotInsertable:      {CodeUnsupported, 1471},
	route.CodeOperandColumns:     {CodeColumnCount, 1241},
	route.CodeNoKeyspace:         {CodeNoDatabase, 1046},
	route.CodeBadGroup:           {CodePlan, 1111},
	route.CodeReadOnlyTable:      {CodePlan, 1044},
	route.CodeDuplicate:          {CodeUnique, 1062},
	route.CodeNoParent:           {CodeForeignKey, 1452},
	route.CodeHasChildren:        {CodeForeignKey, mysqlRowIsReferenced},
}

// codeOfNumber is the code of the errors that ddl numbers itself.
var codeOfNumber = map[uint16]Code{
	1049: CodeUnknownDatabase, 1050: CodeTableExists, 1051: CodeNoTable, 1146: CodeNoTable,
	1054: CodeNoColumn, 1072: CodeNoColumn, 1235: CodeUnsupported,
}

// stateOfNumber has the SQL states of numbers that aren't their code's own.
var stateOfNumber = map[uint16]string{1364: "HY000", 1288: "HY000", 1348: "HY000", 1471: "HY000", 1066: "42000", 1146: "42S02", 1044: "42000", 1241: "21000"}

func fromPlan(p *route.Error) error {
	c := codeOfPlan[p.Code]
	// Programs look for the words that MySQL uses, capital letter included.
	e := errorFrom(c.code, p, "%s", strings.Replace(p.Message, "unknown column ", "Unknown column ", 1))
	e.Number, e.Position, e.Table = c.number, p.Pos, p.Table
	e.Constraint, e.Columns = p.Key, p.Columns
	if state, ok := stateOfNumber[c.number]; ok {
		e.SQLState = state
	}
	return e
}

// inStatement maps an error of parsing or planning, and gives it the statement.
func inStatement(err error, text string) error {
	if err == nil {
		return nil
	}
	var syn *sqlparse.SyntaxError
	if errors.As(err, &syn) {
		return &statementError{err: err, text: text}
	}
	err = mapError(err)
	var e *Error
	if errors.As(err, &e) {
		return inQuery(err, text, e.Position)
	}
	return err
}

// statementError keeps a syntax error recognisable until it is known that the
// text isn't several statements.
type statementError struct {
	err  error
	text string
}

func (e *statementError) Error() string { return e.err.Error() }
func (e *statementError) Unwrap() error { return e.err }

func withDTID(err error, dtid string) error {
	if err == nil || dtid == "" {
		return err
	}
	err = mapError(err)
	var e *Error
	if errors.As(err, &e) {
		e.DTID = dtid
	}
	return err
}

func equalFold(a, b string) bool { return strings.EqualFold(a, b) }

// errorFrom makes an error that has a cause, whose text the message holds
// already.
func errorFrom(code Code, err error, format string, args ...any) *Error {
	e := newError(code, format, args...)
	e.err = err
	return e
}
