package vitessdotest_test

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/vitessdo/vitessdo"
	"github.com/vitessdo/vitessdo/vitessdotest"
)

// The whole of a message.
func TestMessage(t *testing.T) {
	db := vitessdotest.New(t, vitessdotest.Schema(schema))
	s := &silent{TB: t}
	db.AssertSingleShard(s, func() {
		if _, err := db.Exec("SELECT total FROM orders WHERE id = ?", 1); err != nil {
			t.Error(err)
		}
	})
	want := `SELECT total FROM orders WHERE id = ?
    it asks 4 shards, and may ask 1:
    plan scatter, on main/-40, main/40-80, main/80-c0, main/c0-
      scatter, concat: main/-40,40-80,80-c0,c0-: SELECT "total" FROM "orders" WHERE "id" = ?1`
	if len(s.failed) != 1 || s.failed[0] != want {
		t.Errorf("the message is\n%s\nand should be\n%s", strings.Join(s.failed, "\n"), want)
	}
}

const schema = `
	CREATE TABLE orders (customer_id BIGINT, id BIGINT AUTO_INCREMENT, total BIGINT, PRIMARY KEY (id, customer_id))
		PARTITION BY KEY(customer_id)`

func placeOrder(db *sql.DB, customer, total int64) error {
	_, err := db.Exec("INSERT INTO orders (customer_id, total) VALUES (?, ?)", customer, total)
	return err
}

func countOrders(t *testing.T, db *sql.DB) (n int64) {
	if err := db.QueryRow("SELECT COUNT(*) FROM orders").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestPlaceOrder(t *testing.T) {
	db := vitessdotest.New(t, vitessdotest.Shards(4), vitessdotest.Schema(schema))

	db.AssertSingleShard(t, func() {
		if err := placeOrder(db.DB, 42, 999); err != nil {
			t.Fatal(err)
		}
	})
}

func TestNoScatterAtAll(t *testing.T) {
	db := vitessdotest.New(t, vitessdotest.Schema(schema), vitessdotest.ForbidScatter())
	db.AllowScatter(func() {
		countOrders(t, db.DB) // a report may
	})
}

func TestWatch(t *testing.T) {
	db := vitessdotest.New(t, vitessdotest.Schema(schema))
	statements := db.Watch(func() { countOrders(t, db.DB) })
	for _, s := range statements {
		t.Log(s.Digest, s.PlanType, s.Shards, s.Rows)
	}
	if len(statements) != 1 {
		t.Errorf("watched %+v", statements)
	}
}

func TestRecorder(t *testing.T) {
	dsn := "file:" + t.TempDir() + "?shards=2"
	recorder := &vitessdotest.Recorder{}
	cfg, err := vitessdo.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Observers = append(cfg.Observers, recorder)
	c, err := vitessdo.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(c)
	defer db.Close()
	if _, err := db.Exec(schema); err != nil {
		t.Fatal(err)
	}
	recorder.AssertSingleShard(t, func() {
		if err := placeOrder(db, 1, 2); err != nil {
			t.Error(err)
		}
	})
}
