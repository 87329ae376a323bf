package ddl_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/vitessdo/vitessdo/ddl"
	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/foreign"
	"github.com/vitessdo/vitessdo/internal/sqlite"
	"github.com/vitessdo/vitessdo/schema"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/sqlparse"
	"github.com/vitessdo/vitessdo/vindex"
	"github.com/vitessdo/vitessdo/vschema"
)

const ks = "shop"

// world is a keyspace with one real shard behind it.
type world struct {
	t     *testing.T
	o     ddl.Options
	s     *schema.Schema
	v     *vschema.VSchema
	shard *sqlite.Conn
}

// TestPlan runs testdata: "keyspace" makes a new world (arguments shards,
// foreign_keys, unchecked, unique_keys, collation, unsharded; input: a VSchema, else auto
// mode), "ddl" plans a statement, prints the change and makes it, "rescale" does so
// for another number of shards (argument shards; input: parameters of vindexes), "sql" runs
// statements on the shard as they are, "query" prints rows of the shard.
func TestPlan(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		var w *world
		defer func() {
			if w != nil {
				_ = w.shard.Close()
			}
		}()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd == "keyspace" {
				if w != nil {
					_ = w.shard.Close()
				}
				w = newWorld(t, d)
				return ""
			}
			w.t = t
			switch d.Cmd {
			case "ddl":
				return w.ddl(d.Input)
			case "rescale":
				return w.rescale(d)
			case "sql":
				if err := w.shard.Script(d.Input); err != nil {
					return "error: " + err.Error() + "\n"
				}
				return ""
			case "query":
				return w.query(d.Input)
			}
			t.Fatalf("%s: unknown command %q", d.Pos, d.Cmd)
			return ""
		})
	})
}

func newWorld(t *testing.T, d *datadriven.TestData) *world {
	w := &world{t: t, o: ddl.Options{Keyspace: ks, Shards: map[string]int{ks: 4}}, s: (*schema.Schema)(nil).With(1)}
	sharded := true
	for _, a := range d.CmdArgs {
		value := ""
		if len(a.Vals) > 0 {
			value = a.Vals[0]
		}
		switch a.Key {
		case "shards":
			w.o.Shards[ks], _ = strconv.Atoi(value)
		case "foreign_keys":
			w.o.ForeignKeys = value
		case "bound":
			w.o.Bound = map[string]bool{ks: true}
		case "unchecked":
			w.o.Unchecked = true
		case "unique_keys":
			w.o.UniqueKeys = value
		case "collation":
			w.o.DefaultCollation = value
		case "unsharded":
			sharded = false
		default:
			t.Fatalf("%s: unknown argument %q", d.Pos, a.Key)
		}
	}
	var err error
	if d.Input != "" {
		w.v, err = vschema.ParseKeyspace(ks, []byte(d.Input))
	} else {
		w.v, err = vschema.New().WithKeyspace(&vschema.Keyspace{Name: ks, Sharded: sharded, Auto: true})
	}
	if err == nil {
		w.v, err = w.v.Bind(ks, vindex.EvenRanges(w.o.Shards[ks]))
	}
	if err != nil {
		t.Fatalf("%s: %v", d.Pos, err)
	}
	if w.shard, err = sqlite.Open(context.Background(), ":memory:", sqlite.Options{}); err != nil {
		t.Fatal(err)
	}
	return w
}

// ddl plans, prints and makes one change.
func (w *world) ddl(text string) string {
	var b strings.Builder
	st, err := sqlparse.Parse(text, sqlparse.Options{})
	if err != nil {
		return "does not parse: " + err.Error() + "\n"
	}
	before := snapshot(w.s, w.v)
	c, err := ddl.Plan(st.Stmt, w.s, w.v, w.o)
	return w.make(&b, text, before, c, err)
}

// rescale plans what it means for the tables to be on another number of shards, and
// does it.
func (w *world) rescale(d *datadriven.TestData) string {
	var b strings.Builder
	before := snapshot(w.s, w.v)
	was := w.o.Shards[ks]
	var to int
	d.ScanArgs(w.t, "shards", &to)
	w.o.Shards[ks] = to
	var params map[string]map[string]string
	for _, line := range strings.Split(d.Input, "\n") {
		if name, rest, ok := strings.Cut(line, " "); ok {
			p, err := vschema.ParseParams(rest)
			if err != nil {
				w.t.Fatalf("%s: %v", d.Pos, err)
			}
			params = map[string]map[string]string{name: p}
		}
	}
	c, err := ddl.Rescale(w.s, w.v, w.o, was, params)
	text := w.make(&b, d.Pos, before, c, err)
	if err != nil {
		w.o.Shards[ks] = was
		return text
	}
	bound, err := w.v.Bind(ks, vindex.EvenRanges(to))
	if err != nil {
		w.o.Shards[ks] = was
		return text + "VSchema: " + err.Error() + "\n"
	}
	w.v = bound
	return text
}

// make prints a change, if there is one, and makes it.
func (w *world) make(b *strings.Builder, text, before string, c *ddl.Change, err error) string {
	if after := snapshot(w.s, w.v); after != before {
		w.t.Errorf("%s: planning changed the snapshots:\n%s\n%s", text, before, after)
	}
	if err != nil {
		var typed *ddl.Error
		if !errors.As(err, &typed) {
			w.t.Errorf("%s: error %T %v is no *ddl.Error", text, err, err)
			return ""
		}
		return fmt.Sprintf("error %d: %s\n", typed.Number, typed.Message)
	}
	w.print(b, c)
	if err := w.run(c); err != nil {
		fmt.Fprintf(b, "THE SHARD SAYS: %v\n", err)
		return b.String()
	}
	w.s = w.s.With(w.s.Version+1, c.Schema...)
	if c.VSchema != nil {
		w.v = c.VSchema
	}
	w.verify(text, c)
	w.verifyKeys(text)
	return b.String()
}

// snapshot writes down schema and VSchema.
func snapshot(s *schema.Schema, v *vschema.VSchema) string {
	var b strings.Builder
	for _, t := range s.Tables(ks) {
		b.WriteString(dialect.ShowCreate(t) + "\n")
	}
	for _, v := range s.Views(ks) {
		b.WriteString(ddl.ViewDDL(v) + "\n")
	}
	b.Write(v.Marshal())
	return b.String()
}

func (w *world) print(b *strings.Builder, c *ddl.Change) {
	if c.ForeignKeysOff {
		b.WriteString("foreign keys off\n")
	}
	for _, s := range c.Shards {
		fmt.Fprintf(b, "shard: %s\n", s)
	}
	for _, name := range c.Drop {
		fmt.Fprintf(b, "drop: %s\n", name)
	}
	for _, r := range c.Relations {
		fmt.Fprintf(b, "put: %s\n", strings.ReplaceAll(r.DDL, "\n", "\n     "))
	}
	if c.VSchema != nil {
		printVSchema(b, w.v.Keyspace(ks), c.VSchema.Keyspace(ks))
	}
	for _, s := range c.Sequences {
		fmt.Fprintf(b, "sequence: %s\n", sequenceText(s))
	}
	for _, f := range c.Fills {
		fmt.Fprintf(b, "entries: %s of %s.%s\n", f.Hidden.Name, f.Table.Name, f.Key.Name)
	}
	for _, v := range c.Verify {
		fmt.Fprintf(b, "verify %s.%s: %s\n", v.Table, v.Key, v.Query)
	}
	if c.Fill != nil {
		fmt.Fprintf(b, "fill: %s (%s) from %s\n", c.Fill.Table.Name, strings.Join(c.Fill.Columns, ", "), c.Fill.Text)
	}
	for _, m := range c.Warnings {
		fmt.Fprintf(b, "warning: %s\n", m)
	}
	if c.Empty() {
		b.WriteString("nothing to do\n")
	}
}

func sequenceText(s ddl.SequenceChange) string {
	switch {
	case s.From != "":
		return s.From + " becomes " + s.Name
	case s.Drop:
		return s.Name + " goes"
	}
	text := fmt.Sprintf("%s next %d", strings.TrimPrefix(s.Keyspace+"."+s.Name, "."), s.Next)
	if s.AtLeast {
		text += " at least"
	}
	if s.Column != "" {
		text += fmt.Sprintf(", above %s.%s", s.Table, s.Column)
	}
	return text
}

// printVSchema prints the tables that changed.
func printVSchema(b *strings.Builder, old, new *vschema.Keyspace) {
	names := map[string]bool{}
	for n := range old.Tables {
		names[n] = true
	}
	for n := range new.Tables {
		names[n] = true
	}
	for _, n := range slices.Sorted(maps.Keys(names)) {
		was, is := tableText(old.Tables[n]), tableText(new.Tables[n])
		if was != is {
			fmt.Fprintf(b, "vschema: %s: %s\n", n, is)
		}
	}
}

func tableText(t *vschema.Table) string {
	if t == nil {
		return "gone"
	}
	text := t.Type.String()
	for _, v := range t.ColumnVindexes {
		text += fmt.Sprintf(" %s=%s(%s)", v.Name, v.Type, strings.Join(v.Columns, ", "))
	}
	if len(t.Pinned) > 0 {
		text += fmt.Sprintf(" at %x", t.Pinned)
	}
	if t.AutoIncrement != nil {
		text += fmt.Sprintf(" auto_increment %s from %s", t.AutoIncrement.Column, t.AutoIncrement.Sequence)
	}
	return text
}

// run makes the change on the shard as a tablet would, and looks for harm.
func (w *world) run(c *ddl.Change) (err error) {
	on, off := "PRAGMA foreign_keys=ON", "PRAGMA foreign_keys=OFF"
	if c.ForeignKeysOff {
		if err := w.shard.Script(off); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, w.shard.Script(on)) }()
	}
	if err := w.shard.Script("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for _, s := range c.Shards {
		if err := w.shard.Script(s.String()); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", s, err), w.shard.Script("ROLLBACK"))
		}
	}
	for _, v := range c.Verify {
		rows, err := w.shard.QueryAll(context.Background(), v.Query)
		if err == nil && len(rows) > 0 {
			err = errors.New(v.Failed)
		}
		if err != nil {
			return errors.Join(err, w.shard.Script("ROLLBACK"))
		}
	}
	if err := w.shard.Script("COMMIT"); err != nil {
		return errors.Join(err, w.shard.Script("ROLLBACK"))
	}
	for _, check := range []string{"PRAGMA foreign_key_check", "PRAGMA integrity_check"} {
		rows, err := w.shard.QueryAll(context.Background(), check)
		if err != nil {
			return fmt.Errorf("%s: %w", check, err)
		}
		if len(rows) > 0 && rows[0][0] != "ok" {
			return fmt.Errorf("%s: %v", check, rows)
		}
	}
	return nil
}

// verify holds what must be true of every change: the catalog's text gives the
// definition back, and the shard has the tables and columns that the schema
// has, and no other.
func (w *world) verify(text string, c *ddl.Change) {
	for _, r := range c.Relations {
		st, err := sqlparse.Parse(r.DDL, sqlparse.Options{})
		if err != nil {
			w.t.Errorf("%s: the catalog's text doesn't parse: %v\n%s", text, err, r.DDL)
			continue
		}
		if create, ok := st.Stmt.(*sqlast.CreateTable); ok {
			if again := dialect.ShowCreate(create.Def); again != r.DDL {
				w.t.Errorf("%s: the catalog's text changes when it is read again:\n%s\n%s", text, r.DDL, again)
			}
		}
	}
	if c.VSchema != nil {
		if again, err := vschema.Parse(c.VSchema.Marshal()); err != nil || !again.Equal(c.VSchema) {
			w.t.Errorf("%s: the VSchema changes when it is read again: %v", text, err)
		}
	}
	var want, got []string
	for _, t := range append(w.s.Tables(ks), w.s.HiddenTables(ks)...) {
		for _, col := range t.Columns {
			want = append(want, t.Name+"."+col.Name)
		}
	}
	rows, err := w.shard.QueryAll(context.Background(), `SELECT s.name || '.' || c.name FROM sqlite_schema s, pragma_table_xinfo(s.name) c
		WHERE s.type = 'table' AND s.name NOT LIKE 'sqlite%'`)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range rows {
		got = append(got, r[0].(string))
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		w.t.Errorf("%s:\nthe schema has %v\nthe shard has  %v", text, want, got)
	}
}

// verifyKeys holds that the shard has the foreign keys that are left to it, and
// no other.
func (w *world) verifyKeys(text string) {
	keys := foreign.Of(w.s, w.v, func(string) foreign.Shards { return foreign.Shards{Number: w.o.Shards[ks], Bound: w.o.Bound[ks]} })
	var want, got []string
	for _, t := range w.s.Tables(ks) {
		for _, key := range keys.Of(ks, t.Name) {
			if key.Gate == "" {
				want = append(want, fmt.Sprint(t.Name, key.Columns, key.RefTable, key.RefColumns))
			}
		}
	}
	rows, err := w.shard.QueryAll(context.Background(), `SELECT s.name, f."table", group_concat(f."from", ' '), group_concat(f."to", ' ')
		FROM sqlite_schema s, pragma_foreign_key_list(s.name) f WHERE s.type = 'table' GROUP BY s.name, f.id ORDER BY f.seq`)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range rows {
		got = append(got, fmt.Sprintf("%s[%s]%s[%s]", r[0], r[2], r[1], r[3]))
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		w.t.Errorf("%s:\nthe shard is to keep %v\nit has             %v", text, want, got)
	}
}

func (w *world) query(sql string) string {
	rows, err := w.shard.QueryAll(context.Background(), sql)
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	var b strings.Builder
	for _, r := range rows {
		for i, v := range r {
			if i > 0 {
				b.WriteString(" | ")
			}
			if v == nil {
				v = "NULL"
			}
			fmt.Fprint(&b, v)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
