package transfer

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo"
)

var errCrashed = errors.New("the process is gone")

// crashing is a connection whose process ends before or after its n-th statement: from
// then on nothing reaches the database.
type crashing struct {
	driver.Connector
	n     int
	after bool
}

func (c *crashing) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	return &crashingConn{conn, c}, err
}

// step runs a statement, if the process is there to do so.
func (c *crashing) step(run func() error) error {
	c.n--
	if c.n < 0 || c.n == 0 && !c.after {
		return errCrashed
	}
	err := run()
	if c.n == 0 {
		err = errCrashed
	}
	return err
}

type crashingConn struct {
	driver.Conn
	to *crashing
}

func (c *crashingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (res driver.Result, err error) {
	return res, c.to.step(func() error {
		res, err = c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
		return err
	})
}

func (c *crashingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (rows driver.Rows, err error) {
	if c.to.n <= 1 {
		c.to.n--
		return nil, errCrashed // which a read doesn't tell
	}
	c.to.n--
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
}

func (c *crashingConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	tx, err := c.Conn.(driver.ConnBeginTx).BeginTx(ctx, opts)
	return &crashingTx{tx, c.to}, err
}

type crashingTx struct {
	driver.Tx
	to *crashing
}

func (tx *crashingTx) Commit() error { return tx.to.step(tx.Tx.Commit) }

// TestCrashedImport ends imports before and after each of their statements, and runs them
// again: every row is there once, and so is every reject.
func TestCrashedImport(t *testing.T) {
	const rows = 12
	files := t.TempDir()
	var csv, dump strings.Builder
	csv.WriteString("id,v\n")
	dump.WriteString("CREATE TABLE t (id BIGINT, v VARCHAR(40));\n")
	for i := range rows {
		fmt.Fprintf(&csv, "%d,row %d\n", i, i)
		fmt.Fprintf(&dump, "INSERT INTO t VALUES (%d,'row %d');\n", i, i)
		if i == 7 {
			csv.WriteString("bad\nx,bad\n")
		}
	}
	lite := filepath.Join(files, "in.db")
	sqlite3(t, lite, dump.String()+"CREATE TABLE u (id INTEGER PRIMARY KEY); INSERT INTO u VALUES (-2), (-1), (3); CREATE VIEW w AS SELECT id FROM t;")
	dump.WriteString("ALTER TABLE t ADD COLUMN extra INT DEFAULT 3;\nALTER TABLE t ADD INDEX extra (extra);\nCREATE TABLE u (id INT);\nDROP TABLE u;\n")
	for name, text := range map[string]string{"in.csv": csv.String(), "in.sql": dump.String()} {
		if err := os.WriteFile(filepath.Join(files, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ name, tables string }{
		{"in.csv", `string "t"|` + "\n"},
		{"in.sql", `string "t"|` + "\n"},
		{"in.db", `string "t"|` + "\n" + `string "u"|` + "\n" + `string "w"|` + "\n"},
	} {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s,after=%v", c.name, after), func(t *testing.T) {
				in := Import{Source: filepath.Join(files, c.name), Batch: 2, Commit: 4}
				if c.name == "in.csv" {
					in.Table, in.Skip, in.Rejects = "t", true, filepath.Join(files, "rejects")
				}
				crashes := 1
				for ; crashAt(t, in, crashes, after, c.tables, rows); crashes++ {
				}
				if crashes < 10 {
					t.Errorf("only %d statements", crashes)
				}
			})
		}
	}
}

// crashAt says whether the import has an n-th statement to crash at.
func crashAt(t *testing.T, in Import, n int, after bool, tables string, rows int) bool {
	dsn := "file:" + filepath.Join(t.TempDir(), "data") + "?shards=2"
	db, conn := openDB(t, dsn)
	defer db.Close()
	defer conn.Close()
	if in.Table != "" {
		do(t, conn, "CREATE TABLE t (id BIGINT, v VARCHAR(40))")
		defer os.Remove(in.Rejects)
	}
	connector, err := new(vitessdo.Driver).OpenConnector(dsn)
	if err != nil {
		t.Fatal(err)
	}
	weak := sql.OpenDB(&crashing{Connector: connector, n: n, after: after})
	defer weak.Close()
	run, err := weak.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = in.Run(t.Context(), run)
	crashed := errors.Is(err, errCrashed)
	if err != nil && !crashed {
		t.Fatalf("crash at %d: %v", n, err)
	}
	run.Close()
	weak.Close()
	if left := table(t, conn, "SHOW TABLES"); err != nil && (left != tables || table(t, conn, "SELECT COUNT(*) FROM t") == "int64 \"0\"|\n") {
		if _, err := in.Run(t.Context(), conn); err != nil {
			t.Errorf("after a crash at %d: %v", n, err)
		}
	}
	if got, want := table(t, conn, "SELECT CONCAT(COUNT(*), '/', COUNT(DISTINCT id)) FROM t"), fmt.Sprintf("string \"%d/%d\"|\n", rows, rows); got != want {
		t.Errorf("after a crash at %d: %s rows, want %s", n, got, want)
	}
	if got := table(t, conn, "SHOW TABLES"); got != tables {
		t.Errorf("after a crash at %d: tables %s, want %s", n, got, tables)
	}
	if text, err := os.ReadFile(in.Rejects); in.Rejects != "" && (err != nil || string(text) != "id,v\nbad\nx,bad\n") {
		t.Errorf("after a crash at %d: rejects %q, %v", n, text, err)
	}
	return crashed
}
