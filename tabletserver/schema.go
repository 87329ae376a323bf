package tabletserver

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"github.com/vitessdo/vitessdo/tablet"
)

// The schema's version is the database's user_version, so that it is part of
// every snapshot and of every replay. A database whose schema nobody has numbered
// is at version 1.
const schemaQuery = "PRAGMA user_version"

// schemaOf reads the version that a connection sees; in a transaction that has
// read nothing yet, that takes its snapshot.
func schemaOf(ctx context.Context, c Conn) (uint64, error) {
	defer c.Trust(c.Trust(true))
	c.SetContext(ctx)
	s, err := c.Prepare(schemaQuery)
	if err != nil {
		return 0, err
	}
	defer s.Release()
	v, err := s.Int()
	if err != nil {
		return 0, err
	}
	return uint64(max(1, v)), nil
}

// admit refuses a statement that was planned with another schema than is there.
func admit(q *tablet.Query, version uint64) error {
	if q.Schema == 0 || q.Schema == version {
		return nil
	}
	return &tablet.Error{Code: tablet.CodeSchemaChanged, Schema: version, Message: fmt.Sprintf(
		"the statement was planned with version %d of the schema, the shard is at %d; plan it anew", q.Schema, version)}
}

// admitWrite is admit for a statement that is to run on the writer, whose holder
// the caller is.
func (t *Tablet) admitWrite(ctx context.Context, q *tablet.Query, w *conn) error {
	if q.Schema == 0 {
		return nil
	}
	v, err := t.writerSchema(ctx, w)
	if err != nil {
		return err
	}
	return admit(q, v)
}

// writerSchema gives the version that is committed. The caller holds the write
// lock and the writer, and has changed nothing yet.
func (t *Tablet) writerSchema(ctx context.Context, w *conn) (_ uint64, err error) {
	if t.schema == 0 {
		t.schema, err = schemaOf(ctx, w.c)
	}
	return t.schema, err
}

// SetSchema gives the shard's schema a version.
func (x *Tx) SetSchema(ctx context.Context, version uint64) error {
	if version < 1 || version > math.MaxInt32 {
		return x.t.at(misuse(fmt.Sprintf("version %d of the schema is not from 1 to %d", version, math.MaxInt32)))
	}
	x.own = true
	defer func() { x.own = false }()
	_, err := x.Exec(ctx, &tablet.Query{SQL: schemaQuery + "=" + strconv.FormatUint(version, 10)})
	x.moves = true
	return err
}
