package clients

import (
	"database/sql"
	"errors"
	"fmt"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/vitessdo/vitessdo"
)

// TestMySQLErrors: who looks for the error of MySQL's driver finds it.
func TestMySQLErrors(t *testing.T) {
	each(t, func(t *testing.T, db *sql.DB, _ string) {
		for _, q := range []string{"CREATE TABLE p (id BIGINT PRIMARY KEY)", "INSERT INTO p VALUES (1)"} {
			_, err := db.Exec(q)
			must(t, err)
		}
		for query, want := range map[string]string{
			"INSERT INTO p VALUES (1)":     "1062 23000",
			"SELECT * FROM nowhere":        "1146 42S02",
			"SELECT FROM":                  "1064 42000",
			"INSERT INTO p VALUES ('six')": "1366 HY000",
		} {
			_, err := db.Exec(query)
			var e *mysql.MySQLError
			var own *vitessdo.Error
			if !errors.As(fmt.Errorf("wrapped: %w", err), &e) || !errors.As(err, &own) {
				t.Errorf("%s: no error of MySQL's driver in %v", query, err)
				continue
			}
			same(t, fmt.Sprint(e.Number, " ", string(e.SQLState[:])), want)
			same(t, e.Message, own.Message)
		}
	})
}
