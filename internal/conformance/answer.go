package conformance

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Conn is a connection that runs cases.
type Conn interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Load makes the cases' tables, and fills them.
func Load(ctx context.Context, c interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}) error {
	list, err := Fixture()
	if err != nil {
		return err
	}
	for _, s := range list {
		if _, err := c.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

// Check runs a case, as it stands or as other statements that must give the same, and
// says what is wrong with the answer. number tells MySQL's number of an error, 0 of one
// that has none.
func (c Case) Check(ctx context.Context, on Conn, statements []string, number func(error) uint16) error {
	got, err := Answer(ctx, on, statements)
	right := err == nil && Same(got, c.Want)
	if strings.HasPrefix(c.Want, "error ") {
		right = err != nil && fmt.Sprint("error ", number(err)) == c.Want
	}
	if right {
		return nil
	}
	return fmt.Errorf("%s: %s\n  is %q, error %v\nwant %s", c.Line, strings.Join(statements, "; "), got, err, c.Want)
}

// Answer runs the statements and gives the last one's rows as the files spell
// them.
func Answer(ctx context.Context, c Conn, statements []string) (string, error) {
	var out string
	for _, s := range statements {
		rows, err := c.QueryContext(ctx, s)
		if err != nil {
			return "", err
		}
		if out, err = readRows(rows); err != nil {
			return "", err
		}
	}
	return out, nil
}

func readRows(rows *sql.Rows) (string, error) {
	defer rows.Close()
	cols, err := rows.Columns()
	if err != nil {
		return "", err
	}
	var list []string
	for rows.Next() {
		values, into := make([]any, len(cols)), make([]any, len(cols))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return "", err
		}
		row := make([]string, len(values))
		for i, v := range values {
			row[i] = spell(v)
		}
		list = append(list, strings.Join(row, "|"))
	}
	return strings.Join(list, "; "), rows.Err()
}

func spell(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case []byte:
		return escaper.Replace(string(v))
	case string:
		return escaper.Replace(v)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case float32:
		return strconv.FormatFloat(float64(v), 'g', -1, 32)
	case int64:
		return strconv.FormatInt(v, 10)
	case bool:
		if v {
			return "1"
		}
		return "0"
	case time.Time:
		if v.Equal(v.Truncate(24 * time.Hour)) {
			return v.Format("2006-01-02")
		}
		return v.Format("2006-01-02 15:04:05.999999")
	}
	switch reflect.ValueOf(v).Kind() {
	case reflect.Map, reflect.Slice:
		b, err := json.Marshal(v)
		if err != nil {
			return err.Error()
		}
		return string(b)
	}
	return escaper.Replace(fmt.Sprint(v))
}

var escaper = strings.NewReplacer("\n", `\n`, "\x00", `\0`)

// Same says whether two answers are equal. A fraction's last digits and the
// zeros behind it don't count, nor do a JSON document's spacing and order of
// keys, nor a date's time of 00:00:00.
func Same(a, b string) bool {
	x, y := split(a), split(b)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if !sameValue(x[i], y[i]) {
			return false
		}
	}
	return true
}

func split(s string) []string {
	var out []string
	for _, row := range strings.Split(s, "; ") {
		out = append(append(out, strings.Split(row, "|")...), "\n")
	}
	return out
}

func sameValue(a, b string) bool {
	const midnight = " 00:00:00"
	if a == b || strings.TrimSuffix(a, midnight) == strings.TrimSuffix(b, midnight) {
		return true
	}
	if strings.ContainsAny(a, "[{") {
		var x, y any
		return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
	}
	if !strings.ContainsAny(a+b, ".eE") {
		return false
	}
	f, err1 := strconv.ParseFloat(a, 64)
	g, err2 := strconv.ParseFloat(b, 64)
	return err1 == nil && err2 == nil && math.Abs(f-g) <= 1e-4*math.Max(1, math.Abs(f))
}
