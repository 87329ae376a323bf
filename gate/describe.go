package gate

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/rpc"
)

// describe carries out what is asked about the database itself.
func (s *session) describe(ctx context.Context, r *rpc.Request) (any, error) {
	c, err := s.take(ctx, r)
	if err != nil {
		return nil, err
	}
	defer s.give(c)
	if err := c.SetDialect("mysql"); err != nil { // of the gate's own questions
		return nil, err
	}
	switch r.Type {
	case rpc.TypeHealth:
		if err := c.Ping(ctx); err != nil {
			return nil, err
		}
		return s.ack(r), nil
	case rpc.TypeStatus:
		fields, err := s.status(ctx, c)
		if err != nil {
			return nil, err
		}
		return s.result(r, fields), nil
	case rpc.TypeSchema:
		tables, err := tables(ctx, c)
		if err != nil {
			return nil, err
		}
		return s.result(r, map[string]any{"keyspace": c.Status().Keyspace, "tables": tables}), nil
	}
	text, err := all(ctx, c, "SHOW VSCHEMA")
	if err != nil {
		return nil, err
	}
	var v any
	if len(text) != 1 || len(text[0]) != 1 {
		return nil, fmt.Errorf("SHOW VSCHEMA gave %d rows", len(text))
	}
	if err := json.Unmarshal([]byte(fmt.Sprint(text[0][0])), &v); err != nil {
		return nil, fmt.Errorf("the VSchema: %w", err)
	}
	return s.result(r, map[string]any{"vschema": v}), nil
}

// status tells who serves and how much is going on.
func (s *session) status(ctx context.Context, c *vitessdo.Conn) (map[string]any, error) {
	version, err := all(ctx, c, "SELECT VERSION()")
	if err != nil {
		return nil, err
	}
	shown, err := all(ctx, c, "SHOW VITESS_SHARDS")
	if err != nil {
		return nil, err
	}
	var shards []any
	for _, row := range shown {
		ks, shard, _ := strings.Cut(fmt.Sprint(row[0]), "/")
		shards = append(shards, map[string]any{"keyspace": ks, "shard": shard})
	}
	s.g.mu.Lock()
	defer s.g.mu.Unlock()
	return map[string]any{
		"version": version[0][0], "keyspace": c.Status().Keyspace, "shards": shards, "readOnly": s.grant.ReadOnly,
		"sessions": int64(s.g.http.Sessions()), "transactions": int64(len(s.g.txs)), "running": int64(len(s.g.running)),
	}, nil
}

// tables lists the keyspace's tables and views with their columns.
func tables(ctx context.Context, c *vitessdo.Conn) ([]any, error) {
	named, err := all(ctx, c, "SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME")
	if err != nil {
		return nil, err
	}
	rows, err := all(ctx, c, `SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_KEY, COLUMN_DEFAULT, EXTRA
		FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME, ORDINAL_POSITION`)
	if err != nil {
		return nil, err
	}
	columns := map[any][]any{}
	for _, r := range rows {
		col := map[string]any{"name": r[1], "type": r[2], "nullable": r[3] == "YES"}
		for name, v := range map[string]any{"key": r[4], "default": r[5], "extra": r[6]} {
			if v != nil && v != "" {
				col[name] = v
			}
		}
		columns[r[0]] = append(columns[r[0]], col)
	}
	list := make([]any, 0, len(named))
	for _, r := range named {
		kind := "table"
		if r[1] == "VIEW" {
			kind = "view"
		}
		list = append(list, map[string]any{"name": r[0], "kind": kind, "columns": columns[r[0]]})
	}
	return list, nil
}

// all reads a small result of the gate's own.
func all(ctx context.Context, c *vitessdo.Conn, query string) ([][]driver.Value, error) {
	out, err := c.Run(ctx, query, nil)
	if err != nil || out.Rows == nil {
		return nil, err
	}
	defer out.Rows.Close()
	var list [][]driver.Value
	for {
		row := make([]driver.Value, len(out.Columns))
		if err := out.Rows.Next(row); err == io.EOF {
			return list, nil
		} else if err != nil {
			return nil, err
		}
		list = append(list, row)
	}
}
