package clients

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"ariga.io/atlas/sql/mysql"
	"ariga.io/atlas/sql/schema"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/mysqldialect"
)

// The models of a library in bun.
type (
	bunAuthor struct {
		bun.BaseModel `bun:"table:authors,alias:a"`
		ID            int64      `bun:",pk,autoincrement"`
		Name          string     `bun:"type:varchar(50),unique,notnull"`
		Tags          []string   `bun:"type:json"`
		CreatedAt     time.Time  `bun:"type:datetime(6),notnull"`
		DeletedAt     time.Time  `bun:",soft_delete,nullzero"`
		Books         []*bunBook `bun:"rel:has-many,join:id=author_id"`
	}
	bunBook struct {
		bun.BaseModel `bun:"table:books,alias:b"`
		AuthorID      int64      `bun:",pk"`
		ID            int64      `bun:",pk"`
		Title         string     `bun:"type:varchar(50)"`
		Author        *bunAuthor `bun:"rel:belongs-to,join:author_id=id"`
	}
)

func TestBun(t *testing.T) {
	each(t, func(t *testing.T, pool *sql.DB, _ string) {
		db := bun.NewDB(pool, mysqldialect.New())
		_, err := db.NewCreateTable().Model((*bunAuthor)(nil)).IfNotExists().Exec(bg)
		must(t, err)
		_, err = db.NewCreateTable().Model((*bunBook)(nil)).ForeignKey("(author_id) REFERENCES authors (id) ON DELETE CASCADE").Exec(bg)
		must(t, err)
		_, err = db.NewCreateIndex().Model((*bunBook)(nil)).Index("by_title").Column("title").Exec(bg)
		must(t, err)
		now := time.Date(2026, 5, 6, 7, 8, 9, 123456000, time.UTC)
		authors := []*bunAuthor{{Name: "Ann", Tags: []string{"x", "y"}, CreatedAt: now}, {Name: "Bob", CreatedAt: now}, {Name: "Cyd", CreatedAt: now}}
		_, err = db.NewInsert().Model(&authors).Exec(bg)
		must(t, err)
		same(t, []int64{authors[1].ID - authors[0].ID, authors[2].ID - authors[1].ID}, []int64{1, 1})
		for _, a := range authors[:2] {
			_, err = db.NewInsert().Model(&[]*bunBook{{AuthorID: a.ID, ID: 1, Title: a.Name + "1"}, {AuthorID: a.ID, ID: 2, Title: a.Name + "2"}}).Exec(bg)
			must(t, err)
		}
		var list []bunAuthor
		n, err := db.NewSelect().Model(&list).Relation("Books", func(q *bun.SelectQuery) *bun.SelectQuery { return q.Order("b.id DESC") }).
			Where("a.name <> ?", "Cyd").Order("a.name").Limit(5).ScanAndCount(bg)
		must(t, err)
		same(t, []any{int(n), list[0].Name, list[0].Tags, list[0].CreatedAt.Equal(now), list[1].Books[0].Title}, []any{2, "Ann", []string{"x", "y"}, true, "Bob2"})
		var book bunBook
		must(t, db.NewSelect().Model(&book).Relation("Author").Where("b.title = ?", "Ann1").Scan(bg))
		same(t, book.Author.Name, "Ann")
		_, err = db.NewInsert().Model(&bunAuthor{Name: "Bob", CreatedAt: now.Add(time.Hour)}).On("DUPLICATE KEY UPDATE").Set("created_at = VALUES(created_at)").Exec(bg)
		must(t, err)
		_, err = db.NewUpdate().Model(&bunBook{AuthorID: authors[0].ID, ID: 1, Title: "new"}).WherePK().Exec(bg)
		must(t, err)
		must(t, db.RunInTx(bg, nil, func(ctx context.Context, tx bun.Tx) error {
			if _, err := tx.NewDelete().Model(authors[0]).WherePK().Exec(ctx); err != nil { // softly
				return err
			}
			_, err := tx.NewDelete().Model((*bunAuthor)(nil)).Where("name = ?", "Bob").ForceDelete().Exec(ctx)
			return err
		}))
		left, err := db.NewSelect().Model((*bunBook)(nil)).Count(bg)
		same(t, []any{int(left), err}, []any{2, nil}) // Bob's are gone with him
		ok, err := db.NewSelect().Model((*bunAuthor)(nil)).Where("name = ?", "Ann").Exists(bg)
		same(t, []any{ok, err}, []any{false, nil})
		sub := db.NewSelect().Model((*bunBook)(nil)).ColumnExpr("author_id, COUNT(*) AS n").Group("author_id")
		var sums []struct {
			Name string
			N    int
		}
		must(t, db.NewSelect().With("c", sub).TableExpr("authors AS a").ColumnExpr("a.name, c.n").Join("JOIN c ON c.author_id = a.id").Scan(bg, &sums))
		same(t, len(sums), 1)
	})
}

// TestAtlas inspects a database, compares it with another schema, and applies the plan.
func TestAtlas(t *testing.T) {
	each(t, func(t *testing.T, db *sql.DB, _ string) {
		for _, q := range []string{
			"CREATE TABLE users (id BIGINT UNSIGNED PRIMARY KEY AUTO_INCREMENT, name VARCHAR(50) NOT NULL DEFAULT 'x' COMMENT 'what he is called', age INT, UNIQUE KEY by_name (name), CONSTRAINT grown CHECK (age > 17))",
			"CREATE TABLE pets (id BIGINT PRIMARY KEY, user_id BIGINT UNSIGNED, price DECIMAL(10,2), born DATETIME(3) DEFAULT CURRENT_TIMESTAMP(3), KEY by_price (price, id), CONSTRAINT of_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE)",
		} {
			_, err := db.ExecContext(bg, q)
			must(t, err)
		}
		drv, err := mysql.Open(db)
		must(t, err)
		s, err := drv.InspectSchema(bg, "main", nil)
		must(t, err)
		users, ok := s.Table("users")
		same(t, []bool{ok, len(s.Tables) == 2, len(users.PrimaryKey.Parts) == 1}, []bool{true, true, true})
		name, _ := users.Column("name")
		same(t, []any{name.Type.Raw, name.Type.Null, name.Default.(*schema.Literal).V}, []any{"varchar(50)", false, `"x"`})
		pets, _ := s.Table("pets")
		key, _ := pets.ForeignKey("of_user")
		same(t, []any{key.RefTable.Name, key.OnDelete}, []any{"users", schema.Cascade})
		index, _ := pets.Index("by_price")
		same(t, len(index.Parts), 2)

		realm, err := drv.InspectRealm(bg, &schema.InspectRealmOption{Schemas: []string{"main"}})
		must(t, err)
		same(t, realm.Schemas[0].Name, "main")

		// The same again is no change; a column and an index more is a plan.
		again, err := drv.InspectSchema(bg, "main", nil)
		must(t, err)
		changes, err := drv.SchemaDiff(s, again)
		same(t, []any{len(changes), err}, []any{0, nil})
		wanted, _ := again.Table("users")
		wanted.AddColumns(schema.NewNullStringColumn("city", "varchar", schema.StringSize(30)))
		city, _ := wanted.Column("city")
		wanted.AddIndexes(schema.NewIndex("by_city").AddColumns(city))
		changes, err = drv.SchemaDiff(s, again)
		must(t, err)
		must(t, drv.ApplyChanges(bg, changes))
		now, err := drv.InspectSchema(bg, "main", nil)
		must(t, err)
		changes, err = drv.SchemaDiff(now, again)
		same(t, []any{len(changes), err}, []any{0, nil})

		unlock, err := drv.Lock(bg, "atlas", time.Second)
		must(t, err)
		if _, err := drv.Lock(bg, "atlas", 0); err == nil {
			t.Error("a lock is taken twice")
		}
		must(t, unlock())
	})
}
