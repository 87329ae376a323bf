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
	for i, part := range parts {
		extra := uint16(0)
		if i < len(parts)-1 {
			extra = wire.SERVER_MORE_RESULTS_EXISTS
		}
		if err := c.one(ctx, part, extra); err != nil {
			return err // ends the results
		}
	}
	return nil
}

func (c *conn) one(ctx context.Context, text string, extra uint16) error {
	if k := killing.FindStringSubmatch(text); k != nil {
		id, err := strconv.ParseUint(k[2], 10, 64)
		if err != nil {
			id = 0
		}
		if err := c.killOther(id, !strings.EqualFold(k[1], "QUERY")); err != nil {
			return err
		}
		return c.done(0, 0, extra)
	}
	out, err := c.db.Run(ctx, text, nil)
	if err != nil {
		return err
	}
	return c.answer(out, false, extra)
}
