//go:build linux && amd64 && !nonode

package libsql_test

import "testing"

// BenchmarkStatements measures statements over two servers, beside the client alone.
func BenchmarkStatements(b *testing.B) {
	for _, scheme := range []string{"http", "ws"} {
		b.Run(scheme, func(b *testing.B) {
			at, servers := urls(b, scheme)
			db := bank(b, b.TempDir(), at)
			fill(b, db)
			bare := servers[0].pool(b, scheme)
			b.Run("client", func(b *testing.B) {
				for b.Loop() {
					var n int64
					if err := bare.QueryRow("SELECT count(*) FROM account WHERE id = ?", 1).Scan(&n); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("select", func(b *testing.B) {
				for b.Loop() {
					var n int64
					if err := db.QueryRow("SELECT funds FROM account WHERE id = ?", 1).Scan(&n); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("update", func(b *testing.B) {
				for b.Loop() {
					if _, err := db.Exec("UPDATE account SET funds = ? WHERE id = ?", 7, 1); err != nil {
						b.Fatal(err)
					}
				}
			})
			id := int64(0)
			b.Run("transaction", func(b *testing.B) {
				for b.Loop() {
					id++
					if err := move(bg, db, id); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
