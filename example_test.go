package vitessdo_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/internal/remotetest"
)

func Example() {
	db, err := sql.Open("vitessdo", ":memory:?shards=4")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	for _, text := range []string{
		`CREATE TABLE users (id BIGINT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(50), city VARCHAR(50))`,
		`INSERT INTO users (name, city) VALUES ('ann', 'Berlin'), ('bob', 'Cairo'), ('cyd', 'Berlin'), ('dan', 'Delhi')`,
	} {
		if _, err := db.Exec(text); err != nil {
			log.Fatal(err)
		}
	}
	rows, err := db.Query(`SELECT city, COUNT(*) AS n FROM users GROUP BY city ORDER BY n DESC, city`)
	if err != nil {
		log.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var city string
		var n int
		if err := rows.Scan(&city, &n); err != nil {
			log.Fatal(err)
		}
		fmt.Println(city, n)
	}
	if err := rows.Err(); err != nil {
		log.Fatal(err)
	}
	// Output:
	// Berlin 2
	// Cairo 1
	// Delhi 1
}

// The shards are at a tablet server, which other processes use too.
func Example_tabletServer() {
	server := remotetest.Start("") // in its place stands vitessdo serve
	defer server.Close()
	db, err := sql.Open("vitessdo", "ws://"+server.Addr()+"/shop?shards=4")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	for _, text := range []string{
		`CREATE TABLE users (id BIGINT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(50))`,
		`INSERT INTO users (name) VALUES ('ann'), ('bob'), ('cyd')`,
	} {
		if _, err := db.Exec(text); err != nil {
			log.Fatal(err)
		}
	}
	var n int
	if err := db.QueryRow(`SELECT COUNT(*) FROM users`).Scan(&n); err != nil {
		log.Fatal(err)
	}
	fmt.Println(n)
	// Output: 3
}

// Where a statement goes, and what is done with the answers.
func ExampleConn_explain() {
	db, err := sql.Open("vitessdo", ":memory:?shards=4")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`CREATE TABLE orders (tenant_id BIGINT, id BIGINT, amount DECIMAL(10,2),
		PRIMARY KEY (tenant_id, id)) PARTITION BY KEY(tenant_id)`); err != nil {
		log.Fatal(err)
	}
	for _, query := range []string{
		`SELECT amount FROM orders WHERE tenant_id = 7 AND id = 1`,
		`SELECT tenant_id, id FROM orders ORDER BY amount DESC LIMIT 10`,
		`SELECT COUNT(*), SUM(amount) FROM orders`,
	} {
		var plan, combine, keyspace, shards, text string
		if err := db.QueryRow(`EXPLAIN FORMAT='vitess' `+query).Scan(&plan, &combine, &keyspace, &shards, &text); err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s, %s: %s\n", plan, combine, shards)
	}
	// Output:
	// single_shard, pass: c0-
	// scatter, merge: -40,40-80,80-c0,c0-
	// scatter_aggregate, aggregate: -40,40-80,80-c0,c0-
}

// A transaction over several shards, begun anew when another came between.
func ExampleConn_BeginTx() {
	ctx := context.Background()
	db, err := sql.Open("vitessdo", ":memory:?shards=4")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	for _, text := range []string{
		`CREATE TABLE accounts (id BIGINT PRIMARY KEY, balance INT)`,
		`INSERT INTO accounts VALUES (1, 100), (2, 100), (3, 100)`,
	} {
		if _, err := db.Exec(text); err != nil {
			log.Fatal(err)
		}
	}
	transfer := func(from, to, amount int) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		if _, err := tx.Exec(`UPDATE accounts SET balance = balance - ? WHERE id = ?`, amount, from); err != nil {
			return err
		}
		if _, err := tx.Exec(`UPDATE accounts SET balance = balance + ? WHERE id = ?`, amount, to); err != nil {
			return err
		}
		return tx.Commit()
	}
	for {
		err := transfer(1, 3, 30)
		var e *vitessdo.Error
		if errors.As(err, &e) && e.Retryable() {
			continue
		}
		if err != nil {
			log.Fatal(err)
		}
		break
	}
	var one, three, all int
	if err := db.QueryRow(`SELECT MIN(balance), MAX(balance), SUM(balance) FROM accounts`).Scan(&one, &three, &all); err != nil {
		log.Fatal(err)
	}
	fmt.Println(one, three, all)
	// Output: 70 130 300
}

func ExampleError() {
	db, err := sql.Open("vitessdo", ":memory:?shards=2")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`CREATE TABLE t (id BIGINT PRIMARY KEY)`); err != nil {
		log.Fatal(err)
	}
	_, err = db.Exec(`INSERT INTO t VALUES (1), (1)`)
	fmt.Println(errors.Is(err, vitessdo.ErrDuplicateKey))

	_, err = db.Exec(`SELECT nothing FROM t`)
	var e *vitessdo.Error
	if errors.As(err, &e) {
		fmt.Println(e.Code, e.Number, e.SQLState, e.Line, e.Column)
	}
	// Output:
	// true
	// NO_SUCH_COLUMN 1054 42S22 1 8
}

func ExampleNewConnector() {
	cfg := vitessdo.NewConfig()
	cfg.Memory = true
	cfg.Shards = 8
	connector, err := vitessdo.NewConnector(cfg)
	if err != nil {
		log.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	var one int
	if err := db.QueryRow(`SELECT ?`, 1).Scan(&one); err != nil {
		log.Fatal(err)
	}
	fmt.Println(cfg.FormatDSN(), one)
	// Output: :memory:?shards=8 1
}

func ExampleParseDSN() {
	cfg, err := vitessdo.ParseDSN("file:./data?shards=4&synchronous=normal&lock_wait_timeout=2s")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(cfg.Dir, cfg.Shards, cfg.Synchronous, cfg.LockWaitTimeout)

	_, err = vitessdo.ParseDSN("file:./data?shard=4")
	fmt.Println(err)
	// Output:
	// ./data 4 normal 2s
	// vitessdo: Error 1105 (08001): unknown option "shard", did you mean "shards"
}

// A transfer that is begun anew when it loses against another one.
func ExampleRunTx() {
	db, err := sql.Open("vitessdo", ":memory:?shards=4")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	for _, text := range []string{
		`CREATE TABLE accounts (id BIGINT PRIMARY KEY, balance BIGINT NOT NULL)`,
		`INSERT INTO accounts VALUES (1, 100), (2, 100)`,
	} {
		if _, err := db.Exec(text); err != nil {
			log.Fatal(err)
		}
	}
	ctx := context.Background()
	err = vitessdo.RunTx(ctx, db, nil, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE accounts SET balance = balance - 30 WHERE id = 1`); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE accounts SET balance = balance + 30 WHERE id = 2`)
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	var a, b int
	if err := db.QueryRow(`SELECT MIN(balance), MAX(balance) FROM accounts`).Scan(&a, &b); err != nil {
		log.Fatal(err)
	}
	fmt.Println(a, b)
	// Output: 70 130
}
