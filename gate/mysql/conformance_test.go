package mysql

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	driver "github.com/go-sql-driver/mysql"

	"github.com/vitessdo/vitessdo/internal/conformance"
)

// Each case of the driver's conformance tests gives the same over the wire, as text
// and prepared.
func TestConformance(t *testing.T) {
	fixture, err := conformance.Fixture()
	must(t, err)
	c := serveAs(t, "main", Options{}, fixture...).conn(t, "")
	chapters, err := conformance.Chapters()
	must(t, err)
	n := 0
	for _, ch := range chapters {
		t.Run(ch.Title, func(t *testing.T) {
			for x := range ch.Cases() {
				check(t, c, x)
				check(t, preparing{c}, x)
				n++
			}
		})
	}
	if n < 1000 {
		t.Errorf("%d cases were found", n)
	}
}

// preparing runs each query as a prepared statement.
type preparing struct{ c *sql.Conn }

func (p preparing) QueryContext(ctx context.Context, query string, _ ...any) (*sql.Rows, error) {
	st, err := p.c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx) // database/sql closes it with the connection
}

func check(t *testing.T, c conformance.Conn, x conformance.Case) {
	t.Helper()
	number := func(err error) uint16 {
		var e *driver.MySQLError
		errors.As(err, &e)
		if e == nil {
			return 0
		}
		return e.Number
	}
	if err := x.Check(context.Background(), c, x.Statements(), number); err != nil {
		t.Errorf("%T: %v", c, err)
	}
}
