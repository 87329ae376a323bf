package vitessdo

import (
	"database/sql"
	"testing"
)

func TestSmoke(t *testing.T) {
	db, err := sql.Open("vitessdo", ":memory:?shards=4")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	run := func(q string, args ...any) {
		t.Helper()
		r, err := db.Exec(q, args...)
		if err != nil {
			t.Fatalf("%s: %v", q, err)
		}
		n, _ := r.RowsAffected()
		id, _ := r.LastInsertId()
		t.Log(q, n, id)
	}
	show := func(q string, args ...any) {
		t.Helper()
		rows, err := db.Query(q, args...)
		if err != nil {
			t.Errorf("%s: %v", q, err)
			return
		}
		defer rows.Close()
		cols, _ := rows.Columns()
		t.Log(q, cols)
		for rows.Next() {
			vals := make([]any, len(cols))
			ptrs := make([]any, len(cols))
			for i := range vals {
				ptrs[i] = &vals[i]
			}
			if err := rows.Scan(ptrs...); err != nil {
				t.Fatal(err)
			}
			t.Logf("   %v", vals)
		}
		if err := rows.Err(); err != nil {
			t.Errorf("%s: %v", q, err)
		}
	}
	run(`CREATE TABLE users (id BIGINT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(50), age INT, created DATETIME DEFAULT CURRENT_TIMESTAMP)`)
	run(`CREATE TABLE orders (id BIGINT AUTO_INCREMENT, user_id BIGINT, amount DECIMAL(10,2), PRIMARY KEY (user_id, id), KEY (id), FOREIGN KEY (user_id) REFERENCES users(id))`)
	run(`INSERT INTO users (name, age) VALUES ('ann', 30), ('bob', 41), ('cyd', 25), ('dan', 41), ('eve', 30)`)
	run(`INSERT INTO orders (user_id, amount) VALUES (1, 10.5), (2, 20), (3, 7.25), (1, 3)`)
	show(`SELECT * FROM users WHERE id = ?`, 3)
	show(`SELECT id, name FROM users ORDER BY name DESC LIMIT 3`)
	show(`SELECT COUNT(*), SUM(age), AVG(age), MIN(name) FROM users`)
	show(`SELECT age, COUNT(*) AS n FROM users GROUP BY age HAVING n > 1 ORDER BY n DESC, age`)
	show(`SELECT u.name, o.amount FROM users u JOIN orders o ON o.user_id = u.id ORDER BY 1, 2`)
	show(`SELECT a.name, b.name FROM users a JOIN users b ON a.age = b.age AND a.id < b.id ORDER BY 1`)
	show(`SELECT name FROM users WHERE id IN (1, 2, 5) ORDER BY id`)
	show(`EXPLAIN FORMAT='vitess' SELECT name FROM users WHERE id IN (1, 2, 5) ORDER BY id`)
	show(`EXPLAIN FORMAT='vitess' SELECT COUNT(*), AVG(age) FROM users`)
	show(`EXPLAIN FORMAT='vitess' SELECT a.name, b.name FROM users a JOIN users b ON a.age = b.age AND a.id < b.id ORDER BY 1`)
	run(`UPDATE users SET age = age + 1 WHERE id = 1`)
	run(`UPDATE users SET age = age + 1`)
	run(`DELETE FROM orders WHERE amount > 9 ORDER BY amount LIMIT 1`)
	show(`SELECT * FROM orders ORDER BY id`)
	run(`REPLACE INTO users (id, name) VALUES (9, 'zed')`)
	run(`INSERT INTO users (id, name) VALUES (9, 'yyy') ON DUPLICATE KEY UPDATE name = VALUES(name)`)
	show(`SELECT id, name, age FROM users ORDER BY id`)
	run(`ALTER TABLE users MODIFY age VARCHAR(10), ADD COLUMN x INT DEFAULT 5`)
	show(`SELECT * FROM users ORDER BY id`)
	show(`SHOW TABLES`)
	show(`SHOW CREATE TABLE users`)
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i < 5; i++ {
		if _, err := tx.Exec(`UPDATE users SET x = ? WHERE id = ?`, i*100, i); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	show(`SELECT id, x FROM users ORDER BY x`)
	run(`CREATE VIEW v AS SELECT id, name FROM users WHERE x >= 100`)
	show(`SELECT * FROM v WHERE id = 2`)
	show(`SELECT NOW(), DATABASE(), VERSION(), @@autocommit`)
}
