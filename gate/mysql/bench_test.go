package mysql

import (
	"database/sql"
	"testing"

	"github.com/vitessdo/vitessdo"
)

// BenchmarkPointSelect asks for a row by its key, prepared: through database/sql
// within the process, and through MySQL's driver and this server.
func BenchmarkPointSelect(b *testing.B) {
	cfg, err := vitessdo.ParseDSN(":memory:?shards=2")
	check := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	check(err)
	db, err := vitessdo.NewConnector(cfg)
	check(err)
	own := sql.OpenDB(db)
	defer own.Close()
	_, err = own.Exec("CREATE TABLE t (id BIGINT PRIMARY KEY, n VARCHAR(20))")
	check(err)
	_, err = own.Exec("INSERT INTO t VALUES(1, 'one')")
	check(err)
	_, addr, stop := start(b, db, Options{})
	defer stop()
	wire, err := sql.Open("mysql", "root@tcp("+addr+")/main")
	check(err)
	defer wire.Close()
	for name, db := range map[string]*sql.DB{"driver": own, "wire": wire} {
		b.Run(name, func(b *testing.B) {
			st, err := db.Prepare("SELECT n FROM t WHERE id = ?")
			check(err)
			defer st.Close()
			b.ReportAllocs()
			for b.Loop() {
				var n string
				check(st.QueryRow(int64(1)).Scan(&n))
			}
		})
	}
}
