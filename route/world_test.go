package route_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo/ddl"
	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/dialect/postgres"
	"github.com/vitessdo/vitessdo/dialect/sqlite"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/sqlparse"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/vindex"
	"github.com/vitessdo/vitessdo/vschema"
)

// world is the same database twice: over some shards, and on one. Every answer
// of the first is held against the second's.
type world struct {
	many, one *side
}

// side is one of the two databases.
type side struct {
	cluster *cluster
	schema  *schema.Schema
	vschema *vschema.VSchema
	shards  map[string]int
	unique  string // the option unique_keys
	plain   bool   // the shards have SQLite's own functions alone
	// postgres: statements are printed for PostgreSQL, and not run.
	postgres bool
	// mixed: so are those of the keyspace shop's second and fourth shard.
	mixed bool
}

// speak says what prints for the side's shards; nothing: these are like the gate.
func (s *side) speak(m *route.ShardMap) {
	if m.Printers = s.printers(); s.mixed && m.Keyspace == "shop" {
		m.Printers, m.Speaks = dialect.Printers{sqlite.Printer{}, postgres.Printer{}}, []int{0, 1, 0, 1}
	}
}

func (s *side) printers() dialect.Printers {
	switch {
	case s.postgres:
		return dialect.Printers{postgres.Printer{}}
	case s.plain:
		return dialect.Printers{sqlite.Printer{Plain: &sqlite.Limits{}}}
	}
	return nil
}

func newWorld() *world {
	side := func() *side {
		s := &side{cluster: newCluster(), schema: (*schema.Schema)(nil).With(1), vschema: vschema.New(), shards: map[string]int{}, unique: "shard"}
		s.cluster.env = s.env
		return s
	}
	return &world{many: side(), one: side()}
}

// tables prints for the shards' tables, which SQLite has whatever the statements are
// printed for.
func (s *side) tables() dialect.Printers {
	if s.postgres {
		return nil
	}
	return s.printers()
}

// keyspace adds a keyspace with the tables and views of a script.
func (w *world) keyspace(t testing.TB, name string, shards int, sharded bool, file, script string) {
	t.Helper()
	w.many.keyspace(t, name, shards, sharded, file, script)
	w.one.keyspace(t, name, 1, sharded, file, script)
}

func (s *side) keyspace(t testing.TB, name string, shards int, sharded bool, file, script string) {
	t.Helper()
	k := &vschema.Keyspace{Name: name, Sharded: sharded, Auto: true}
	if file != "" {
		v, err := vschema.ParseKeyspace(name, []byte(file))
		if err != nil {
			t.Fatal(err)
		}
		k = v.Keyspace(name)
	}
	v, err := s.vschema.WithKeyspace(k)
	if err == nil {
		v, err = v.Bind(name, vindex.EvenRanges(shards))
	}
	if err != nil {
		t.Fatal(err)
	}
	s.vschema, s.shards[name] = v, shards
	var tablets []tablet.Tablet
	for range shards {
		tablets = append(tablets, newShard(t, s.plain))
	}
	s.cluster.add(name, tablets)
	s.speak(s.cluster.maps[name])
	texts, err := sqlparse.Split(script, sqlparse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		s.ddl(t, name, text)
	}
}

func (s *side) ddl(t testing.TB, ks, text string) {
	t.Helper()
	st, err := sqlparse.Parse(text, sqlparse.Options{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	c, err := ddl.Plan(st.Stmt, s.schema, s.vschema, ddl.Options{Keyspace: ks, Shards: s.shards, UniqueKeys: s.unique, Printers: func(string) dialect.Printers { return s.tables() }})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	for _, tb := range s.cluster.tablets[ks] {
		for _, sql := range c.Shards {
			if err := tb.(*shard).conn.Script(sql.String()); err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
		}
	}
	s.schema = s.schema.With(s.schema.Version+1, c.Schema...)
	if c.VSchema != nil {
		v, err := c.VSchema.Bind(ks, vindex.EvenRanges(s.shards[ks]))
		if err != nil {
			t.Fatal(err)
		}
		s.vschema = v
	}
}

func (s *side) isReference(ks, table string) bool {
	vt := s.vschema.Keyspaces[ks].Table(table)
	return vt != nil && vt.Type == vschema.TableReference
}

func (s *side) env(ks string) *route.Env { return newEnv(s.cluster, s, ks) }

// data runs writes on both sides.
func (w *world) data(t testing.TB, ks, script string) {
	t.Helper()
	if w.many.postgres || w.many.mixed {
		return // no statement is run
	}
	texts, err := sqlparse.Split(script, sqlparse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		for _, s := range []*side{w.many, w.one} {
			if _, err := s.cluster.run(s.env(ks), text, nil, nil); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
	}
	if a, b := w.many.contents(t), w.one.contents(t); !slices.Equal(a, b) {
		t.Errorf("after the data, the shards hold\n%s\nnot\n%s", strings.Join(a, "\n"), strings.Join(b, "\n"))
	}
}

// check runs a statement on both sides, on the shards in every way that there
// is, and tells what differs. Writes are undone.
func (w *world) check(t testing.TB, ks, text string, args []any, ordered bool) string {
	t.Helper()
	st, err := sqlparse.Parse(text, sqlparse.Options{})
	if err != nil {
		return "DOES NOT PARSE: " + err.Error() + "\n"
	}
	if _, isQuery := st.Stmt.(sqlast.Query); !isQuery {
		return w.checkWrite(t, ks, text, args)
	}
	want, err := w.one.cluster.run(w.one.env(ks), text, args, nil)
	if err != nil {
		return "ONE SHARD FAILS: " + err.Error() + "\n"
	}
	var out strings.Builder
	for _, way := range []struct {
		name  string
		tweak func(sqlast.Stmt)
	}{{"shards", nil}, {"universal", forceQuery}} {
		got, err := w.many.cluster.run(w.many.env(ks), text, args, way.tweak)
		if err != nil {
			fmt.Fprintf(&out, "%s FAILS: %v\n", strings.ToUpper(way.name), err)
			continue
		}
		out.WriteString(differ(strings.ToUpper(way.name), got, want, ordered))
	}
	return out.String()
}

func differ(what string, got, want [][]any, ordered bool) string {
	a, b := rowTexts(got), rowTexts(want)
	if !ordered {
		slices.Sort(a)
		slices.Sort(b)
	}
	if slices.Equal(a, b) {
		return ""
	}
	return fmt.Sprintf("%s GIVES %s\nONE SHARD %s\n", what, strings.Join(a, " | "), strings.Join(b, " | "))
}

func (w *world) checkWrite(t testing.TB, ks, text string, args []any) string {
	t.Helper()
	var out strings.Builder
	before := w.one.contents(t)
	one, two, err := w.one.undone(t, ks, text, args, nil)
	if err != nil {
		fmt.Fprintf(&out, "ONE SHARD FAILS: %v\n", err)
	}
	for _, way := range []struct {
		name  string
		tweak func(sqlast.Stmt)
	}{{"SHARDS", nil}, {"UNIVERSAL", forceQuery}} {
		n, rows, err2 := w.many.undone(t, ks, text, args, way.tweak)
		switch {
		case err2 != nil && err != nil:
		case err2 != nil:
			fmt.Fprintf(&out, "%s FAILS: %v\n", way.name, err2)
		case n != one:
			fmt.Fprintf(&out, "%s COUNTS %d, ONE SHARD %d\n", way.name, n, one)
		}
		if err == nil && err2 == nil && !slices.Equal(rows, two) {
			fmt.Fprintf(&out, "%s LEAVES\n  %s\nONE SHARD\n  %s\n", way.name,
				strings.Join(without(rows, before), "\n  "), strings.Join(without(two, before), "\n  "))
		}
	}
	return out.String()
}

func without(list, other []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(other, s) {
			out = append(out, s)
		}
	}
	for _, s := range other {
		if !slices.Contains(list, s) {
			out = append(out, "gone "+s)
		}
	}
	return out
}

// undone runs a write in a transaction, gives its count and what the tables
// hold then, and rolls back.
func (s *side) undone(t testing.TB, ks, text string, args []any, tweak func(sqlast.Stmt)) (int64, []string, error) {
	t.Helper()
	p, _, err := plan(s.env(ks), text, tweak)
	if err != nil {
		return 0, nil, err
	}
	c := s.cluster
	next := map[string]int64{}
	for k, v := range c.next {
		next[k] = v
	}
	c.begin()
	rows, err := c.runPlan(p, args)
	var n int64
	var held []string
	if err == nil {
		n = rows[0][0].(int64)
		held = s.contents(t)
	}
	if e := c.end(context.Background(), false); e != nil {
		t.Fatal(e)
	}
	c.next = next
	return n, held, err
}
