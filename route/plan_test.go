package route_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/exec"
	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/sqlparse"
)

// TestPlan runs testdata.
//
//	schema [keyspace=shop] [shards=4] [unsharded] [file]   tables and views; with file, the first paragraph is a VSchema
//	unique                                                 from here on unique keys are kept across shards
//	shop [shards=4]                                        the schema and rows of shop_test.go
//	data [keyspace=shop]                                   writes for what follows
//	plan [keyspace=shop] [args=(1, 'x', NULL)] [run=none|any|ordered]
//	explain [keyspace=shop] [args=(…)]
//
// plan prints the plan, one line per statement and combine. It also runs the
// statement, on the shards as planned and by the universal combine, and on one
// shard, and prints what differs; rows are compared in their order with
// run=ordered.
func TestPlan(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		if strings.Contains(path, "fuzz") {
			return
		}
		w := newWorld()
		w.many.plain, w.many.postgres, w.many.mixed = strings.Contains(path, "plain"), strings.Contains(path, "postgres"), strings.Contains(path, "mixed")
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			c := command(t, d)
			if w.prepare(t, c, d) {
				return ""
			}
			switch d.Cmd {
			case "plan":
				return w.printPlan(t, c, d.Input)
			case "explain":
				return w.printExplain(t, c, d.Input)
			}
			t.Fatalf("%s: unknown command %q", d.Pos, d.Cmd)
			return ""
		})
	})
}

// prepare runs the commands that make tables and rows.
func (w *world) prepare(t *testing.T, c planCommand, d *datadriven.TestData) bool {
	t.Helper()
	switch d.Cmd {
	case "schema":
		file, script := "", d.Input
		if c.file {
			file, script, _ = strings.Cut(d.Input, "\n---\n")
		}
		w.keyspace(t, c.keyspace, c.shards, !c.unsharded, file, script)
	case "unique":
		w.many.unique, w.one.unique = "global", "global"
	case "shop":
		w.keyspace(t, "shop", c.shards, true, "", shopTables)
		w.keyspace(t, "main", 1, false, "", "CREATE TABLE plain (id BIGINT PRIMARY KEY, v INT)")
		w.data(t, "shop", shopRows)
		w.data(t, "main", "INSERT INTO plain VALUES (1,10), (2,20), (3,30)")
	case "data":
		w.data(t, c.keyspace, d.Input)
	default:
		return false
	}
	return true
}

// TestPlainAnswers runs the statements of testdata over shards whose engine has none
// of our functions: the answers are those of shards that have them.
func TestPlainAnswers(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		if strings.Contains(path, "fuzz") || strings.Contains(path, "plain") || strings.Contains(path, "postgres") || strings.Contains(path, "mixed") {
			return
		}
		full, plain := newWorld(), newWorld()
		plain.many.plain = true
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			c := command(t, d)
			if plain.prepare(t, c, d) {
				full.prepare(t, c, d)
				return d.Expected
			}
			_, st, err := plan(full.many.env(c.keyspace), d.Input, nil)
			if d.Cmd != "plan" || c.run == "none" || err != nil {
				return d.Expected
			}
			args := c.args
			for len(args) < st.Params {
				args = append(args, int64(len(args)+1))
			}
			got := plain.check(t, c.keyspace, d.Input, args, c.run == "ordered")
			if want := full.check(t, c.keyspace, d.Input, args, c.run == "ordered"); got != want {
				t.Errorf("%s: %s\n%swhere shards with the functions have:\n%s", d.Pos, d.Input, got, want)
			}
			return d.Expected
		})
	})
}

type planCommand struct {
	keyspace  string
	shards    int
	unsharded bool
	file      bool
	args      []any
	run       string
}

func command(t *testing.T, d *datadriven.TestData) planCommand {
	c := planCommand{keyspace: "shop", shards: 4, run: "any"}
	for _, a := range d.CmdArgs {
		value := ""
		if len(a.Vals) > 0 {
			value = a.Vals[0]
		}
		switch a.Key {
		case "keyspace":
			c.keyspace = value
		case "shards":
			c.shards, _ = strconv.Atoi(value)
		case "unsharded":
			c.unsharded = true
		case "file":
			c.file = true
		case "run":
			c.run = value
		case "args":
			for _, v := range a.Vals {
				c.args = append(c.args, argument(v))
			}
		default:
			t.Fatalf("%s: unknown argument %q", d.Pos, a.Key)
		}
	}
	return c
}

func argument(s string) any {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return f
	}
	if s == "NULL" {
		return nil
	}
	return strings.Trim(s, "'")
}

func (w *world) printPlan(t *testing.T, c planCommand, text string) string {
	p, st, err := plan(w.many.env(c.keyspace), text, nil)
	if err != nil {
		return errorText(t, err)
	}
	args := c.args
	for len(args) < st.Params {
		args = append(args, int64(len(args)+1))
	}
	var b strings.Builder
	w.writePlan(&b, p, args)
	if c.run != "none" && !w.many.postgres && !w.many.mixed {
		b.WriteString(w.check(t, c.keyspace, text, args, c.run == "ordered"))
	}
	return b.String()
}

func errorText(t *testing.T, err error) string {
	var planned *route.Error
	var syntax *sqlparse.SyntaxError
	var dialectal *dialect.UnsupportedError
	switch {
	case errors.As(err, &planned):
		return fmt.Sprintf("error %d: %v\n", planned.Code, planned)
	case errors.As(err, &syntax):
		return fmt.Sprintf("syntax: %v\n", syntax)
	case errors.As(err, &dialectal):
		return fmt.Sprintf("dialect: %v\n", dialectal)
	}
	t.Errorf("untyped error %T: %v", err, err)
	return fmt.Sprintf("ERROR %v\n", err)
}

func (w *world) writePlan(b *strings.Builder, p *route.Plan, args []any) {
	vector, err := vectorOf(w.many.cluster, p, args)
	if err != nil {
		fmt.Fprintf(b, "BIND: %v\n", err)
		return
	}
	for _, c := range p.Params.Coerce {
		fmt.Fprintf(b, "coerce ?%d %s store=%t\n", c.Arg+1, c.Type.Name, c.Store)
	}
	slots := map[int]bool{}
	w.writeSteps(b, &p.Params, vector, slots)
	if err := exec.Prepare(context.Background(), w.many.cluster, &p.Params, vector, false); err != nil {
		fmt.Fprintf(b, "PREPARE: %v\n", err)
	}
	for i, c := range p.Params.Computed {
		if slots[p.Params.User+i] {
			continue
		}
		fmt.Fprintf(b, "?%d = %s\n", p.Params.User+i+1, computedText(&c))
	}
	w.writeFragments(b, p, vector)
	if p.Write == nil || p.Write.Kind == route.WriteByKey || p.Write.Kind == route.WriteRows && p.Write.Insert.Rows == nil {
		writeCombine(b, p)
	}
	if p.Write != nil {
		writeWrite(b, p)
		writeEffects(b, p.Write)
	}
	if p.Lock {
		b.WriteString("lock\n")
	}
}

// writeSteps prints what is done first, a subquery's plan indented.
func (w *world) writeSteps(b *strings.Builder, p *route.Params, vector []any, slots map[int]bool) {
	for _, s := range p.Steps {
		slots[s.Slot] = true
		switch {
		case s.Lookup != nil:
			fmt.Fprintf(b, "?%d = lookup %s %v\n", s.Slot+1, s.Lookup.Text, s.Lookup.Args)
		case s.Query != nil:
			var own strings.Builder
			w.writeSteps(&own, &s.Query.Plan.Params, vector, slots)
			w.writeFragments(&own, s.Query.Plan, vector)
			writeCombine(&own, s.Query.Plan)
			what := "value of"
			if s.Query.Exists {
				what = "exists"
			}
			if s.Query.List {
				what = "list of"
				slots[s.Query.Items] = true
			}
			fmt.Fprintf(b, "?%d = %s\n  %s\n", s.Slot+1, what, strings.ReplaceAll(strings.TrimSpace(own.String()), "\n", "\n  "))
		default:
			fmt.Fprintf(b, "?%d = then %s\n", s.Slot+1, s.SQL)
		}
	}
}

func (w *world) writeFragments(b *strings.Builder, p *route.Plan, vector []any) {
	own := *p // without its steps
	own.Params.Steps = nil
	rows, err := own.Explain(w.many.cluster.ShardMap, vector)
	if err != nil {
		fmt.Fprintf(b, "EXPLAIN: %v\n", err)
	}
	for i, f := range p.Fragments {
		typ, shards := route.PlanType("?"), "?"
		if i < len(rows) {
			typ, shards = rows[i].PlanType, strings.Join(rows[i].Shards, ",")
		}
		fmt.Fprintf(b, "%s %s%s [%s]", typ, f.Keyspace, destText(&f.Dest), shards)
		if f.Split {
			b.WriteString(" split")
		}
		if f.Tag {
			b.WriteString(" tagged")
		}
		fmt.Fprintf(b, "\n  %s\n", spoken(f.SQL))
	}
}

func writeEffects(b *strings.Builder, w *route.Write) {
	var all []*route.Effects
	for i := range w.ByKey {
		all = append(all, w.ByKey[i].Effects)
	}
	if w.Insert != nil {
		all = append(all, w.Insert.Effects)
		if c := w.Insert.Conflicts; c != nil {
			fmt.Fprintf(b, "conflicts %s\n", [...]string{"skip", "replace", "update"}[c.Action])
			for _, k := range c.Keys {
				for _, p := range []*route.Plan{k.Find, k.Write} {
					if p != nil {
						fmt.Fprintf(b, "  %v %s\n", k.Ordinals, p.Fragments[0].SQL)
					}
				}
			}
		}
	}
	for _, e := range all {
		if e == nil {
			continue
		}
		for i := range e.List {
			fmt.Fprintf(b, "effect of %s: %s\n", e.List[i].Name, e.List[i].Text(2))
		}
	}
}

func computedText(c *route.Computed) string {
	switch c.Kind {
	case route.ComputedConst:
		return fmt.Sprint(c.Value)
	case route.ComputedNow:
		return "now " + c.Type.Name
	case route.ComputedUUID:
		return "uuid"
	case route.ComputedRand:
		return "rand"
	case route.ComputedSession:
		return c.Name
	case route.ComputedCall:
		var args []string
		for i := range c.Args {
			args = append(args, sourceText(&c.Args[i]))
		}
		return c.Name + "(" + strings.Join(args, ", ") + ")"
	case route.ComputedCoerced:
		return fmt.Sprintf("?%d as %s", c.Arg+1, c.Type.Name)
	}
	return c.SQL
}

func destText(d *route.Destination) string {
	kind := [...]string{"all", "first", "shard", "equal", "in", "range", "prefix", "ksid", "list"}[d.Kind]
	var parts []string
	for _, row := range d.Rows {
		var cells []string
		for _, s := range row {
			cells = append(cells, sourceText(&s))
		}
		parts = append(parts, strings.Join(cells, ","))
	}
	if d.Kind == route.DestRange {
		bound := func(s route.BoundSource) string {
			if s.Unbounded {
				return "…"
			}
			return sourceText(&s.Source)
		}
		parts = append(parts, bound(d.Lo)+" to "+bound(d.Hi))
	}
	for _, list := range d.Also {
		var cells []string
		for _, s := range list {
			cells = append(cells, sourceText(&s))
		}
		parts = append(parts, "and "+strings.Join(cells, ","))
	}
	for _, g := range d.Guards {
		parts = append(parts, "if "+sourceText(&g))
	}
	if len(parts) > 0 {
		return " " + kind + "(" + strings.Join(parts, " ") + ")"
	}
	return " " + kind
}

func sourceText(s *route.Source) string {
	if s.Arg >= 0 {
		return "?" + strconv.Itoa(s.Arg+1)
	}
	if text, ok := s.Const.(string); ok {
		return "'" + text + "'"
	}
	if s.Const == nil {
		return "NULL"
	}
	return fmt.Sprint(s.Const)
}

func keysText(keys []route.SortKey) string {
	var out []string
	for _, k := range keys {
		s := strconv.Itoa(k.Col)
		if k.NoCase {
			s += "~"
		}
		if k.Desc {
			s += "-"
		}
		out = append(out, s)
	}
	return strings.Join(out, ",")
}

func writeCombine(b *strings.Builder, p *route.Plan) {
	c := &p.Combine
	b.WriteString(c.Kind.String())
	if len(c.Sort) > 0 {
		b.WriteString(" sort=" + keysText(c.Sort))
	}
	if len(c.Group) > 0 {
		b.WriteString(" group=" + keysText(c.Group))
	}
	for i, a := range c.Aggs {
		if i == 0 {
			b.WriteString(" aggs=")
		} else {
			b.WriteByte(',')
		}
		b.WriteString([...]string{"first", "sum", "count", "min", "max", "avg", "rows", "filled", "mean"}[a.Op] + strconv.Itoa(a.Col))
		if a.Op == route.AggAvg {
			b.WriteString("/" + strconv.Itoa(a.Count))
		}
		if a.NoCase {
			b.WriteByte('~')
		}
	}
	if c.Distinct != nil {
		b.WriteString(" distinct=" + keysText(c.Distinct))
	}
	if c.Limit != nil {
		b.WriteString(" limit=" + sourceText(c.Limit))
	}
	if c.Offset != nil {
		b.WriteString(" offset=" + sourceText(c.Offset))
	}
	fmt.Fprintf(b, " width=%d", c.Width)
	if p.Partial {
		b.WriteString(" partial")
	}
	for _, a := range p.Assign {
		fmt.Fprintf(b, " @%s=%d", a.Name, a.Col)
	}
	if f := p.Found; f != nil {
		b.WriteString(" found")
		for i, s := range []*route.Source{f.Limit, f.Offset} {
			if s != nil {
				b.WriteString([]string{" limit=", " offset="}[i] + sourceText(s))
			}
		}
	}
	b.WriteByte('\n')
	for _, x := range c.Indexes {
		fmt.Fprintf(b, "  index %s.%s\n", x.Table, x.Column)
	}
	for i, j := range c.Joins {
		fmt.Fprintf(b, "  %s = %s gives", route.JoinRel(i).Name(), j)
		for _, x := range j.Cols {
			fmt.Fprintf(b, " %s.%d", map[bool]string{false: j.Left.Name(), true: j.Right.Name()}[x.Right], x.Col)
		}
		b.WriteByte('\n')
		for _, n := range []*route.Narrow{j.NarrowLeft, j.NarrowRight} {
			if n != nil {
				how := ""
				if n.Dest != nil {
					how = " split"
				}
				fmt.Fprintf(b, "    narrow %d%s %s\n", n.Key, how, spoken(n.SQL))
			}
		}
	}
	if c.SQL != "" {
		fmt.Fprintf(b, "  %s\n", c.SQL)
	}
}

func writeWrite(b *strings.Builder, p *route.Plan) {
	wr := p.Write
	b.WriteString([...]string{"write whole", "write rows", "write by key"}[wr.Kind])
	if wr.Everywhere {
		b.WriteString(" everywhere")
	}
	b.WriteByte('\n')
	if wr.Insert != nil {
		writeInsert(b, wr.Insert)
	}
	for _, k := range wr.ByKey {
		fmt.Fprintf(b, "  key shard=%d rowid=%d values=%v", k.Shard, k.RowID, k.Values)
		if k.TellsID {
			fmt.Fprintf(b, " id=%d", k.InsertID)
		}
		if k.Everywhere {
			fmt.Fprintf(b, " keys=%v everywhere", k.Keys)
		}
		fmt.Fprintf(b, "\n    %s\n", spoken(k.SQL))
		if k.Move != nil {
			fmt.Fprintf(b, "    stay %s\n", spoken(k.Stay))
			writeInsert(b, k.Move)
		}
	}
}

// spoken is a text in each of its dialects.
func spoken(t dialect.Text) string {
	out := t.String()
	for _, also := range t.Also {
		out += "\n  or " + also.String()
	}
	return out
}

func writeInsert(b *strings.Builder, r *route.InsertRows) {
	fmt.Fprintf(b, "  %s\n", spoken(r.SQL))
	for _, row := range r.Rows {
		var cells []string
		for _, s := range row {
			cells = append(cells, sourceText(&s))
		}
		fmt.Fprintf(b, "  row %s\n", strings.Join(cells, ", "))
	}
	if len(r.Extra) > 0 {
		b.WriteString("  extra")
		for _, s := range r.Extra {
			b.WriteString(" " + sourceText(&s))
		}
		b.WriteByte('\n')
	}
	if r.Dest != nil {
		fmt.Fprintf(b, "  by %v\n", r.Dest.Ordinal)
	} else {
		fmt.Fprintf(b, "  to%s\n", destText(&r.Fixed))
	}
	if r.AutoInc >= 0 {
		fmt.Fprintf(b, "  auto %d from %s.%s\n", r.AutoInc, r.SeqKeyspace, r.Sequence)
	}
	if !r.Exists.Empty() {
		fmt.Fprintf(b, "  exists %s\n", r.Exists)
	}
	if !r.Remove.Empty() {
		fmt.Fprintf(b, "  remove %s\n", r.Remove)
	}
}

func (w *world) printExplain(t *testing.T, c planCommand, text string) string {
	p, st, err := plan(w.many.env(c.keyspace), text, nil)
	if err != nil {
		return errorText(t, err)
	}
	args := c.args
	for len(args) < st.Params {
		args = append(args, int64(len(args)+1))
	}
	vector, err := vectorOf(w.many.cluster, p, args)
	if err != nil {
		return err.Error() + "\n"
	}
	rows, err := p.Explain(w.many.cluster.ShardMap, vector)
	if err != nil {
		return err.Error() + "\n"
	}
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&b, "%s | %s | %s | %s | %s\n", r.PlanType, r.Text(), r.Keyspace, strings.Join(r.Shards, ","), r.Query)
	}
	return b.String()
}
