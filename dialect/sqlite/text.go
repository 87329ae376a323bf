package sqlite

import (
	"slices"
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// textFuncs are the functions of text whose meaning on SQLite depends on their
// arguments.
func textFuncs() map[string]fnPrinter {
	return map[string]fnPrinter{
		"LEFT": (*printer).left, "RIGHT": (*printer).right,
		"SUBSTRING": (*printer).substring, "SUBSTR": (*printer).substring, "MID": (*printer).substring,
		"LOCATE": (*printer).locate, "POSITION": (*printer).locate, "INSTR": (*printer).instr,
		"TRIM": (*printer).trim, "FIELD": (*printer).field, "ELT": (*printer).elt,
		"HEX": (*printer).hex, "CHAR": (*printer).char, "CHAR_FUNC": (*printer).char, "STRCMP": (*printer).strcmp,
		"FIND_IN_SET": (*printer).findInSet, "FORMAT": (*printer).format, "REGEXP_LIKE": (*printer).regexpFn,
		"REGEXP_REPLACE": (*printer).regexpFn, "REGEXP_SUBSTR": (*printer).regexpFn, "REGEXP_INSTR": (*printer).regexpFn,
	}
}

func (p *printer) left(f *sqlast.Func, _ int) {
	p.s("substr(")
	p.textArg(f.Args[0], 0)
	p.s(", 1, ")
	p.length(f.Args[1])
	p.c(')')
}

// length prints a number of characters: none if it is negative.
func (p *printer) length(e sqlast.Expr) {
	if n, ok := intLit(e); ok && n >= 0 {
		p.expr(e, 0)
		return
	}
	p.s("max(")
	p.whole(e)
	p.s(", 0)")
}

// whole prints a number as an integer argument, which MySQL rounds.
func (p *printer) whole(e sqlast.Expr) {
	if fractional(class(e)) {
		p.call("cast_signed", e)
		return
	}
	p.expr(e, 0)
}

func (p *printer) right(f *sqlast.Func, _ int) {
	x, n := f.Args[0], f.Args[1]
	v, isLit := intLit(n)
	if isLit && v <= 0 {
		p.s("substr(")
		p.textArg(x, 0)
		p.s(", 1, 0)")
		return
	}
	if isLit {
		p.s("substr(")
		p.textArg(x, 0)
		p.s(", -")
		p.expr(n, precAtom)
		p.c(')')
		return
	}
	n = wholeExpr(n)
	p.s("iif(")
	p.expr(n, precCmp)
	p.s(" > 0, substr(")
	p.textArg(x, 0)
	p.s(", -")
	p.expr(n, precAtom)
	p.s("), substr(")
	p.textArg(x, 0)
	p.s(", 1, min(")
	p.expr(n, 0)
	p.s(", 0) * 0))")
}

func wholeExpr(e sqlast.Expr) sqlast.Expr {
	if fractional(class(e)) {
		return &sqlast.Cast{X: e, To: sqlast.Type{Name: "SIGNED"}}
	}
	return e
}

// substring: a position of 0, or before the text's beginning, gives nothing in
// MySQL. SQLite's own function agrees from position 1 on.
func (p *printer) substring(f *sqlast.Func, _ int) {
	if n, isLit := intLit(f.Args[1]); !isLit || n < 1 {
		p.s("substring_of(")
		p.textArg(f.Args[0], 0)
		p.s(", ")
		p.exprs(f.Args[1:])
		p.c(')')
		return
	}
	p.s("substr(")
	p.textArg(f.Args[0], 0)
	p.s(", ")
	p.expr(f.Args[1], 0)
	if len(f.Args) == 3 {
		p.s(", ")
		p.length(f.Args[2])
	}
	p.c(')')
}

func (p *printer) locate(f *sqlast.Func, _ int) {
	if len(f.Args) == 3 {
		p.s("locate(")
		p.folded(f.Args[0], f.Args[1])
		p.s(", ")
		p.folded(f.Args[1], f.Args[0])
		p.s(", ")
		p.expr(f.Args[2], 0)
		p.c(')')
		return
	}
	p.instrOf(f.Args[1], f.Args[0])
}

func (p *printer) instr(f *sqlast.Func, _ int) { p.instrOf(f.Args[0], f.Args[1]) }

func (p *printer) instrOf(str, sub sqlast.Expr) {
	p.s("instr(")
	p.folded(str, sub)
	p.s(", ")
	p.folded(sub, str)
	p.c(')')
}

func (p *printer) findInSet(f *sqlast.Func, _ int) {
	p.s("find_in_set(")
	p.folded(f.Args[0], f.Args[1])
	p.s(", ")
	p.folded(f.Args[1], f.Args[0])
	p.c(')')
}

// folded prints e in lower case if it compares with other without regard to case.
func (p *printer) folded(e, other sqlast.Expr) {
	if nc, _ := collation(e, other); !nc && !(noCase(e) && noCase(other)) {
		p.textArg(e, 0)
		return
	}
	p.callText("lower", e)
}

// field compares as numbers as soon as one of the arguments is no text.
func (p *printer) field(f *sqlast.Func, _ int) {
	text, number := false, false
	for _, a := range f.Args {
		c := class(a)
		text = text || c == sqlast.ClassText
		number = number || c.Numeric()
	}
	args := f.Args
	if text && number {
		args = make([]sqlast.Expr, len(f.Args))
		for i, a := range f.Args {
			args[i] = a
			if class(a) == sqlast.ClassText {
				args[i] = &sqlast.Cast{X: a, To: sqlast.Type{Name: "DOUBLE"}}
			}
		}
	}
	byKey := slices.ContainsFunc(args, keyed)
	p.s("CASE ")
	if !byKey {
		p.collated(args[0], precCollate)
	}
	for i, a := range args[1:] {
		p.s(" WHEN ")
		if byKey {
			p.comparison(sqlast.OpEq, args[0], a, 0)
		} else {
			p.expr(a, 0)
		}
		p.s(" THEN ")
		p.int(i + 1)
	}
	p.s(" ELSE 0 END")
}

func (p *printer) elt(f *sqlast.Func, _ int) {
	p.s("CASE ")
	p.whole(f.Args[0])
	for i, a := range f.Args[1:] {
		p.s(" WHEN ")
		p.int(i + 1)
		p.s(" THEN ")
		p.concat([]sqlast.Expr{a}, 0)
	}
	p.s(" END")
}

// hex: SQLite's own takes a number for its digits' text, and NULL for nothing.
func (p *printer) hex(f *sqlast.Func, _ int) {
	p.s("hex_of(")
	if keyed(f.Args[0]) {
		p.castSigned(f.Args[0])
	} else {
		p.bytesArg(f.Args[0], 0)
	}
	p.c(')')
}

func (p *printer) char(f *sqlast.Func, _ int) {
	args := f.Args
	if n := len(args); n > 1 {
		_, isKeyword := args[n-1].(*sqlast.Keyword)
		l, isLit := args[n-1].(*sqlast.Lit)
		// USING charset, or the NULL that a parser puts where it is missing.
		if isKeyword || f.Name == "CHAR_FUNC" && isLit && (l.Kind == sqlast.LitNull || l.Kind == sqlast.LitString) {
			args = args[:n-1]
		}
	}
	p.call("char_of", args...)
}

// strcmp compares as text, whatever the arguments are.
func (p *printer) strcmp(f *sqlast.Func, _ int) {
	asText := func(e sqlast.Expr) sqlast.Expr {
		if class(e).Numeric() {
			return &sqlast.Cast{X: e, To: sqlast.Type{Name: "CHAR", Size: -1, Scale: -1}}
		}
		return e
	}
	a, b := asText(f.Args[0]), asText(f.Args[1])
	p.s("CASE WHEN ")
	p.comparison(sqlast.OpLt, a, b, 0)
	p.s(" THEN -1 WHEN ")
	p.comparison(sqlast.OpEq, a, b, 0)
	p.s(" THEN 0 WHEN ")
	p.comparison(sqlast.OpGt, a, b, 0)
	p.s(" THEN 1 END")
}

// regexpFn prints REGEXP_LIKE, _REPLACE, _SUBSTR and _INSTR; the pattern says
// whether case counts, unless a match type does.
func (p *printer) regexpFn(f *sqlast.Func, min int) {
	flags := map[string]int{"REGEXP_LIKE": 3, "REGEXP_REPLACE": 6, "REGEXP_SUBSTR": 5, "REGEXP_INSTR": 6}[f.Name]
	if f.Name == "REGEXP_LIKE" && len(f.Args) == 2 {
		p.regexp(f.Args[0], f.Args[1], min)
		return
	}
	p.s(strings.ToLower(f.Name) + "(")
	for i, a := range f.Args {
		if i > 0 {
			p.s(", ")
		}
		if i == 1 && noCase(f.Args[0]) && len(f.Args) < flags {
			p.s("'(?i)' || ")
			p.textArg(a, precConcat)
			continue
		}
		if i < 2 || i == 2 && f.Name == "REGEXP_REPLACE" {
			p.textArg(a, 0)
		} else {
			p.expr(a, 0)
		}
	}
	p.c(')')
}

// format knows the locales that write numbers as en_US does.
func (p *printer) format(f *sqlast.Func, _ int) {
	if len(f.Args) == 3 {
		locale, _ := strLit(f.Args[2])
		switch strings.ToLower(locale) {
		case "en_us", "en_gb", "en_au", "en_ca", "en_in", "en_nz", "en_ph", "en_za", "en_zw", "ja_jp", "ko_kr", "zh_cn", "zh_tw", "zh_hk", "th_th", "he_il":
		default:
			p.unsupported("FORMAT with the locale "+strconv.Quote(locale), f.Pos, "")
			return
		}
	}
	p.s("format_number(")
	if class(f.Args[0]) == sqlast.ClassDouble {
		p.call("round_even", f.Args[:2]...)
	} else {
		p.exactArg(f.Args[0])
	}
	p.s(", ")
	p.expr(f.Args[1], 0)
	p.c(')')
}
