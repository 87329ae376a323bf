package sqlite

import "testing"

// A change of a table that is compiled anew, since the schema has changed, is judged by
// its own text and not by what the tablet has compiled for itself since.
func TestGuardJudgesWhatRuns(t *testing.T) {
	c := openTest(t, "", Options{Guard: true})
	run := func(sql string) {
		t.Helper()
		s, err := c.Prepare(sql)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Release()
		if err := s.Exec(nil); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	run("CREATE TABLE t(v)")
	for range 3 {
		run("ALTER TABLE t RENAME TO u")
		run("ALTER TABLE u RENAME TO t")
		was := c.Trust(true)
		run("CREATE TABLE IF NOT EXISTS _vt_decided(v)")
		c.Trust(was)
	}
}
