package sqlparse

import (
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// cursor walks over the tokens of a statement that we parse ourselves.
type cursor struct {
	*scan
	i, hi int
}

// statement parses tokens lo to hi, by their first words.
func (s *scan) statement(lo, hi int) sqlast.Stmt {
	c := &cursor{scan: s, i: lo, hi: hi}
	switch first, second := s.upper(lo), s.upper(min(lo+1, hi)); first {
	case "SELECT":
		if second == "NEXT" && s.isNext(lo+2, hi) {
			return c.nextValue()
		}
	case "BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE":
		return c.transaction(first)
	case "USE":
		return c.use()
	case "SET":
		return c.set()
	case "SHOW":
		return c.show()
	case "EXPLAIN", "DESCRIBE", "DESC", "VEXPLAIN":
		return c.explain(first)
	case "ALTER":
		if second == "VSCHEMA" {
			return c.alterVSchema()
		}
	case "KILL":
		return c.kill()
	case "LOCK", "UNLOCK":
		return c.lock(first)
	case "PREPARE", "EXECUTE", "DEALLOCATE":
		return c.prepared(first)
	case "DROP":
		if second == "PREPARE" {
			return c.prepared(first)
		}
	case "ANALYZE", "OPTIMIZE", "CHECK", "CHECKSUM", "REPAIR", "FLUSH":
		return c.maintain(first)
	case "DO":
		c.i++
		return &sqlast.Do{Exprs: c.exprList()}
	}
	s.refuseKnown(lo, hi)
	return s.tidb(lo, hi)
}

// refuseKnown names what MySQL has and we don't run, before TiDB's parser calls
// some of it a syntax error.
func (s *scan) refuseKnown(lo, hi int) {
	first, second := s.upper(lo), s.upper(min(lo+1, hi))
	switch first {
	case "XA", "HANDLER", "CALL", "SIGNAL", "RESIGNAL", "GRANT", "REVOKE", "HELP", "SHUTDOWN", "RESTART", "CLONE", "BINLOG":
		s.refuse(lo, first)
	case "LOAD":
		panic(sqlast.UnsupportedAt(s.text, s.start(lo), strings.TrimSpace(first+" "+second),
			"no file is read, the server's or the client's: send its rows by INSERT, or use vitessdo import"))
	case "IMPORT", "INSTALL", "UNINSTALL", "CHANGE", "RESET", "PURGE", "GET", "STOP", "REVERT":
		s.refuse(lo, strings.TrimSpace(first+" "+second))
	case "CREATE", "ALTER", "DROP":
		for i := lo + 1; i < min(hi, lo+10); i++ {
			switch w := s.upper(i); w {
			case "FUNCTION", "PROCEDURE", "TRIGGER", "EVENT", "USER", "ROLE", "SERVER", "TABLESPACE", "LOGFILE", "SEQUENCE",
				"VITESS_MIGRATION", "INSTANCE", "RESOURCE":
				s.refuse(lo, first+" "+w)
			case "TABLE", "INDEX", "VIEW", "DATABASE", "SCHEMA":
				return
			}
		}
	case "SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "VALUES", "TABLE":
		s.selectInto(lo, hi, first)
	}
}

// done says whether all tokens are used up.
func (c *cursor) done() bool { return c.i >= c.hi }

// take steps over the bare words given if all of them follow.
func (c *cursor) take(words ...string) bool {
	for k, w := range words {
		if c.i+k >= c.hi || !c.kw(c.i+k, w) {
			return false
		}
	}
	c.i += len(words)
	return true
}

// takeOp steps over the operator if it follows.
func (c *cursor) takeOp(op string) bool {
	if c.done() || !c.is(c.i, op) {
		return false
	}
	c.i++
	return true
}

// expect gives up unless the words follow.
func (c *cursor) expect(words ...string) {
	if !c.take(words...) {
		c.stop("expected " + strings.Join(words, " "))
	}
}

// end gives up unless all tokens are used up.
func (c *cursor) end() {
	if !c.done() {
		c.stop("the statement should end here")
	}
}

func (c *cursor) stop(message string) {
	if c.done() {
		panic(errorAt(c.text, c.endOffset(), message))
	}
	c.fail(c.i, message)
}

// endOffset is the offset behind the statement's last token.
func (c *cursor) endOffset() int {
	if c.hi > 0 {
		return int(c.toks[c.hi-1].end)
	}
	return 0
}

// ident reads a name.
func (c *cursor) ident(what string) string {
	if c.done() || !c.isName(c.i) {
		c.stop(what + " was expected")
	}
	c.i++
	return c.name(c.i - 1)
}

// str reads a string.
func (c *cursor) str(what string) string {
	if c.done() || c.toks[c.i].kind != tokString {
		c.stop(what + " in quotes was expected")
	}
	c.i++
	return c.unquote(c.i - 1)
}

// table reads [keyspace.]table.
func (c *cursor) table() *sqlast.TableRef {
	pos := c.start(c.i)
	t := &sqlast.TableRef{Name: c.ident("a table's name"), Pos: pos}
	if c.takeOp(".") {
		t.Schema, t.Shard, _ = target(t.Name)
		t.Name = c.ident("a table's name")
	}
	return t
}

// exprList parses the rest as a list of expressions.
func (c *cursor) exprList() []sqlast.Expr {
	if c.done() {
		c.stop("an expression was expected")
	}
	lo, hi := c.bytes(c.i, c.hi)
	c.i = c.hi
	var out []sqlast.Expr
	for _, item := range c.items(lo, hi) {
		if item.Star || item.Alias != "" {
			c.fail(c.tokenAt(lo), "expressions were expected")
		}
		out = append(out, item.Expr)
	}
	return out
}

// restExpr parses the rest as one expression.
func (c *cursor) restExpr() sqlast.Expr {
	list := c.exprList()
	if len(list) != 1 {
		panic(errorAt(c.text, c.endOffset(), "one expression was expected"))
	}
	return list[0]
}

// isNext says whether [n] VALUE[S] FROM follows at token i. NEXT VALUE FOR is
// TiDB's own.
func (s *scan) isNext(i, hi int) bool {
	n := i < hi && (s.toks[i].kind == tokNumber || s.toks[i].kind >= tokParam && s.toks[i].kind <= tokNumParm)
	if n {
		i++
	}
	return i+1 < hi && (s.kw(i, "VALUE") || s.kw(i, "VALUES")) && (s.kw(i+1, "FROM") || n && s.kw(i+1, "FOR"))
}

// nextValue parses SELECT NEXT [n] VALUE[S] FROM sequence.
func (c *cursor) nextValue() sqlast.Stmt {
	lo := c.start(c.i + 1)
	c.expect("SELECT", "NEXT")
	var n sqlast.Expr = &sqlast.Lit{Kind: sqlast.LitInt, Text: "1"}
	if !c.kw(c.i, "VALUE") && !c.kw(c.i, "VALUES") {
		n = c.expr(c.bytes(c.i, c.i+1))
		c.i++
	}
	c.i += 2 // VALUE FROM
	seq := c.table()
	c.end()
	col := &sqlast.Col{Schema: seq.Schema, Name: seq.Name, Pos: seq.Pos}
	return &sqlast.Select{Items: []sqlast.SelectItem{{
		Expr: &sqlast.Func{Name: "NEXTVAL", Args: []sqlast.Expr{col, n}, Pos: lo},
		Text: "nextval",
	}}}
}

// transaction parses what begins and ends transactions. SQLite's BEGIN
// IMMEDIATE and its kin are taken as BEGIN: write locks are taken at the first
// write anyway.
func (c *cursor) transaction(first string) sqlast.Stmt {
	c.i++
	switch first {
	case "BEGIN":
		if !c.take("WORK") {
			_ = c.take("IMMEDIATE") || c.take("DEFERRED") || c.take("EXCLUSIVE")
			c.take("TRANSACTION")
		}
		c.end()
		return &sqlast.Begin{}
	case "START":
		c.expect("TRANSACTION")
		b := &sqlast.Begin{}
		for !c.done() {
			switch {
			case c.take("READ", "ONLY"):
				b.ReadOnly = true
			case c.take("READ", "WRITE"):
				b.ReadWrite = true
			case c.take("WITH", "CONSISTENT", "SNAPSHOT"):
				b.ConsistentSnapshot = true
			default:
				c.stop("READ ONLY, READ WRITE or WITH CONSISTENT SNAPSHOT was expected")
			}
			if !c.done() && !c.takeOp(",") {
				c.end()
			}
		}
		return b
	case "SAVEPOINT":
		sp := &sqlast.Savepoint{Name: c.ident("a savepoint's name")}
		c.end()
		return sp
	case "RELEASE":
		c.expect("SAVEPOINT")
		r := &sqlast.Release{Name: c.ident("a savepoint's name")}
		c.end()
		return r
	}
	c.take("WORK")
	if first == "ROLLBACK" && c.take("TO") {
		c.take("SAVEPOINT")
		r := &sqlast.Rollback{To: c.ident("a savepoint's name")}
		c.end()
		return r
	}
	after := c.completion()
	if first == "ROLLBACK" {
		return &sqlast.Rollback{After: after}
	}
	return &sqlast.Commit{After: after}
}

// completion parses [AND [NO] CHAIN] [[NO] RELEASE].
func (c *cursor) completion() (after sqlast.Completion) {
	if c.take("AND") {
		after.NoChain = c.take("NO")
		after.Chain = !after.NoChain
		c.expect("CHAIN")
	}
	if !c.done() {
		after.NoRelease = c.take("NO")
		after.Release = !after.NoRelease
		c.expect("RELEASE")
		if after.Chain && after.Release {
			c.stop("AND CHAIN and RELEASE exclude each other")
		}
	}
	c.end()
	return after
}

// use parses USE keyspace[/shard][@type], quoted or not.
func (c *cursor) use() sqlast.Stmt {
	c.i++
	if c.done() {
		c.stop("a keyspace's name was expected")
	}
	var name string
	if c.i+1 == c.hi && c.isName(c.i) {
		name = c.name(c.i)
	} else {
		lo, hi := c.bytes(c.i, c.hi)
		name = c.text[lo:hi]
		if strings.ContainsAny(name, " \t\r\n`'\"();,*") {
			c.stop("USE takes a keyspace, or `keyspace/shard@type`")
		}
	}
	u := &sqlast.Use{}
	u.Keyspace, u.Shard, u.TabletType = target(name)
	return u
}

// kill parses KILL [QUERY|CONNECTION] id.
func (c *cursor) kill() sqlast.Stmt {
	c.i++
	k := &sqlast.Kill{}
	if c.take("QUERY") {
		k.Query = true
	} else {
		c.take("CONNECTION")
	}
	if c.done() || c.toks[c.i].kind != tokNumber {
		c.stop("a connection's number was expected")
	}
	id, err := strconv.ParseUint(c.word(c.i), 10, 64)
	if err != nil {
		c.stop("a connection's number was expected")
	}
	c.i++
	c.end()
	k.ID = id
	return k
}

// lock parses LOCK TABLES and UNLOCK TABLES.
func (c *cursor) lock(first string) sqlast.Stmt {
	c.i++
	if !c.take("TABLES") {
		c.expect("TABLE")
	}
	l := &sqlast.LockTables{Unlock: first == "UNLOCK"}
	if l.Unlock {
		c.end()
		return l
	}
	for {
		t := sqlast.LockTable{Table: c.table()}
		if c.take("AS") || c.i+1 < c.hi && c.isName(c.i) && !c.kw(c.i, "READ") && !c.kw(c.i, "WRITE") && !c.kw(c.i, "LOW_PRIORITY") {
			t.Table.Alias = c.ident("an alias")
		}
		c.take("LOW_PRIORITY")
		switch {
		case c.take("WRITE"):
			t.Write = true
		case c.take("READ"):
			c.take("LOCAL")
		default:
			c.stop("READ or WRITE was expected")
		}
		l.Tables = append(l.Tables, t)
		if !c.takeOp(",") {
			break
		}
	}
	c.end()
	return l
}

// prepared parses PREPARE, EXECUTE and DEALLOCATE|DROP PREPARE.
func (c *cursor) prepared(first string) sqlast.Stmt {
	c.i++
	switch first {
	case "PREPARE":
		p := &sqlast.Prepare{Name: c.ident("a name")}
		c.expect("FROM")
		if !c.done() && c.toks[c.i].kind == tokVar {
			p.Var = c.userVar()
		} else {
			p.Text = c.str("a statement")
		}
		c.end()
		return p
	case "EXECUTE":
		e := &sqlast.Execute{Name: c.ident("a name")}
		if c.take("USING") {
			for {
				e.Vars = append(e.Vars, c.userVar())
				if !c.takeOp(",") {
					break
				}
			}
		}
		c.end()
		return e
	}
	c.expect("PREPARE")
	d := &sqlast.Deallocate{Name: c.ident("a name")}
	c.end()
	return d
}

// userVar reads @name and gives the name.
func (c *cursor) userVar() string {
	if c.done() || c.toks[c.i].kind != tokVar || strings.HasPrefix(c.word(c.i), "@@") {
		c.stop("a variable @name was expected")
	}
	c.i++
	return strings.Trim(c.word(c.i - 1)[1:], "`'\"")
}

// maintain parses what only tends to storage.
func (c *cursor) maintain(what string) sqlast.Stmt {
	c.i++
	_ = c.take("NO_WRITE_TO_BINLOG") || c.take("LOCAL")
	m := &sqlast.Maintain{What: what}
	if !c.take("TABLE") && !c.take("TABLES") {
		if what != "FLUSH" {
			c.stop("TABLE was expected")
		}
		return m
	}
	for !c.done() && !c.kw(c.i, "WITH") && !c.kw(c.i, "FOR") {
		m.Tables = append(m.Tables, c.table())
		if !c.takeOp(",") {
			break
		}
	}
	if what == "FLUSH" && (c.kw(c.i, "WITH") || c.kw(c.i, "FOR")) && !c.done() {
		c.refuse(c.i, "FLUSH TABLES WITH READ LOCK")
	}
	return m
}
