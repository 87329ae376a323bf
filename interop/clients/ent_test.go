package clients

import (
	"database/sql"
	"errors"
	"sync"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	entschema "entgo.io/ent/dialect/sql/schema"
	"entgo.io/ent/schema/field"

	"github.com/vitessdo/vitessdo/interop/clients/entgen"
	"github.com/vitessdo/vitessdo/interop/clients/entgen/group"
	"github.com/vitessdo/vitessdo/interop/clients/entgen/migrate"
	"github.com/vitessdo/vitessdo/interop/clients/entgen/pet"
	"github.com/vitessdo/vitessdo/interop/clients/entgen/user"
)

// entSchema is held while ent works on its description of the tables, which all clients
// of a program share.
var entSchema sync.Mutex

// eachEnt is each, with the client that ent has generated and the tables made.
func eachEnt(t *testing.T, run func(t *testing.T, c *entgen.Client, db *sql.DB)) {
	each(t, func(t *testing.T, db *sql.DB, _ string) {
		c := entgen.NewClient(entgen.Driver(entsql.OpenDB(dialect.MySQL, db)))
		entSchema.Lock()
		err := c.Schema.Create(bg)
		entSchema.Unlock()
		must(t, err)
		run(t, c, db)
	})
}

func TestEntCRUD(t *testing.T) {
	eachEnt(t, func(t *testing.T, c *entgen.Client, db *sql.DB) {
		now := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
		ann, err := c.User.Create().SetEmail("ann@x").SetName("Ann").SetAge(30).SetRole(user.RoleAdmin).SetTags([]string{"a", "b"}).SetCreated(now).Save(bg)
		must(t, err)
		got, err := c.User.Get(bg, ann.ID)
		must(t, err)
		same(t, []any{got.Name, *got.Age, got.Role, got.Tags, got.Created.UTC()}, []any{"Ann", 30, user.RoleAdmin, []string{"a", "b"}, now})
		_, err = c.User.Create().SetEmail("ann@x").Save(bg)
		if !entgen.IsConstraintError(err) {
			t.Errorf("ent doesn't know %v for a constraint's", err)
		}
		_, err = c.User.Get(bg, 12345)
		if !entgen.IsNotFound(err) {
			t.Errorf("a user who isn't there: %v", err)
		}
		many := []*entgen.UserCreate{}
		for _, mail := range []string{"b@x", "c@x", "d@x", "e@x"} {
			many = append(many, c.User.Create().SetEmail(mail).SetAge(len(many)))
		}
		list, err := c.User.CreateBulk(many...).Save(bg)
		must(t, err)
		for _, u := range list {
			same(t, texts(t, db, "SELECT email FROM users WHERE id = ?", u.ID), []string{u.Email})
		}
		n, err := c.User.Update().Where(user.AgeLT(2)).AddAge(10).SetName("young").Save(bg)
		same(t, []any{n, err}, []any{2, nil})
		must(t, ann.Update().ClearAge().AppendTags([]string{"c"}).Exec(bg))
		same(t, c.User.Query().Where(user.AgeIsNil()).OnlyX(bg).Tags, []string{"a", "b", "c"})
		mails, err := c.User.Query().Where(user.Or(user.EmailHasPrefix("b"), user.AgeGTE(3))).Order(entgen.Desc(user.FieldEmail)).Limit(2).Select(user.FieldEmail).Strings(bg)
		same(t, []any{mails, err}, []any{[]string{"e@x", "c@x"}, nil})
		var groups []struct {
			Name string
			N    int
			Sum  int
		}
		must(t, c.User.Query().Where(user.AgeNotNil()).GroupBy(user.FieldName).Aggregate(entgen.As(entgen.Count(), "n"), entgen.As(entgen.Sum(user.FieldAge), "sum")).Scan(bg, &groups))
		same(t, len(groups), 2)
		// An upsert by a key that isn't the sharding one.
		id, err := c.User.Create().SetEmail("b@x").SetName("upserted").OnConflict().UpdateNewValues().ID(bg)
		must(t, err)
		same(t, texts(t, db, "SELECT CONCAT(id, name) FROM users WHERE email = 'b@x'"), []string{texts(t, db, "SELECT CONCAT(?, 'upserted')", id)[0]})
		n, err = c.User.Delete().Where(user.NameEQ("unknown")).Exec(bg)
		same(t, []any{n, err}, []any{2, nil})
		must(t, c.User.DeleteOneID(ann.ID).Exec(bg))
		n, err = c.User.Query().Count(bg)
		same(t, []any{n, err}, []any{2, nil})
	})
}

func TestEntEdges(t *testing.T) {
	eachEnt(t, func(t *testing.T, c *entgen.Client, db *sql.DB) {
		var users []*entgen.User
		for _, name := range []string{"Ann", "Bob", "Cid", "Dan"} {
			users = append(users, c.User.Create().SetEmail(name+"@x").SetName(name).SaveX(bg))
			for _, p := range []string{"Rex", "Tom"} {
				c.Pet.Create().SetName(p).SetOwner(users[len(users)-1]).ExecX(bg)
			}
		}
		red := c.Group.Create().SetName("red").AddUsers(users[0], users[1]).SaveX(bg)
		c.Group.Create().SetName("blue").AddUsers(users[1], users[2], users[3]).ExecX(bg)
		must(t, users[0].Update().SetSpouse(users[1]).Exec(bg))

		all, err := c.User.Query().Order(entgen.Asc(user.FieldName)).
			WithPets(func(q *entgen.PetQuery) { q.Order(entgen.Desc(pet.FieldName)).Limit(10) }).
			WithGroups(func(q *entgen.GroupQuery) { q.Order(entgen.Asc(group.FieldName)) }).WithSpouse().All(bg)
		must(t, err)
		same(t, len(all), 4)
		same(t, []string{all[1].Edges.Pets[0].Name, all[1].Edges.Groups[0].Name, all[1].Edges.Groups[1].Name, all[0].Edges.Spouse.Name}, []string{"Tom", "blue", "red", "Bob"})
		names, err := red.QueryUsers().QueryPets().Where(pet.NameEQ("Rex")).QueryOwner().Order(entgen.Asc(user.FieldName)).Select(user.FieldName).Strings(bg)
		same(t, []any{names, err}, []any{[]string{"Ann", "Bob"}, nil})
		names, err = c.User.Query().Where(user.HasGroupsWith(group.NameEQ("blue")), user.Not(user.HasSpouse()), user.HasPets()).Order(entgen.Asc(user.FieldName)).Select(user.FieldName).Strings(bg)
		same(t, []any{names, err}, []any{[]string{"Cid", "Dan"}, nil})
		names, err = c.User.Query().Order(user.ByGroupsCount(entsql.OrderDesc()), user.ByName()).Select(user.FieldName).Strings(bg)
		same(t, []any{names, err}, []any{[]string{"Bob", "Ann", "Cid", "Dan"}, nil})

		must(t, red.Update().RemoveUsers(users[0]).AddUsers(users[3]).Exec(bg))
		same(t, texts(t, db, "SELECT u.name FROM users u JOIN group_users g ON g.user_id = u.id WHERE g.group_id = ? ORDER BY 1", red.ID), []string{"Bob", "Dan"})
		_, err = c.Pet.Create().SetName("lost").SetOwnerID(999).Save(bg)
		if !entgen.IsConstraintError(err) {
			t.Errorf("a pet of nobody known: %v", err)
		}
		// The pets go with their owner, and so does the membership; the spouse stays.
		must(t, c.User.DeleteOne(users[1]).Exec(bg))
		same(t, texts(t, db, "SELECT COUNT(*) FROM pets UNION ALL SELECT COUNT(*) FROM group_users UNION ALL SELECT COUNT(user_spouse) FROM users"), []string{"6", "3", "0"})
	})
}

func TestEntTransaction(t *testing.T) {
	eachEnt(t, func(t *testing.T, c *entgen.Client, db *sql.DB) {
		errStop := errors.New("stop")
		in := func(fail error) error {
			tx, err := c.Tx(bg)
			must(t, err)
			for _, mail := range []string{"a@x", "b@x", "c@x"} {
				u := tx.User.Create().SetEmail(mail).SaveX(bg)
				tx.Pet.Create().SetName("Rex").SetOwner(u).ExecX(bg)
			}
			if fail != nil {
				return errors.Join(fail, tx.Rollback())
			}
			return tx.Commit()
		}
		if err := in(errStop); !errors.Is(err, errStop) {
			t.Fatal(err)
		}
		same(t, texts(t, db, "SELECT COUNT(*) FROM users UNION ALL SELECT COUNT(*) FROM pets"), []string{"0", "0"})
		must(t, in(nil))
		same(t, texts(t, db, "SELECT COUNT(*) FROM users UNION ALL SELECT COUNT(*) FROM pets"), []string{"3", "3"})
	})
}

// TestEntMigration changes what ent has made, and does it in a transaction that is
// rolled back as well.
func TestEntMigration(t *testing.T) {
	eachEnt(t, func(t *testing.T, c *entgen.Client, db *sql.DB) {
		entSchema.Lock()
		defer entSchema.Unlock()
		must(t, c.Schema.Create(bg)) // finds nothing to do
		for _, mail := range []string{"a@x", "b@x", "c@x", "d@x"} {
			c.User.Create().SetEmail(mail).AddPets(c.Pet.Create().SetName("Rex").SaveX(bg)).ExecX(bg)
		}
		before := texts(t, db, "SELECT CONCAT(table_name, column_name, column_type) FROM information_schema.columns WHERE table_schema = 'main' ORDER BY 1")
		next := func() []*entschema.Table {
			tables, err := entschema.CopyTables(migrate.Tables)
			must(t, err)
			for _, x := range tables {
				switch x.Name {
				case "users":
					for _, col := range x.Columns {
						switch col.Name {
						case "name":
							col.Size = 90
						case "age":
							x.Indexes = append(x.Indexes, &entschema.Index{Name: "by_age", Columns: []*entschema.Column{col}})
						}
					}
					x.Columns = append(x.Columns, &entschema.Column{Name: "nick", Type: field.TypeString, Size: 20, Default: "n"})
				case "pets":
					x.Columns = append(x.Columns[:2:2], x.Columns[3:]...) // no weight
				}
			}
			return tables
		}
		tx, err := c.Tx(bg)
		must(t, err)
		must(t, migrate.Create(bg, tx.Client().Schema, next(), migrate.WithDropColumn(true), migrate.WithDropIndex(true)))
		must(t, tx.Rollback())
		same(t, texts(t, db, "SELECT CONCAT(table_name, column_name, column_type) FROM information_schema.columns WHERE table_schema = 'main' ORDER BY 1"), before)
		must(t, migrate.Create(bg, c.Schema, next(), migrate.WithDropColumn(true), migrate.WithDropIndex(true)))
		same(t, texts(t, db, "SELECT column_name FROM information_schema.columns WHERE table_name = 'pets' ORDER BY ordinal_position"), []string{"id", "name", "user_pets"})
		same(t, texts(t, db, "SELECT DISTINCT nick FROM users"), []string{"n"})
		same(t, texts(t, db, "SELECT column_type FROM information_schema.columns WHERE table_name = 'users' AND column_name = 'name'"), []string{"varchar(90)"})
		same(t, texts(t, db, "SELECT COUNT(*) FROM users u JOIN pets p ON p.user_pets = u.id"), []string{"4"})
	})
}
