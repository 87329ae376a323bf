package rpc

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/tablet"
)

// Grant is what a client may do. The zero value permits everything.
type Grant struct {
	Name     string // for logs
	ReadOnly bool   // nothing may be changed
	// Keyspaces are those that it is confined to; nil is all, and the system's own,
	// _vt, where the catalog is.
	Keyspaces []string
}

func (g *Grant) equal(o *Grant) bool {
	return g.Name == o.Name && g.ReadOnly == o.ReadOnly && (g.Keyspaces == nil) == (o.Keyspaces == nil) && slices.Equal(g.Keyspaces, o.Keyspaces)
}

// permit refuses what the client may not do.
func (g *Grant) permit(r *Request) error {
	if g.Keyspaces != nil {
		if err := g.confine(r); err != nil {
			return err
		}
	}
	if !g.ReadOnly {
		return nil
	}
	switch r.Type {
	case TypeStatus, TypeHealth, TypeCancel, TypeShardQuery, TypeShardFetch, TypeShardClose, TypeShardBegin, TypeShardCommit, TypeShardRollback,
		TypeSavepoint, TypeRollbackTo, TypeRelease, TypeListPrepared, TypeListDecisions,
		// A look at several shards as of one moment. A hold keeps writers waiting no longer than Options.Hold.
		TypeSnapshot, TypeNewest, TypeHoldCommits, TypeHoldDecisions, TypeLetGo:
	default:
		return &tablet.Error{Code: tablet.CodeTxReadOnly, Message: fmt.Sprintf("the token is for reading only: %s isn't allowed", r.Type)}
	}
	if r.DTID != "" {
		return &tablet.Error{Code: tablet.CodeTxReadOnly, Message: "the token is for reading only: it ends no distributed transaction"}
	}
	if b := r.Begin; b != nil {
		if b.Write {
			return &tablet.Error{Code: tablet.CodeTxReadOnly, Message: "the token is for reading only: a transaction can't take the write lock"}
		}
		b.ReadOnly = true
	} else if r.Type == TypeShardBegin {
		r.Begin = &tablet.TxOptions{ReadOnly: true}
	}
	return nil
}

// confine refuses what is about other keyspaces than the client's.
func (g *Grant) confine(r *Request) error {
	if r.Type == TypeCancel {
		return nil // by the ID that the client has made up
	}
	if r.Type == TypeShardCreate || r.Type == TypeShardDrop {
		return &tablet.Error{Code: tablet.CodeDenied, Message: fmt.Sprintf("%s takes a token that isn't confined to keyspaces", r.Type)}
	}
	named := append([]tablet.Target{r.Holder, r.Participant}, r.Participants...)
	named = slices.DeleteFunc(named, func(t tablet.Target) bool { return t == tablet.Target{} })
	for _, t := range append(named, r.Target) {
		if !slices.Contains(g.Keyspaces, t.Keyspace) {
			return &tablet.Error{Code: tablet.CodeDenied, Message: fmt.Sprintf("the token isn't for keyspace %.80q; it is for %s", t.Keyspace, strings.Join(g.Keyspaces, ", "))}
		}
	}
	return nil
}

// readOnly runs a statement in a transaction that can't write.
func readOnly(ctx context.Context, t tablet.Tablet, q *tablet.Query) (tablet.Rows, error) {
	x, err := t.Begin(ctx, tablet.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	rows, err := x.Query(ctx, q)
	if err != nil {
		_ = x.Rollback()
		return nil, err
	}
	return &readRows{Rows: rows, x: x}, nil
}

// readRows are the rows of such a statement.
type readRows struct {
	tablet.Rows
	x tablet.Tx
}

// Moment implements tablet.Timed.
func (r *readRows) Moment() (tablet.Moment, bool) { return tablet.MomentOf(r.Rows) }

func (r *readRows) Close() error {
	err := r.Rows.Close()
	_ = r.x.Rollback()
	return err
}
