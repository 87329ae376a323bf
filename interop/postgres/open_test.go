//go:build linux && !nopostgres

package postgres_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vitessdo/vitessdo/interop/postgres"
	"github.com/vitessdo/vitessdo/interop/postgres/internal/cluster"
	"github.com/vitessdo/vitessdo/tablet"
)

// serverAndRoot gives the tests' server, and a connection to it that may do everything.
func serverAndRoot(t *testing.T) (*cluster.Cluster, *pgconn.PgConn) {
	t.Helper()
	s, err := server()
	if err != nil {
		t.Fatal(err)
	}
	root, err := pgconn.Connect(bg, s.URL(""))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close(bg) })
	return s, root
}

// TestOpening: what keeps a program from its database says where that is, and what to do.
func TestOpening(t *testing.T) {
	s, root := serverAndRoot(t)
	for _, text := range []string{
		"CREATE ROLE poor LOGIN", "CREATE ROLE crowd LOGIN CONNECTION LIMIT 0", "REVOKE CREATE ON SCHEMA public FROM public",
		"CREATE DATABASE latin ENCODING LATIN1 TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'",
	} {
		if _, err := root.Exec(bg, text).ReadAll(); err != nil {
			t.Fatal(text, err)
		}
	}
	defer func() {
		for _, text := range []string{"DROP DATABASE latin", "DROP ROLE poor, crowd"} {
			if _, err := root.Exec(bg, text).ReadAll(); err != nil {
				t.Error(text, err)
			}
		}
	}()
	url := func(user, database, more string) string {
		return strings.Replace(s.URL(""), "//app@/postgres?", "//"+user+"@/"+database+"?"+more, 1)
	}
	for name, tc := range map[string]struct {
		url   string
		code  tablet.Code
		wants []string
	}{
		"no such database":   {url("app", "nope", ""), tablet.CodeInternal, []string{"/nope: database", "CREATE DATABASE"}},
		"no such user":       {url("nobody", "postgres", ""), tablet.CodeDenied, []string{"/postgres: role", "pg_hba.conf"}},
		"no right to create": {url("poor", "postgres", "search_path=mine&"), tablet.CodeDenied, []string{"/postgres/mine: permission denied", "GRANT CREATE"}},
		"no right in schema": {url("poor", "postgres", ""), tablet.CodeDenied, []string{"/postgres: permission denied", "GRANT CREATE"}},
		"too many":           {url("crowd", "postgres", ""), tablet.CodeOverloaded, []string{"/postgres: too many connections", "max_readers"}},
		"encoding":           {url("app", "latin", ""), tablet.CodeMisuse, []string{"/latin has the encoding LATIN1", "UTF8"}},
		"unknown option":     {url("app", "postgres", "search_pth=x&"), tablet.CodeInternal, []string{"/postgres: ", "search_pth"}},
		"no server":          {"postgres://app@localhost:1/shop", tablet.CodeIO, []string{"localhost:1/shop can't be reached"}},
		"no URL":             {"postgres://app:secret@localhost:x/shop", tablet.CodeMisuse, []string{"can't be read", "invalid port"}},
	} {
		e, err := postgres.Open(t.Context(), tc.url, postgres.Options{})
		if err == nil {
			_ = e.Close()
			t.Errorf("%s: it is opened", name)
			continue
		}
		if tablet.CodeOf(err) != tc.code || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %s: %v", name, tablet.CodeOf(err), err)
		}
		for _, want := range tc.wants {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q doesn't say %q", name, err, want)
			}
		}
	}
}

// TestSchemaNames: a search_path names the schema that the server takes it for.
func TestSchemaNames(t *testing.T) {
	s, root := serverAndRoot(t)
	for path, want := range map[string]string{
		"plain": "plain", "Upper": "upper", "with-dash": "with-dash", "%22Upper%22": "Upper", "%22a%22%22b,c%22,public": `a"b,c`, "first,second": "first",
	} {
		e, err := postgres.Open(t.Context(), s.URL(path), postgres.Options{Lease: time.Minute})
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		res := root.ExecParams(bg, "SELECT count(*) FROM pg_tables WHERE schemaname = $1 AND tablename = '_vt_meta'", [][]byte{[]byte(want)}, nil, nil, nil).Read()
		if res.Err != nil || string(res.Rows[0][0]) != "1" {
			t.Errorf("search_path=%s isn't the schema %s: %v", path, want, res.Err)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestOneDatabaseForTwo: two shards can't have the same database.
func TestOneDatabaseForTwo(t *testing.T) {
	at := database(t)("both")
	_, err := postgres.Storage(map[string]string{"main/-80": at, "main/80-": at})(t.Context(), "main", "-80")
	if tablet.CodeOf(err) != tablet.CodeMisuse || !strings.Contains(err.Error(), `"main/80-"`) {
		t.Errorf("the error is %v", err)
	}
}
