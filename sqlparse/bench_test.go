package sqlparse

import (
	"strings"
	"testing"
)

var benchTexts = []struct{ name, text string }{
	{"point", "SELECT id, name, email FROM users WHERE id = ?"},
	{"insert", "INSERT INTO users (id, name, email) VALUES (?, ?, ?)"},
	{"join", "SELECT u.id, COUNT(*) FROM users u JOIN orders o ON o.user_id = u.id WHERE u.tenant = ? AND o.total > 5 GROUP BY u.id HAVING COUNT(*) > 1 ORDER BY 2 DESC LIMIT 10"},
	{"named", "SELECT id, name, email FROM users WHERE id = :id"},
	{"bulk", "INSERT INTO t (a,b,c,d,e) VALUES " + strings.Repeat("(1,'abcdefgh',2,'x',3),", 49) + "(1,'abcdefgh',2,'x',3)"},
	{"begin", "BEGIN"},
}

func BenchmarkParse(b *testing.B) {
	for _, bt := range benchTexts {
		b.Run(bt.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(bt.text, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkFrontEnd is TiDB's part of BenchmarkParse.
func BenchmarkFrontEnd(b *testing.B) {
	for _, bt := range benchTexts {
		if bt.name == "named" {
			continue
		}
		b.Run(bt.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, p, err := tidbParse(bt.text, Options{})
				parsers.Put(p)
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkNormalize(b *testing.B) {
	for _, bt := range []struct{ name, text string }{
		{"point", "SELECT id, name, email FROM users WHERE id = 123456"},
		{"pointString", "SELECT id, name, email FROM users WHERE email = 'someone@example.com' LIMIT 1"},
		{"insert", "INSERT INTO users (id, name, email) VALUES (123456, 'some name', 'someone@example.com')"},
		{"update", "UPDATE users SET name = 'x', age = 44 WHERE id = 123456"},
		{"parameters", "SELECT id, name, email FROM users WHERE id = ?"},
	} {
		b.Run(bt.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Normalize(bt.text)
			}
		})
	}
}
