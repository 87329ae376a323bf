package tabletserver

import (
	"context"
	"fmt"
	"time"

	"github.com/vitessdo/vitessdo/tablet"
)

// requests are the names of what was carried out, each written by the commit of its
// work. They are in two tables, which take turns: one has the names of the running
// period, the other those of the one before. When a period begins, the older table
// is emptied, which costs SQLite little, whatever is in it. So a name stays for one
// period at least, two or three at most. The holder of the write queue has them.
type requests struct {
	made   bool
	period int64 // whose names are written now; 0 when it must be read
	// turned is when the period was found, by the clock that isn't set: in one process a
	// period lasts for its time, however far the other one jumps ahead.
	turned time.Time
}

const (
	createRequests = "CREATE TABLE IF NOT EXISTS _vt_requests%d(name TEXT NOT NULL PRIMARY KEY, period INTEGER NOT NULL, kept BLOB) WITHOUT ROWID"
	insertRequest  = "INSERT INTO _vt_requests%d(name, period, kept) VALUES(?1, ?2, ?3)"
	emptyRequests  = "DELETE FROM _vt_requests%d"
	periodsSeen    = "SELECT coalesce(max(p), 0) FROM (SELECT (SELECT period FROM _vt_requests0 LIMIT 1) AS p UNION ALL SELECT (SELECT period FROM _vt_requests1 LIMIT 1)) AS _t"
	findRequest    = "SELECT kept FROM _vt_requests0 WHERE name = ?1 UNION ALL SELECT kept FROM _vt_requests1 WHERE name = ?1"
)

// perTable is the statement for each table.
func perTable(sql string) [2]string { return [2]string{fmt.Sprintf(sql, 0), fmt.Sprintf(sql, 1)} }

var createRequest, insertRequests, emptyRequest = perTable(createRequests), perTable(insertRequest), perTable(emptyRequests)

var (
	_ tablet.Memory   = (*Tablet)(nil)
	_ tablet.MemoryTx = (*Tx)(nil)
)

// Remembers implements tablet.Memory.
func (t *Tablet) Remembers() time.Duration { return t.cfg.Remember }

// Recall implements tablet.Memory.
func (t *Tablet) Recall(ctx context.Context, name string) ([]byte, bool, error) {
	if t.cfg.Remember == 0 {
		return nil, false, nil
	}
	rows, err := t.look(ctx, findRequest, name)
	kept, found := keptIn(rows)
	return kept, found, t.at(err)
}

func keptIn(rows [][]tablet.Value) (kept []byte, found bool) {
	if len(rows) == 0 {
		return nil, false
	}
	kept, _ = rows[0][0].([]byte)
	return kept, true
}

// Recall implements tablet.MemoryTx.
func (x *Tx) Recall(ctx context.Context, name string) ([]byte, bool, error) {
	if x.t.cfg.Remember == 0 {
		return nil, false, nil
	}
	if err := x.usable(); err != nil {
		return nil, false, x.t.at(err)
	}
	if !x.locked {
		return nil, false, x.t.at(misuse("a transaction looks for a request without the write lock"))
	}
	if err := x.c.lock(); err != nil {
		return nil, false, x.t.at(err)
	}
	defer x.c.mu.Unlock()
	rows, err := x.c.c.QueryAll(ctx, findRequest, name)
	if tablet.CodeOf(err) == tablet.CodeNoTable {
		return nil, false, nil
	}
	kept, found := keptIn(rows)
	return kept, found, x.t.at(err)
}

// Remember implements tablet.MemoryTx.
func (x *Tx) Remember(_ context.Context, name string, kept []byte) error {
	if err := x.usable(); err != nil {
		return x.t.at(err)
	}
	if x.t.cfg.Remember == 0 || !x.wrote || !x.locked {
		return nil
	}
	if err := x.c.lock(); err != nil {
		return x.t.at(err)
	}
	defer x.c.mu.Unlock()
	x.c.c.SetContext(context.Background())
	if err := x.keep(name, kept); err != nil {
		x.failed(err)
		return x.t.at(err)
	}
	return nil
}

// keep writes a name, on the locked connection.
func (x *Tx) keep(name string, kept []byte) error {
	if x.t.cfg.Remember == 0 {
		return nil
	}
	c, r := x.c.c, &x.t.requests
	if !r.made {
		for _, sql := range createRequest {
			if err := run(c, sql); err != nil {
				return err
			}
		}
	}
	now := max(1, time.Now().UnixNano()/int64(x.t.cfg.Remember))
	if r.period != now {
		seen, err := periodSeen(c)
		if err != nil {
			return err
		}
		now = max(now, seen) // clocks may go back; what was kept stays
		if r.period != 0 && time.Since(r.turned) < x.t.cfg.Remember {
			now = seen
		}
		if now != seen {
			if seen != 0 {
				now += (now - seen + 1) & 1 // it is the other table's turn
			}
			if err := run(c, emptyRequest[now&1]); err != nil {
				return err
			}
		}
	}
	x.period = now
	return run(c, insertRequests[now&1], name, now, kept)
}

// periodSeen is the newest period that has a name.
func periodSeen(c Conn) (int64, error) {
	rows, err := c.QueryAll(context.Background(), periodsSeen)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	seen, _ := rows[0][0].(int64)
	return seen, nil
}
