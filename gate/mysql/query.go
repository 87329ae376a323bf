package mysql

import (
	"context"
	"regexp"
	"strconv"
	"strings"

	wire "github.com/go-mysql-org/go-mysql/mysql"
)

// killing is the one statement that is about other connections, of which the driver
// knows nothing.
var killing = regexp.MustCompile(`(?is)^\s*(?:/\*.*?\*/\s*)*KILL\s+(?:HARD\s+|SOFT\s+)?(?:(CONNECTION|QUERY)\s+)?(\d+)\s*;?\s*$`)

// query carries out a text of one statement, or of several where the client has
// said that it may hold them.
func (c *conn) query(ctx context.Context, text string) error {
	parts := []string{text}
	if c.several && strings.Contains(text, ";") {
		var err error
		if parts, err = c.db.Split(text); err != nil {
			return err
		}
		if len(parts) == 0 {
			parts = []string{text}
		}
	}
	whole := c.db.Text(parts)
	for i, part := range parts {
		extra, end := uint16(wire.SERVER_MORE_RESULTS_EXISTS), func() error { return nil }
		if i == len(parts)-1 {
			extra, end = 0, func() error { return whole.End(ctx, nil) }
		}
		err := whole.Next(ctx)
		if err == nil {
			err = c.one(ctx, part, extra, end)
		}
		if err != nil {
			return whole.End(ctx, err) // ends the results
		}
	}
	return nil
}

// one runs a statement and answers it. end is called before the last that is said.
func (c *conn) one(ctx context.Context, text string, extra uint16, end func() error) error {
	if k := killing.FindStringSubmatch(text); k != nil {
		id, err := strconv.ParseUint(k[2], 10, 64)
		if err != nil {
			id = 0
		}
		if err := c.killOther(id, !strings.EqualFold(k[1], "QUERY")); err != nil {
			return err
		}
		if err := end(); err != nil {
			return err
		}
		return c.done(0, 0, extra)
	}
	out, err := c.db.Run(ctx, text, nil)
	if err != nil {
		return err
	}
	return c.answer(out, false, extra, end)
}
