package tabletserver_test

import (
	"context"
	"fmt"
	"io"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
)

func Example() {
	ctx := context.Background()
	t, err := tabletserver.Open(ctx, tabletserver.Config{Target: tablet.Target{Keyspace: "shop", Shard: "-80"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer t.Close()
	for _, q := range []tablet.Query{
		{SQL: "CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT UNIQUE)"},
		{SQL: "INSERT INTO item(name) VALUES(?1)", Args: []tablet.Value{"pen", "ink"}, Batch: 2},
		{SQL: "INSERT INTO item(name) VALUES(?1)", Args: []tablet.Value{"pen"}},
	} {
		if _, err := t.Exec(ctx, &q); err != nil {
			fmt.Println(tablet.CodeOf(err), err)
		}
	}
	rows, err := t.Query(ctx, &tablet.Query{SQL: "SELECT id, name FROM item WHERE id >= ?1", Args: []tablet.Value{int64(1)}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer rows.Close()
	dest := make([]tablet.Value, len(rows.Columns()))
	for {
		if err := rows.Next(dest); err == io.EOF {
			break
		} else if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(dest...)
	}
	// Output:
	// UNIQUE_VIOLATION shard shop/-80: UNIQUE constraint failed: item.name
	// 1 pen
	// 2 ink
}
