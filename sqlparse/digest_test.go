package sqlparse

import (
	"strings"
	"testing"
)

func TestDigest(t *testing.T) {
	for _, c := range []struct {
		name  string
		same  []string
		text  string
		other string // has another one
	}{
		{"literals", []string{
			"SELECT name FROM t WHERE id = 7",
			"select  name\nfrom t /* who */ where id=8",
			"SELECT name FROM t WHERE id = 'a secret'",
			"SELECT name FROM t WHERE id = ?",
		}, "select `name` from `t` where `id` = ?", "SELECT name FROM u WHERE id = 7"},
		{"lists", []string{
			"SELECT 1 FROM t WHERE id IN (1, 2, 3)",
			"SELECT 2 FROM t WHERE id IN (?, ?, ?, ?)",
		}, "select ? from `t` where `id` in ( ... )", "SELECT 1 FROM t WHERE id NOT IN (1, 2)"},
		{"rows", []string{
			"INSERT INTO t VALUES (1, 'a'), (2, 'b')",
			"INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')",
		}, "insert into `t` values ( ... )", "INSERT INTO t (id) VALUES (1)"},
		{"what is ours", []string{"ALTER VSCHEMA ON t ADD VINDEX hash(id) USING hash"},
			"alter `vschema` on `t` add `vindex` hash ( `id` ) using hash", "SHOW VSCHEMA"},
	} {
		t.Run(c.name, func(t *testing.T) {
			first, _ := Digest(c.same[0])
			if len(first) != 16 {
				t.Errorf("the name is %q", first)
			}
			for _, text := range c.same {
				id, normal := Digest(text)
				if id != first || normal != c.text {
					t.Errorf("%s: %s %s, want %s %s", text, id, normal, first, c.text)
				}
			}
			if id, _ := Digest(c.other); id == first {
				t.Errorf("%s has the same name", c.other)
			}
		})
	}
	for _, text := range []string{"", "SELECT 'a secret", `SELECT "a secret`, "SELECT 0xsecret", "SELECT /* secret", "\x00secret'", "SELECT x'secret"} {
		if id, normal := Digest(text); id == "" || strings.Contains(normal, "a secret") {
			t.Errorf("%q: %q, %q", text, id, normal)
		}
	}
}
