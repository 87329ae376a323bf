package clients

import (
	"database/sql"
	"testing"
	"time"

	"github.com/Masterminds/squirrel"
	"github.com/doug-martin/goqu/v9"
	_ "github.com/doug-martin/goqu/v9/dialect/mysql"
	"github.com/jmoiron/sqlx"

	"github.com/vitessdo/vitessdo/interop/clients/sqlcgen"
)

// person is a row of people, as all builders write and read it.
type person struct {
	ID   int64      `db:"id"`
	Name string     `db:"name" goqu:"skipupdate"`
	City *string    `db:"city"`
	Born *time.Time `db:"born"`
}

func people(t *testing.T, db *sql.DB) {
	t.Helper()
	for _, q := range []string{
		"CREATE TABLE people (id BIGINT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(30) NOT NULL, city VARCHAR(30), born DATETIME(6))",
		"INSERT INTO people (name, city) VALUES ('Ann', 'Rom'), ('Bob', 'Rom'), ('Cyd', NULL), ('Dan', 'Ulm')",
	} {
		_, err := db.ExecContext(bg, q)
		must(t, err)
	}
}

func init() { sqlx.BindDriver("vitessdo", sqlx.QUESTION) } // Rebind, then, leaves ? as it is

func TestSqlx(t *testing.T) {
	each(t, func(t *testing.T, pool *sql.DB, _ string) {
		people(t, pool)
		db := sqlx.NewDb(pool, "vitessdo")
		same(t, db.Rebind("SELECT ?"), "SELECT ?")
		born := time.Date(2001, 2, 3, 4, 5, 6, 789000, time.UTC)
		res, err := db.NamedExec("INSERT INTO people (name, born) VALUES (:name, :born)", person{Name: "Eve", Born: &born})
		must(t, err)
		id, err := res.LastInsertId()
		must(t, err)
		var p person
		must(t, db.Get(&p, "SELECT * FROM people WHERE id = ?", id))
		same(t, []any{p.Name, p.City == nil, p.Born.Equal(born)}, []any{"Eve", true, true})
		_, err = db.NamedExec("INSERT INTO people (name, city) VALUES (:name, :city)", []map[string]any{{"name": "Fay", "city": "Ulm"}, {"name": "Gus", "city": "Ulm"}})
		must(t, err)
		query, args, err := sqlx.In("SELECT name FROM people WHERE name IN (?) AND city = ? ORDER BY id", []string{"Ann", "Dan", "Fay"}, "Ulm")
		must(t, err)
		var found []string
		must(t, db.Select(&found, db.Rebind(query), args...))
		same(t, found, []string{"Dan", "Fay"})
		rows, err := db.NamedQuery("SELECT * FROM people WHERE city = :city ORDER BY id", map[string]any{"city": "Rom"})
		must(t, err)
		defer rows.Close()
		for rows.Next() {
			must(t, rows.StructScan(&p))
		}
		must(t, rows.Err())
		same(t, p.Name, "Bob")
		st, err := db.PrepareNamed("SELECT COUNT(*) FROM people WHERE city = :city")
		must(t, err)
		defer st.Close()
		var n int
		must(t, st.Get(&n, person{City: &[]string{"Ulm"}[0]}))
		same(t, n, 3)
		row := map[string]any{}
		must(t, db.QueryRowx("SELECT id, name FROM people WHERE id = 1").MapScan(row))
		same(t, row, map[string]any{"id": int64(1), "name": "Ann"})
		tx := db.MustBegin()
		tx.MustExec("DELETE FROM people WHERE city = ?", "Ulm")
		must(t, tx.Rollback())
		must(t, db.Get(&n, "SELECT COUNT(*) FROM people"))
		same(t, n, 7)
	})
}

func TestSquirrel(t *testing.T) {
	each(t, func(t *testing.T, db *sql.DB, _ string) {
		people(t, db)
		b := squirrel.StatementBuilder.RunWith(squirrel.NewStmtCache(db))
		_, err := b.Insert("people").Columns("name", "city").Values("Eve", "Bonn").Values("Fay", squirrel.Expr("UPPER(?)", "bonn")).
			Suffix("ON DUPLICATE KEY UPDATE city = VALUES(city)").Exec()
		must(t, err)
		var n int
		must(t, b.Select("COUNT(*)").From("people").Where(squirrel.Or{squirrel.Eq{"city": []string{"Bonn", "BONN"}}, squirrel.Like{"name": "C%"}}).QueryRow().Scan(&n))
		same(t, n, 3)
		sub := squirrel.Select("city").From("people").GroupBy("city").Having("COUNT(*) > ?", 1)
		rows, err := b.Select("name").From("people p").JoinClause(sub.Prefix("JOIN (").Suffix(") c ON c.city = p.city")).OrderBy("name DESC").Limit(1).Query()
		must(t, err)
		defer rows.Close()
		var name string
		for rows.Next() {
			must(t, rows.Scan(&name))
		}
		must(t, rows.Err())
		same(t, name, "Bob")
		res, err := b.Update("people").Set("city", squirrel.Case("name").When("'Ann'", "'A'").Else("'B'")).Where(squirrel.Lt{"id": 4}).Exec()
		must(t, err)
		changed, err := res.RowsAffected()
		same(t, []any{changed, err}, []any{int64(3), nil})
		_, err = b.Delete("people").Where(squirrel.NotEq{"city": nil}).OrderBy("id").Limit(2).Exec()
		must(t, err)
		same(t, texts(t, db, "SELECT name FROM people ORDER BY id"), []string{"Cyd", "Dan", "Eve", "Fay"})
	})
}

func TestGoqu(t *testing.T) {
	each(t, func(t *testing.T, pool *sql.DB, _ string) {
		people(t, pool)
		db := goqu.New("mysql", pool)
		_, err := db.Insert("people").Rows(goqu.Record{"name": "Eve", "city": "Bonn"}, goqu.Record{"name": "it's", "city": goqu.L("UPPER(?)", "x")}).Executor().Exec()
		must(t, err)
		var all []person
		must(t, db.From("people").Where(goqu.Ex{"city": []string{"Rom", "X"}}).Order(goqu.C("id").Asc()).ScanStructs(&all))
		same(t, []string{all[0].Name, all[2].Name}, []string{"Ann", "it's"})
		n, err := db.From("people").Where(goqu.C("city").IsNotNull()).Count()
		same(t, []any{n, err}, []any{int64(5), nil})
		var cities []string
		must(t, db.From("people").Select("city").Where(goqu.C("city").IsNotNull()).GroupBy("city").Having(goqu.COUNT("*").Gt(1)).ScanVals(&cities))
		same(t, cities, []string{"Rom"})
		must(t, db.WithTx(func(tx *goqu.TxDatabase) error {
			_, err := tx.Update("people").Set(goqu.Record{"city": "Rome"}).Where(goqu.Ex{"city": "Rom"}).Executor().Exec()
			return err
		}))
		_, err = db.Insert("people").Rows(goqu.Record{"id": 1, "name": "Ada"}).OnConflict(goqu.DoUpdate("id", goqu.Record{"name": goqu.L("VALUES(name)")})).Prepared(true).Executor().Exec()
		must(t, err)
		_, err = db.From("people").Where(goqu.C("name").In(db.From("people").Select("name").Where(goqu.C("city").Eq("Ulm")))).Delete().Executor().Exec()
		must(t, err)
		same(t, texts(t, pool, "SELECT CONCAT(name, ' ', COALESCE(city, '-')) FROM people ORDER BY id"), []string{"Ada Rome", "Bob Rome", "Cyd -", "Eve Bonn", "it's X"})
	})
}

// TestSqlc runs what sqlc generates of schema.sql and query.sql.
func TestSqlc(t *testing.T) {
	each(t, func(t *testing.T, db *sql.DB, _ string) {
		_, err := db.ExecContext(bg, sqlcgen.Schema)
		must(t, err)
		q, err := sqlcgen.Prepare(bg, db)
		must(t, err)
		defer q.Close()
		var ids []int64
		day := time.Date(2026, 5, 6, 0, 0, 0, 0, time.UTC)
		tx, err := db.BeginTx(bg, nil)
		must(t, err)
		for _, name := range []string{"Ann", "Bob", "Cyd"} {
			res, err := q.WithTx(tx).CreateAuthor(bg, sqlcgen.CreateAuthorParams{Name: name, Bio: sql.NullString{String: "-", Valid: name == "Ann"}})
			must(t, err)
			id, err := res.LastInsertId()
			must(t, err)
			ids = append(ids, id)
			for i, price := range []string{"10.50", "9.99"} {
				must(t, q.WithTx(tx).CreateBook(bg, sqlcgen.CreateBookParams{AuthorID: id, ID: int64(i), Title: "t", Price: price, Published: day}))
			}
		}
		must(t, tx.Commit())
		a, err := q.GetAuthor(bg, ids[0])
		must(t, err)
		same(t, a, sqlcgen.Author{ID: ids[0], Name: "Ann", Bio: sql.NullString{String: "-", Valid: true}})
		some, err := q.AuthorsByID(bg, ids[1:])
		must(t, err)
		same(t, len(some), 2)
		n, err := q.Rename(bg, sqlcgen.RenameParams{Name: sql.NullString{String: "Eve", Valid: true}, ID: ids[1]})
		same(t, []any{n, err}, []any{int64(1), nil})
		totals, err := q.Totals(bg, day)
		must(t, err)
		same(t, len(totals), 3)
		same(t, []any{totals[2].Name, totals[2].Books}, []any{"Eve", int64(2)})
		if q.DeleteAuthor(bg, ids[0]) == nil {
			t.Error("an author with books has been deleted")
		}
	})
}
