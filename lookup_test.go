package vitessdo

import (
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// lookupTables are tables for the entries of lookup vindexes, of all kinds of
// placement, and a table that owns them.
var lookupTables = []string{
	"CREATE TABLE name_idx (name VARCHAR(50) COLLATE utf8mb4_general_ci, ksid VARBINARY(255), PRIMARY KEY (name, ksid))",
	"CREATE TABLE email_idx (email VARCHAR(50) PRIMARY KEY, ksid VARBINARY(255)) COMMENT 'unsharded'",
	"CREATE TABLE ab_idx (a INT, b INT, id BIGINT, PRIMARY KEY (b, a, id))",
	"CREATE TABLE n_idx (n INT PRIMARY KEY, id BIGINT)",
	`CREATE TABLE u (id INT PRIMARY KEY, name VARCHAR(50) COLLATE utf8mb4_general_ci, email VARCHAR(50), a INT, b INT, n INT) COMMENT
		'vindex=hash(id);
		vindex=lookup(name) owner=u table=name_idx from=name to=ksid;
		vindex=consistent_lookup_unique(email) owner=u table=email_idx from=email to=ksid;
		vindex=lookup_hash("a, b) owner=u table=ab_idx from="a,b" to=id;
		vindex=lookup_hash_unique(n) owner=u table=n_idx from=n to=id'`,
}

// lookupVindexes are the vindexes that u owns.
var lookupVindexes = []string{"u_name_lookup", "u_email_consistent_lookup_unique", "u_a_b_lookup_hash", "u_n_lookup_hash_unique"}

func lookupDB(t *testing.T) *sql.DB {
	t.Helper()
	db := memDB(t, "")
	for _, q := range lookupTables {
		do(t, db, strings.Replace(q, `("a`, `(a`, 1))
	}
	return db
}

// checkLookups compares entries with rows.
func checkLookups(t *testing.T, db *sql.DB) {
	t.Helper()
	for _, v := range lookupVindexes {
		r, err := VerifyVindex(bg, pin(t, db), "u", v, false, nil)
		if err != nil || r.Missing+r.Wrong+r.Duplicate+r.Stray > 0 {
			t.Errorf("%s: %+v, %v", v, r, err)
		}
	}
}

// TestLookupModel runs random writes against a table that owns lookup vindexes and
// one that doesn't, and finds rows by them.
func TestLookupModel(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 2))
	db := lookupDB(t)
	do(t, db, "CREATE TABLE plain (id INT PRIMARY KEY, name VARCHAR(50) COLLATE utf8mb4_general_ci, email VARCHAR(50) UNIQUE, a INT, b INT, n INT UNIQUE) COMMENT 'unsharded'")
	text := func() string { return []string{"NULL", "'x'", "'X'", "'y'", "'z'", "5"}[r.IntN(6)] }
	number := func() string { return []string{"NULL", "1", "2", "'3'", "4.0", "5", "6", "7", "8"}[r.IntN(9)] }
	row := func() string {
		return fmt.Sprintf("(%d, %s, %s, %s, %s, %s)", r.IntN(15), text(), text(), number(), number(), number())
	}
	for range 300 {
		var q string
		switch r.IntN(7) {
		case 0, 1:
			q = "INSERT INTO @ VALUES " + row()
		case 2:
			q = "INSERT INTO @ VALUES " + row() + ", " + row()
		case 3:
			q = fmt.Sprintf("UPDATE @ SET name = %s, a = %s WHERE id = %d", text(), number(), r.IntN(15))
		case 4:
			q = fmt.Sprintf("UPDATE @ SET email = %s, n = %s WHERE id = %d", text(), number(), r.IntN(15))
		case 5:
			q = fmt.Sprintf("UPDATE @ SET id = %d WHERE id = %d", r.IntN(15), r.IntN(15))
		case 6:
			q = "DELETE FROM @ WHERE name = " + text() + " OR id = " + fmt.Sprint(r.IntN(15))
		}
		var was [2]string
		for i, table := range []string{"plain", "u"} {
			res, err := db.Exec(strings.Replace(q, "@", table, 1))
			if err != nil {
				var e *Error
				if !errors.As(err, &e) || e.Code != CodeUnique {
					t.Fatal(err)
				}
				was[i] = "duplicate"
				continue
			}
			n, _ := res.RowsAffected()
			was[i] = fmt.Sprint(n)
		}
		if was[0] != was[1] {
			t.Fatalf("seed %d: %s: %s, with lookups %s", seed, q, was[0], was[1])
		}
		for _, where := range []string{"name = " + text(), "email = " + text(), "a = " + number() + " AND b = " + number(), "n IN (1, " + number() + ")"} {
			plain, err := rowsOf(db, "SELECT * FROM plain WHERE "+where+" ORDER BY id")
			if err != nil {
				t.Fatal(err)
			}
			want(t, db, strings.Join(plain, " "), "SELECT * FROM u WHERE "+where+" ORDER BY id")
		}
		checkLookups(t, db)
		if t.Failed() {
			t.Fatalf("seed %d, after %s", seed, q)
		}
	}
}

func planType(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	rows, err := rowsOf(db, "EXPLAIN FORMAT='vitess' "+query)
	if err != nil {
		t.Fatal(err)
	}
	plan, _, _ := strings.Cut(rows[0], "|")
	return plan
}

// TestLookupRoutes sees which conditions go by a lookup vindex.
func TestLookupRoutes(t *testing.T) {
	db := lookupDB(t)
	for where, plan := range map[string]string{
		"name = 'x'": "lookup", "name IN ('x', 'y')": "lookup", "email = 'x'": "lookup", "a = 1 AND b = 2": "lookup", "n = 1": "lookup",
		"a = 1": "scatter", "name > 'x'": "scatter", "name IS NULL": "scatter", "id = 1 AND name = 'x'": "single_shard",
	} {
		if got := planType(t, db, "SELECT * FROM u WHERE "+where); got != plan {
			t.Errorf("%s: %s, want %s", where, got, plan)
		}
	}
	// A table of entries that tells values apart otherwise is no help.
	do(t, db, "CREATE TABLE bin_idx (name VARCHAR(50), ksid VARBINARY(255), PRIMARY KEY (name, ksid))")
	do(t, db, "CREATE TABLE w (id INT PRIMARY KEY, name VARCHAR(50) COLLATE utf8mb4_general_ci) COMMENT 'vindex=hash(id); vindex=lookup(name) owner=w table=bin_idx from=name to=ksid'")
	if got := planType(t, db, "SELECT * FROM w WHERE name = 'x'"); got != "scatter" {
		t.Errorf("by other collations: %s", got)
	}
}

// TestAddVindex fills a lookup vindex from rows that are there, while writes go on.
func TestAddVindex(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE u (id INT PRIMARY KEY, name VARCHAR(50), email VARCHAR(50))",
		"CREATE TABLE name_idx (name VARCHAR(50), ksid VARBINARY(255), PRIMARY KEY (name, ksid))",
		"CREATE TABLE email_idx (email VARCHAR(50) PRIMARY KEY, ksid VARBINARY(255))")
	var rows []string
	for i := range 2000 {
		rows = append(rows, fmt.Sprintf("(%d, 'n%d', 'e%d')", i, i%100, i))
	}
	do(t, db, "INSERT INTO u VALUES "+strings.Join(rows, ", "))
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 5000; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			for _, q := range []string{"INSERT INTO u VALUES (?1, 'new', CONCAT('e', ?1))", "UPDATE u SET name = 'moved' WHERE id = ?1 - 4000", "DELETE FROM u WHERE id = ?1 - 4500"} {
				if _, err := db.Exec(strings.ReplaceAll(q, "?1", fmt.Sprint(i))); err != nil && !errors.Is(err, ErrConflict) {
					t.Error(err)
					return
				}
			}
		}
	})
	_, err := db.Exec("ALTER VSCHEMA ON u ADD VINDEX by_name(name) USING lookup WITH owner=u, table=name_idx, `from`=name, `to`=ksid")
	close(stop)
	wg.Wait()
	if err != nil {
		t.Fatal(err)
	}
	r, err := VerifyVindex(bg, pin(t, db), "u", "by_name", false, nil)
	if err != nil || !r.Clean() || r.Rows < 1000 || r.Entries < 100 {
		t.Errorf("%+v, %v", r, err)
	}
	if got := planType(t, db, "SELECT * FROM u WHERE name = 'n7'"); got != "lookup" {
		t.Errorf("by_name isn't used: %s", got)
	}
	// One that is write-only waits to be filled.
	do(t, db, "ALTER VSCHEMA ON u ADD VINDEX by_email(email) USING lookup_unique WITH owner=u, table=email_idx, `from`=email, `to`=ksid, write_only=true")
	if got := planType(t, db, "SELECT * FROM u WHERE email = 'e7'"); got != "scatter" {
		t.Errorf("by_email is used before it is filled: %s", got)
	}
	do(t, db, "UPDATE u SET email = 'e8' WHERE id = 1900")
	do(t, db, "DELETE FROM email_idx")
	wantCode(t, BackfillVindex(bg, pin(t, db), "u", "by_email", nil), CodeUnique, "two rows with one key")
	do(t, db, "UPDATE u SET email = 'e1900' WHERE id = 1900")
	var done int64
	if err := BackfillVindex(bg, pin(t, db), "u", "by_email", func(n int64) { done += n }); err != nil || done < 1000 {
		t.Errorf("%d rows, %v", done, err)
	}
	if got := planType(t, db, "SELECT * FROM u WHERE email = 'e7'"); got != "lookup" {
		t.Errorf("by_email isn't used: %s", got)
	}
}

// TestVerifyVindex finds and mends every kind of damage.
func TestVerifyVindex(t *testing.T) {
	db := lookupDB(t)
	do(t, db, "INSERT INTO u VALUES (1,'a','a',1,1,1), (2,'a','b',1,1,2), (3,'c','c',2,2,3), (4,'d',NULL,2,2,NULL)")
	do(t, db, "DELETE FROM name_idx WHERE name = 'c'")
	do(t, db, "INSERT INTO name_idx VALUES ('d', X'00'), ('nobody', X'166B40B44ABA4BD6')")
	do(t, db, "UPDATE email_idx SET ksid = X'0000000000000001' WHERE email = 'a'")
	do(t, db, "INSERT INTO ab_idx VALUES (1, 1, 77)")
	do(t, db, "DELETE FROM n_idx")
	for vindex, want := range map[string]VindexReport{
		"u_name_lookup":                    {Rows: 4, Entries: 5, Missing: 1, Stray: 2},
		"u_email_consistent_lookup_unique": {Rows: 4, Entries: 3, Wrong: 1, Stray: 1},
		"u_a_b_lookup_hash":                {Rows: 4, Entries: 5, Stray: 1},
		"u_n_lookup_hash_unique":           {Rows: 4, Missing: 3},
	} {
		if got, err := VerifyVindex(bg, pin(t, db), "u", vindex, false, nil); got != want || err != nil {
			t.Errorf("%s: %+v, %v; want %+v", vindex, got, err, want)
		}
		if got, err := VerifyVindex(bg, pin(t, db), "u", vindex, true, nil); !got.Clean() || err != nil {
			t.Errorf("%s, repaired: %+v, %v", vindex, got, err)
		}
	}
	checkLookups(t, db)
	_, err := VerifyVindex(bg, pin(t, db), "u", "nobody", false, nil)
	wantCode(t, err, CodeUnsupported, "no such vindex")
	do(t, db, "TRUNCATE u")
	checkLookups(t, db)
	do(t, db, "INSERT INTO u VALUES (1,'a','a',1,1,1)")
}

// TestLookupsReopen sees that keys and vindexes outlive the process, and that a
// VSchema file can't make one be used that lacks entries.
func TestLookupsReopen(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "vschema.json")
	write := func(vindexes, columns string) {
		t.Helper()
		text := `{"sharded": true, "vindexes": {"hash": {"type": "hash"}` + vindexes + `}, "tables": {
			"u": {"column_vindexes": [{"column": "id", "name": "hash"}` + columns + `]},
			"idx": {"column_vindexes": [{"column": "name", "name": "hash"}]}}}`
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	open := func() *sql.DB {
		return openDB(t, "file:"+escapePath(filepath.Join(dir, "d"))+"?shards=3&synchronous=off&vschema="+escapePath(file))
	}
	write("", "")
	db := open()
	do(t, db, "CREATE TABLE u (id INT PRIMARY KEY, name VARCHAR(20), k INT UNIQUE)")
	do(t, db, "CREATE TABLE idx (name VARCHAR(20), ksid VARBINARY(20), PRIMARY KEY (name, ksid))")
	do(t, db, "INSERT INTO u VALUES (1, 'a', 1), (2, 'a', 2), (3, 'b', 3)")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	write(`, "names": {"type": "lookup", "params": {"table": "idx", "from": "name", "to": "ksid"}, "owner": "u"}`, `, {"column": "name", "name": "names"}`)
	for _, plan := range []string{"scatter", "lookup"} {
		db = open()
		mustFail(t, db, CodeUnique, "INSERT INTO u VALUES (4, 'c', 3)")
		if got := planType(t, db, "SELECT * FROM u WHERE k = 3"); got != "lookup" {
			t.Errorf("a unique key: %s", got)
		}
		if got := planType(t, db, "SELECT * FROM u WHERE name = 'a'"); got != plan {
			t.Errorf("%s, want %s", got, plan)
		}
		want(t, db, "1 2", "SELECT id FROM u WHERE name = 'a' ORDER BY id")
		if err := BackfillVindex(bg, pin(t, db), "u", "names", nil); err != nil {
			t.Fatal(err)
		}
		checkHidden(t, db)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A vindex whose entries nobody would keep isn't added to a table that stands.
func TestAddVindexThatIsNotKept(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE idx (name VARCHAR(50) PRIMARY KEY, ksid VARBINARY(64))", "CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR(50))")
	for _, typ := range []string{"lookup_unicodeloosemd5_hash", "lookup_unicodeloosemd5_hash_unique"} {
		e := mustFail(t, db, CodeUnsupported, "ALTER VSCHEMA ON t ADD VINDEX n(name) USING "+typ+" WITH owner=t, table=idx, `from`=name, `to`=ksid")
		if !strings.Contains(e.Message, typ) {
			t.Error(e)
		}
	}
	for _, v := range mustRows(t, db, "SHOW VSCHEMA VINDEXES") {
		if strings.Contains(v, "unicodeloose") {
			t.Errorf("it is there: %s", v)
		}
	}
}

// TestVerifyGoesByCollation: an entry means its row in any case where the column has none,
// on every engine. It isn't taken for a stray, and repaired away.
func TestVerifyGoesByCollation(t *testing.T) {
	db := lookupDB(t)
	do(t, db, "INSERT INTO u (id, name) VALUES (1, 'ann'), (2, 'Bob')")
	do(t, db, "UPDATE u SET name = 'ANN' WHERE id = 1")
	for range 2 {
		r, err := VerifyVindex(bg, pin(t, db), "u", "u_name_lookup", true, nil)
		if err != nil || r.Stray+r.Missing+r.Wrong+r.Repaired > 0 {
			t.Errorf("%+v, %v", r, err)
		}
	}
	want(t, db, "1|ANN", "SELECT id, name FROM u WHERE name = 'aNN'")
}
