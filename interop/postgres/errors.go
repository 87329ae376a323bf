package postgres

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vitessdo/vitessdo/tablet"
)

// codes are what the contract calls PostgreSQL's errors, by SQLSTATE or its class.
var codes = map[string]tablet.Code{
	"23505": tablet.CodeUnique, "23502": tablet.CodeNotNull, "23514": tablet.CodeCheck, "23503": tablet.CodeForeignKey,
	"42P01": tablet.CodeNoTable, "42703": tablet.CodeNoColumn, "42P07": tablet.CodeTableExists, "42601": tablet.CodeSyntax,
	"40001": tablet.CodeConflict, "40P01": tablet.CodeDeadlock, "55P03": tablet.CodeLockTimeout, "57014": tablet.CodeCanceled,
	"22003": tablet.CodeOutOfRange, "22001": tablet.CodeTooLong, "22007": tablet.CodeBadTime, "22008": tablet.CodeBadTime,
	"22021": tablet.CodeDataType, "22P02": tablet.CodeDataType, "42804": tablet.CodeDataType, "42883": tablet.CodeDataType,
	"21000": tablet.CodeTooManyRows, "25006": tablet.CodeTxReadOnly, "42501": tablet.CodeDenied, "28P01": tablet.CodeDenied, "28000": tablet.CodeDenied, "54000": tablet.CodeTooBig,
	"53100": tablet.CodeFull, "53200": tablet.CodeNoMemory, "53300": tablet.CodeOverloaded, "0A000": tablet.CodeUnsupported,
	"57P01": tablet.CodeIO, "57P02": tablet.CodeIO, "57P03": tablet.CodeIO, "58030": tablet.CodeIO, "XX001": tablet.CodeCorrupt, "XX002": tablet.CodeCorrupt,
}

// ways are the ways out of what keeps a program from its database, by SQLSTATE.
var ways = map[string]string{
	"28P01": "the password stands in the URL, among the topology file's tokens, or in PGPASSWORD",
	"28000": "the server's pg_hba.conf says who may connect from where, and how",
	"3D000": "make it by CREATE DATABASE, or correct the URL",
	"42501": "let its owner GRANT CREATE ON SCHEMA, or ON DATABASE where the schema isn't there yet",
	"53300": "raise the server's max_connections, or have fewer connections: a shard takes one to write and max_readers to read",
	"57P03": "it starts or stops just now; try again",
}

var (
	keyOf     = regexp.MustCompile(`^Key \((.*)\)=\(`)
	foldedKey = regexp.MustCompile(`^lower\(\(?("(?:[^"]|"")*"|\w+)\)? COLLATE "C"\)$`)
	missing   = regexp.MustCompile(`^relation "(.*)" (?:does not exist|already exists)$`)
	noColumn  = regexp.MustCompile(`^column "?([^"]*?)"? (?:of relation "(.*)" )?does not exist$`)
)

// fail makes an error of the contract of PostgreSQL's or of the connection's.
func (e *Engine) fail(err error) error {
	if err == nil || errors.As(err, new(*tablet.Error)) {
		return err
	}
	var p *pgconn.PgError
	if !errors.As(err, &p) {
		out := &tablet.Error{Code: tablet.CodeIO, Err: err, Message: e.o.Name + " can't be reached: " + err.Error()}
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			out.Code, out.Message = tablet.CodeCanceled, "the statement was interrupted: "+err.Error()
		}
		return out
	}
	out := &tablet.Error{Code: codes[p.Code], Err: err, Message: p.Message}
	if out.Code == "" {
		out.Code = tablet.CodeInternal
	}
	if way := ways[p.Code]; way != "" {
		out.Message = e.o.Name + ": " + p.Message + "; " + way
	}
	switch out.Code {
	case tablet.CodeUnique:
		if m := keyOf.FindStringSubmatch(p.Detail); m != nil {
			out.Columns = columnsOf(m[1])
		}
		if slices.ContainsFunc(out.Columns, func(c string) bool { return strings.Contains(c, "(") }) {
			out.Columns, out.Constraint = nil, p.ConstraintName // of expressions: its name says more
			out.Message = "UNIQUE constraint failed: index '" + p.ConstraintName + "'"
			break
		}
		out.Table = p.TableName
		out.Message = "UNIQUE constraint failed: " + p.TableName + "." + strings.Join(out.Columns, ", "+p.TableName+".")
	case tablet.CodeNotNull:
		out.Table, out.Columns = p.TableName, []string{p.ColumnName}
		out.Message = "NOT NULL constraint failed: " + p.TableName + "." + p.ColumnName
	case tablet.CodeCheck:
		out.Constraint = p.ConstraintName
	case tablet.CodeNoTable, tablet.CodeTableExists:
		if m := missing.FindStringSubmatch(p.Message); m != nil {
			out.Table = m[1]
		}
	case tablet.CodeNoColumn:
		if m := noColumn.FindStringSubmatch(p.Message); m != nil {
			out.Columns, out.Table = []string{m[1]}, m[2]
		}
	}
	return out
}

// opening is fail for what keeps the engine from its database: the error names it.
func (e *Engine) opening(err error) error {
	out := e.fail(err)
	var p *pgconn.PgError
	if t, ok := errors.AsType[*tablet.Error](out); ok && errors.As(err, &p) && ways[p.Code] == "" {
		t.Message = e.o.Name + ": " + p.Message
	}
	return out
}

// columnsOf reads the columns of a key out of an error's text.
func columnsOf(list string) []string {
	var out []string
	for _, c := range strings.Split(list, ", ") {
		if m := foldedKey.FindStringSubmatch(c); m != nil {
			c = m[1]
		}
		if strings.HasPrefix(c, `"`) && strings.HasSuffix(c, `"`) && len(c) > 1 {
			c = strings.ReplaceAll(c[1:len(c)-1], `""`, `"`)
		}
		out = append(out, c)
	}
	return out
}
