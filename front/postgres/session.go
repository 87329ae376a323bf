package postgres

import (
	"strings"

	"github.com/vitessdo/vitessdo/front"
	"github.com/vitessdo/vitessdo/sqlast"
)

func (c *conv) transaction(n node) sqlast.Stmt {
	chain := sqlast.Completion{Chain: n.is("chain")}
	name := n.str("savepoint_name")
	switch kind := n.str("kind"); kind {
	case "TRANS_STMT_BEGIN", "TRANS_STMT_START":
		b := &sqlast.Begin{}
		for _, o := range n.list("options") {
			c.beginOption(b, o)
		}
		return b
	case "TRANS_STMT_COMMIT":
		return &sqlast.Commit{After: chain}
	case "TRANS_STMT_ROLLBACK":
		return &sqlast.Rollback{After: chain}
	case "TRANS_STMT_SAVEPOINT":
		return &sqlast.Savepoint{Name: name}
	case "TRANS_STMT_RELEASE":
		return &sqlast.Release{Name: name}
	case "TRANS_STMT_ROLLBACK_TO":
		return &sqlast.Rollback{To: name}
	}
	c.refuse(0, "PREPARE TRANSACTION and its kin", "a commit over several shards is prepared by itself")
	return nil
}

func (c *conv) beginOption(b *sqlast.Begin, o tree) {
	arg := o.child("arg")
	switch o.str("defname") {
	case "transaction_read_only":
		on := arg.message("ival").num("ival") != 0 || arg.message("boolval").is("boolval")
		b.ReadOnly, b.ReadWrite = on, !on
	case "transaction_isolation":
		b.Isolation = isolation(arg)
	}
}

// kept are the settings that mean nothing here and are accepted.
var kept = map[string]bool{}

func init() {
	for _, name := range strings.Fields(`application_name client_min_messages extra_float_digits bytea_output datestyle intervalstyle
		search_path standard_conforming_strings client_encoding row_security check_function_bodies default_tablespace
		default_table_access_method xmloption work_mem maintenance_work_mem synchronous_commit names
		default_with_oids escape_string_warning`) {
		kept[name] = true
	}
}

// unbounded are the settings of bounds, whose 0 is none.
var unbounded = map[string]bool{"statement_timeout": true, "lock_timeout": true, "idle_in_transaction_session_timeout": true, "transaction_timeout": true, "idle_session_timeout": true}

// set converts SET.
func (c *conv) set(n node) sqlast.Stmt {
	name, args := n.str("name"), n.list("args")
	at := n.at()
	if len(args) > 0 && at == 0 {
		at = args[0].at()
	}
	text := ""
	if len(args) > 0 {
		a := args[0]
		text = a.message("sval").str("sval")
		if b := a.message("boolval"); b != nil {
			text = map[bool]string{true: "on", false: "off"}[b.is("boolval")]
		}
	}
	variable := func(scope, name, value string) *sqlast.Set {
		return &sqlast.Set{Vars: []sqlast.SetVar{{Scope: scope, Name: name, Value: front.Text(value), Text: value}}}
	}
	switch {
	case name == "TRANSACTION" || name == "SESSION CHARACTERISTICS":
		out := &sqlast.Set{}
		scope := map[bool]string{true: "transaction", false: "session"}[name == "TRANSACTION"]
		for _, o := range args {
			out.Vars = append(out.Vars, c.transactionSetting(scope, o))
		}
		return out
	case n.str("kind") == "VAR_RESET" || n.str("kind") == "VAR_RESET_ALL" || kept[name]:
		if name == "client_encoding" && text != "" && !strings.EqualFold(strings.ReplaceAll(text, "-", ""), "utf8") {
			c.refuse(at, "the encoding "+text, "text is UTF-8")
		}
		if name == "search_path" {
			c.searchPath(at, args)
		}
		if name == "standard_conforming_strings" && text == "off" {
			c.refuse(at, "standard_conforming_strings = off", `write E'…' for strings with \`)
		}
		return &sqlast.Empty{}
	case unbounded[name] && len(args) > 0 && args[0].message("ival") != nil && args[0].message("ival").num("ival") == 0:
		return &sqlast.Empty{} // no bound, as is so anyhow
	case unbounded[name]:
		c.refuse(at, "SET "+name, "a context's deadline bounds a statement, the options timeout, lock_wait_timeout and max_transaction_idle all of a pool's")
	case name == "default_transaction_isolation":
		return variable("session", "transaction_isolation", strings.ReplaceAll(strings.ToUpper(text), " ", "-"))
	case name == "timezone":
		return variable("session", "time_zone", text)
	case name == "vitess_dialect" && text != "":
		return variable("session", name, text)
	}
	c.refuse(at, "SET "+name, "options of the data source name are how sessions begin")
	return nil
}

// searchPath refuses a way to other schemas than the one that is looked into anyhow: names
// would be those of other tables than the statement means.
func (c *conv) searchPath(at int, args []tree) {
	for _, a := range args {
		switch name := a.message("sval").str("sval"); name {
		case "", "public", "$user", "pg_catalog", "information_schema":
		default:
			c.refuse(at, "search_path of "+name, "USE "+name+" selects a keyspace, and keyspace.table names one of another")
		}
	}
}

// isolation is the level that SET and BEGIN name.
func isolation(arg tree) string {
	return strings.ReplaceAll(strings.ToUpper(arg.message("sval").str("sval")), " ", "-")
}

// transactionSetting converts a mode of SET TRANSACTION.
func (c *conv) transactionSetting(scope string, o tree) sqlast.SetVar {
	arg := o.child("arg")
	v := sqlast.SetVar{Scope: scope}
	switch o.str("defname") {
	case "transaction_isolation":
		v.Name, v.Text = "transaction_isolation", isolation(arg)
	case "transaction_read_only":
		v.Name, v.Text = "transaction_read_only", map[bool]string{true: "1", false: "0"}[arg.message("ival").num("ival") != 0]
	default:
		c.refuse(o.at(), "DEFERRABLE", "leave it out")
	}
	v.Value = front.Text(v.Text)
	return v
}

// shown are the settings that SHOW tells.
var shown = map[string]string{
	"server_version": "17.0", "server_version_num": "170000", "server_encoding": "UTF8", "client_encoding": "UTF8",
	"standard_conforming_strings": "on", "integer_datetimes": "on", "datestyle": "ISO, MDY", "intervalstyle": "postgres",
	"search_path": `"$user", public`, "bytea_output": "hex", "max_identifier_length": "63",
}

// show converts SHOW of a setting.
func (c *conv) show(n node) sqlast.Stmt {
	name := n.str("name")
	item := sqlast.SelectItem{Alias: name}
	switch value, ok := shown[name]; {
	case ok:
		item.Expr = front.Text(value)
	case name == "transaction_isolation", name == "default_transaction_isolation":
		item.Expr = front.Call("LOWER", front.Call("REPLACE", &sqlast.SysVar{Name: "transaction_isolation"}, front.Text("-"), front.Text(" ")))
	case name == "timezone":
		item.Alias, item.Expr = "TimeZone", &sqlast.SysVar{Name: "time_zone"}
	case name == "vitess_dialect":
		item.Expr = &sqlast.SysVar{Name: name}
	default:
		c.refuse(0, "SHOW "+name, "SHOW TABLES, SHOW COLUMNS FROM t and SHOW VSCHEMA tell of the database")
	}
	return &sqlast.Select{Items: []sqlast.SelectItem{item}}
}

// explain converts EXPLAIN; EXPLAIN (FORMAT vitess) tells of the shards.
func (c *conv) explain(n node) sqlast.Stmt {
	e := &sqlast.Explain{}
	for _, o := range n.list("options") {
		switch o.str("defname") {
		case "format":
			e.Format = strings.ToUpper(o.child("arg").str("sval"))
		case "analyze":
			c.refuse(o.at(), "EXPLAIN ANALYZE", "EXPLAIN (FORMAT vitess) shows which shards are asked what")
		}
	}
	if e.Format == "TEXT" {
		e.Format = ""
	}
	inner := n.child("query")
	c.explaining = true
	e.Stmt = c.statement(inner)
	e.Text = c.explained()
	return e
}

// explained is the text behind EXPLAIN and its options.
func (c *conv) explained() string {
	rest := strings.TrimSpace(c.text)
	rest = strings.TrimSpace(rest[len("EXPLAIN"):])
	if strings.HasPrefix(rest, "(") {
		rest = strings.TrimSpace(rest[strings.IndexByte(rest, ')')+1:])
	}
	for _, w := range []string{"VERBOSE"} {
		if len(rest) > len(w) && strings.EqualFold(rest[:len(w)], w) {
			rest = strings.TrimSpace(rest[len(w):])
		}
	}
	return rest
}

// vacuum converts VACUUM and ANALYZE, which have nothing to do.
func (c *conv) vacuum(n node) sqlast.Stmt {
	m := &sqlast.Maintain{What: "ANALYZE"}
	for _, r := range n.list("rels") {
		m.Tables = append(m.Tables, c.table(r.message("relation")))
	}
	if len(m.Tables) == 0 {
		return &sqlast.Empty{}
	}
	return m
}
