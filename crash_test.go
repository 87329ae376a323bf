package vitessdo

import (
	"bufio"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/twopc"
)

// childRole says in the environment what a run of this test binary is to do
// instead of testing; childArgs are its arguments, joined by "|".
const (
	childRole = "VITESSDO_TEST_CHILD"
	childArgs = "VITESSDO_TEST_CHILD_ARGS"
)

var childRoles = map[string]func(args []string) error{"work": childWork, "fault": childFault, "open": childOpen,
	"serve": childServe, "gate": childGate, "history": childHistory}

func TestMain(m *testing.M) {
	role, ok := os.LookupEnv(childRole)
	if !ok {
		os.Exit(m.Run())
	}
	if err := childRoles[role](strings.Split(os.Getenv(childArgs), "|")); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

// child starts another process of this binary. Its standard input stays open
// until the process has ended, or the test closes it.
func child(tb testing.TB, role string, args ...string) (*exec.Cmd, *bufio.Scanner, io.WriteCloser) {
	tb.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childRole+"="+role, childArgs+"="+strings.Join(args, "|"))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	return cmd, bufio.NewScanner(out), in
}

// dieNow ends the process as kill -9 does.
func dieNow() {
	if p, err := os.FindProcess(os.Getpid()); err == nil {
		_ = p.Kill()
	}
	select {}
}

const (
	killAccounts = 32
	killWorkers  = 4
	killFor      = 5 * time.Minute
)

func killDSN(dir string, round int) string {
	mode := "normal"
	if round%2 == 1 {
		mode = "full"
	}
	return "file:" + escapePath(dir) + "?shards=4&synchronous=" + mode
}

// childWork moves money and inserts rows over several shards, and tells every
// commit that was acknowledged, until it is killed.
func childWork(args []string) error {
	round, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	seed, err := strconv.ParseUint(args[2], 10, 64)
	if err != nil {
		return err
	}
	db, err := sql.Open("vitessdo", killDSN(args[0], round))
	if err != nil {
		return err
	}
	if err := db.Ping(); err != nil {
		return err
	}
	var mu sync.Mutex
	tell := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Printf(format+"\n", args...)
	}
	tell("ready")
	errs := make(chan error, killWorkers+3)
	for w := range killWorkers {
		go func() {
			r := rand.New(rand.NewPCG(seed, uint64(round*100+w)))
			for k := 1; ; k++ {
				txn := int64(round)*1_000_000 + int64(w)*100_000 + int64(k)
				if err := killStep(db, r, txn, tell); err != nil {
					errs <- fmt.Errorf("transaction %d: %w", txn, err)
					return
				}
			}
		}()
	}
	go func() {
		r := rand.New(rand.NewPCG(seed, uint64(round*100+98)))
		for k := int64(1); ; k++ {
			if err := orderStep(db, r, int64(round)*1_000_000+900_000+k); err != nil {
				errs <- fmt.Errorf("in order %d: %w", k, err)
				return
			}
		}
	}()
	go func() {
		for k := int64(1); ; k++ {
			txn := int64(round)*1_000_000 + 800_000 + k
			if err := linkStep(db, txn); err != nil {
				errs <- fmt.Errorf("links %d: %w", txn, err)
				return
			}
			tell("ok %d %d", txn, withLinks)
		}
	}()
	go func() {
		r := rand.New(rand.NewPCG(seed, uint64(round*100+99)))
		for k := 0; ; k++ {
			time.Sleep(time.Duration(20+r.IntN(40)) * time.Millisecond) // a pause in the load, nothing waits for it
			if err := killDDL(db, k); err != nil {
				errs <- fmt.Errorf("schema change %d: %w", k, err)
				return
			}
			tell("ddl %d", k)
		}
	}()
	return <-errs
}

// killStep does one transaction, begun anew as often as needed.
func killStep(db *sql.DB, r *rand.Rand, txn int64, tell func(string, ...any)) error {
	parts := 2 + r.IntN(5)
	rows, vals := make([]string, parts), make([]any, 0, 3*parts)
	for i := range rows {
		rows[i] = "(?, ?, ?)"
		vals = append(vals, txn*10+int64(i), txn, parts)
	}
	insert := "INSERT INTO mark (id, txn, parts) VALUES " + strings.Join(rows, ", ")
	from, to := 1+r.IntN(killAccounts), 1+r.IntN(killAccounts)
	plain := r.IntN(3) == 0
	for {
		var id int64
		err := func() error {
			if plain {
				_, err := db.Exec(insert, vals...)
				return err
			}
			tx, err := db.Begin()
			if err != nil {
				return err
			}
			defer tx.Rollback()
			if _, err := tx.Exec("UPDATE acc SET bal = bal - 1 WHERE id = ?", from); err != nil {
				return err
			}
			if _, err := tx.Exec(insert, vals...); err != nil {
				return err
			}
			res, err := tx.Exec("INSERT INTO seq (txn) VALUES (?)", txn)
			if err != nil {
				return err
			}
			if id, err = res.LastInsertId(); err != nil {
				return err
			}
			if _, err := tx.Exec("UPDATE acc SET bal = bal + 1 WHERE id = ?", to); err != nil {
				return err
			}
			return tx.Commit()
		}()
		var e *Error
		switch {
		case err == nil:
			tell("ok %d %d", txn, id)
			return nil
		case !errors.As(err, &e) || !e.Retryable():
			return err
		}
	}
}

// killDDL changes the schema to and fro.
func killDDL(db *sql.DB, k int) error {
	if k%2 == 0 {
		return stubborn(func() error { return killMigration(db, int64(k)) })
	}
	var list []string
	switch k / 2 % 4 {
	case 0:
		list = []string{"CREATE TABLE IF NOT EXISTS extra (id BIGINT PRIMARY KEY, v INT)", "INSERT IGNORE INTO extra VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 5)"}
	case 1:
		list = []string{"ALTER TABLE acc MODIFY note VARCHAR(60)"}
	case 2:
		list = []string{"DROP TABLE IF EXISTS extra"}
	case 3:
		list = []string{"ALTER TABLE acc MODIFY note VARCHAR(40) DEFAULT 'n'"}
	}
	for _, q := range list {
		for {
			_, err := db.Exec(q)
			var e *Error
			if errors.As(err, &e) && e.Retryable() {
				continue
			}
			if err != nil {
				return err
			}
			break
		}
	}
	return nil
}

// killMigration makes or drops two tables in one transaction, whose rows agree, and
// adds a column with the value of the day.
func killMigration(db *sql.DB, k int64) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, q := range []string{
		"DROP TABLE IF EXISTS pair_b",
		"DROP TABLE IF EXISTS pair_a",
		fmt.Sprintf("CREATE TABLE pair_a (id BIGINT PRIMARY KEY AUTO_INCREMENT, k BIGINT DEFAULT %d, u BIGINT UNIQUE)", k),
		"INSERT INTO pair_a (u) VALUES (1), (2), (3), (4), (5)",
		"CREATE TABLE pair_b AS SELECT id, k FROM pair_a",
		"UPDATE pair_a SET u = u + 100",
		fmt.Sprintf("ALTER TABLE acc ALTER COLUMN note SET DEFAULT 'n%d'", k),
	} {
		if _, err := tx.Exec(q); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// checkMigration sees that a migration is there whole.
func checkMigration(t *testing.T, db *sql.DB) {
	t.Helper()
	tables := mustRows(t, db, "SHOW TABLES LIKE 'pair%'")
	if len(tables) == 0 {
		return
	}
	want(t, db, "5", "SELECT COUNT(*) FROM pair_a a JOIN pair_b b ON a.id = b.id AND a.k = b.k WHERE a.u > 100")
	want(t, db, "1", "SELECT (SELECT MAX(k) FROM pair_b) = (SELECT column_default FROM information_schema.columns WHERE table_name = 'pair_a' AND column_name = 'k')")
	want(t, db, "1|101", "SELECT id, u FROM pair_a WHERE u = 101")
}

// TestKill9 kills a process in the midst of its work, again and again on the
// same directory, and finds all that was acknowledged and nothing by halves.
func TestKill9(t *testing.T) {
	rounds := 8
	if s := os.Getenv("VITESSDO_KILL_ROUNDS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		rounds = n
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	var dir string
	var acked map[int64]int64
	total := 0
	until := time.Now().Add(killFor)
	for round := range rounds {
		if time.Now().After(until) {
			t.Logf("%d of %d rounds in %v", round, rounds, killFor)
			break
		}
		if round%25 == 0 { // looking at all that was done takes ever longer
			total += len(acked)
			dir, acked = t.TempDir(), map[int64]int64{}
			db := openDB(t, killDSN(dir, 0))
			killSchema(t, db)
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}
		cmd, lines, _ := child(t, "work", dir, strconv.Itoa(round), strconv.FormatUint(seed, 10))
		for lines.Scan() && lines.Text() != "ready" {
			t.Errorf("round %d: %s", round, lines.Text())
		}
		wait := time.Duration(1+r.IntN(300)) * time.Millisecond
		timer := time.AfterFunc(wait, func() { _ = cmd.Process.Kill() })
		waits := round%4 == 3 // until a commit is acknowledged, however long that takes
		if waits {
			timer.Stop()
		}
		n := 0
		for lines.Scan() {
			var txn, id int64
			switch line := lines.Text(); {
			case strings.HasPrefix(line, "ok "):
				if _, err := fmt.Sscanf(line, "ok %d %d", &txn, &id); err == nil {
					acked[txn] = id
					if n++; n == 1 && waits {
						timer.Reset(wait)
					}
				}
			case !strings.HasPrefix(line, "ddl "):
				t.Errorf("round %d: %s", round, line)
			}
		}
		timer.Stop()
		_ = cmd.Wait()
		if t.Failed() {
			return
		}
		for r.IntN(2) == 0 {
			killOpening(t, dir, time.Duration(r.IntN(100))*time.Millisecond)
		}
		checkKilled(t, killDSN(dir, round+1), round, acked)
		if t.Failed() {
			t.Fatalf("round %d, killed after %v and %d commits", round, wait, n)
		}
	}
	total += len(acked)
	t.Logf("%d rounds, %d commits acknowledged", rounds, total)
	if total == 0 {
		t.Error("no commit was acknowledged: nothing was tested")
	}
}

func killSchema(t *testing.T, db *sql.DB) {
	t.Helper()
	do(t, db, "CREATE TABLE acc (id BIGINT PRIMARY KEY, bal BIGINT NOT NULL, note VARCHAR(40))")
	do(t, db, "CREATE TABLE mark (id BIGINT PRIMARY KEY, txn BIGINT NOT NULL, parts INT NOT NULL, KEY (txn))")
	do(t, db, "CREATE TABLE seq (id BIGINT PRIMARY KEY AUTO_INCREMENT, txn BIGINT NOT NULL)")
	for i := 1; i <= killAccounts; i++ {
		do(t, db, "INSERT INTO acc (id, bal) VALUES (?, 1000)", i)
	}
	orderSchema(t, db)
	linkSchema(t, db)
}

// checkKilled opens the directory after a crash and looks at everything.
func checkKilled(t *testing.T, dsn string, round int, acked map[int64]int64) {
	t.Helper()
	db, err := sql.Open("vitessdo", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}()
	lockFree(t, db)
	checkOrder(t, db)
	checkLinks(t, db, acked)
	want(t, db, fmt.Sprintf("%d|%d", killAccounts, killAccounts*1000), "SELECT COUNT(*), SUM(bal) FROM acc")
	want(t, db, "", "SELECT txn, COUNT(*), MAX(parts) FROM mark GROUP BY txn HAVING COUNT(*) <> MAX(parts)")
	present := map[int64]bool{}
	rows, err := db.Query("SELECT DISTINCT txn FROM mark")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var txn int64
		if err := rows.Scan(&txn); err != nil {
			t.Fatal(err)
		}
		present[txn] = true
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		t.Fatal(err)
	}
	highest, lost := int64(0), 0
	for txn, id := range acked {
		if id == withLinks {
			continue
		}
		if !present[txn] {
			lost++
			t.Logf("transaction %d is lost", txn)
		}
		highest = max(highest, id)
		if id > 0 && txn/1_000_000 == int64(round) {
			want(t, db, fmt.Sprint(txn), "SELECT txn FROM seq WHERE id = ?", id)
		}
	}
	if lost > 0 {
		t.Errorf("%d acknowledged commits are lost", lost)
	}
	want(t, db, "", "SELECT m.txn FROM seq s LEFT JOIN mark m ON m.id = s.txn * 10 WHERE m.id IS NULL")
	checkSchema(t, db)
	checkMigration(t, db)
	res := do(t, db, "INSERT INTO seq (txn) VALUES (?)", 0)
	if id, _ := res.LastInsertId(); id <= highest {
		t.Errorf("the sequence gives %d again; %d was acknowledged", id, highest)
	}
	do(t, db, "DELETE FROM seq WHERE txn = 0")
	mustAffect(t, db, 0, "UPDATE mark SET parts = parts WHERE id < 0")
}

// checkSchema sees that catalog and shards agree.
func checkSchema(t *testing.T, db *sql.DB) {
	t.Helper()
	tables, err := rowsOf(db, "SHOW TABLES")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range tables {
		if _, err := rowsOf(db, "SELECT * FROM "+name); err != nil {
			t.Errorf("table %s: %v", name, err)
		}
	}
	if !slices.Contains(tables, "extra") {
		do(t, db, "CREATE TABLE extra (id BIGINT PRIMARY KEY, v INT)") // no leftover on any shard
		do(t, db, "DROP TABLE extra")
	}
	do(t, db, "UPDATE acc SET note = 'checked'")
	want(t, db, fmt.Sprint(killAccounts), "SELECT COUNT(*) FROM acc WHERE note = 'checked'")
}

// childFault dies when a commit, or the recovery from one, passes a point. Its
// arguments: the directory, the point, the participant, and what to run.
func childFault(args []string) error {
	point, _ := strconv.Atoi(args[1])
	part, _ := strconv.Atoi(args[2])
	armed := point >= int(twopc.Replaying)
	twopc.OnPoint(func(p twopc.Point, participant int) {
		if armed && int(p) == point && participant == part {
			dieNow()
		}
	})
	db, err := sql.Open("vitessdo", killDSN(args[0], 0)+"&multi_statements=true")
	if err != nil {
		return err
	}
	if err := db.Ping(); err != nil {
		return err
	}
	if !armed {
		armed = true
		if _, err := db.Exec(args[3]); err != nil {
			return err
		}
	}
	fmt.Println("done")
	return nil
}

// childOpen opens a directory, says so, and holds it until its input ends.
func childOpen(args []string) error {
	db, err := sql.Open("vitessdo", killDSN(args[0], 0))
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Ping(); err != nil {
		return err
	}
	fmt.Println("open", os.Getpid())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}
