package console

import (
	"context"
	"database/sql/driver"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/topo"
)

// request is one request to the console, with a session of its own.
type request struct {
	c     *console
	grant Grant
	http  *http.Request
	began time.Time
	ctx   context.Context
	conn  *vitessdo.Conn
	most  int // rows that are read of a result; 0: all
	body  struct {
		SQL   string `json:"sql"`
		Args  []any  `json:"args"`
		Write bool   `json:"write"`
	}
}

// with opens the session, which refuses to write unless that is asked for and
// permitted, and ends it after f.
func (q *request) with(f func(*request) (any, error)) (any, error) {
	if q.body.Write && q.grant.ReadOnly {
		return nil, &problem{http.StatusForbidden, "this token may only read"}
	}
	ctx, cancel := context.WithTimeout(q.http.Context(), q.c.opts.Timeout)
	defer cancel()
	q.ctx = vitessdo.WithLabel(ctx, "console", q.grant.Name)
	dc, err := q.c.db.Connect(q.ctx)
	if err != nil {
		return nil, err
	}
	q.conn = dc.(*vitessdo.Conn)
	defer q.conn.Close()
	q.conn.Quiet(true) // what the page asks for itself is no load of the users'
	if !q.body.Write {
		q.conn.RefuseWrites()
	}
	q.conn.Configure(func(cfg *vitessdo.Config) { cfg.ParseTime = false })
	return f(q)
}

// table is a result. Values are text, or nil for NULL; bytes that are no text are
// written as 0x and hexadecimal digits.
type table struct {
	Columns []column  `json:"columns"`
	Rows    [][]*text `json:"rows"`
	// Cut says that there are more rows than are shown.
	Cut bool `json:"cut"`
	// Affected rows, of a statement that gives none.
	Affected int64 `json:"affected"`
	Micros   int64 `json:"micros"`
}

type text = string

type column struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// read runs a statement and reads what is shown of its result.
func (q *request) read(query string, args ...any) (*table, error) {
	named := make([]driver.NamedValue, len(args))
	for i, v := range args {
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	began := time.Now()
	out, err := q.conn.Run(q.ctx, query, named)
	if err != nil {
		return nil, err
	}
	t := &table{Affected: out.RowsAffected, Rows: [][]*text{}}
	if out.Rows != nil {
		for _, c := range out.Columns {
			t.Columns = append(t.Columns, column{c.Name, c.Type})
		}
		if err := q.readRows(t, out.Rows); err != nil {
			return nil, err
		}
	}
	t.Micros = time.Since(began).Microseconds()
	return t, nil
}

func (q *request) readRows(t *table, rows driver.Rows) (err error) {
	defer func() {
		if cerr := rows.Close(); err == nil {
			err = cerr
		}
	}()
	dest := make([]driver.Value, len(t.Columns))
	for size := 0; ; {
		switch err := rows.Next(dest); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case q.most > 0 && (len(t.Rows) >= q.most || size > q.c.opts.MaxBytes):
			t.Cut = true
			return nil
		}
		row := make([]*text, len(dest))
		for i, v := range dest {
			if v != nil {
				s := shown(v)
				row[i] = &s
				size += len(s)
			}
		}
		t.Rows = append(t.Rows, row)
	}
}

// longest is how much is shown of a value.
const longest = 20_000

func shown(v driver.Value) string {
	s := fmt.Sprint(v)
	switch v := v.(type) {
	case []byte:
		s = string(v)
		if !utf8.Valid(v) {
			s = "0x" + hex.EncodeToString(v[:min(len(v), longest/2)])
		}
	case float64:
		s = strconv.FormatFloat(v, 'g', -1, 64)
	}
	if len(s) > longest {
		return strings.ToValidUTF8(s[:longest], "") + "…"
	}
	return s
}

// maps gives a result's rows by their columns' names.
func (q *request) maps(query string, args ...any) ([]map[string]*text, error) {
	t, err := q.read(query, args...)
	if err != nil {
		return nil, err
	}
	out := make([]map[string]*text, len(t.Rows))
	for i, r := range t.Rows {
		out[i] = map[string]*text{}
		for k, c := range t.Columns {
			out[i][c.Name] = r[k]
		}
	}
	return out, nil
}

// shard is a shard with what is known of it.
type shard struct {
	Keyspace string           `json:"keyspace"`
	Name     string           `json:"name"`
	Bytes    *int64           `json:"bytes"` // nil where its file isn't here
	Load     map[string]*text `json:"load"`  // a row of SHOW VITESS_SHARD_STATS; nil when it was asked nothing
}

// overview tells who one is, and of the shards.
func (q *request) overview() (any, error) {
	names, err := q.read("SHOW VITESS_SHARDS")
	if err != nil {
		return nil, err
	}
	load := map[string]map[string]*text{}
	stats, err := q.maps("SHOW VITESS_SHARD_STATS")
	if err == nil {
		for _, r := range stats {
			load[*r["Keyspace"]+"/"+*r["Shard"]] = r
		}
	}
	sizes, err := topo.Sizes(q.c.opts.Dir)
	if err != nil {
		return nil, err
	}
	shards := []shard{}
	for _, r := range names.Rows {
		ks, name, _ := strings.Cut(*r[0], "/")
		s := shard{Keyspace: ks, Name: name, Load: load[*r[0]]}
		if n, ok := sizes[*r[0]]; ok {
			s.Bytes = &n
		}
		shards = append(shards, s)
	}
	counters, err := q.read("SHOW VITESS_STATUS")
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"name": q.grant.Name, "readOnly": q.grant.ReadOnly, "tokens": q.c.opts.Admit != nil, "keyspace": q.conn.Status().Keyspace,
		"shards": shards, "status": counters.Rows, "counted": stats != nil,
	}, nil
}

// tables tells of the tables and how they are sharded.
func (q *request) tables() (any, error) {
	list, err := q.maps(`SELECT TABLE_SCHEMA AS ks, TABLE_NAME AS name, TABLE_TYPE AS kind FROM information_schema.TABLES
		WHERE TABLE_SCHEMA <> 'information_schema' ORDER BY TABLE_SCHEMA, TABLE_NAME`)
	if err != nil {
		return nil, err
	}
	vschema, err := q.read("SHOW VSCHEMA")
	if err != nil {
		return nil, err
	}
	return map[string]any{"tables": list, "vschema": json.RawMessage(*vschema.Rows[0][0])}, nil
}

// count counts a table's rows, shard by shard.
func (q *request) count() (any, error) {
	ks, name, ok := strings.Cut(q.body.SQL, ".")
	if !ok {
		return nil, &problem{http.StatusBadRequest, "a table is named keyspace.table"}
	}
	shards, err := q.read("SHOW VITESS_SHARDS")
	if err != nil {
		return nil, err
	}
	counts := [][2]string{}
	for _, r := range shards.Rows {
		if of, shard, _ := strings.Cut(*r[0], "/"); of == ks {
			if _, err := q.read("USE " + quote(*r[0])); err != nil {
				return nil, err
			}
			n, err := q.read("SELECT COUNT(*) FROM " + quote(name))
			if err != nil {
				return nil, err
			}
			counts = append(counts, [2]string{shard, *n.Rows[0][0]})
		}
	}
	return map[string]any{"counts": counts}, nil
}

func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// statements tells which statements took how long.
func (q *request) statements() (any, error) {
	all, err := q.maps("SHOW VITESS_STATEMENTS")
	if err != nil {
		return nil, err
	}
	slow, err := q.maps("SHOW VITESS_SLOW_STATEMENTS")
	if err != nil {
		return nil, err
	}
	return map[string]any{"statements": all, "slow": slow}, nil
}

// transactions tells of those that aren't settled.
func (q *request) transactions() (any, error) {
	list, err := q.maps("SHOW UNRESOLVED TRANSACTIONS")
	return map[string]any{"transactions": list}, err
}

// explain gives a statement's plan.
func (q *request) explain() (any, error) {
	args, err := q.args()
	if err != nil {
		return nil, err
	}
	plan, err := q.read("VEXPLAIN PLAN "+q.body.SQL, args...)
	if err != nil {
		return nil, err
	}
	shards, err := q.read("SHOW VITESS_SHARDS")
	if err != nil {
		return nil, err
	}
	var names []text
	for _, r := range shards.Rows {
		names = append(names, *r[0])
	}
	return map[string]any{"plan": json.RawMessage(*plan.Rows[0][0]), "shards": names}, nil
}

// run runs a statement.
func (q *request) run() (any, error) {
	args, err := q.args()
	if err != nil {
		return nil, err
	}
	q.most = q.c.opts.MaxRows
	q.conn.Quiet(false)
	t, err := q.read(q.body.SQL, args...)
	q.c.opts.Log.Info("console: statement", "user", q.grant.Name, "write", q.body.Write, "duration", time.Since(q.began), "failed", err != nil)
	return t, err
}

// args are the statement's arguments as the driver takes them.
func (q *request) args() ([]any, error) {
	out := make([]any, len(q.body.Args))
	for i, v := range q.body.Args {
		switch v := v.(type) {
		case nil, string, bool:
			out[i] = v
		case float64:
			out[i] = v
			if n := int64(v); float64(n) == v {
				out[i] = n
			}
		default:
			return nil, &problem{http.StatusBadRequest, fmt.Sprintf("argument %d must be a number, a text, true, false or null", i+1)}
		}
	}
	return out, nil
}
