package exec

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/route"
)

// bySQL does the joins in a scratch database.
func (j *joiner) bySQL() (Rows, error) {
	runs, err := resolve(j.s, j.p.Fragments, j.args)
	if err != nil {
		return nil, err
	}
	if err := connect(j.ctx, j.s, runs); err != nil {
		return nil, err
	}
	sc, err := takeScratch(j.ctx)
	if err != nil {
		return nil, err
	}
	err = sc.fill(j.ctx, j.m, func() error {
		if err := sc.load(j.ctx, j.p.Fragments, runs, j.s.InTx(), j.m); err != nil {
			return err
		}
		return j.views(sc)
	})
	if err != nil {
		sc.release()
		return nil, err
	}
	c := &j.p.Combine
	if c.Kind == route.Query {
		rows, err := sc.query(j.ctx, c.SQL, j.args)
		if err != nil {
			return nil, err
		}
		return rows, nil
	}
	last := len(c.Joins) - 1
	skip, left, err := bounds(c, j.args)
	if err != nil {
		sc.release()
		return nil, err
	}
	rows, err := sc.query(j.ctx, "SELECT * FROM temp."+route.JoinRel(last).Name(), nil)
	if err != nil {
		return nil, err
	}
	return j.finish(&scratchSource{rows: rows, row: make([]any, len(c.Joins[last].Cols))}, skip, left)
}

// views makes a view of each join, or a table where an index is wanted.
func (j *joiner) views(sc *scratch) error {
	c := &j.p.Combine
	for i, x := range c.Joins {
		name := route.JoinRel(i).Name()
		if !slices.ContainsFunc(c.Indexes, func(x route.Index) bool { return x.Table == name }) {
			sc.made = append(sc.made, "VIEW "+name)
			if err := sc.conn.Script("CREATE TEMP VIEW " + name + " AS " + j.joinSQL(x)); err != nil {
				return err
			}
			continue
		}
		l, err := sc.createTable(name, x.Names, x.Types)
		if err != nil {
			return err
		}
		l.release()
		sc.rows[name] = indexFrom
		if err := sc.conn.Script("INSERT INTO temp." + name + " " + j.joinSQL(x)); err != nil {
			return err
		}
	}
	return sc.index(c)
}

// joinSQL is a join as SQLite's.
func (j *joiner) joinSQL(x *route.Join) string {
	names := func(r route.Rel) []string {
		if i, ok := r.Join(); ok {
			return j.p.Combine.Joins[i].Names
		}
		return j.p.Fragments[r].Names
	}
	left, right := names(x.Left), names(x.Right)
	var b strings.Builder
	b.WriteString("SELECT ")
	for i, c := range x.Cols {
		if i > 0 {
			b.WriteString(", ")
		}
		if c.Right {
			b.WriteString("r." + quoteName(right[c.Col]))
		} else {
			b.WriteString("l." + quoteName(left[c.Col]))
		}
		b.WriteString(" AS " + quoteName(x.Names[i]))
	}
	var on, lk, rk []string
	for _, k := range x.Keys {
		lk, rk = append(lk, "l."+quoteName(left[k.Left])), append(rk, "r."+quoteName(right[k.Right]))
		on = append(on, lk[len(lk)-1]+" = "+rk[len(rk)-1])
	}
	fmt.Fprintf(&b, " FROM temp.%s AS l ", x.Left.Name())
	switch x.Kind {
	case route.InnerJoin, route.OuterJoin:
		fmt.Fprintf(&b, "%s temp.%s AS r ON %s", x.Kind, x.Right.Name(), strings.Join(on, " AND "))
	default:
		// IN makes an index once, EXISTS might look through all rows each time.
		fmt.Fprintf(&b, "WHERE ((%s) IN (SELECT %s FROM temp.%s AS r)) IS ", strings.Join(lk, ", "), strings.Join(rk, ", "), x.Right.Name())
		if x.Kind == route.AntiJoin {
			b.WriteString("NOT ")
		}
		b.WriteString("TRUE")
	}
	return b.String()
}

// scratchSource makes a source of a scratch's rows.
type scratchSource struct {
	rows *scratchRows
	row  []any
}
