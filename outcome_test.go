package vitessdo

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
)

// raw runs f on the driver's own connection.
func raw(t *testing.T, on *sql.Conn, f func(*Conn)) {
	t.Helper()
	if err := on.Raw(func(c any) error { f(c.(*Conn)); return nil }); err != nil {
		t.Fatal(err)
	}
}

// outcomeText spells an outcome: rows, or rows affected and insert ID.
func outcomeText(o *Outcome, err error) string {
	if err != nil {
		var e *Error
		errors.As(err, &e)
		return fmt.Sprintf("error %d", e.Number)
	}
	if o.Rows == nil {
		return fmt.Sprintf("%d affected, id %d", o.RowsAffected, o.LastInsertID)
	}
	defer o.Rows.Close()
	var list []string
	row := make([]driver.Value, len(o.Columns))
	for {
		if err := o.Rows.Next(row); err == io.EOF {
			return strings.Join(list, " ")
		} else if err != nil {
			return err.Error()
		}
		list = append(list, strings.Trim(fmt.Sprint(row), "[]"))
	}
}

func TestRunTellsWhatAnyStatementGives(t *testing.T) {
	c := pin(t, memDB(t, ""))
	raw(t, c, func(c *Conn) {
		for _, x := range []struct{ query, want string }{
			{"CREATE TABLE t (id BIGINT AUTO_INCREMENT PRIMARY KEY, n INT)", "0 affected, id 0"},
			{"INSERT INTO t(n) VALUES(1), (2)", "2 affected, id 1"},
			{"UPDATE t SET n = n + 1", "2 affected, id 0"},
			{"SELECT n FROM t ORDER BY id", "2 3"},
			{"SELECT n INTO @a FROM t WHERE id = 1", "1 affected, id 0"},
			{"PREPARE p FROM 'DELETE FROM t WHERE id = 1'", "0 affected, id 0"},
			{"EXECUTE p", "1 affected, id 0"},
			{"SHOW TABLES", "t"},
			{"DO 1", "0 affected, id 0"},
			{"SELECT * FROM nowhere", "error 1146"},
			{"SELECT 1; SELECT 2", "error 1064"},
		} {
			if got := outcomeText(c.Run(bg, x.query, nil)); got != x.want {
				t.Errorf("%s: %s; want %s", x.query, got, x.want)
			}
		}
	})
}

func TestStatusFollowsTheSession(t *testing.T) {
	c := pin(t, memDB(t, "", "CREATE TABLE t (id BIGINT PRIMARY KEY)"))
	raw(t, c, func(c *Conn) {
		for _, x := range []struct {
			query string
			want  Status
		}{
			{"SELECT 1", Status{Keyspace: "main", Autocommit: true}},
			{"BEGIN", Status{Keyspace: "main", Autocommit: true, InTransaction: true}},
			{"ROLLBACK", Status{Keyspace: "main", Autocommit: true}},
			{"SET autocommit = 0", Status{Keyspace: "main"}},
			{"SELECT * FROM t", Status{Keyspace: "main", InTransaction: true}},
			{"SET autocommit = 1", Status{Keyspace: "main", Autocommit: true}},
			{"USE information_schema", Status{Keyspace: "information_schema", Autocommit: true}},
			{"SELECT nothing", Status{Keyspace: "information_schema", Autocommit: true, Warnings: 1}},
			{"COMMIT RELEASE", Status{Keyspace: "information_schema", Autocommit: true, Closed: true}},
		} {
			_ = outcomeText(c.Run(bg, x.query, nil))
			got := c.Status()
			x.want.ID = got.ID
			if got != x.want || got.ID == 0 {
				t.Errorf("after %s: %+v; want %+v", x.query, got, x.want)
			}
		}
	})
}

func TestColumnsAreDescribed(t *testing.T) {
	c := pin(t, memDB(t, "", "CREATE TABLE t (id BIGINT UNSIGNED PRIMARY KEY, name VARCHAR(20), price DECIMAL(8,2) NOT NULL, at DATETIME(3))"))
	raw(t, c, func(c *Conn) {
		st, err := c.Prepare("SELECT id AS k, name, price, at, id + ? FROM t")
		if err != nil {
			t.Fatal(err)
		}
		got := st.(*Stmt).Describe()
		want := []Column{
			{Name: "k", Type: "BIGINT", Unsigned: true, NotNull: true, Size: -1, Scale: -1, Schema: "main", Table: "t", Origin: "id"},
			{Name: "name", Type: "VARCHAR", Size: 20, Scale: -1, Schema: "main", Table: "t", Origin: "name"},
			{Name: "price", Type: "DECIMAL", NotNull: true, Size: 8, Scale: 2, Schema: "main", Table: "t", Origin: "price"},
			{Name: "at", Type: "DATETIME", Size: -1, Scale: 3, Schema: "main", Table: "t", Origin: "at"},
		}
		if len(got) != 5 || !reflect.DeepEqual(got[:4], want) {
			t.Errorf("got  %+v\nwant %+v and one more", got, want)
		}
	})
}

func TestConnectionThatOnlyReads(t *testing.T) {
	c := pin(t, memDB(t, "", "CREATE TABLE t (id BIGINT PRIMARY KEY, n INT)", "INSERT INTO t VALUES(1, 1)", "ALTER VSCHEMA ADD SEQUENCE seq"))
	raw(t, c, func(c *Conn) {
		c.RefuseWrites()
		for _, x := range []struct{ query, want string }{
			{"SELECT n FROM t", "1"},
			{"SHOW TABLES", "t"},
			{"BEGIN", "0 affected, id 0"},
			{"SELECT n FROM t WHERE id = 1 FOR UPDATE", "1"},
			{"INSERT INTO t VALUES(2, 2)", "error 1290"},
			{"INSERT INTO t VALUES(2, 2) RETURNING id", "error 1290"},
			{"COMMIT", "0 affected, id 0"},
			{"DELETE FROM t", "error 1290"},
			{"PREPARE p FROM 'UPDATE t SET n = 5'", "0 affected, id 0"},
			{"EXECUTE p", "error 1290"},
			{"SELECT NEXT VALUE FOR seq", "error 1290"},
			{"DROP TABLE t", "error 1290"},
			{"CREATE VIEW v AS SELECT 1", "error 1290"},
			{"CREATE DATABASE d", "error 1290"},
			{"ALTER VSCHEMA DROP SEQUENCE seq", "error 1290"},
			{"SELECT n FROM t", "1"},
		} {
			if got := outcomeText(c.Run(bg, x.query, nil)); got != x.want {
				t.Errorf("%s: %s; want %s", x.query, got, x.want)
			}
		}
	})
}

func TestRenewedConnection(t *testing.T) {
	c := pin(t, memDB(t, "", "CREATE TABLE t (id BIGINT AUTO_INCREMENT PRIMARY KEY)"))
	raw(t, c, func(c *Conn) {
		c.Identify("app@host")
		for _, query := range []string{"INSERT INTO t VALUES(NULL)", "SET @a = 5, sql_mode = 'ANSI_QUOTES'", "PREPARE p FROM 'SELECT 1'", "USE information_schema", "BEGIN", "DELETE FROM main.t"} {
			if _, err := c.Run(bg, query, nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Renew(); err != nil {
			t.Fatal(err)
		}
		const query = `SELECT LAST_INSERT_ID(), ROW_COUNT(), FOUND_ROWS(), @a IS NULL, DATABASE(), "text", USER(), (SELECT COUNT(*) FROM t)`
		if got := outcomeText(c.Run(bg, query, nil)); got != "0 0 0 1 main text app@host 1" {
			t.Errorf("what is left: %s", got)
		}
		if got := outcomeText(c.Run(bg, "EXECUTE p", nil)); got != "error 1243" {
			t.Errorf("EXECUTE gives %s", got)
		}
		if c.Status().InTransaction {
			t.Error("a transaction is open")
		}
	})
}

// A transaction that an error has rolled back is over for BEGIN, as in MySQL: clients
// that begin anew after error 1213 say no ROLLBACK first.
func TestBeginAfterTheTransactionWasRolledBack(t *testing.T) {
	db := openDB(t, ":memory:?shards=1")
	do(t, db, "CREATE TABLE t (id BIGINT PRIMARY KEY, n INT)")
	do(t, db, "INSERT INTO t VALUES(1, 1)")
	a, b := pin(t, db), pin(t, db)
	for _, x := range []struct {
		on   querier
		talk talk
	}{
		{a, talk{"BEGIN", ""}},
		{a, talk{"SELECT n FROM t", "1"}},
		{b, talk{"UPDATE t SET n = 2", ""}},
		{a, talk{"UPDATE t SET n = n + 10", "error 1213"}},
		{a, talk{"SELECT n FROM t", "error 1568"}},
		{a, talk{"BEGIN", ""}},
		{a, talk{"UPDATE t SET n = n + 10", ""}},
		{a, talk{"COMMIT", ""}},
		{b, talk{"SELECT n FROM t", "12"}},
	} {
		x.talk.run(t, x.on)
	}
}
