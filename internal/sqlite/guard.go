package sqlite

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/ncruces/go-sqlite3"
)

// guard refuses what a client's statement must not do to a database that others
// use too: reach files, change how connections work, or touch the tablet's own
// tables. SQLite asks it while it compiles a statement, also when it does so again
// as the schema has changed.
type guard struct {
	on, off bool   // it is set up; what is compiled is the tablet's own
	text    string // what is compiled
	refused string // what it has refused
}

// Trust says whether statements are the caller's own, which pass the guard, and
// gives what was said before:
//
//	defer c.Trust(c.Trust(true))
func (c *Conn) Trust(own bool) (before bool) {
	before, c.guard.off = c.guard.off, own
	return before
}

func (c *Conn) guardAll() error {
	c.guard.on = true
	return c.db.SetAuthorizer(func(action sqlite3.AuthorizerActionCode, a, b, _, _ string) sqlite3.AuthorizerReturnCode {
		if c.guard.off {
			return sqlite3.AUTH_OK
		}
		what := refusal(action, a, b)
		if what == "" && action == sqlite3.AUTH_ALTER_TABLE {
			what = namesOwn(c.guard.text) // SQLite doesn't tell a table's new name
		}
		if what != "" {
			c.guard.refused = "a tablet that is served doesn't let statements use " + what
			return sqlite3.AUTH_DENY
		}
		return sqlite3.AUTH_OK
	})
}

// take gives what was refused, once.
func (g *guard) take() (refused string) {
	refused, g.refused = g.refused, ""
	return refused
}

var (
	// harmless are the pragmas that tell something about the database and change
	// nothing but statistics.
	harmless = []string{"application_id", "collation_list", "compile_options", "data_version", "encoding", "foreign_key_check", "foreign_key_list",
		"freelist_count", "function_list", "index_info", "index_list", "index_xinfo", "integrity_check", "module_list", "optimize", "page_count",
		"page_size", "pragma_list", "quick_check", "schema_version", "table_info", "table_list", "table_xinfo", "user_version"}
	// settable are those among them that change something when they have an
	// argument.
	settable = []string{"application_id", "encoding", "page_size", "schema_version", "user_version"}
	// ownTables are the tablet's, and those by which pages can be read past tables.
	ownTables = []string{"_vt_applied", "_vt_decided", "_vt_requests0", "_vt_requests1", "sqlite_dbpage", "dbstat"}
	// modules are those of virtual tables that keep to the database.
	modules   = []string{"fts5", "fts5vocab", "rtree", "rtree_i32", "geopoly"}
	functions = []string{"load_extension", "fts3_tokenizer", "readfile", "writefile", "edit"}
)

// refusal names what an action of a statement must not do; "" lets it pass.
func refusal(action sqlite3.AuthorizerActionCode, a, b string) string {
	switch action {
	case sqlite3.AUTH_ATTACH:
		if a == "" {
			return "VACUUM" // its temporary file
		}
		return "files: ATTACH and VACUUM INTO"
	case sqlite3.AUTH_DETACH:
		return "DETACH"
	case sqlite3.AUTH_PRAGMA:
		name := strings.ToLower(a)
		if !slices.Contains(harmless, name) || b != "" && slices.Contains(settable, name) {
			return "PRAGMA " + name
		}
	case sqlite3.AUTH_FUNCTION:
		if slices.Contains(functions, strings.ToLower(b)) {
			return "the function " + b
		}
	case sqlite3.AUTH_CREATE_VTABLE:
		if !slices.Contains(modules, strings.ToLower(b)) {
			return "virtual tables of module " + b
		}
		return own(a)
	case sqlite3.AUTH_CREATE_TEMP_INDEX, sqlite3.AUTH_CREATE_TEMP_TABLE, sqlite3.AUTH_CREATE_TEMP_TRIGGER, sqlite3.AUTH_CREATE_TEMP_VIEW:
		return "temporary tables, views and triggers: connections are shared"
	case sqlite3.AUTH_READ, sqlite3.AUTH_INSERT, sqlite3.AUTH_UPDATE, sqlite3.AUTH_DELETE, sqlite3.AUTH_DROP_TABLE, sqlite3.AUTH_CREATE_TABLE,
		sqlite3.AUTH_CREATE_VIEW: // one of a name that the tablet's own table is still to have
		return own(a)
	case sqlite3.AUTH_ALTER_TABLE, sqlite3.AUTH_CREATE_TRIGGER, sqlite3.AUTH_DROP_INDEX, sqlite3.AUTH_DROP_TRIGGER:
		return own(b)
	case sqlite3.AUTH_CREATE_INDEX: // a name's, too
		return cmp.Or(own(a), own(b))
	}
	return ""
}

// namesOwn looks for a table of the tablet's own anywhere in a text.
func namesOwn(text string) string {
	text = strings.ToLower(text)
	for _, table := range ownTables {
		if strings.Contains(text, table) {
			return own(table)
		}
	}
	return ""
}

func own(table string) string {
	if slices.Contains(ownTables, strings.ToLower(table)) {
		return "the tablet's own table " + strconv.Quote(table)
	}
	return ""
}
