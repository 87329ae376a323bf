package vitessdogorm

import (
	"fmt"
	"sort"
	"strings"
	"testing"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// The models of a shop for many tenants: a tenant's rows are on one shard.
type (
	tenant struct {
		ID   uint   `vitessdo:"vindex"`
		Name string `gorm:"size:30" vitessdo:"vindex:consistent_lookup"`
	}
	order struct {
		TenantID uint   `gorm:"primaryKey;autoIncrement:false" vitessdo:"vindex:hash"`
		ID       uint   `gorm:"primaryKey;autoIncrement;index" vitessdo:"sequence:shop_ids"`
		Ref      string `gorm:"size:20" vitessdo:"vindex:lookup_unique table=order_refs"`
		Currency string `gorm:"size:3"`
	}
	invoice struct {
		TenantID uint `gorm:"primaryKey;autoIncrement:false" vitessdo:"vindex:hash"`
		ID       uint `gorm:"primaryKey;autoIncrement;index" vitessdo:"sequence:shop_ids"`
	}
	currency struct {
		_    struct{} `vitessdo:"reference"`
		Code string   `gorm:"primaryKey;size:3"`
	}
	setting struct {
		_    struct{} `vitessdo:"unsharded"`
		Name string   `gorm:"primaryKey;size:30"`
	}
	spot struct { // two columns, one vindex
		Region uint8  `gorm:"primaryKey;autoIncrement:false" vitessdo:"vindex:multicol column_count=2 column_bytes=1,7"`
		ID     uint64 `gorm:"primaryKey;autoIncrement:false" vitessdo:"vindex:multicol"`
	}
	event struct {
		ID uint `vitessdo:"vindex:range boundaries=1000,2000,3000"`
	}
)

var shop = []any{&tenant{}, &order{}, &invoice{}, &currency{}, &setting{}, &spot{}, &event{}}

// where tells each table's vindexes, or that it has none.
func where(t *testing.T, db *gorm.DB, table string) string {
	t.Helper()
	rows, err := db.Raw("SHOW VSCHEMA VINDEXES ON " + table).Rows()
	must(t, err)
	defer rows.Close()
	var out []string
	for rows.Next() {
		var columns, name, kind, params, owner string
		must(t, rows.Scan(&columns, &name, &kind, &params, &owner))
		out = append(out, kind+"("+columns+")")
	}
	must(t, rows.Err())
	return strings.Join(out, " ")
}

// shardsOf tells on how many shards a query is run.
func shardsOf(t *testing.T, db *gorm.DB, query string, args ...any) int {
	t.Helper()
	var plans []struct{ PlanType, Shards string }
	must(t, db.Raw("EXPLAIN FORMAT='vitess' "+query, args...).Scan(&plans).Error)
	all := map[string]bool{}
	for _, p := range plans {
		for s := range strings.SplitSeq(p.Shards, ",") {
			all[s] = true
		}
	}
	return len(all)
}

func TestModelsShardTheirTables(t *testing.T) {
	sharded(t, func(t *testing.T, db *gorm.DB) {
		for range 2 {
			must(t, db.AutoMigrate(shop...))
		}
		for table, want := range map[string]string{
			"tenants": "hash(id) consistent_lookup(name)", "orders": "hash(tenant_id) lookup_unique(ref)", "invoices": "hash(tenant_id)",
			"currencies": "", "settings": "", "spots": "multicol(region, id)", "events": "range(id)",
		} {
			same(t, where(t, db, table), want)
		}
		must(t, db.Create(&[]currency{{Code: "EUR"}, {Code: "USD"}}).Error)
		for i := range 20 {
			tn := tenant{Name: fmt.Sprint("t", i)}
			must(t, db.Create(&tn).Error)
			o, in := order{TenantID: tn.ID, Ref: fmt.Sprint("ref", i), Currency: "EUR"}, invoice{TenantID: tn.ID}
			must(t, db.Create(&o).Error)
			must(t, db.Create(&in).Error)
			same(t, in.ID, o.ID+1) // one sequence for both
		}
		same(t, shardsOf(t, db, "SELECT * FROM orders JOIN currencies ON code = currency JOIN tenants ON tenants.id = tenant_id WHERE tenant_id = ?", 3), 1)
		var o order
		must(t, db.First(&o, "ref = ?", "ref7").Error)
		same(t, o.TenantID, uint(8))
		var ts []tenant
		must(t, db.Where("name IN ?", []string{"t3", "t4"}).Find(&ts).Error)
		same(t, len(ts), 2)
		if err := db.Create(&order{TenantID: 99, Ref: "ref1", Currency: "EUR"}).Error; err == nil {
			t.Error("lookup_unique keeps values unique")
		}
	})
}

func TestLookupIsAddedToATableWithRows(t *testing.T) {
	type customer struct {
		ID   uint
		Name string `gorm:"size:30"`
	}
	type withLookup struct {
		ID   uint   `vitessdo:"vindex:hash"`
		Name string `gorm:"size:30" vitessdo:"vindex:consistent_lookup"`
	}
	sharded(t, func(t *testing.T, db *gorm.DB) {
		must(t, db.AutoMigrate(&customer{}))
		for i := range 30 {
			must(t, db.Create(&customer{Name: fmt.Sprint("c", i%10)}).Error)
		}
		for range 2 {
			must(t, db.Table("customers").AutoMigrate(&withLookup{}))
		}
		same(t, where(t, db, "customers"), "hash(id) consistent_lookup(name)")
		var ids []uint
		must(t, db.Table("customers").Where("name = ?", "c4").Pluck("id", &ids).Error)
		sort.Slice(ids, func(i, k int) bool { return ids[i] < ids[k] })
		same(t, ids, []uint{5, 15, 25})
	})
}

func TestWrongTags(t *testing.T) {
	sharded(t, func(t *testing.T, db *gorm.DB) {
		type plain struct{ ID, TenantID uint }
		must(t, db.Table("things").AutoMigrate(&plain{}))
		for _, x := range []struct {
			model any
			want  string
		}{
			{&struct {
				ID uint `vitessdo:"vindex:hsah"`
			}{}, `unknown vindex type "hsah", did you mean "hash"`},
			{&struct {
				ID uint `vitessdo:"vindx:hash"`
			}{}, `vitessdo:"vindx:hash": a field takes vindex, vindex:TYPE and sequence:NAME`},
			{&struct {
				ID uint `vitessdo:"reference"`
			}{}, "is about the table: put it on a blank field"},
			{&struct {
				_  struct{} `vitessdo:"vindex:hash"`
				ID uint
			}{}, "is about a column: put it on a field"},
			{&struct {
				_  struct{} `vitessdo:"refrence"`
				ID uint
			}{}, "a blank field takes reference, unsharded, pinned:HEX and unique:shard"},
			{&struct {
				_  struct{} `vitessdo:"unsharded"`
				ID uint     `vitessdo:"vindex"`
			}{}, "contradicts"},
			{&struct {
				ID   uint
				Name string `vitessdo:"sequence:s"`
			}{}, "only an AUTO_INCREMENT column"},
			{&struct {
				ID   uint
				None string `gorm:"-" vitessdo:"vindex:hash"`
			}{}, "the field has none"},
			{&struct {
				ID uint `vitessdo:"vindex:lookup_hash"`
			}{}, "can't be declared by a tag"},
			{&struct {
				A    uint   `gorm:"primaryKey"`
				B    uint   `gorm:"primaryKey"`
				Name string `gorm:"size:5" vitessdo:"vindex:lookup"`
			}{}, "tag the sharding column"},
			{&struct {
				ID   uint
				Name string `gorm:"size:5" vitessdo:"vindex:lookup from=x"`
			}{}, "from is settled"},
			{&struct {
				ID       uint
				TenantID uint `vitessdo:"vindex:hash"`
			}{}, "table things is sharded by hash(id), and its model's vitessdo tags say sharded by hash(tenant_id): rows can't be moved"},
			{&struct {
				_  struct{} `vitessdo:"reference"`
				ID uint
			}{}, "its model's vitessdo tags say reference"},
		} {
			err := db.Table("things").AutoMigrate(x.model)
			if err == nil || !strings.Contains(err.Error(), x.want) {
				t.Errorf("%T:\n got  %v\n want %s", x.model, err, x.want)
			}
		}
		// A wrong tag leaves no table behind.
		err := db.AutoMigrate(&Company{}, &struct {
			ID uint `vitessdo:"vindex:none"`
		}{})
		if err == nil || db.Migrator().HasTable(&Company{}) {
			t.Error("AutoMigrate has made tables before it has read all tags:", err)
		}
		err = db.Set("gorm:table_options", "COMMENT 'mine'").AutoMigrate(&event{})
		if err == nil || !strings.Contains(err.Error(), "gorm:table_options has a COMMENT") {
			t.Error(err)
		}
	})
}

// TestTagsOnOneShard: the same program runs on one shard.
func TestTagsOnOneShard(t *testing.T) {
	db := open(t, Open(":memory:?shards=1"), gorm.Config{Logger: logger.Discard})
	for range 2 {
		must(t, db.AutoMigrate(shop[:6]...)) // ranges go by the number of shards
	}
	must(t, db.Create(&order{TenantID: 1, Ref: "a"}).Error)
}

func TestTagsInAnUnshardedKeyspace(t *testing.T) {
	sharded(t, func(t *testing.T, db *gorm.DB) {
		must(t, db.Connection(func(tx *gorm.DB) error {
			must(t, tx.Exec("CREATE DATABASE /*vt+ UNSHARDED */ plain").Error)
			must(t, tx.Exec("USE plain").Error)
			for range 2 {
				must(t, tx.AutoMigrate(shop[:6]...))
			}
			return tx.Create(&order{TenantID: 1, Ref: "a"}).Error
		}))
	})
}

func TestDryRunPrintsTheComment(t *testing.T) {
	db := open(t, Open(":memory:?shards=2"), gorm.Config{})
	sql := ""
	must(t, db.Callback().Raw().Before("gorm:raw").Register("see", func(tx *gorm.DB) { sql = tx.Statement.SQL.String() }))
	must(t, db.Session(&gorm.Session{DryRun: true}).AutoMigrate(&currency{}))
	if !strings.HasSuffix(sql, "COMMENT 'reference'") {
		t.Error(sql)
	}
}
