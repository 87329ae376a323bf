package vitessdo

import (
	"database/sql"
	"strings"
	"testing"
)

// TestSavepointsAcrossShards: savepoints mean the same on one shard and on four,
// whenever a shard joins: before, between or after them.
func TestSavepointsAcrossShards(t *testing.T) {
	tests := []struct{ name, script, want string }{
		{"back to before any shard", "SAVEPOINT s; +a; +b; ROLLBACK TO s", "100 100 100 100"},
		{"shards join before and after", "+a; SAVEPOINT s; +a; +b; ROLLBACK TO s; +c", "101 100 101 100"},
		{"twice to the same", "+a; SAVEPOINT s; +b; ROLLBACK TO s; +c; ROLLBACK TO s; +d", "101 100 100 101"},
		{"nested", "SAVEPOINT s; +a; SAVEPOINT t; +b; SAVEPOINT u; +c; ROLLBACK TO t; +d; ROLLBACK TO s; +d", "100 100 100 101"},
		{"inner ones are gone", "SAVEPOINT s; +a; SAVEPOINT t; +b; ROLLBACK TO s; +c; ROLLBACK TO t!", "100 100 101 100"},
		{"released with those inside", "SAVEPOINT s; +a; SAVEPOINT t; +b; RELEASE SAVEPOINT s; ROLLBACK TO t!; +c", "101 101 101 100"},
		{"release keeps the outer one", "SAVEPOINT s; +a; SAVEPOINT t; +b; RELEASE SAVEPOINT t; +c; ROLLBACK TO s; +d", "100 100 100 101"},
		{"a name again", "+a; SAVEPOINT s; +b; SAVEPOINT s; +c; ROLLBACK TO s; +d", "101 101 100 101"},
		{"all in one statement", "+a; SAVEPOINT s; *; ROLLBACK TO s; *", "102 101 101 101"},
		{"a statement that fails between", "+a; SAVEPOINT s; +b; fail!; +c; ROLLBACK TO s; fail!; +d", "101 100 100 101"},
		{"rolled back whole", "+a; SAVEPOINT s; +b; ROLLBACK TO s; ROLLBACK", "100 100 100 100"},
	}
	for _, shards := range []string{"1", "4"} {
		db := openDB(t, ":memory:?shards="+shards)
		accounts(t, db, 20)
		ids := []int{1, 2, 3, 4}
		if shards == "4" {
			ids = idsOn(t, db, "acc", 4)
		}
		for _, tc := range tests {
			t.Run(tc.name+" on "+shards, func(t *testing.T) {
				do(t, db, "UPDATE acc SET bal = 100")
				c := pin(t, db)
				do(t, c, "BEGIN")
				for step := range strings.SplitSeq(tc.script, "; ") {
					query, fails := strings.CutSuffix(step, "!")
					var args []any
					switch {
					case query[0] == '+':
						query, args = "UPDATE acc SET bal = bal + 1 WHERE id = ?", []any{ids[query[1]-'a']}
					case query == "*":
						query = "UPDATE acc SET bal = bal + 1"
					case query == "fail":
						query = "INSERT INTO acc (id, bal) SELECT 1000 + id % 7, bal FROM acc" // a key twice
					}
					if fails {
						if _, err := c.ExecContext(bg, query, args...); err == nil {
							t.Errorf("%s doesn't fail", query)
						}
						continue
					}
					do(t, c, query, args...)
				}
				do(t, c, "COMMIT")
				var got []string
				for _, id := range ids {
					got = append(got, mustRows(t, db, "SELECT bal FROM acc WHERE id = ?", id)...)
				}
				if s := strings.Join(got, " "); s != tc.want {
					t.Errorf("%s: %s, want %s", tc.script, s, tc.want)
				}
				want(t, db, "20", "SELECT COUNT(*) FROM acc")
				free(t, db)
				_ = c.Close()
			})
		}
	}
}

// TestImplicitCommits: what commits the transaction that is open, as in MySQL; changes
// of the schema with ddl=autocommit.
func TestImplicitCommits(t *testing.T) {
	for _, shards := range []string{"1", "4"} {
		for _, query := range []string{
			"BEGIN", "START TRANSACTION READ ONLY", "SET autocommit = 1", "CREATE TABLE x (id BIGINT PRIMARY KEY)", "DROP TABLE IF EXISTS nix",
			"ALTER TABLE acc ADD COLUMN w INT", "CREATE INDEX i ON acc (bal)", "TRUNCATE TABLE other", "RENAME TABLE other TO another",
			"CREATE VIEW v AS SELECT id FROM acc", "CREATE DATABASE d",
		} {
			t.Run(query+" on "+shards, func(t *testing.T) {
				db := openDBWith(t, readersBesideWriters, ":memory:?ddl=autocommit&shards="+shards)
				accounts(t, db, 8)
				do(t, db, "CREATE TABLE other (id BIGINT PRIMARY KEY)")
				c := pin(t, db)
				if strings.HasPrefix(query, "SET") {
					do(t, c, "SET autocommit = 0")
				} else {
					do(t, c, "BEGIN")
				}
				do(t, c, "UPDATE acc SET bal = 1")
				want(t, db, "800", "SELECT SUM(bal) FROM acc")
				do(t, c, query)
				want(t, db, "8", "SELECT SUM(bal) FROM acc")
				do(t, c, "ROLLBACK")
				want(t, db, "8", "SELECT SUM(bal) FROM acc")
			})
		}
	}
}

// TestModesBySet: the mode of a session's commits, from the data source name and
// by SET, holds for its next commit.
func TestModesBySet(t *testing.T) {
	db := memDBWith(t, readersBesideWriters, "transaction_mode=single")
	accounts(t, db, 8)
	c := pin(t, db)
	for mode, works := range map[string]bool{"twopc": true, "multi": true, "single": false} {
		do(t, c, "BEGIN")
		do(t, c, "UPDATE acc SET bal = bal + 1")
		do(t, c, "SET transaction_mode = '"+mode+"'") // in the transaction
		before := mustRows(t, db, "SELECT SUM(bal) FROM acc")[0]
		_, err := c.ExecContext(bg, "COMMIT")
		if works && err != nil {
			t.Errorf("%s: %v", mode, err)
		}
		if !works {
			wantCode(t, err, CodeUnsupported, mode)
			want(t, db, before, "SELECT SUM(bal) FROM acc")
		}
	}
	tx, err := db.BeginTx(bg, &sql.TxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	do(t, tx, "UPDATE acc SET bal = 1 WHERE id = 1")
	want(t, tx, "8", "SELECT COUNT(*) FROM acc") // reading others doesn't count
	if err := tx.Commit(); err != nil {
		t.Errorf("one shard in mode single: %v", err)
	}
	_, err = db.Exec("UPDATE acc SET bal = 2")
	wantCode(t, err, CodeUnsupported, "a statement over several shards in mode single")
	free := pin(t, db)
	do(t, free, "SET transaction_mode = 'twopc'")
	mustAffect(t, free, 8, "UPDATE acc SET bal = 2")
}

func TestCompletion(t *testing.T) {
	db := memDB(t, "")
	accounts(t, db, 4)
	c := pin(t, db)
	want(t, c, "NO_CHAIN", "SELECT @@completion_type")
	mustFail(t, c, CodePlan, "SET completion_type = 'LATER'")
	do(t, c, "SET completion_type = 1")
	want(t, c, "CHAIN", "SELECT @@completion_type")
	do(t, c, "BEGIN")
	do(t, c, "UPDATE acc SET bal = 1 WHERE id = 1")
	do(t, c, "COMMIT")
	do(t, c, "UPDATE acc SET bal = 2 WHERE id = 1") // in the next transaction
	do(t, c, "ROLLBACK")
	want(t, db, "1", "SELECT bal FROM acc WHERE id = 1")
	do(t, c, "SET completion_type = DEFAULT")
	do(t, c, "ROLLBACK")
	mustAffect(t, c, 1, "UPDATE acc SET bal = 3 WHERE id = 1")
	want(t, db, "3", "SELECT bal FROM acc WHERE id = 1")

	// What the statement says counts more.
	for _, end := range []string{"COMMIT AND NO CHAIN", "ROLLBACK WORK AND NO CHAIN", "COMMIT AND NO CHAIN NO RELEASE"} {
		do(t, c, "SET completion_type = 'CHAIN'")
		do(t, c, "BEGIN")
		do(t, c, end)
		mustAffect(t, c, 1, "UPDATE acc SET bal = bal + 1 WHERE id = 1") // by itself
		do(t, c, "ROLLBACK AND NO CHAIN")
	}
	for _, end := range []string{"COMMIT NO RELEASE", "ROLLBACK AND NO CHAIN NO RELEASE", "COMMIT AND CHAIN NO RELEASE"} {
		do(t, c, "SET completion_type = 'RELEASE'")
		do(t, c, "BEGIN")
		do(t, c, end)
		want(t, c, "6", "SELECT bal FROM acc WHERE id = 1") // the connection is there
		do(t, c, "ROLLBACK NO RELEASE")
	}
	do(t, c, "SET completion_type = DEFAULT")
	mustFail(t, c, CodeSyntax, "COMMIT AND CHAIN RELEASE")

	for _, end := range []string{"COMMIT RELEASE", "ROLLBACK AND NO CHAIN RELEASE", "COMMIT"} {
		c := pin(t, db)
		if end == "COMMIT" {
			do(t, c, "SET completion_type = 'RELEASE'")
		}
		do(t, c, "BEGIN")
		do(t, c, "DO GET_LOCK('l', 0)")
		do(t, c, end)
		if _, err := c.ExecContext(bg, "SELECT 1"); err == nil {
			t.Errorf("after %s the connection is open", end)
		}
		want(t, db, "1", "SELECT IS_FREE_LOCK('l')")
	}
	free(t, db)
}
