package vitessdo

import (
	"context"
	"errors"

	"github.com/vitessdo/vitessdo/route"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/tablet"
)

// Where other gates may change the schema, a snapshot may be old without anybody
// here knowing. What goes to a shard is safe: it carries the version that it was
// planned with, and is refused by a shard that has another (fence.go). The rest
// looks at the catalog's version first, which is one small read: changes of the
// schema, what is answered from the catalog alone, as SHOW and information_schema,
// and statements that name something that isn't known here.

// refresh reads the catalog again if another gate has changed it.
func (c *cluster) refresh(ctx context.Context) error {
	if !c.apart {
		return nil
	}
	v, err := c.catalog.Version(ctx)
	if err != nil || v == c.state.Load().version {
		return err
	}
	return c.reload(ctx)
}

// freshen is called for what was prepared and isn't run yet. It says whether it
// must be prepared again.
func (s *session) freshen(ctx context.Context, p *prepared) (bool, error) {
	if !s.cl.apart || s.asOf != nil || !p.fromCatalog() {
		return false, nil
	}
	if err := s.cl.refresh(ctx); err != nil {
		return false, err
	}
	return s.newest() != s.snap, nil
}

// fromCatalog says whether the gate answers without asking a shard.
func (p *prepared) fromCatalog() bool {
	if p.plan == nil {
		switch p.parsed.Stmt.(type) {
		case *sqlast.Show, *sqlast.Explain, *sqlast.Use:
			return true
		}
		return false
	}
	for _, f := range p.plan.Fragments {
		if f.Catalog != nil {
			return true
		}
	}
	return false
}

// knownElsewhere says whether a statement that couldn't be planned names what
// another gate has made since.
func (s *session) knownElsewhere(ctx context.Context, err error) bool {
	if !s.cl.apart || s.snap == nil {
		return false
	}
	var plan *route.Error
	var own *Error
	switch {
	case errors.As(err, &plan):
		switch plan.Code {
		case route.CodeUnknownTable, route.CodeUnknownColumn, route.CodeUnknownKeyspace, route.CodeNotInVSchema:
		default:
			return false
		}
	case errors.As(err, &own) && (own.Code == CodeUnknownDatabase || own.Code == CodeNoTable):
	default:
		return false
	}
	return s.cl.refresh(ctx) == nil && s.newest() != s.snap
}

// plannedChange runs a change of the schema, which f plans by the session's snapshot,
// anew as long as others are faster.
func (s *session) plannedChange(ctx context.Context, f func() error) error {
	for n := 0; ; n++ {
		if err := s.cl.refresh(ctx); err != nil {
			return err
		}
		old := s.cl.state.Load()
		s.snap = s.newest()
		err := f()
		if n == maxReplans || tablet.CodeOf(err) != tablet.CodeSchemaChanged || s.tx != nil && s.tx.changed() || s.cl.catchUp(ctx, old) != nil {
			return err
		}
	}
}
