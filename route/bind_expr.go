package route

import (
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// clause says where an expression stands, for name resolution and messages.
type clause uint8

const (
	clauseItem clause = iota
	clauseOn
	clauseWhere
	clauseGroup
	clauseHaving
	clauseOrder
	clauseSet
)

func (c clause) String() string {
	return [...]string{"field list", "on clause", "where clause", "group statement", "having clause", "order clause", "field list"}[c]
}

// aliases says whether select aliases can be named in the clause.
func (c clause) aliases() bool {
	return c == clauseGroup || c == clauseHaving || c == clauseOrder
}

// condition binds a condition; its top-level ANDs' subqueries decide over rows.
func (b *binder) condition(e *sqlast.Expr, own *block, cl clause) error {
	if *e == nil {
		return nil
	}
	*e = factorOrs(*e)
	from := len(own.subs)
	if err := b.expr(e, own, cl); err != nil {
		return err
	}
	if cl != clauseWhere {
		return nil
	}
	top := map[sqlast.Expr]bool{}
	for _, c := range sqlast.Conjuncts(*e) {
		top[c] = true
	}
	for _, s := range own.subs[from:] {
		s.conjunct = top[s.node]
	}
	return nil
}

// expr binds an expression: names, then types from the leaves up. It may put
// another node in its place.
func (b *binder) expr(e *sqlast.Expr, own *block, cl clause) error {
	switch x := (*e).(type) {
	case nil:
		return nil
	case *sqlast.Col:
		if b.merge {
			if v, err := b.viewExpr(x, own, cl); v != nil || err != nil {
				*e = v
				return err
			}
		}
		return b.column(x, own, cl)
	case *sqlast.Window:
		if err := b.windowCall(x, own, cl); err != nil {
			return err
		}
		if a, ok := x.Func.(*sqlast.Agg); ok {
			extremeTime(e, a)
		}
		return nil
	case *sqlast.Func:
		if x.Name == "NEXTVAL" {
			p, err := b.nextValue(x, own)
			if err == nil {
				*e = p
			}
			return err
		}
		if p, err := b.session(x, own); p != nil || err != nil {
			*e = p
			return err
		}
	case *sqlast.SysVar:
		name := "@@" + x.Name
		if x.Global {
			name = "@@global." + x.Name
		}
		*e = b.params.once(name, Computed{Kind: ComputedSession, Name: name}, sqlast.Type{Size: -1, Scale: -1})
		return nil
	case *sqlast.UserVar:
		if x.Value != nil {
			return unsupported("assigning a user variable inside an expression (@"+x.Name+" := …)", "use SET @"+x.Name+" = …")
		}
		name := "@" + strings.ToLower(x.Name)
		*e = b.params.once(name, Computed{Kind: ComputedSession, Name: name}, sqlast.Type{Size: -1, Scale: -1})
		return nil
	case *sqlast.Default:
		return b.defaultOf(e, x, own, cl)
	case *sqlast.Values:
		return b.valuesRef(x, own)
	}
	if err := rowComparison(e); err != nil {
		return err
	}
	if err := b.children(*e, own, cl); err != nil {
		return err
	}
	if l, ok := (*e).(*sqlast.Late); ok {
		return b.decide(e, l)
	}
	if err := b.subquery(*e, own); err != nil {
		return err
	}
	if a, ok := (*e).(*sqlast.Agg); ok {
		if err := b.aggregate(a, own, cl); err != nil {
			return err
		}
		for i := range a.OrderBy {
			b.sortKey(&a.OrderBy[i].Expr)
		}
	}
	b.infer(*e)
	if a, ok := (*e).(*sqlast.Agg); ok {
		extremeTime(e, a)
	}
	return nil
}

// decide puts in a Late's place what it becomes with arguments of these types.
func (b *binder) decide(e *sqlast.Expr, l *sqlast.Late) error {
	bound := map[sqlast.Expr]bool{}
	for _, a := range l.Args {
		sqlast.Walk(a, func(x sqlast.Expr) bool {
			bound[x] = true
			return true
		})
	}
	x, err := l.Decide(l.Args)
	if err != nil {
		return err
	}
	*e = x
	b.sameColumns(x, l.Args)
	b.inferNew(x, bound)
	return nil
}

// sameColumns lets the copies of columns in e be those of the arguments that they were
// copied from.
func (b *binder) sameColumns(e sqlast.Expr, args []sqlast.Expr) {
	var cols []*sqlast.Col
	for _, a := range args {
		sqlast.WalkDeep(a, func(x sqlast.Expr) bool {
			if c, ok := x.(*sqlast.Col); ok {
				cols = append(cols, c)
			}
			return true
		})
	}
	sqlast.WalkDeep(e, func(x sqlast.Expr) bool {
		c, ok := x.(*sqlast.Col)
		if !ok || b.sourceOf[c] != nil {
			return true
		}
		for _, o := range cols {
			if o.Name == c.Name && o.Table == c.Table && o.Schema == c.Schema && o.Pos == c.Pos && o.Source == c.Source && o.Def == c.Def {
				if src := b.sourceOf[o]; src != nil {
					b.sourceOf[c] = src
				}
				if at, is := b.aliasOf[o]; is {
					b.aliasOf[c] = at
				}
				break
			}
		}
		return true
	})
}

// inferNew sets the types of the nodes that aren't bound.
func (b *binder) inferNew(e sqlast.Expr, bound map[sqlast.Expr]bool) {
	if bound[e] {
		return
	}
	sqlast.EachChild(e, func(c *sqlast.Expr) { b.inferNew(*c, bound) })
	b.infer(e)
}

// aggregate checks that an aggregate may stand where it does.
func (b *binder) aggregate(a *sqlast.Agg, own *block, cl clause) error {
	here, outer := false, false
	nested := false
	sqlast.EachChild(a, func(x *sqlast.Expr) {
		nested = nested || sqlast.HasAgg(*x)
		sqlast.Walk(*x, func(x sqlast.Expr) bool {
			if c, ok := x.(*sqlast.Col); ok {
				src := b.sourceOf[c]
				local := src == nil || src.block == own
				here, outer = here || local, outer || !local
			}
			return true
		})
	})
	switch {
	case outer && !here:
		return unsupported("an aggregate over an enclosing query's columns ("+a.Name+")", "compute it in a derived table")
	case nested || cl != clauseItem && cl != clauseHaving && cl != clauseOrder:
		return errorf(CodeBadGroup, -1, "invalid use of group function %s in the %s", a.Name, cl)
	}
	return nil
}

func (b *binder) children(e sqlast.Expr, own *block, cl clause) error {
	var err error
	sqlast.EachChild(e, func(c *sqlast.Expr) {
		if err == nil {
			err = b.expr(c, own, cl)
		}
	})
	return err
}

func (b *binder) subquery(e sqlast.Expr, own *block) error {
	q := sqlast.SubQuery(e)
	if q == nil {
		return nil
	}
	cols, err := b.query(q, own)
	if err != nil {
		return err
	}
	own.subs = append(own.subs, &subInfo{query: q, node: e})
	if s, ok := e.(*sqlast.Subquery); ok && (s.Kind == sqlast.SubScalar || s.Kind == sqlast.SubExists) {
		b.scalars++
	}
	if in, ok := e.(*sqlast.In); ok {
		if s, ok := in.Sub.(*sqlast.Select); !ok || !b.simple(s) {
			b.scalars++
		}
	}
	want := 1
	switch e := e.(type) {
	case *sqlast.Subquery:
		if e.Kind == sqlast.SubExists {
			return nil
		}
		if e.Kind == sqlast.SubScalar {
			e.Many = !b.oneRow(q)
		} else {
			want = width(e.X)
		}
	case *sqlast.In:
		want = width(e.X)
	}
	if len(cols) != want {
		return operandColumns(want, len(cols))
	}
	return nil
}

func width(e sqlast.Expr) int {
	if r, ok := e.(*sqlast.Row); ok {
		return len(r.Items)
	}
	return 1
}

func (b *binder) window(w *sqlast.WindowSpec, own *block) error {
	for i := range w.PartitionBy {
		if err := b.expr(&w.PartitionBy[i], own, clauseItem); err != nil {
			return err
		}
	}
	for i := range w.OrderBy {
		if err := b.expr(&w.OrderBy[i].Expr, own, clauseItem); err != nil {
			return err
		}
		b.sortKey(&w.OrderBy[i].Expr)
	}
	if w.Frame == nil {
		return nil
	}
	if err := b.expr(&w.Frame.Start.X, own, clauseItem); err != nil {
		return err
	}
	return b.expr(&w.Frame.End.X, own, clauseItem)
}

func (b *binder) windowCall(w *sqlast.Window, own *block, cl clause) error {
	if cl != clauseItem && cl != clauseOrder {
		return errorf(CodeUnsupported, -1, "a window function can't stand in the %s", cl)
	}
	if err := b.children(w.Func, own, cl); err != nil {
		return err
	}
	b.infer(w.Func)
	w.T = *w.Func.Type()
	if w.Spec != nil {
		return b.window(w.Spec, own)
	}
	return nil
}

// column resolves a column reference, from the innermost block outwards.
func (b *binder) column(c *sqlast.Col, own *block, cl clause) error {
	if cl == clauseHaving && c.Table == "" && !own.groups(c.Name) {
		if a := own.aliasOf(c.Name); a >= 0 {
			b.aliasOf[c] = a
			c.T = *own.items[a].Expr.Type()
			return nil
		}
	}
	for x := own; x != nil; x = x.parent {
		src, i, err := findColumn(c, x)
		if err != nil {
			return err
		}
		if src != nil {
			b.resolved(c, src, i, own, x)
			return nil
		}
		if c.Table == "" && x == own && cl.aliases() {
			if a := own.aliasOf(c.Name); a >= 0 {
				b.aliasOf[c] = a
				c.T = *own.items[a].Expr.Type()
				return nil
			}
		}
	}
	if c.RowName {
		return b.rowName(c, own)
	}
	name := c.Name
	if c.Table != "" {
		name = c.Table + "." + c.Name
	}
	return errorf(CodeUnknownColumn, c.Pos, "unknown column '%s' in '%s'", name, cl)
}

// rowName resolves a name of a table's rows.
func (b *binder) rowName(c *sqlast.Col, own *block) error {
	for x := own; x != nil; x = x.parent {
		for _, s := range x.sources {
			if s.def == nil || c.Table != "" && !s.called(c.Schema, c.Table) {
				continue
			}
			pk := s.def.PrimaryKey()
			if pk == nil || len(pk.Parts) != 1 || len(x.sources) > 1 && c.Table == "" {
				continue
			}
			if col := s.def.Column(pk.Parts[0].Column); col != nil && col.AutoInc {
				c.Name, c.RowName = col.Name, false
				return b.column(c, own, clauseItem)
			}
		}
	}
	return &Error{Code: CodeUnsupported, Pos: c.Pos, Message: "'" + c.Name + "' of a table whose key isn't one INTEGER PRIMARY KEY is not supported: declare it, and name it"}
}

func findColumn(c *sqlast.Col, x *block) (*source, int, error) {
	var found *source
	at := -1
	for _, s := range x.sources {
		i := -1
		switch {
		case c.Table == "":
			i = s.named(c.Name, false)
		case s.called(c.Schema, c.Table):
			i = s.named(c.Name, true)
		}
		if i < 0 {
			continue
		}
		if found != nil {
			return nil, 0, errorf(CodeAmbiguous, c.Pos, "column '%s' is ambiguous: both %s and %s have it", c.Name, found.label, s.label)
		}
		found, at = s, i
	}
	return found, at, nil
}

// resolved notes what a column is, and qualifies it where a bare name could be
// taken for another once tables move.
func (b *binder) resolved(c *sqlast.Col, src *source, i int, own, at *block) {
	for x := own; x != at; x = x.parent {
		x.outer = true
	}
	o := &src.cols[i]
	c.Schema = ""
	if src.view != nil {
		c.Name = o.name
	}
	c.Def, c.Source = o.def, nil
	if src.def != nil {
		c.Source = src.ref
	} else {
		c.Def = nil
	}
	c.T = o.typ
	if src.lateral {
		c.Engine = "c" + itoa(i)
	}
	if len(at.sources) > 1 || own != at || own.parent != nil {
		c.Table = src.label
	}
	b.sourceOf[c] = src
}

// defaultOf replaces DEFAULT(col) by the column's default.
func (b *binder) defaultOf(e *sqlast.Expr, d *sqlast.Default, own *block, cl clause) error {
	if d.Col == nil {
		return errorf(CodeUnsupported, -1, "DEFAULT without a column can only be a whole value of INSERT or UPDATE")
	}
	if err := b.column(d.Col, own, cl); err != nil {
		return err
	}
	if d.Col.Def == nil {
		return errorf(CodeNoDefault, d.Col.Pos, "field '%s' doesn't have a default value", d.Col.Name)
	}
	x, err := b.defaultExpr(d.Col.Def)
	if err != nil {
		return err
	}
	*e = x
	return b.expr(e, own, cl)
}

// defaultExpr is a column's default as an unbound expression.
func (b *binder) defaultExpr(def *sqlast.ColumnDef) (sqlast.Expr, error) {
	switch {
	case def.Default != nil:
		return sqlast.CloneExpr(def.Default), nil
	case def.Type.NotNull && !def.AutoInc:
		return nil, errorf(CodeNoDefault, -1, "field '%s' doesn't have a default value", def.Name)
	}
	return &sqlast.Lit{Kind: sqlast.LitNull}, nil
}

func (b *binder) valuesRef(v *sqlast.Values, own *block) error {
	for x := own; x != nil; x = x.parent {
		for _, s := range x.sources {
			if i := s.named(v.Name, false); i >= 0 {
				v.Name = s.columnName(v.Name)
				v.Def, v.T = s.cols[i].def, s.cols[i].typ
				return nil
			}
		}
	}
	return errorf(CodeUnknownColumn, -1, "unknown column '%s' in VALUES()", v.Name)
}

// session replaces functions of the session and of chance by parameters, so
// that every shard and every replay sees the same value.
func (b *binder) session(f *sqlast.Func, own *block) (sqlast.Expr, error) {
	text := sqlast.TypeOf(sqlast.ClassText)
	num := sqlast.TypeOf(sqlast.ClassInt)
	ask := func(name string, t sqlast.Type) (sqlast.Expr, error) {
		return b.params.once(name, Computed{Kind: ComputedSession, Name: name}, t), nil
	}
	if isCall(f) {
		return b.call(f, own)
	}
	switch f.Name {
	case "NOW", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP", "SYSDATE":
		return b.now(f, sqlast.ClassDateTime, false)
	case "UTC_TIMESTAMP":
		return b.now(f, sqlast.ClassDateTime, true)
	case "CURDATE", "CURRENT_DATE":
		return b.now(f, sqlast.ClassDate, false)
	case "UTC_DATE":
		return b.now(f, sqlast.ClassDate, true)
	case "CURTIME", "CURRENT_TIME":
		return b.now(f, sqlast.ClassTime, false)
	case "UTC_TIME":
		return b.now(f, sqlast.ClassTime, true)
	case "UNIX_TIMESTAMP":
		if len(f.Args) == 0 {
			return b.now(f, sqlast.ClassInt, false)
		}
	case "UUID":
		if b.write || own == nil || len(own.sources) == 0 {
			return b.params.add(Computed{Kind: ComputedUUID}, text), nil
		}
	case "RAND":
		if len(f.Args) == 0 && (b.write || own == nil || len(own.sources) == 0) {
			return b.params.add(Computed{Kind: ComputedRand}, sqlast.TypeOf(sqlast.ClassDouble)), nil
		}
	case "DATABASE", "SCHEMA":
		return ask("database()", text)
	case "VERSION":
		return ask("version()", text)
	case "USER", "CURRENT_USER", "SESSION_USER", "SYSTEM_USER":
		return ask("user()", text)
	case "CONNECTION_ID":
		return ask("connection_id()", num)
	case "LAST_INSERT_ID":
		if len(f.Args) == 0 {
			return ask("last_insert_id()", num)
		}
	case "ROW_COUNT":
		return ask("row_count()", num)
	case "FOUND_ROWS":
		return ask("found_rows()", num)
	}
	return nil, nil
}

func (b *binder) now(f *sqlast.Func, class sqlast.Class, utc bool) (sqlast.Expr, error) {
	t := sqlast.TypeOf(class)
	t.NotNull = true
	t.Name = map[sqlast.Class]string{sqlast.ClassDateTime: "DATETIME", sqlast.ClassDate: "DATE", sqlast.ClassTime: "TIME", sqlast.ClassInt: "BIGINT"}[class]
	if class != sqlast.ClassInt {
		t.Scale = 0
	}
	if len(f.Args) == 1 {
		l, ok := f.Args[0].(*sqlast.Lit)
		n, isInt := 0, false
		if ok {
			n, isInt = smallInt(l.Text)
		}
		if !isInt || n < 0 || n > 6 {
			return nil, errorf(CodeBadValue, f.Pos, "%s takes a precision from 0 to 6", f.Name)
		}
		t.Scale = n
	}
	key := "now:" + t.Name + itoa(t.Scale)
	if utc {
		key += "utc"
	}
	return b.params.once(key, Computed{Kind: ComputedNow, Type: t, UTC: utc}, t), nil
}
