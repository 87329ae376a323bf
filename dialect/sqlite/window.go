package sqlite

import (
	"github.com/vitessdo/vitessdo/sqlast"
)

func (p *printer) window(e *sqlast.Window) {
	if a, ok := e.Func.(*sqlast.Agg); ok && exactAggregate(a) {
		p.exactAgg(a, func() { p.over(e) })
		return
	}
	p.bare(e.Func, 0)
	p.over(e)
}

func (p *printer) over(e *sqlast.Window) {
	p.s(" OVER ")
	if e.Spec == nil {
		p.ident(e.Name)
		return
	}
	p.windowSpec(e.Spec)
}

func (p *printer) windowSpec(w *sqlast.WindowSpec) {
	p.c('(')
	sep := ""
	if w.Base != "" {
		p.ident(w.Base)
		sep = " "
	}
	if len(w.PartitionBy) > 0 {
		p.s(sep + "PARTITION BY ")
		for i, e := range w.PartitionBy {
			if i > 0 {
				p.s(", ")
			}
			p.collated(e, 0)
		}
		sep = " "
	}
	if len(w.OrderBy) > 0 {
		p.s(sep + "ORDER BY ")
		if byTime(w.Frame) {
			p.timeOrder(w)
		} else {
			p.orderItems(w.OrderBy)
		}
		sep = " "
	}
	if w.Frame != nil {
		if byTime(w.Frame) && len(w.OrderBy) == 0 {
			p.timeOrder(w)
		}
		p.s(sep + w.Frame.Unit + " BETWEEN ")
		p.bound(w.Frame.Start)
		p.s(" AND ")
		p.bound(w.Frame.End)
	}
	p.c(')')
}

func (p *printer) bound(b sqlast.FrameBound) {
	switch b.Kind {
	case sqlast.BoundCurrentRow:
		p.s("CURRENT ROW")
	case sqlast.BoundUnboundedPreceding:
		p.s("UNBOUNDED PRECEDING")
	case sqlast.BoundUnboundedFollowing:
		p.s("UNBOUNDED FOLLOWING")
	case sqlast.BoundPreceding:
		p.distance(b.X)
		p.s(" PRECEDING")
	case sqlast.BoundFollowing:
		p.distance(b.X)
		p.s(" FOLLOWING")
	}
}

func (p *printer) distance(x sqlast.Expr) {
	if iv, ok := x.(*sqlast.Interval); ok {
		p.micros(iv)
		return
	}
	p.expr(x, precBit)
}
