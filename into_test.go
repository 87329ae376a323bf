package vitessdo

import "testing"

// TestSelectInto: one row's values become the session's variables.
func TestSelectInto(t *testing.T) {
	db := memDB(t, "", "CREATE TABLE t (id INT PRIMARY KEY, s VARCHAR(10))", "INSERT INTO t VALUES (1, 'a'), (2, 'b')")
	c := pin(t, db)
	for _, x := range []struct{ query, read, want string }{
		{"SELECT 1, 'x' INTO @a, @b", "SELECT @a, @b", "1|x"},
		{"SELECT MAX(id) INTO @m FROM t", "SELECT @m + 1", "3"},
		{"SELECT s, id FROM t WHERE id = 2 INTO @`s`, @ID", "SELECT @s, @id", "b|2"},
		{"SELECT id FROM t WHERE id > 100 INTO @m", "SELECT @m", "2"},
		{"SELECT id INTO @m FROM t ORDER BY id LIMIT 1", "SELECT @m", "1"},
		{"WITH c AS (SELECT COUNT(*) AS n FROM t) SELECT n FROM c INTO @n", "SELECT @n", "2"},
	} {
		do(t, c, x.query)
		if got, err := rowsOf(c, x.read); err != nil || len(got) != 1 || got[0] != x.want {
			t.Errorf("%s, then %s: %v, %v; want %s", x.query, x.read, got, err, x.want)
		}
		if got, err := rowsOf(c, x.query); err != nil || len(got) != 0 {
			t.Errorf("%s as a query: %v, %v", x.query, got, err)
		}
	}
	if _, err := c.ExecContext(bg, "SELECT id + ? INTO @p FROM t WHERE id = ?", 40, 2); err != nil {
		t.Error(err)
	}
	if got, err := rowsOf(c, "SELECT @p"); err != nil || got[0] != "42" {
		t.Errorf("@p is %v, %v", got, err)
	}
	mustFail(t, c, CodeTooManyRows, "SELECT id INTO @m FROM t")
	mustFail(t, c, CodeColumnCount, "SELECT id INTO @m, @n FROM t WHERE id = 1")
	mustFail(t, c, CodeUnsupported, "SELECT id FROM t INTO OUTFILE 'x'")
	mustFail(t, c, CodeUnsupported, "SELECT (SELECT 1 INTO @a)")
	mustFail(t, c, CodeSyntax, "SELECT 1, 2 INTO @a, b")
}
