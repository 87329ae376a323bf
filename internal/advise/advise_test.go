package advise

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitessdo/vitessdo/internal/present"
)

// An application with many tenants, as it comes from one database: each table has a
// key of its own, and what belongs to a tenant names it.
var tenants = []string{
	`CREATE TABLE countries (code CHAR(2) PRIMARY KEY, name VARCHAR(50) NOT NULL)`,
	`CREATE TABLE tenants (id BIGINT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(50) NOT NULL, country CHAR(2) NOT NULL)`,
	`CREATE TABLE users (id BIGINT PRIMARY KEY AUTO_INCREMENT, tenant_id BIGINT NOT NULL, email VARCHAR(100) NOT NULL, role VARCHAR(10) NOT NULL,
  UNIQUE KEY email (email), KEY tenant (tenant_id), FOREIGN KEY (tenant_id) REFERENCES tenants (id))`,
	`CREATE TABLE projects (id BIGINT PRIMARY KEY AUTO_INCREMENT, tenant_id BIGINT NOT NULL, title VARCHAR(100) NOT NULL, archived BOOL NOT NULL,
  KEY tenant (tenant_id), FOREIGN KEY (tenant_id) REFERENCES tenants (id))`,
	`CREATE TABLE tasks (id BIGINT PRIMARY KEY AUTO_INCREMENT, tenant_id BIGINT NOT NULL, project_id BIGINT NOT NULL, assignee BIGINT, state VARCHAR(10) NOT NULL, due DATE,
  KEY project (tenant_id, project_id))`,
	`CREATE TABLE invitations (tenant_id BIGINT NOT NULL, id BIGINT NOT NULL, mail VARCHAR(100) NOT NULL, sent DATETIME, PRIMARY KEY (tenant_id, id), KEY mail (mail))`,
}

var workload = []Statement{
	{"SELECT * FROM users WHERE email = 'ann@example.com'", 900},
	{"SELECT t.*, c.name FROM tenants t JOIN countries c ON c.code = t.country WHERE t.id = 7", 800},
	{"SELECT * FROM projects WHERE tenant_id = 7 AND archived = FALSE ORDER BY title", 3000},
	{"SELECT k.*, u.email FROM tasks k JOIN users u ON u.id = k.assignee AND u.tenant_id = k.tenant_id WHERE k.tenant_id = 7 AND k.project_id = 12 AND k.state = 'open'", 5000},
	{"SELECT p.title, COUNT(*) FROM projects p JOIN tasks k ON k.project_id = p.id AND k.tenant_id = p.tenant_id WHERE p.tenant_id = 7 GROUP BY p.title", 700},
	{"UPDATE tasks SET state = 'done' WHERE tenant_id = 7 AND id = 99", 1200},
	{"INSERT INTO tasks (tenant_id, project_id, assignee, state) VALUES (7, 12, 3, 'open')", 600},
	{"INSERT INTO users (tenant_id, email, role) VALUES (7, 'bob@example.com', 'admin')", 20},
	{"SELECT * FROM invitations WHERE mail = 'eve@example.com'", 400},
	{"INSERT INTO invitations VALUES (7, 1, 'eve@example.com', NULL)", 30},
	{"SELECT COUNT(*) FROM tasks WHERE due < '2026-01-01' AND state = 'open'", 5},
	{"SELECT role, COUNT(*) FROM users WHERE role = 'admin' GROUP BY role", 2},
}

// The best answer is known: everything by tenant, countries everywhere, and a lookup of
// invitations by mail. users.email is unique, so that it leads to one shard by itself.
func TestTenants(t *testing.T) {
	a, err := Advise(Input{Keyspace: "main", Shards: 4, Creates: tenants, Statements: workload})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range a.Tables {
		got = append(got, row.Name+": "+row.Before+" → "+row.After)
	}
	want := []string{
		"countries: hash(code) → reference",
		"tenants: hash(id) → hash(id)",
		"users: hash(tenant_id) → hash(tenant_id)",
		"projects: hash(tenant_id) → hash(tenant_id)",
		"tasks: hash(id) → hash(tenant_id)",
		"invitations: hash(tenant_id) → hash(tenant_id), lookup(mail)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the tables are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, r := range a.Statements {
		scatters := r.After.Scatters()
		if rare := r.Count <= 5; scatters != rare {
			t.Errorf("%d times %s: %s → %s", r.Count, r.SQL, r.Before, r.After)
		}
	}
	var b strings.Builder
	if err := a.Text(&b, present.Output{W: &b}, 3); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"on 4 shards", "statements that ask all shards: ", "and 9 statements more", "CREATE TABLE `invitations_by_mail_lookup`"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}

	// With its own advice taken, nothing is left to advise.
	again, err := Advise(Input{Keyspace: "main", Shards: 4, Creates: slices.Concat(a.Entries, tenants), VSchema: a.VSchema, Statements: workload})
	if err != nil || !again.Kept {
		t.Errorf("the advice isn't kept: %v %+v", err, again)
	}
}

// A column of few values spreads nothing, however often statements compare it.
func TestFewValues(t *testing.T) {
	in := Input{Keyspace: "main", Shards: 4, Rows: map[string]int64{"events": 1_000_000}, Statements: []Statement{{"SELECT * FROM events WHERE kind_id = 3", 100}},
		Creates: []string{"CREATE TABLE events (id BIGINT PRIMARY KEY, kind_id INT NOT NULL)"}}
	for n, want := range map[int64]string{5: "hash(id)", 5000: "hash(kind_id)"} {
		in.Values = func(string, string) (int64, bool) { return n, true }
		a, err := Advise(in)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, _ := strings.Cut(a.Tables[0].After, ", "); got != want {
			t.Errorf("%d values: %s, want %s", n, got, want)
		}
	}
}

// A schema and a log of the size that applications have: it takes seconds, not minutes.
func TestLarge(t *testing.T) {
	in := Input{Keyspace: "main", Shards: 8}
	for i := range 30 {
		in.Creates = append(in.Creates, fmt.Sprintf("CREATE TABLE t%d (id BIGINT PRIMARY KEY AUTO_INCREMENT, tenant_id BIGINT NOT NULL, parent_id BIGINT, name VARCHAR(50), KEY tenant (tenant_id))", i))
		for j, text := range []string{
			"SELECT * FROM t%[1]d WHERE tenant_id = 5 AND id = 7", "SELECT name FROM t%[1]d WHERE tenant_id = 5 ORDER BY name",
			"SELECT a.name, b.name FROM t%[1]d a JOIN t%[2]d b ON b.tenant_id = a.tenant_id AND b.parent_id = a.id WHERE a.tenant_id = 5",
			"UPDATE t%[1]d SET name = 'x' WHERE tenant_id = 5 AND id = 7", "INSERT INTO t%[1]d (tenant_id, name) VALUES (5, 'x')",
		} {
			in.Statements = append(in.Statements, Statement{fmt.Sprintf(text, i, (i+1)%30), int64(100 - 10*j)})
		}
	}
	began := time.Now()
	a, err := Advise(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range a.Tables {
		if row.After != "hash(tenant_id)" {
			t.Errorf("%s: %s", row.Name, row.After)
		}
	}
	t.Logf("it took %v", time.Since(began))
}

// A table that is written isn't copied to every shard, however small it is yet.
func TestSmallYet(t *testing.T) {
	a, err := Advise(Input{Keyspace: "main", Shards: 4, Rows: map[string]int64{"posts": 3},
		Creates:    []string{"CREATE TABLE posts (id BIGINT PRIMARY KEY, tenant_id BIGINT, note TEXT)"},
		Statements: []Statement{{"SELECT note FROM posts WHERE tenant_id = 1", 100}, {"INSERT INTO posts VALUES (1, 1, 'a')", 1}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := a.Tables[0].After; got != "hash(tenant_id)" {
		t.Errorf("posts: %s", got)
	}
}

// What a lookup vindex is suggested for: one column or two that are asked for at once,
// unique where a key that each shard keeps for itself says so; and not for what was run a
// few times.
func TestLookups(t *testing.T) {
	creates := []string{
		"CREATE TABLE parcels (shop_id BIGINT NOT NULL, id BIGINT NOT NULL, carrier VARCHAR(10) NOT NULL, code VARCHAR(20) NOT NULL, barcode VARCHAR(30) NOT NULL, PRIMARY KEY (shop_id, id), UNIQUE KEY (barcode)) COMMENT 'unique=shard; vindex=hash(shop_id)'",
	}
	for _, c := range []struct{ where, want string }{
		{"barcode = 'x'", "hash(shop_id), lookup_unique(barcode)"},
		{"carrier = 'dhl' AND code = 'x'", "hash(shop_id), lookup(carrier, code)"},
		{"shop_id = 1", "hash(shop_id)"},
	} {
		for _, count := range []int64{500, 3} {
			in := Input{Keyspace: "main", Shards: 4, Rows: map[string]int64{"parcels": 1_000_000}, Creates: creates, Statements: []Statement{
				{"SELECT * FROM parcels WHERE " + c.where, count}, {"SELECT * FROM parcels WHERE shop_id = 3", 5000}, {"INSERT INTO parcels VALUES (1, 2, 'dhl', 'y', 'z')", 1}}}
			in.Values = func(_, column string) (int64, bool) {
				return map[string]int64{"carrier": 4, "code": 30}[column], strings.HasPrefix(column, "c")
			}
			a, err := Advise(in)
			if err != nil {
				t.Fatal(err)
			}
			want := c.want
			if count == 3 {
				want = "hash(shop_id)"
			}
			if got := a.Tables[0].After; got != want {
				t.Errorf("%s, %d times: %s, want %s", c.where, count, got, want)
			}
		}
	}
}

// A key of several columns, or with parameters, is kept where it serves, while other
// tables move.
func TestGivenKeys(t *testing.T) {
	a, err := Advise(Input{Keyspace: "main", Shards: 4, Creates: []string{
		"CREATE TABLE readings (site BIGINT, day DATE, no INT, v DOUBLE, PRIMARY KEY (site, day, no)) COMMENT 'vindex=multicol(site, day) column_count=2'",
		"CREATE TABLE bills (id BIGINT PRIMARY KEY, note TEXT) COMMENT 'vindex=range(id) boundaries=1000,2000,3000'",
		"CREATE TABLE notes (id BIGINT PRIMARY KEY, owner_id BIGINT, body TEXT)",
	}, Statements: []Statement{{"SELECT * FROM readings WHERE site = 1 AND day = '2026-01-01'", 100}, {"SELECT * FROM bills WHERE id BETWEEN 5 AND 9", 100}, {"INSERT INTO bills VALUES (1, 'x')", 10},
		{"INSERT INTO readings VALUES (1, '2026-01-01', 1, 1)", 10}, {"SELECT body FROM notes WHERE owner_id = 7", 100}, {"INSERT INTO notes VALUES (1, 7, 'x')", 1}}})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"multicol(site, day)", "range(id)", "hash(owner_id)"} {
		if got := a.Tables[i].After; got != want {
			t.Errorf("%s: %s, want %s", a.Tables[i].Name, got, want)
		}
	}
}

// A small table that is read in joins all over is copied though it is written now and
// then, unless it looks as if it grew.
func TestWrittenReference(t *testing.T) {
	for key, want := range map[string]string{"code CHAR(3) PRIMARY KEY": "reference", "code CHAR(3) UNIQUE, id BIGINT AUTO_INCREMENT PRIMARY KEY": ""} {
		a, err := Advise(Input{Keyspace: "main", Shards: 4, Rows: map[string]int64{"rates": 30, "orders": 1000}, Creates: []string{
			"CREATE TABLE rates (" + key + ", rate DECIMAL(10,4))", "CREATE TABLE orders (id BIGINT PRIMARY KEY, user_id BIGINT, cur CHAR(3), total DECIMAL(10,2))"},
			Statements: []Statement{{"SELECT o.id, o.total * r.rate FROM orders o JOIN rates r ON r.code = o.cur WHERE o.user_id = 5", 5000}, {"UPDATE rates SET rate = 1.1 WHERE code = 'EUR'", 20}, {"INSERT INTO orders VALUES (1, 2, 'EUR', 3)", 100}}})
		if err != nil {
			t.Fatal(err)
		}
		if got := a.Tables[0].After; want != "" && got != want || want == "" && got == "reference" {
			t.Errorf("%s: rates: %s, want %s", key, got, want)
		}
	}
}

// A young application has run a few statements: tables that are together stay so, for
// what any layout answers by one shard.
func TestYoung(t *testing.T) {
	in := Input{Keyspace: "main", Shards: 4, Rows: map[string]int64{"users": 2, "posts": 1}, Creates: []string{
		"CREATE TABLE users (id BIGINT PRIMARY KEY AUTO_INCREMENT, email VARCHAR(50) UNIQUE)",
		"CREATE TABLE posts (id BIGINT PRIMARY KEY AUTO_INCREMENT, user_id BIGINT, title VARCHAR(50), FOREIGN KEY (user_id) REFERENCES users (id))"},
		Statements: []Statement{{"SELECT * FROM posts WHERE id = 5", 1}, {"SELECT * FROM users WHERE email = 'a'", 2}}}
	a, err := Advise(in)
	if err != nil || !a.Kept {
		t.Errorf("%+v %v", a, err)
	}
	in.Statements[0].Count, in.Statements[1].Count = 2000, 3000
	if a, err = Advise(in); err != nil || a.Kept {
		t.Errorf("of many statements: %+v %v", a, err)
	}
}
