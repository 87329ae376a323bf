package postgres

import (
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/dialect/sqlite"
	"github.com/vitessdo/vitessdo/sqlast"
)

// funcs are the functions that PostgreSQL computes with MySQL's meaning.
var funcs = map[string]func(p *printer, f *sqlast.Func) out{}

func init() {
	for name, print := range map[string]func(p *printer, f *sqlast.Func) out{
		"COALESCE": (*printer).coalesce, "IFNULL": (*printer).coalesce, "IF": (*printer).ifFn, "NULLIF": (*printer).nullIf,
		"ABS": (*printer).abs, "ISNULL": (*printer).isNull, "MOD": (*printer).mod,
		"CONCAT": func(p *printer, f *sqlast.Func) out { return p.concat(f.Args) },
		"LENGTH": (*printer).length, "OCTET_LENGTH": (*printer).length, "CHAR_LENGTH": (*printer).charLength, "CHARACTER_LENGTH": (*printer).charLength,
		"SUBSTR": (*printer).substr, "SUBSTRING": (*printer).substr, "MID": (*printer).substr, "LEFT": (*printer).left, "REPLACE": (*printer).replace,
		"TRIM": (*printer).trim, "LTRIM": (*printer).trim, "RTRIM": (*printer).trim, "REVERSE": (*printer).reverse,
		"YEAR": (*printer).datePart, "MONTH": (*printer).datePart, "DAY": (*printer).datePart, "DAYOFMONTH": (*printer).datePart,
		"HOUR": (*printer).datePart, "MINUTE": (*printer).datePart, "SECOND": (*printer).datePart, "DATE": (*printer).date,
	} {
		funcs[name] = print
	}
}

func (p *printer) fn(f *sqlast.Func) out {
	print := funcs[f.Name]
	if print == nil || len(f.Args) == 0 {
		return p.elsewhere("the function " + f.Name)
	}
	return print(p, f)
}

func list(outs []out) string {
	s := make([]string, len(outs))
	for i, o := range outs {
		s[i] = o.s
	}
	return strings.Join(s, ", ")
}

func (p *printer) coalesce(f *sqlast.Func) out {
	outs, k := p.oneKind(f.Name, f.Args...)
	return out{"COALESCE(" + list(outs) + ")", k}
}

func (p *printer) ifFn(f *sqlast.Func) out {
	if len(f.Args) != 3 {
		return p.elsewhere("IF without three arguments")
	}
	return p.caseExpr(&sqlast.Case{Whens: []sqlast.When{{Cond: f.Args[0], Then: f.Args[1]}}, Else: f.Args[2]})
}

func (p *printer) nullIf(f *sqlast.Func) out {
	if len(f.Args) != 2 {
		return p.elsewhere("NULLIF without two arguments")
	}
	o := p.value(f.Args[0])
	return out{"(CASE WHEN " + p.comparison(sqlast.OpEq, f.Args[0], f.Args[1]) + " THEN NULL ELSE " + o.s + " END)", o.k}
}

func (p *printer) abs(f *sqlast.Func) out {
	o := p.operand(f.Args[0])
	if o.k != kInt && o.k != kDouble {
		return p.elsewhere("ABS of what is no integer or DOUBLE")
	}
	return out{"abs(" + o.s + ")", o.k}
}

func (p *printer) isNull(f *sqlast.Func) out {
	return out{"(" + p.value(f.Args[0]).s + " IS NULL)", kBool}
}

func (p *printer) mod(f *sqlast.Func) out {
	if len(f.Args) != 2 {
		return p.elsewhere("MOD without two arguments")
	}
	return p.arith(f, sqlast.OpMod, f.Args[0], f.Args[1])
}

// text prints an argument that is text of characters.
func (p *printer) text(e sqlast.Expr) out {
	if c, ok := e.(*sqlast.Param); ok {
		return out{"$" + strconv.Itoa(c.Index+1) + "::text", kText}
	}
	o := p.value(e)
	switch c := sqlite.ClassOf(e); {
	case o.k == kNull:
		return out{"NULL::text", kText}
	case o.k != kText, c == sqlast.ClassJSON:
		return p.elsewhere("text of another type's values")
	}
	return o
}

func (p *printer) concat(args []sqlast.Expr) out {
	s := make([]string, len(args))
	for i, a := range args {
		if sqlite.ClassOf(a) == sqlast.ClassInt && !atom(a) {
			s[i] = "(" + p.value(a).s + ")::text"
		} else {
			s[i] = p.text(a).s
		}
	}
	return out{"(" + strings.Join(s, " || ") + ")", kText}
}

// length counts bytes.
func (p *printer) length(f *sqlast.Func) out {
	o := p.value(f.Args[0])
	if o.k == kBytes && sqlite.ClassOf(f.Args[0]) == sqlast.ClassBlob {
		return out{"octet_length(" + o.s + ")::bigint", kInt}
	}
	return out{"octet_length(" + p.text(f.Args[0]).s + ")::bigint", kInt}
}

func (p *printer) charLength(f *sqlast.Func) out {
	return out{"char_length(" + p.text(f.Args[0]).s + ")::bigint", kInt}
}

// count gives the value of a literal that counts characters.
func count(e sqlast.Expr) (int, bool) {
	l, ok := e.(*sqlast.Lit)
	if !ok || l.Kind != sqlast.LitInt {
		return 0, false
	}
	n, err := strconv.ParseInt(l.Text, 10, 31)
	return int(n), err == nil
}

func (p *printer) substr(f *sqlast.Func) out {
	s := "substr(" + p.text(f.Args[0]).s
	for i, a := range f.Args[1:] {
		n, ok := count(a)
		if !ok || n == 0 && i == 0 {
			return p.elsewhere("SUBSTR by what isn't a positive number")
		}
		s += ", " + strconv.Itoa(n)
	}
	return out{s + ")", kText}
}

func (p *printer) left(f *sqlast.Func) out {
	n, ok := count(f.Args[len(f.Args)-1])
	if !ok || len(f.Args) != 2 {
		return p.elsewhere("LEFT by what isn't a number")
	}
	return out{"substr(" + p.text(f.Args[0]).s + ", 1, " + strconv.Itoa(n) + ")", kText}
}

func (p *printer) replace(f *sqlast.Func) out {
	if len(f.Args) != 3 {
		return p.elsewhere("REPLACE without three arguments")
	}
	s := make([]string, 3)
	for i, a := range f.Args {
		s[i] = p.text(a).s
	}
	return out{"replace(" + strings.Join(s, ", ") + ")", kText}
}

func (p *printer) trim(f *sqlast.Func) out {
	if len(f.Args) != 1 {
		return p.elsewhere("TRIM of other characters than blanks")
	}
	name := map[string]string{"TRIM": "btrim", "LTRIM": "ltrim", "RTRIM": "rtrim"}[f.Name]
	return out{name + "(" + p.text(f.Args[0]).s + ", ' ')", kText}
}

func (p *printer) reverse(f *sqlast.Func) out {
	return out{"reverse(" + p.text(f.Args[0]).s + ")", kText}
}

// partAt is where the parts of a date and time stand in its text.
var partAt = map[string][2]int{"YEAR": {1, 4}, "MONTH": {6, 2}, "DAY": {9, 2}, "DAYOFMONTH": {9, 2}, "HOUR": {12, 2}, "MINUTE": {15, 2}, "SECOND": {18, 2}}

func (p *printer) datePart(f *sqlast.Func) out {
	at := partAt[f.Name]
	c, isCol := f.Args[0].(*sqlast.Col)
	if !isCol || c.Def == nil || c.Def.Type.Class != sqlast.ClassDateTime && (c.Def.Type.Class != sqlast.ClassDate || at[0] > 9) {
		return p.elsewhere(f.Name + " of what isn't a column of dates")
	}
	return out{"substr(" + p.value(c).s + ", " + strconv.Itoa(at[0]) + ", " + strconv.Itoa(at[1]) + ")::bigint", kInt}
}

func (p *printer) date(f *sqlast.Func) out {
	c, isCol := f.Args[0].(*sqlast.Col)
	if !isCol || c.Def == nil || c.Def.Type.Class != sqlast.ClassDateTime && c.Def.Type.Class != sqlast.ClassDate {
		return p.elsewhere("DATE of what isn't a column of dates")
	}
	return out{"substr(" + p.value(c).s + ", 1, 10)", kText}
}

// agg prints an aggregate.
func (p *printer) agg(e *sqlast.Agg) out {
	in := p.inAgg
	p.inAgg = true
	defer func() { p.inAgg = in }()
	distinct := ""
	if e.Distinct {
		distinct = "DISTINCT "
	}
	if e.Star {
		return out{"count(*)", kInt}
	}
	if len(e.Args) != 1 {
		return p.elsewhere("the aggregate " + e.Name + " of several values")
	}
	x := e.Args[0]
	o := p.value(x)
	if o.k == kParam {
		return p.elsewhere("an aggregate of an argument")
	}
	switch e.Name {
	case "COUNT":
		if e.Distinct && sqlite.FoldsAlone(x) {
			o.s = folded(o.s)
		}
		return out{"count(" + distinct + o.s + ")", kInt}
	case "SUM":
		switch {
		case o.k == kInt:
			return out{"sum(" + distinct + o.s + ")::bigint", kInt}
		case o.k == kDouble, o.k == kNumber:
			return out{"sum(" + distinct + o.s + ")", o.k}
		}
	case "MIN", "MAX":
		name := strings.ToLower(e.Name)
		switch {
		case sqlite.FoldsAlone(x):
		case o.k == kInt:
			return out{name + "(" + o.s + ")", kInt}
		case o.k.numeric():
			return out{name + "(" + o.s + ")", o.k}
		case o.k == kText:
			return out{name + "(" + p.binaryText(x, o) + ")", kText}
		case o.k == kBytes:
			desc := ""
			if e.Name == "MAX" {
				desc = " DESC"
			}
			return out{"(array_agg(" + o.s + " ORDER BY " + o.s + desc + ") FILTER (WHERE " + o.s + " IS NOT NULL))[1]", kBytes}
		}
	case "ANY_VALUE":
		return out{"(array_agg(" + o.s + "))[1]", o.k}
	}
	return p.elsewhere("the aggregate " + e.Name + " of such values")
}

// windowed are the window functions that need no more than their window.
var windowed = map[string]string{"ROW_NUMBER": "row_number()", "RANK": "rank()", "DENSE_RANK": "dense_rank()"}

func (p *printer) window(e *sqlast.Window) out {
	if e.Spec == nil || e.Spec.Base != "" || e.Spec.Frame != nil || p.group != nil {
		return p.elsewhere("this window")
	}
	var o out
	switch f := e.Func.(type) {
	case *sqlast.Agg:
		if f.Distinct || f.Name != "COUNT" && f.Name != "SUM" && f.Name != "MIN" && f.Name != "MAX" {
			return p.elsewhere("the window function " + f.Name)
		}
		o = p.agg(f)
	case *sqlast.Func:
		name := windowed[f.Name]
		if name == "" {
			return p.elsewhere("the window function " + f.Name)
		}
		o = out{name, kInt}
	}
	cast := ""
	if strings.HasSuffix(o.s, "::bigint") {
		o.s, cast = strings.TrimSuffix(o.s, "::bigint"), "::bigint"
	}
	if strings.HasSuffix(o.s, "]") {
		return p.elsewhere("a window of bytes")
	}
	var parts []string
	for i, x := range e.Spec.PartitionBy {
		word := ""
		if i == 0 {
			word = "PARTITION BY "
		}
		parts = append(parts, word+p.groupTerm(x))
	}
	s := strings.Join(parts, ", ")
	if len(e.Spec.OrderBy) > 0 {
		if s != "" {
			s += " "
		}
		s += "ORDER BY " + p.orderTerms(e.Spec.OrderBy)
	}
	return out{"(" + o.s + " OVER (" + s + "))" + cast, o.k}
}
