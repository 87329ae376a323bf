package postgres

import (
	"slices"
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/dialect/sqlite"
	"github.com/vitessdo/vitessdo/sqlast"
)

// query prints a query, and gives the kinds of its columns.
func (p *printer) query(q sqlast.Query) (string, []kind) {
	items := p.items
	defer func() { p.items = items }()
	switch q := q.(type) {
	case *sqlast.Select:
		return p.selectStmt(q)
	case *sqlast.SetOp:
		return p.setOp(q)
	}
	return "", nil
}

func (p *printer) with(w *sqlast.With) string {
	if w == nil || len(w.CTEs) == 0 {
		return ""
	}
	if w.Recursive {
		p.elsewhere("WITH RECURSIVE")
	}
	parts := make([]string, len(w.CTEs))
	for i, c := range w.CTEs {
		text := p.namedQuery(c.Query)
		parts[i] = ident(c.Name)
		if len(c.Columns) > 0 {
			parts[i] += "(" + idents(c.Columns) + ")"
		}
		parts[i] += " AS (" + text + ")"
	}
	return "WITH " + strings.Join(parts, ", ") + " "
}

// namedQuery prints a query whose columns others name. They go by the columns' types, of
// which these must be: an argument has none, and a sum of many digits is a number, where
// a column of them has keys.
func (p *printer) namedQuery(q sqlast.Query) string {
	text, kinds := p.query(q)
	for i, e := range columnsOf(q) {
		if i >= len(kinds) || e == nil {
			break
		}
		k, known := kindOf(e.Type())
		switch {
		case kinds[i] == kParam:
			p.elsewhere("a nested query's column of arguments")
		case known && kinds[i] != kNull && (k == kBytes) != (kinds[i] == kBytes):
			p.elsewhere("a nested query's sum of many digits")
		}
	}
	return text
}

func (p *printer) selectStmt(s *sqlast.Select) (string, []kind) {
	switch {
	case s.ValuesRows != nil:
		return p.elsewhere("VALUES as a query").s, nil
	case len(s.Windows) > 0:
		return p.elsewhere("WINDOW").s, nil
	case s.Having != nil && len(s.GroupBy) == 0 && !aggregates(s):
		return p.elsewhere("HAVING without groups").s, nil
	}
	var b strings.Builder
	group := p.group
	defer func() { p.group = group }()
	p.group, p.items = nil, nil
	b.WriteString(p.with(s.With))
	from := ""
	if s.From != nil {
		from = " FROM " + p.from(s.From)
	}
	if s.Where != nil {
		from += " WHERE " + p.cond(s.Where)
	}
	p.items = s.Items
	terms := make([]string, len(s.GroupBy))
	for i, g := range s.GroupBy {
		if n, ok := count(g); ok && n >= 1 && n <= len(s.Items) && s.Items[n-1].Expr != nil {
			g = s.Items[n-1].Expr
		}
		terms[i] = p.groupTerm(g)
	}
	if len(terms) > 0 {
		from += " GROUP BY " + strings.Join(terms, ", ")
	}
	if len(terms) > 0 || aggregates(s) {
		p.group = map[string]bool{}
		for _, t := range terms {
			p.group[t] = true
		}
	}
	b.WriteString("SELECT ")
	if s.Distinct {
		b.WriteString("DISTINCT ")
	}
	text, kinds := p.selectItems(s.Items, s.Distinct)
	b.WriteString(strings.Join(text, ", "))
	b.WriteString(from)
	if s.Having != nil {
		b.WriteString(" HAVING " + p.cond(s.Having))
	}
	b.WriteString(p.orderLimit(s.OrderBy, s.Limit, s.Distinct))
	return b.String(), kinds
}

// aggregates says whether the block aggregates.
func aggregates(s *sqlast.Select) bool {
	return sqlast.HasAgg(s.Having) || slices.ContainsFunc(s.Items, func(it sqlast.SelectItem) bool { return sqlast.HasAgg(it.Expr) })
}

// groupTerm prints what rows are grouped or parted by.
func (p *printer) groupTerm(e sqlast.Expr) string {
	if constant(e) {
		return p.elsewhere("GROUP BY a constant").s
	}
	in := p.inAgg
	p.inAgg = true // a column is itself here
	defer func() { p.inAgg = in }()
	o := p.value(e)
	if sqlite.FoldsAlone(e) {
		return folded(o.s)
	}
	return o.s
}

func (p *printer) selectItems(items []sqlast.SelectItem, distinct bool) (text []string, kinds []kind) {
	for i := range items {
		it := &items[i]
		if it.Star {
			p.elsewhere("*")
			continue
		}
		if distinct && sqlite.FoldsAlone(it.Expr) {
			p.elsewhere("DISTINCT without regard to case")
		}
		o := p.item(it.Expr)
		if !it.Result && constant(it.Expr) {
			o = p.constantKey(it.Expr, o)
		}
		s := o.s
		switch c, isCol := it.Expr.(*sqlast.Col); {
		case it.Alias != "":
			s += " AS " + ident(it.Alias)
		case members(it.Expr):
			s += ` AS "value"` // by which the planner knows it
		case isCol && (engineName(c) != "" || s == "" || p.group != nil):
			s += " AS " + ident(c.Name)
		}
		if strings.HasPrefix(o.s, "?") {
			o.k = kParam // its value has a type, and may be none
		}
		text, kinds = append(text, s), append(kinds, o.k)
	}
	return text, kinds
}

// constantKey gives a constant DECIMAL of many digits as its key: rows of shards that
// speak another dialect may be sorted among these. o is it as it stands.
func (p *printer) constantKey(e sqlast.Expr, o out) out {
	text, ok := sqlite.Key(e)
	if !ok || text == "NULL" {
		return o
	}
	if blob.MatchString(text) {
		return p.constantText(text, kBytes)
	}
	if n, ok := p.lifted(text); ok {
		return out{"?" + n, kBytes}
	}
	return o
}

func members(e sqlast.Expr) bool {
	_, ok := e.(*sqlast.Members)
	return ok
}

// item prints an item of a select list. What groups are made by is itself there.
func (p *printer) item(e sqlast.Expr) out {
	if p.group != nil {
		if _, ok := e.(*sqlast.Col); !ok {
			in := p.inAgg
			p.inAgg = true
			o := p.trial(e)
			p.inAgg = in
			if o.s != "" && p.group[o.s] {
				return o
			}
		}
	}
	return p.value(e)
}

// trial prints an expression to see whether groups are made by it.
func (p *printer) trial(e sqlast.Expr) out {
	if sqlast.HasAgg(e) || constant(e) {
		return out{}
	}
	err := p.err
	o := p.value(e)
	p.err = err
	return o
}

func (p *printer) orderLimit(order []sqlast.OrderItem, l *sqlast.Limit, distinct bool) string {
	s := ""
	if len(order) > 0 {
		if t := p.orderBy(order, distinct); t != "" {
			s = " ORDER BY " + t
		}
	}
	if l == nil {
		return s
	}
	if l.Count != nil && !unlimited(l.Count) {
		s += " LIMIT " + p.limit(l.Count)
	}
	if l.Offset != nil {
		s += " OFFSET " + p.limit(l.Offset)
	}
	return s
}

func (p *printer) limit(e sqlast.Expr) string {
	switch e := e.(type) {
	case *sqlast.Param:
		return "$" + strconv.Itoa(e.Index+1)
	case *sqlast.Lit:
		return e.Text
	}
	if constant(e) { // as the sum of a limit and an offset
		if text, err := (sqlite.Printer{}).Expr(e); err == nil {
			if n, ok := p.lifted(text); ok {
				return "$" + n
			}
		}
	}
	return p.elsewhere("LIMIT of an expression").s
}

// unlimited recognises MySQL's way to say so, 18446744073709551615.
func unlimited(e sqlast.Expr) bool {
	l, ok := e.(*sqlast.Lit)
	if !ok || l.Kind != sqlast.LitInt {
		return false
	}
	_, err := strconv.ParseInt(l.Text, 10, 64)
	return err != nil
}

// orderBy prints the ORDER BY of a query, which may name items.
func (p *printer) orderBy(order []sqlast.OrderItem, distinct bool) string {
	var terms []sqlast.OrderItem
	for _, o := range order {
		if n, ok := count(o.Expr); ok && n >= 1 && n <= len(p.items) && p.items[n-1].Expr != nil {
			o.Expr = p.items[n-1].Expr
		}
		if c, ok := o.Expr.(*sqlast.Col); ok && c.Table == "" && c.Def == nil {
			if x := p.named(c.Name); x != nil {
				o.Expr = x
			}
		}
		if constant(o.Expr) {
			continue // it orders nothing
		}
		if text := p.orderText(o.Expr); distinct && !slices.ContainsFunc(p.items, func(it sqlast.SelectItem) bool { return it.Expr != nil && p.item(it.Expr).s == text }) {
			return p.elsewhere("DISTINCT in the order of what isn't selected").s
		}
		terms = append(terms, o)
	}
	return p.orderTerms(terms)
}

func (p *printer) orderTerms(order []sqlast.OrderItem) string {
	terms := make([]string, len(order))
	for i, o := range order {
		terms[i] = p.orderText(o.Expr)
		c, ok := o.Expr.(*sqlast.Col)
		if ok && c.Def != nil && c.T.NotNull && c.Def.Type.NotNull {
			if o.Desc {
				terms[i] += " DESC"
			}
			continue
		}
		terms[i] += direction(&o)
	}
	return strings.Join(terms, ", ")
}

// direction prints what stands behind a term of an ORDER BY: NULLs are below all values,
// unless it is said otherwise.
func direction(o *sqlast.OrderItem) string {
	s, first := "", !o.Desc
	if o.Desc {
		s = " DESC"
	}
	if o.Nulls != sqlast.NullsLowest {
		first = o.Nulls == sqlast.NullsFirst
	}
	if first {
		return s + " NULLS FIRST"
	}
	return s + " NULLS LAST"
}

// orderText prints what rows are sorted by.
func (p *printer) orderText(e sqlast.Expr) string {
	x := p.item(e)
	switch {
	case sqlite.FoldsAlone(e):
		return folded(x.s) + byBytes
	case x.k == kText:
		return p.binaryText(e, x)
	}
	return x.s
}

var setOps = [...]string{sqlast.Union: " UNION ", sqlast.Intersect: " INTERSECT ", sqlast.Except: " EXCEPT "}

func (p *printer) setOp(s *sqlast.SetOp) (string, []kind) {
	text := p.with(s.With)
	l, lk := p.query(s.L)
	r, rk := p.query(s.R)
	left, right := columnsOf(s.L), columnsOf(s.R)
	if len(lk) != len(rk) || len(left) != len(lk) || len(right) != len(rk) {
		return p.elsewhere("this set operation").s, nil
	}
	kinds := slices.Clone(lk)
	for i := range lk {
		switch {
		case lk[i] == kParam || rk[i] == kParam:
			p.elsewhere("a set operation of arguments")
		case lk[i] == kNull:
			kinds[i] = rk[i]
		case rk[i] == kNull:
		case lk[i] != rk[i], sqlite.ClassOf(left[i]) != sqlite.ClassOf(right[i]):
			p.elsewhere("a set operation of different types")
		}
		if !s.All && (sqlite.FoldsAlone(left[i]) || sqlite.FoldsAlone(right[i])) {
			p.elsewhere("a set operation without regard to case")
		}
		if kinds[i] == kNull {
			p.elsewhere("a set operation of NULLs")
		}
	}
	all := ""
	if s.All {
		all = "ALL "
	}
	text += "(" + l + ")" + setOps[s.Kind] + all + "(" + r + ")"
	for _, o := range s.OrderBy {
		if n, ok := count(o.Expr); ok && n >= 1 && n <= len(kinds) && kinds[n-1] != kText {
			continue
		}
		p.elsewhere("the order of a set operation")
	}
	if len(s.OrderBy) > 0 {
		var terms []string
		for _, o := range s.OrderBy {
			n, _ := count(o.Expr)
			terms = append(terms, strconv.Itoa(n)+direction(&o))
		}
		text += " ORDER BY " + strings.Join(terms, ", ")
	}
	p.items = nil
	return text + p.orderLimit(nil, s.Limit, false), kinds
}

// columnsOf gives the expressions of a query's first block.
func columnsOf(q sqlast.Query) []sqlast.Expr {
	switch q := q.(type) {
	case *sqlast.Select:
		var out []sqlast.Expr
		for _, it := range q.Items {
			out = append(out, it.Expr)
		}
		return out
	case *sqlast.SetOp:
		return columnsOf(q.L)
	}
	return nil
}

func (p *printer) from(t sqlast.TableExpr) string {
	switch t := t.(type) {
	case *sqlast.TableRef:
		return p.table(t)
	case *sqlast.Derived:
		return p.derived(t)
	case *sqlast.Join:
		return p.join(t)
	}
	return ""
}

func (p *printer) table(t *sqlast.TableRef) string {
	s := ident(tableName(t))
	if t.Alias != "" {
		s += " AS " + ident(t.Alias)
	}
	return s
}

func (p *printer) derived(t *sqlast.Derived) string {
	if t.JSON != nil || t.Lateral {
		return p.elsewhere("JSON_TABLE and LATERAL").s
	}
	s := "(" + p.namedQuery(t.Query) + ")"
	if t.Alias != "" {
		s += " AS " + ident(t.Alias)
	}
	if len(t.Columns) > 0 {
		s += "(" + idents(t.Columns) + ")"
	}
	return s
}

func (p *printer) join(j *sqlast.Join) string {
	if j.Natural || len(j.Using) > 0 {
		return p.elsewhere("NATURAL JOIN and USING").s
	}
	word := " JOIN "
	switch {
	case j.Kind == sqlast.JoinLeft:
		word = " LEFT JOIN "
	case j.Kind == sqlast.JoinRight:
		word = " RIGHT JOIN "
	case j.Kind == sqlast.JoinFull:
		return p.elsewhere("FULL JOIN").s // PostgreSQL has it for some conditions only
	case j.On == nil:
		word = " CROSS JOIN "
	}
	r := p.from(j.R)
	if _, ok := j.R.(*sqlast.Join); ok {
		r = "(" + r + ")"
	}
	s := p.from(j.L) + word + r
	if j.On != nil {
		s += " ON " + p.cond(j.On)
	}
	return s
}
