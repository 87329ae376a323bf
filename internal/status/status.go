package status

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/vitessdo/vitessdo/topo"
	"github.com/vitessdo/vitessdo/vschema"
)

// Status is a database at a glance.
type Status struct {
	Source    string     `json:"source"` // the data source name, without secrets
	Keyspaces []Keyspace `json:"keyspaces"`
	// Files are those of the directory that no shard owns; nil without one.
	Files   []File        `json:"files,omitempty"`
	InDoubt []Transaction `json:"in_doubt"`
}

// Keyspace is a logical database.
type Keyspace struct {
	Name   string  `json:"name"`
	Shards []Shard `json:"shards"`
	Tables []Table `json:"tables"`
}

// Shard is one of a keyspace's databases. Rows counts those of all tables; Bytes is
// -1 where the shard is no file of this machine.
type Shard struct {
	Name  string `json:"name"`
	Rows  int64  `json:"rows"`
	Bytes int64  `json:"bytes"`
}

// Table is a table and its rows on each shard, in the keyspace's order.
type Table struct {
	Name string `json:"name"`
	// Sharding says how: "hash(id)", "reference", "unsharded", or "" unknown.
	Sharding string  `json:"sharding"`
	Rows     []int64 `json:"rows"`
	Total    int64   `json:"total"` // copies of a reference table count once
	// Skew is the rows of the fullest shard by those of the average one: 1 is even. It
	// is 0 where it says nothing: without rows, on one shard, in copies.
	Skew float64 `json:"skew,omitempty"`
}

// File is a file and its size, what SQLite keeps beside it included.
type File struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
}

// Transaction is one over several shards whose commit isn't finished everywhere.
type Transaction struct {
	DTID         string `json:"dtid"`
	State        string `json:"state"`
	Since        string `json:"since"`
	Participants string `json:"participants"`
}

// Read looks a database over; it counts all rows. dir is its directory, or "". The
// connection is at the keyspace that it was at afterwards.
func Read(ctx context.Context, conn *sql.Conn, source, dir string) (*Status, error) {
	s := &Status{Source: source, InDoubt: []Transaction{}}
	var shards []string
	if err := each(ctx, conn, "SHOW VITESS_SHARDS", func(v []sql.NullString) { shards = append(shards, v[0].String) }); err != nil {
		return nil, err
	}
	var text string
	if err := conn.QueryRowContext(ctx, "SHOW VSCHEMA").Scan(&text); err != nil {
		return nil, err
	}
	vs, err := vschema.Parse([]byte(text))
	if err != nil {
		return nil, err
	}
	sizes, err := topo.Sizes(dir)
	if err != nil {
		return nil, err
	}
	size := func(name string) int64 {
		if n, ok := sizes[name]; ok {
			return n
		}
		return -1
	}
	for _, name := range shards {
		keyspace, shard, _ := strings.Cut(name, "/")
		if n := len(s.Keyspaces); n == 0 || s.Keyspaces[n-1].Name != keyspace {
			s.Keyspaces = append(s.Keyspaces, Keyspace{Name: keyspace, Tables: []Table{}})
		}
		k := &s.Keyspaces[len(s.Keyspaces)-1]
		k.Shards = append(k.Shards, Shard{Name: shard, Bytes: size(name)})
	}
	for i := range s.Keyspaces {
		k := &s.Keyspaces[i]
		if err := k.count(ctx, conn, vs); err != nil {
			return nil, err
		}
		err := each(ctx, conn, "SHOW UNRESOLVED TRANSACTIONS FOR "+quote(k.Name), func(v []sql.NullString) {
			s.InDoubt = append(s.InDoubt, Transaction{v[0].String, v[1].String, v[2].String, v[3].String})
		})
		if err != nil {
			return nil, err
		}
	}
	for _, name := range []string{"catalog.db", "redo.log"} {
		if n := size(name); n >= 0 {
			s.Files = append(s.Files, File{name, n})
		}
	}
	return s, nil
}

// count counts the rows of a keyspace's tables, shard by shard.
func (k *Keyspace) count(ctx context.Context, conn *sql.Conn, vs *vschema.VSchema) (err error) {
	use := func(target string) error {
		_, err := conn.ExecContext(ctx, "USE "+quote(target))
		return err
	}
	var before string
	if err := conn.QueryRowContext(ctx, "SELECT DATABASE()").Scan(&before); err != nil {
		return err
	}
	defer func() {
		_, e := conn.ExecContext(context.WithoutCancel(ctx), "USE "+quote(before))
		err = errors.Join(err, e)
	}()
	if err := use(k.Name); err != nil {
		return err
	}
	var tables []string
	if err := each(ctx, conn, "SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'", func(v []sql.NullString) { tables = append(tables, v[0].String) }); err != nil {
		return err
	}
	for _, name := range tables {
		t := Table{Name: name, Sharding: sharding(vs.Keyspaces[k.Name], name)}
		if err := conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+quote(name)).Scan(&t.Total); err != nil {
			return err
		}
		k.Tables = append(k.Tables, t)
	}
	for i := range k.Shards {
		s := &k.Shards[i]
		if err := use(k.Name + "/" + s.Name); err != nil {
			return err
		}
		for j := range k.Tables {
			t, n := &k.Tables[j], int64(0)
			if err := conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+quote(t.Name)).Scan(&n); err != nil {
				return err
			}
			t.Rows, s.Rows = append(t.Rows, n), s.Rows+n
		}
	}
	for j := range k.Tables {
		k.Tables[j].measure()
	}
	return nil
}

// sharding says how a table is sharded.
func sharding(k *vschema.Keyspace, name string) string {
	if k == nil {
		return ""
	}
	for n, t := range k.Tables {
		if !strings.EqualFold(n, name) {
			continue
		}
		if len(t.ColumnVindexes) == 0 {
			if text := t.Type.String(); text != "" {
				return text
			}
			return "unsharded"
		}
		v := t.ColumnVindexes[0]
		typ := v.Name
		if d := k.Vindexes[v.Name]; d != nil {
			typ = d.Type
		}
		return typ + "(" + strings.Join(v.Columns, ", ") + ")"
	}
	if !k.Sharded {
		return "unsharded"
	}
	return ""
}

// measure finds the skew.
func (t *Table) measure() {
	most, sum := int64(0), int64(0)
	for _, n := range t.Rows {
		most, sum = max(most, n), sum+n
	}
	if len(t.Rows) > 1 && sum > 0 && strings.Contains(t.Sharding, "(") {
		t.Skew = float64(most) * float64(len(t.Rows)) / float64(sum)
	}
}

// JSON writes it as JSON.
func (s *Status) JSON() (string, error) {
	text, err := json.MarshalIndent(s, "", "  ")
	return string(text) + "\n", err
}

// each reads rows as text.
func each(ctx context.Context, conn *sql.Conn, query string, f func([]sql.NullString)) error {
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	values, dest := make([]sql.NullString, len(names)), make([]any, len(names))
	for i := range dest {
		dest[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return fmt.Errorf("%s: %w", query, err)
		}
		f(values)
	}
	return rows.Err()
}

func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }
