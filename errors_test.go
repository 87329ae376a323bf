package vitessdo

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/topo"
)

// docHas says whether the comment of type Config has a line for the option, or
// names it in passing as "name=".
func docHas(t *testing.T, option string) bool {
	t.Helper()
	text, err := os.ReadFile("dsn.go")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if strings.HasPrefix(line, "//\t"+option+" ") || strings.HasPrefix(line, "//") && strings.Contains(line, option+"=") {
			return true
		}
	}
	return false
}

// codesIn collects the string constants named Code… of a Go file.
func codesIn(t *testing.T, file string) map[string]Code {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	codes := map[string]Code{}
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for i, name := range spec.Names {
			if !strings.HasPrefix(name.Name, "Code") || i >= len(spec.Values) {
				continue
			}
			if lit, ok := spec.Values[i].(*ast.BasicLit); ok && lit.Kind == token.STRING {
				v, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				codes[name.Name] = Code(v)
			}
		}
		return true
	})
	return codes
}

func TestEveryCodeHasANumber(t *testing.T) {
	all := codesIn(t, filepath.Join("tablet", "error.go"))
	if len(all) < 27 {
		t.Fatalf("found only %d codes in tablet/error.go", len(all))
	}
	source, err := os.ReadFile("errors.go")
	if err != nil {
		t.Fatal(err)
	}
	for name, code := range all {
		if !strings.Contains(string(source), "= tablet."+name+"\n") {
			t.Errorf("tablet.%s is not exported by this package", name)
		}
		e, ok := fromTablet(&tablet.Error{Code: code, Message: "m"}).(*Error)
		if !ok || e.Code != code {
			t.Errorf("%s maps to %v", code, e)
		}
	}
	for name, code := range codesIn(t, "errors.go") {
		all[name] = code
	}
	for name, code := range all {
		m, ok := mysqlErrors[code]
		if !ok || m.number < 1000 || len(m.state) != 5 {
			t.Errorf("%s (%s) has no MySQL number and SQL state: %+v", name, code, m)
		}
	}
	if len(mysqlErrors) != len(all) {
		t.Errorf("%d codes exist, %d have numbers", len(all), len(mysqlErrors))
	}
}

func TestFromTablet(t *testing.T) {
	shard := tablet.Target{Keyspace: "main", Shard: "-80"}
	for _, tc := range []struct {
		in     tablet.Error
		number uint16
		state  string
		text   string
		is     error
	}{
		{tablet.Error{Code: CodeUnique, Table: "users", Columns: []string{"email"}}, 1062, "23000",
			"Duplicate entry for key 'users.email', on shard main/-80", ErrDuplicateKey},
		{tablet.Error{Code: CodeUnique, Table: "users", Columns: []string{"a", "b"}}, 1062, "23000",
			"Duplicate entry for key 'users.a_b' (a, b)", ErrDuplicateKey},
		{tablet.Error{Code: CodeUnique, Table: "users", Columns: []string{"a"}, Constraint: "uq"}, 1062, "23000",
			"Duplicate entry for key 'users.uq' (a)", ErrDuplicateKey},
		{tablet.Error{Code: CodeUnique}, 1062, "23000", "Duplicate entry for key ''", ErrDuplicateKey},
		{tablet.Error{Code: CodeNotNull, Table: "users", Columns: []string{"email"}}, 1048, "23000", "Column 'email' cannot be null", ErrNotNull},
		{tablet.Error{Code: CodeNotNull, Message: "null somewhere"}, 1048, "23000", "null somewhere", ErrNotNull},
		{tablet.Error{Code: CodeCheck, Constraint: "positive"}, 3819, "HY000", "Check constraint 'positive' is violated", ErrCheck},
		{tablet.Error{Code: CodeForeignKey, Table: "orders", Constraint: "fk"}, 1452, "23000",
			"Cannot add or update a child row: a foreign key constraint fails (table 'orders', constraint 'fk')", ErrForeignKey},
		{tablet.Error{Code: CodeNoTable, Table: "nope"}, 1146, "42S02", "Table 'main.nope' doesn't exist", ErrNoTable},
		{tablet.Error{Code: CodeNoColumn, Columns: []string{"nope"}}, 1054, "42S22", "Unknown column 'nope'", ErrNoColumn},
		{tablet.Error{Code: CodeTableExists, Table: "t"}, 1050, "42S01", "Table 't' already exists", ErrTableExists},
		{tablet.Error{Code: CodeConflict, Message: "newer"}, 1213, "40001", "newer", ErrConflict},
		{tablet.Error{Code: CodeDeadlock, Message: "wait"}, 1213, "40001", "wait", ErrDeadlock},
		{tablet.Error{Code: CodeLockNoWait, Message: "held"}, 3572, "HY000", "held", ErrLockNoWait},
		{tablet.Error{Code: CodeLockTimeout, Message: "10s"}, 1205, "HY000", "10s", ErrLockTimeout},
		{tablet.Error{Code: CodeTxReadOnly, Message: "ro"}, 1792, "25006", "ro", ErrReadOnly},
		{tablet.Error{Code: CodeSyntax, Message: "near x"}, 1064, "42000", "near x", ErrSyntax},
		{tablet.Error{Code: CodeUnsupported, Message: "no"}, 1235, "42000", "no", ErrUnsupported},
		{tablet.Error{Code: CodeFull, Message: "full"}, 1021, "HY000", "full", nil},
		{tablet.Error{Code: CodeCorrupt, Message: "bad"}, 1194, "HY000", "bad", nil},
		{tablet.Error{Code: CodeOutOfRange, Message: "big"}, 1690, "22003", "big", ErrOutOfRange},
		{tablet.Error{Code: CodeOutOfRange, Message: "end", Err: topo.ErrSequenceExhausted}, 1467, "HY000",
			"Failed to read auto-increment value from storage engine", ErrOutOfRange},
		{tablet.Error{Code: "FROM_THE_FUTURE", Message: "new"}, 1105, "HY000", "new", nil},
	} {
		in := tc.in
		in.Target = shard
		var e *Error
		if err := fromTablet(&in); !errors.As(err, &e) {
			t.Errorf("%s: got %T", in.Code, err)
			continue
		}
		if e.Number != tc.number || e.SQLState != tc.state || !strings.Contains(e.Error(), tc.text) {
			t.Errorf("%s: got %d %s %s", in.Code, e.Number, e.SQLState, e)
		}
		if !strings.HasPrefix(e.Error(), fmt.Sprintf("vitessdo: Error %d (%s): ", tc.number, tc.state)) || !strings.HasSuffix(e.Error(), ", on shard main/-80") {
			t.Errorf("%s reads %s", in.Code, e)
		}
		if e.Keyspace != "main" || e.Shard != "-80" || e.Table != in.Table || e.Constraint != in.Constraint || e.Position != -1 {
			t.Errorf("%s: lost details: %+v", in.Code, *e)
		}
		if tc.is != nil && !errors.Is(e, tc.is) {
			t.Errorf("%s is not %v", in.Code, tc.is)
		}
		if errors.Is(e, ErrNoDatabase) || errors.Is(e, newError(e.Code, "another")) {
			t.Errorf("%s is too much", in.Code)
		}
		var inner *tablet.Error
		if !errors.As(e, &inner) || inner != &in {
			t.Errorf("%s: the tablet's error is out of reach", in.Code)
		}
	}
}

func TestFromTabletLeavesAlone(t *testing.T) {
	own := newError(CodePlan, "mine")
	for _, err := range []error{nil, context.Canceled, context.DeadlineExceeded, driver.ErrBadConn, errors.New("other"), own, fmt.Errorf("around: %w", own)} {
		if got := fromTablet(err); got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
}

func TestCancellation(t *testing.T) {
	for _, cause := range []error{context.Canceled, context.DeadlineExceeded} {
		err := fromTablet(&tablet.Error{Code: CodeCanceled, Message: "interrupted", Err: cause})
		var e *Error
		if !errors.Is(err, cause) || !errors.As(err, &e) || e.Number != 1317 {
			t.Errorf("%v: got %v", cause, err)
		}
		if e.Timeout() != (cause == context.DeadlineExceeded) {
			t.Errorf("%v: timeout is %v", cause, e.Timeout())
		}
	}
}

func TestWrappedTabletError(t *testing.T) {
	inner := &tablet.Error{Code: CodeConflict, Message: "newer", Target: tablet.Target{Keyspace: "main", Shard: "80-"}}
	err := fromTablet(fmt.Errorf("while committing: %w", inner))
	want := "vitessdo: Error 1213 (40001): while committing: shard main/80-: newer"
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
}

func TestPredicates(t *testing.T) {
	retry := map[Code]bool{CodeConflict: true, CodeDeadlock: true, CodeLockTimeout: true, CodeTxExpired: true, CodeWrongShard: true, CodeSchemaChanged: true, CodeOverloaded: true, CodeClosing: true}
	for code := range mysqlErrors {
		e := newError(code, "m")
		if e.Retryable() != retry[code] {
			t.Errorf("%s: retryable is %v", code, e.Retryable())
		}
		if e.OutcomeUnknown() != (code == CodeUnknownResult) || e.Timeout() != (code == CodeLockTimeout) {
			t.Errorf("%s: outcome unknown %v, timeout %v", code, e.OutcomeUnknown(), e.Timeout())
		}
	}
}

func TestUnknownOutcomeIsNotABadConn(t *testing.T) {
	err := fromTablet(&tablet.Error{Code: CodeUnknownResult, Message: "gone", Err: driver.ErrBadConn})
	if errors.Is(err, driver.ErrBadConn) || !errors.Is(err, ErrOutcomeUnknown) {
		t.Errorf("%v lets database/sql run it again", err)
	}
}

func TestInQuery(t *testing.T) {
	query := "SELECT 'ä',\n  nope FROM t"
	e := newError(CodeNoColumn, "Unknown column 'nope'")
	err := inQuery(e, query, strings.Index(query, "nope"))
	if e.Query != query || e.Line != 2 || e.Column != 3 || e.Position != 15 {
		t.Errorf("got %+v", *e)
	}
	if !strings.HasSuffix(err.Error(), ", at line 2 column 3") || strings.Contains(err.Error(), "SELECT") {
		t.Errorf("reads %s", err)
	}
	if other := errors.New("x"); inQuery(other, query, 0) != other {
		t.Error("another error was changed")
	}
	e = newError(CodeNoColumn, "m")
	if inQuery(e, query, -1); e.Position != -1 || e.Line != 0 || e.Query != query {
		t.Errorf("got %+v", *e)
	}
}

func TestWrapError(t *testing.T) {
	cause := errors.New("cause")
	e := wrapError(CodeTopology, cause, "can't open %q", "d")
	if e.Error() != `vitessdo: Error 1105 (08001): can't open "d": cause` || !errors.Is(e, cause) {
		t.Errorf("got %s", e)
	}
}
