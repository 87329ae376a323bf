package vitessdo

import (
	"database/sql"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestDecimalMeaning holds what MySQL's manual says of exact numbers: the scale of
// every operation's result, half away from zero, no drift.
func TestDecimalMeaning(t *testing.T) {
	for _, dsn := range []string{":memory:?shards=1", ":memory:?shards=4"} {
		db := openDB(t, dsn)
		do(t, db, "CREATE TABLE t (id INT PRIMARY KEY, g INT, d DECIMAL(12,2), n INT, f DOUBLE)")
		do(t, db, "INSERT INTO t VALUES (1, 1, .10, 1, .10), (2, 1, .20, 2, .20), (3, 2, .30, 3, .30), (4, 2, NULL, NULL, NULL)")
		for _, tc := range []struct{ query, rows string }{
			{"SELECT SUM(d), SUM(d) = 0.60, AVG(d), AVG(n), SUM(n), MAX(f) FROM t", "0.60|1|0.200000|2.0000|6|0.3"},
			{"SELECT g, SUM(d), AVG(d) FROM t GROUP BY g ORDER BY g", "1|0.30|0.150000 2|0.30|0.300000"},
			{"SELECT g FROM t GROUP BY g HAVING SUM(d) = 0.30 ORDER BY g", "1 2"},
			{"SELECT COUNT(*) FROM (SELECT g, SUM(d) AS s FROM t GROUP BY g) AS x WHERE s = .3", "2"},
			{"SELECT SUM(DISTINCT d), AVG(DISTINCT d), COUNT(DISTINCT d * 3) FROM t", "0.60|0.200000|3"},
			{"SELECT SUM(d * n), SUM(d) * 1.10, SUM(d) + MAX(d), SUM(d) / COUNT(*), AVG(d) * 2 FROM t", "1.40|0.6600|0.90|0.150000|0.400000"},
			{"SELECT SUM(d) OVER (ORDER BY id), AVG(n) OVER (ORDER BY id ROWS 1 PRECEDING) FROM t ORDER BY id", "0.10|1.0000 0.30|1.5000 0.60|2.5000 0.60|3.0000"},
			{"SELECT SUM(d) OVER (ORDER BY id ROWS 1 PRECEDING) FROM t ORDER BY id", "0.10 0.30 0.50 0.30"},
			{"SELECT d * 1.5, d + 1, d - 1, d / 3, n / 3, -d, d % .15 FROM t WHERE id = 2", "0.300|1.20|-0.80|0.066667|0.6667|-0.20|0.05"},
			{"SELECT id FROM t WHERE d * 3 = 0.3", "1"},
			{"SELECT id FROM t WHERE d + 0.10 = 0.30", "2"},
			{"SELECT id FROM t WHERE d + 0.1 BETWEEN 0.2 AND 0.3 ORDER BY id", "1 2"},
			{"SELECT id FROM t WHERE d + 0.10 IN (0.3, 0.4) ORDER BY id", "2 3"},
			{"SELECT a.id FROM t a JOIN t b ON a.d + .1 = b.d AND a.id + 0 = 2", "2"},
			{"SELECT CASE WHEN n > 1 THEN d ELSE 1 END, IF(n > 1, d, 0.125), COALESCE(d, 7), GREATEST(d, 0.125), NULLIF(d, 5) FROM t WHERE id = 2", "0.20|0.200|0.20|0.200|0.20"},
			{"SELECT ROUND(d, 1), ROUND(d), TRUNCATE(d, 1), ABS(-d), CEIL(d), FLOOR(d), SIGN(d) FROM t WHERE id = 2", "0.2|0|0.2|0.20|1|0|1"},
			{"SELECT CONCAT(d, '!'), CAST(d AS CHAR), CONCAT_WS('/', d, n), CAST(d AS DOUBLE) FROM t WHERE id = 2", "0.20!|0.20|0.20/2|0.2"},
			{"SELECT GROUP_CONCAT(d ORDER BY id SEPARATOR ' ') FROM t", "0.10 0.20 0.30"},
			{"SELECT 1.50, 1.5 + 1.25, 0.1 + 0.2, 0.1 + 0.2 = 0.3, 1.1 * 1.1, 3 * 0.1", "1.50|2.75|0.3|1|1.21|0.3"},
			{"SELECT 1 / 3, 2 / 3, -2 / 3, 5 / 2, 1 / 0, 0.3 DIV 0.1, 7 DIV 2, -7 DIV 2, 1 DIV 0", "0.3333|0.6667|-0.6667|2.5000|∅|3|3|-3|∅"},
			{"SELECT 1 / 160, 1.005 * 1000, ROUND(1.005, 2), ROUND(2.5), ROUND(-2.5), ROUND(1.298, 1), ROUND(15, -1)", "0.0063|1005.000|1.01|3|-3|1.3|20"},
			{"SELECT 1e0 / 3, 1 / 3e0, '1' / 4, 0.1e0 + 0.2", "0.3333333333333333|0.3333333333333333|0.25|0.30000000000000004"},
			{"SELECT CAST('3.14159' AS DECIMAL(10,2)), CAST(2 AS DECIMAL(5,1)), CAST(1e3 AS DECIMAL(4,2)), CAST(2.5 AS DECIMAL)", "3.14|2.0|99.99|3"},
			{"SELECT 0.10 UNION SELECT 2 ORDER BY 1", "0.10 2.00"},
			{"SELECT (SELECT SUM(d) FROM t) - .60, (SELECT d FROM t WHERE id = 1) * 3", "0.00|0.30"},
		} {
			want(t, db, tc.rows, tc.query)
			want(t, db, tc.rows, strings.Replace(tc.query, "SELECT ", "SELECT /*vt+ COMBINE=query */ ", 1))
		}
		for query, rows := range map[string]string{
			"SELECT id FROM t WHERE d * ? = 0.3 AND id > ?": "1", "SELECT id FROM t WHERE d = ? / 10 AND ? = 0": "3",
		} {
			want(t, db, rows, query, 3, 0)
		}
		want(t, db, "0.3", "SELECT d + ? FROM t WHERE id = 2", .1)
		want(t, db, "0.3333333333333333", "SELECT n / ? FROM t WHERE id = 1", 3.0)
		want(t, db, "0.3333", "SELECT n / ? FROM t WHERE id = 1", 3)
	}
}

// What has no exact form is an error, and never a rounded number.
func TestNumbersOutOfRange(t *testing.T) {
	db := openDB(t, ":memory:?shards=3")
	do(t, db, "CREATE TABLE t (id BIGINT PRIMARY KEY, d DECIMAL(15,2))")
	do(t, db, "INSERT INTO t VALUES (9223372036854775807, 9999999999999.99), (1, 9999999999999.99), (2, 1)")
	for _, query := range []string{
		"SELECT id + 1 FROM t WHERE id > 5", "SELECT id * 2 FROM t", "SELECT -id - 2 FROM t WHERE id > 2", "SELECT SUM(id) FROM t",
	} {
		failsAs(t, db, 1690, query)
	}
	want(t, db, "19999999999999.98", "SELECT SUM(d) FROM t WHERE id <> 2")
	want(t, db, "9223372036854775807", "SELECT id + 0 FROM t WHERE id > 2")
	want(t, db, "3333333333333.330000", "SELECT d / 3 FROM t WHERE id = 1")
	want(t, db, "99999999999999800000000000.0001|1428571428571.427143", "SELECT d * d, d / 7 FROM t WHERE id = 1")
	want(t, db, "952380952380.9990476190", "SELECT AVG(d) / 7 FROM t")
	want(t, db, "9.99999999999998e+25", "SELECT CAST(d AS DOUBLE) * d FROM t WHERE id = 1")
}

// TestLedger sums and multiplies random money, and compares with exact rationals.
func TestLedger(t *testing.T) {
	const seed = 20261123
	t.Logf("seed %d", seed)
	for _, shards := range []int{1, 4} {
		rng := rand.New(rand.NewPCG(seed, uint64(shards)))
		db := openDB(t, fmt.Sprintf(":memory:?shards=%d", shards))
		do(t, db, "CREATE TABLE ledger (id INT PRIMARY KEY, account INT, amount DECIMAL(12,2), rate DECIMAL(6,4), qty INT)")
		sum, product := map[int]*big.Rat{}, map[int]*big.Rat{}
		count := map[int]int64{}
		for batch := range 20 {
			var rows []string
			for i := range 100 {
				account, qty := rng.IntN(7), rng.IntN(200)-100
				cents, rate := rng.Int64N(2000000)-1000000, rng.Int64N(20000)
				amount, r := big.NewRat(cents, 100), big.NewRat(rate, 10000)
				rows = append(rows, fmt.Sprintf("(%d, %d, %s, %s, %d)", batch*100+i, account, amount.FloatString(2), r.FloatString(4), qty))
				if sum[account] == nil {
					sum[account], product[account] = new(big.Rat), new(big.Rat)
				}
				count[account]++
				sum[account].Add(sum[account], amount)
				product[account].Add(product[account], new(big.Rat).Mul(new(big.Rat).Mul(amount, r), big.NewRat(int64(qty), 1)))
			}
			do(t, db, "INSERT INTO ledger VALUES "+strings.Join(rows, ", "))
		}
		for account, s := range sum {
			avg := new(big.Rat).Quo(s, big.NewRat(count[account], 1))
			got := one(t, db, "SELECT CONCAT_WS(' ', SUM(amount), AVG(amount)) FROM ledger WHERE account = ?", account)
			if exact := s.FloatString(2) + " " + avg.FloatString(6); got != exact {
				t.Errorf("%d shards, account %d: SUM and AVG are %s, want %s", shards, account, got, exact)
			}
			if got, exact := one(t, db, "SELECT SUM(amount * rate * qty) FROM ledger WHERE account = ?", account), product[account].FloatString(6); got != exact {
				t.Errorf("%d shards, account %d: the products' sum is %s, want %s", shards, account, got, exact)
			}
			if got := one(t, db, "SELECT SUM(amount) = "+s.FloatString(2)+" FROM ledger WHERE account = ?", account); got != "1" {
				t.Errorf("%d shards, account %d: SUM differs from %s", shards, account, s.FloatString(2))
			}
		}
	}
}

// failsAs runs a query or write that has to fail with MySQL's number.
func failsAs(t *testing.T, db *sql.DB, number uint16, query string, args ...any) {
	t.Helper()
	rows, err := rowsOf(db, query, args...)
	var e *Error
	if !errors.As(err, &e) || e.Number != number {
		t.Errorf("%s: %v, %v; want error %d", query, rows, err, number)
	}
}

func one(t *testing.T, db *sql.DB, query string, args ...any) string {
	t.Helper()
	var s string
	if err := db.QueryRow(query, args...).Scan(&s); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return s
}

// TestArgumentsAmongDecimals holds that an argument computes with a DECIMAL as the
// literal of its digits would.
func TestArgumentsAmongDecimals(t *testing.T) {
	for _, dsn := range []string{":memory:?shards=1", ":memory:?shards=4"} {
		db := openDB(t, dsn)
		do(t, db, "CREATE TABLE m (id INT PRIMARY KEY, d DECIMAL(12,2), l DECIMAL(30,10))")
		do(t, db, "INSERT INTO m VALUES (1, 0.10, 12345678901234567890.5), (2, 0.20, -0.5), (3, 9999999999.99, 1)")
		for _, c := range []struct {
			query string
			args  []any
			rows  string
		}{
			{"SELECT SUM(d * ?) FROM m WHERE id < 3", []any{"0.1"}, "0.03"},
			{"SELECT SUM(d * ?) FROM m WHERE id < 3", []any{3}, "0.9"},
			{"SELECT SUM(d * ?) FROM m", []any{"1.23456789"}, "12345678900.3580246881"},
			{"SELECT SUM(l + ?) FROM m WHERE id < 3", []any{"0.1"}, "12345678901234567890.2"},
			{"SELECT l + ?, l * ? FROM m WHERE id = 1", []any{1, "2"}, "12345678901234567891.5|24691357802469135781"},
			{"SELECT d * ? FROM m WHERE id = 3", []any{[]byte("0.000000001")}, "9.99999999999"},
			{"SELECT l / ? FROM m WHERE id = 1", []any{8}, "1543209862654320986.3125"},
			{"SELECT id FROM m WHERE l + ? = 12345678901234567890.6", []any{"0.1"}, "1"},
			{"SELECT id FROM m WHERE l - ? > ? ORDER BY id", []any{"0.5", "12345678901234567889.9999999999"}, "1"},
			{"SELECT id FROM m WHERE l * ? BETWEEN 24691357802469135781 AND 24691357802469135781.0", []any{2}, "1"},
			{"SELECT id FROM m WHERE l * ? IN (2, 24691357802469135781) ORDER BY id", []any{2}, "1 3"},
			{"SELECT AVG(d * ?) FROM m WHERE id < 3", []any{"0.001"}, "0.00015"},
		} {
			want(t, db, c.rows, c.query, c.args...)
		}
		do(t, db, "UPDATE m SET l = l + ?, d = d * ? WHERE id = 1", "0.0000000001", "12.345")
		want(t, db, "12345678901234567890.5000000001|1.23", "SELECT l, d FROM m WHERE id = 1")
		do(t, db, "UPDATE m SET l = l + ? ORDER BY id LIMIT 1", "0.0000000001") // by key
		do(t, db, "UPDATE m SET l = l + ?, id = id + 10 WHERE id = 1", "0.0000000001")
		want(t, db, "12345678901234567890.5000000003", "SELECT l FROM m WHERE id = 11")
	}
}

// TestUnsigned: a whole number without sign is never below 0, and what MySQL would
// have from 2^63 on is an error.
func TestUnsigned(t *testing.T) {
	for _, dsn := range []string{":memory:", ":memory:?shards=4"} {
		db := openDB(t, dsn)
		do(t, db, "CREATE TABLE g (id INT PRIMARY KEY, u INT UNSIGNED, b BIGINT UNSIGNED, s INT)")
		do(t, db, "INSERT INTO g VALUES (1, 1, 5, -3), (2, 2, 2, 3)")
		for _, text := range []string{
			"SELECT CAST(-1 AS UNSIGNED)", "SELECT CAST('18446744073709551615' AS UNSIGNED)", "SELECT CAST(5 AS UNSIGNED) - 6",
			"SELECT u - 2 FROM g", "SELECT u + s FROM g", "SELECT u * s FROM g", "SELECT id FROM g WHERE u - b >= 0", "UPDATE g SET u = u - 2",
		} {
			if _, err := rowsOf(db, text); !errors.Is(err, ErrOutOfRange) {
				t.Errorf("%s: %s: %v, want error 1690", dsn, text, err)
			}
		}
		want(t, db, "0|4|-0.5|-1|8 1|0|0.5|-2|15", "SELECT u - 1, b - u, u - 1.5, -u, u + 10 + s FROM g WHERE u + 10 + s > 0 ORDER BY id")
		want(t, db, "4 0", "SELECT b - u FROM g ORDER BY id")
		mustAffect(t, db, 2, "UPDATE g SET u = u - ?", 1)
		want(t, db, "0 1", "SELECT u FROM g ORDER BY id")
	}
}
