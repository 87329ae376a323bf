package advise

import (
	"fmt"
	"io"
	"strings"

	"github.com/vitessdo/vitessdo/internal/present"
	"github.com/vitessdo/vitessdo/sqlparse"
	"github.com/vitessdo/vitessdo/vschema"
)

// Advice is how tables are best sharded, and what that does to the statements.
type Advice struct {
	Shards int `json:"shards"`
	// Kept: the tables are best left as they are.
	Kept   bool    `json:"kept"`
	Tables []Table `json:"tables"`
	// VSchema is the file's text; Entries are the CREATE TABLE statements of the tables
	// that its lookup vindexes need.
	VSchema    string      `json:"vschema,omitempty"`
	Entries    []string    `json:"entries,omitempty"`
	Statements []Routed    `json:"statements"`
	Unplanned  []Unplanned `json:"unplanned,omitempty"`
}

// Table is how a table is sharded before and after.
type Table struct {
	Name   string `json:"name"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// Routed is a statement and where it goes before and after.
type Routed struct {
	Statement
	Before     Class   `json:"before"`
	After      Class   `json:"after"`
	CostBefore float64 `json:"cost_before"` // requests to shards, weighed
	CostAfter  float64 `json:"cost_after"`
}

// Unplanned is a statement that has no plan, and why.
type Unplanned struct {
	Statement
	Reason string `json:"reason"`
}

func (a *Advice) cost(after bool) float64 {
	total := 0.0
	for _, r := range a.Statements {
		if after {
			total += r.CostAfter * float64(r.Count)
		} else {
			total += r.CostBefore * float64(r.Count)
		}
	}
	return total
}

func (a *Advice) tables(s *search, before, after *world, l layout) {
	text := func(w *world, name string) string {
		t := w.env.VSchema.Keyspaces[s.k.name].Table(name)
		if t == nil {
			return "unsharded"
		}
		return sharding(t)
	}
	for _, t := range s.tables {
		row := Table{t.def.Name, text(before, t.def.Name), text(after, t.def.Name)}
		for _, x := range l.lookups {
			if x.table == t.key {
				row.After += ", " + x.String()
			}
		}
		a.Tables = append(a.Tables, row)
	}
}

// sharding tells the primary vindex.
func sharding(t *vschema.Table) string {
	if p := t.Primary(); p != nil {
		return p.Type + "(" + strings.Join(p.Columns, ", ") + ")"
	}
	if text := t.Type.String(); text != "" {
		return text
	}
	return "unsharded"
}

// scatters counts the statements that were run, and those that ask all shards.
func (a *Advice) scatters() (calls, before, after int64) {
	for _, r := range a.Statements {
		calls += r.Count
		if r.Before.Scatters() {
			before += r.Count
		}
		if r.After.Scatters() {
			after += r.Count
		}
	}
	return calls, before, after
}

// fewCalls is below how many statements advice is a guess.
const fewCalls = 100

// Text writes the advice for people; the most expensive statements first, as many as
// most.
func (a *Advice) Text(w io.Writer, o present.Output, most int) error {
	calls, scatterBefore, scatterAfter := a.scatters()
	fmt.Fprintf(w, "%s, %s of them different, on %s\n\n", present.Count(calls, "statement"), present.Thousands(int64(len(a.Statements))), present.Count(int64(a.Shards), "shard"))
	if calls < fewCalls {
		fmt.Fprintf(w, "So few statements may not be what the application does most; ask again with a log of a day, or of a test run.\n\n")
	}
	if a.Kept {
		fmt.Fprintln(w, "The tables are best left as they are.")
	}
	tables := &present.Grid{Head: []string{"table", "before", "after"}}
	for _, t := range a.Tables {
		after := t.After
		if after == t.Before {
			after = "the same"
		}
		tables.Add(t.Name, t.Before, after)
	}
	if err := o.Grid(tables); err != nil {
		return err
	}
	per := func(n int64) string { return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(max(calls, 1))) }
	fmt.Fprintf(w, "\nstatements that ask all shards: %s before, %s after\n", per(scatterBefore), per(scatterAfter))
	fmt.Fprintf(w, "requests per statement, weighed: %.2f before, %.2f after\n\n", a.cost(false)/float64(max(calls, 1)), a.cost(true)/float64(max(calls, 1)))
	list := &present.Grid{Head: []string{"count", "before", "after", "scatters", "statement"}}
	for i, r := range a.Statements {
		if i == most {
			break
		}
		_, text := sqlparse.Digest(r.SQL)
		list.Add(r.Count, string(r.Before), string(r.After), r.share(scatterBefore, scatterAfter), short(text))
	}
	if err := o.Grid(list); err != nil {
		return err
	}
	if more := len(a.Statements) - most; more > 0 {
		fmt.Fprintf(w, "and %s more\n", present.Count(int64(more), "statement"))
	}
	for _, u := range a.Unplanned {
		fmt.Fprintf(w, "left out, %s: %s\n", u.Reason, short(u.SQL))
	}
	for _, e := range a.Entries {
		fmt.Fprintf(w, "\nThe lookup vindex needs a table of its own:\n  %s;\n", e)
	}
	return nil
}

// share tells which part of all scatters are the statement's, before and after.
func (r *Routed) share(before, after int64) string {
	of := func(c Class, all int64) string {
		if !c.Scatters() {
			return "none"
		}
		return fmt.Sprintf("%.1f %%", 100*float64(r.Count)/float64(all))
	}
	a, b := of(r.Before, before), of(r.After, after)
	if a == b {
		return a
	}
	return a + " → " + b
}

// short is a statement on one line that isn't too long.
func short(text string) string {
	const most = 110
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}
