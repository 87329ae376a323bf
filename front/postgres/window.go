package postgres

import (
	"github.com/vitessdo/vitessdo/front"
	"github.com/vitessdo/vitessdo/sqlast"
)

// over puts OVER behind a function, if it has one.
func (c *conv) over(n node, x sqlast.Expr) sqlast.Expr {
	w := n.message("over")
	if w == nil {
		return x
	}
	switch x.(type) {
	case *sqlast.Agg, *sqlast.Func:
	default:
		c.refuse(n.at(), "OVER behind this function", "")
	}
	if n.str("null_treatment") == "NULLINGNULLS" || n.is("ignore_nulls") {
		c.refuse(n.at(), "IGNORE NULLS", "")
	}
	out := &sqlast.Window{Func: x}
	if name := w.str("name"); name != "" {
		out.Name = name
		return out
	}
	out.Spec = c.window(w)
	return out
}

// PostgreSQL's bits of a window's frame.
const (
	frameNonDefault = 1 << iota
	frameRange
	frameRows
	frameGroups
	frameBetween
	startUnboundedPreceding
	_
	_
	endUnboundedFollowing
	startCurrentRow
	endCurrentRow
	startPreceding
	endPreceding
	startFollowing
	endFollowing
	excludeCurrentRow
	excludeGroup
	excludeTies
)

func (c *conv) window(n node) *sqlast.WindowSpec {
	w := &sqlast.WindowSpec{Name: n.str("name"), Base: n.str("refname"), OrderBy: c.orderBy(n.list("orderClause"))}
	for _, t := range n.list("partitionClause") {
		w.PartitionBy = append(w.PartitionBy, c.expr(t))
	}
	bits := n.num("frameOptions")
	if bits&frameNonDefault == 0 {
		return w
	}
	if bits&(excludeCurrentRow|excludeGroup|excludeTies) != 0 {
		c.refuse(n.at(), "EXCLUDE in a window's frame", "")
	}
	f := &sqlast.Frame{Unit: "RANGE"}
	switch {
	case bits&frameRows != 0:
		f.Unit = "ROWS"
	case bits&frameGroups != 0:
		f.Unit = "GROUPS"
	}
	bound := func(field string, current, preceding, following int) sqlast.FrameBound {
		var b sqlast.FrameBound
		switch {
		case bits&current != 0:
			return b
		case bits&preceding != 0:
			b.Kind = sqlast.BoundPreceding
		case bits&following != 0:
			b.Kind = sqlast.BoundFollowing
		case field == "startOffset":
			b.Kind = sqlast.BoundUnboundedPreceding
			return b
		default:
			b.Kind = sqlast.BoundUnboundedFollowing
			return b
		}
		if v, ok := c.interval(n.child(field)); ok {
			b.X = c.frameInterval(v, n.at())
		} else {
			b.X = c.expr(n.child(field))
		}
		return b
	}
	f.Start = bound("startOffset", startCurrentRow, startPreceding, startFollowing)
	f.End = bound("endOffset", endCurrentRow, endPreceding, endFollowing)
	w.Frame = f
	return w
}

// frameInterval is a length of time as the end of a frame.
func (c *conv) frameInterval(v interval, at int) sqlast.Expr {
	if v.months != 0 || v.times != nil || v.micros != 0 && v.days != 0 {
		c.refuse(at, "this interval as the end of a frame", "give it in days, or in hours, minutes and seconds")
	}
	if v.days != 0 {
		return &sqlast.Interval{X: front.Int(int(v.days)), Unit: "DAY"}
	}
	return &sqlast.Interval{X: front.Int(int(v.micros)), Unit: "MICROSECOND"}
}
