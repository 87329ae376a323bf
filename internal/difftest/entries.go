package difftest

import (
	"context"
	"fmt"

	"github.com/vitessdo/vitessdo"
)

// entries are those of a table's lookup vindex.
type entries struct{ table, vindex string }

func (e *entries) statement() Statement {
	return Statement{SQL: "SELECT * FROM " + e.table, Kind: Query}
}

// differ tells how the entries differ from the rows, "" if they don't.
func (e *entries) differ(c *cluster) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), statementTime)
	defer cancel()
	r, err := vitessdo.VerifyVindex(ctx, c.conn, e.table, e.vindex, false, nil)
	// A stray entry costs a look in vain: one stays for a row whose text another
	// row has in other letters, where the primary vindex takes both for the same.
	if err != nil || r.Missing+r.Wrong+r.Duplicate == 0 {
		return "", err
	}
	return fmt.Sprintf("lookup vindex %s of %s: %+v", e.vindex, e.table, r), nil
}

// replay runs statements on a new cluster, and compares then.
func (e *entries) replay(history []Statement, shards int) (Failure, bool) {
	c, err := openCluster(shards)
	if err != nil {
		return Failure{}, false
	}
	defer c.Close()
	for _, h := range history {
		c.Run(h)
	}
	c.Run(Statement{SQL: "COMMIT", Kind: Control}) // what the history began
	d, err := e.differ(c)
	return Failure{History: history, Statement: e.statement(), Shards: shards, Diff: d, entries: e}, err == nil && d != ""
}
