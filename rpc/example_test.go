package rpc_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"

	"github.com/vitessdo/vitessdo/rpc"
	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/tabletserver"
)

func Example() {
	ctx := context.Background()
	here, err := tabletserver.Open(ctx, tabletserver.Config{Target: tablet.Target{Keyspace: "shop", Shard: "-80"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer here.Close()
	server := rpc.Serve(here)
	defer server.Close()
	web := httptest.NewServer(server)
	defer web.Close()

	client, err := rpc.NewClient(strings.Replace(web.URL, "http", "ws", 1), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	there, err := client.Tablet(ctx, tablet.Target{Keyspace: "shop", Shard: "-80"})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = there.Exec(ctx, &tablet.Query{SQL: "CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT UNIQUE)"})
	fmt.Println(err)
	for range 2 {
		_, err = there.Exec(ctx, &tablet.Query{SQL: "INSERT INTO item(name) VALUES(?1)", Args: []tablet.Value{"pen"}})
		fmt.Println(tablet.CodeOf(err))
	}
	// Output:
	// <nil>
	//
	// UNIQUE_VIOLATION
}
