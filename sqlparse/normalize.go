package sqlparse

import (
	"strconv"
	"strings"
)

// maxNormArgs bounds the arguments that Normalize makes: a longer statement is
// a bulk load whose plan isn't asked for again, and engines bound the number
// of parameters.
const maxNormArgs = 1000

// maxNormDepth bounds the depth of brackets that Normalize follows.
const maxNormDepth = 16

// Normalize replaces literals by ? where that can't change a statement's
// meaning, so that statements which differ only in literals share a plan: args
// are the literals in order, as int64 and string. Where one statement has a
// string and the other a number their keys differ, so that a plan may depend on
// its arguments' types. It is one pass over the text and no parse.
//
// Replaced are plain integers and strings directly behind a comparison in a
// WHERE clause, as sole members of an IN list there (lists of different length
// give different keys), as whole cells of VALUES rows, directly behind = in an
// UPDATE's SET, and behind LIMIT. Nothing is replaced in select lists, whose
// text names the result's columns, nor in GROUP BY, HAVING and ORDER BY, which
// must match them.
//
// ok is false when there is nothing to replace or Normalize isn't sure: for
// other statements than SELECT, INSERT, UPDATE, DELETE and REPLACE, and for
// texts with parameters, directives or several statements. The text is read
// under the default sql_mode; under ANSI_QUOTES or NO_BACKSLASH_ESCAPES it
// must not be used. A key may be no valid statement when the text is none.
func Normalize(text string) (key string, args []any, ok bool) {
	n := normalizer{text: text}
	if !n.run() || len(n.args) == 0 {
		return "", nil, false
	}
	n.key.WriteString(text[n.copied:])
	return n.key.String(), n.args, true
}

// normState says what may be replaced where we are.
type normState uint8

const (
	normPlain  normState = iota // nothing here; in brackets anew
	normDead                    // nothing, in brackets neither
	normList                    // select list, GROUP BY …: brackets are dead
	normWhere                   // behind comparisons, and IN lists
	normSet                     // behind =
	normValues                  // rows may begin
	normRow                     // whole cells
)

// normKind is the kind of a token.
type normKind uint8

const (
	normEnd normKind = iota
	normWord
	normName // `x`
	normInt
	normNumber // another number
	normString
	normOp
	normBad // gives up
)

// normToken is a token of the text.
type normToken struct {
	kind       normKind
	kw         keyword
	op         byte // the first byte of an operator
	compare    bool // the operator compares
	start, end int
}

type normalizer struct {
	text   string
	pos    int
	copied int // text up to here is in key already
	key    strings.Builder
	args   []any
	state  normState
	stack  [maxNormDepth]normState // the states outside of the brackets
	depth  int
	insert bool // INSERT or REPLACE, before ON DUPLICATE
	update bool
}

// run reads the whole text; it reports false to give up.
func (n *normalizer) run() bool {
	t := n.next()
	switch t.kw {
	case kwSelect:
		n.state = normList
	case kwInsert, kwReplace:
		n.insert = true
	case kwUpdate:
		n.update = true
	case kwDelete:
	default:
		return false
	}
	prev := t
	for t = n.next(); t.kind != normEnd; {
		if t.kind == normBad {
			return false
		}
		if t.kind == normOp && t.op == ';' {
			return n.next().kind == normEnd
		}
		if n.wanted(prev, t) {
			next, ok := n.literal(prev, t)
			if !ok {
				return false
			}
			// The literal is behind us, replaced or not.
			prev, t = normToken{kind: normNumber}, next
			continue
		}
		if t.kw == kwIn && n.state == normWhere {
			if done, ok := n.inList(); !ok {
				return false
			} else if done {
				prev, t = normToken{kind: normNumber}, n.next()
				continue
			}
		}
		if !n.step(t) {
			return false
		}
		prev, t = t, n.next()
	}
	return true
}

// wanted says whether a literal that may be replaced begins at t.
func (n *normalizer) wanted(prev, t normToken) bool {
	if t.kind != normInt && t.kind != normString && !(t.kind == normOp && t.op == '-' && t.end == t.start+1) {
		return false
	}
	switch n.state {
	case normWhere:
		return prev.compare
	case normSet:
		return prev.kind == normOp && prev.op == '=' && prev.end == prev.start+1
	case normRow:
		return prev.kind == normOp && (prev.op == '(' || prev.op == ',')
	}
	return n.state == normList && prev.kw == kwLimit && t.kind == normInt
}

// literal reads the literal that begins with t, replaces it if what follows
// allows, and gives the token behind it.
func (n *normalizer) literal(prev, t normToken) (next normToken, ok bool) {
	v, end, ok := n.value(t)
	if !ok {
		// Not plain: it stays. A sign steps on to what it belongs to.
		next = n.next()
		return next, next.kind != normBad
	}
	next = n.next()
	if next.kind == normBad {
		return next, false
	}
	if n.ends(prev, next) {
		if len(n.args) >= maxNormArgs {
			return next, false
		}
		n.replace(t.start, end, v)
	}
	return next, true
}

// value gives the value of the literal that begins with t and its end; ok is
// false when it isn't plain.
func (n *normalizer) value(t normToken) (v any, end int, ok bool) {
	switch t.kind {
	case normString:
		return unescape(n.text[t.start:t.end], true), t.end, true
	case normInt:
		i, err := strconv.ParseInt(n.text[t.start:t.end], 10, 64)
		return i, t.end, err == nil
	}
	// A minus; the number must follow at once.
	if t.end >= len(n.text) || !isDigit(n.text[t.end]) {
		return nil, 0, false
	}
	saved := n.pos
	digits := n.next()
	i, err := strconv.ParseInt(n.text[digits.start:digits.end], 10, 64)
	if digits.kind != normInt || err != nil {
		n.pos = saved
		return nil, 0, false
	}
	return -i, digits.end, true
}

// ends says whether the token behind a literal shows that it stood alone.
func (n *normalizer) ends(prev, next normToken) bool {
	if next.kind == normEnd || next.kind == normOp && (next.op == ';' || next.op == ')') {
		return n.state != normRow || next.kind != normEnd
	}
	comma := next.kind == normOp && next.op == ','
	switch n.state {
	case normRow:
		return comma
	case normSet:
		return comma || next.kw == kwWhere || next.kw == kwOrder || next.kw == kwLimit || next.kw == kwReturning
	case normWhere:
		switch next.kw {
		case kwAnd, kwOr, kwXor, kwGroup, kwOrder, kwLimit, kwHaving, kwUnion, kwExcept, kwIntersect, kwReturning, kwOn, kwFor, kwLock:
			return true
		}
		return next.kind == normOp && next.op == '&' && next.end == next.start+2
	}
	switch next.kw { // LIMIT
	case kwOffset, kwUnion, kwExcept, kwIntersect, kwReturning, kwOn, kwFor, kwLock:
		return prev.kw == kwLimit
	}
	return false
}

func (n *normalizer) replace(start, end int, v any) {
	if n.args == nil {
		n.key.Grow(len(n.text))
		n.args = make([]any, 0, 4)
	}
	n.key.WriteString(n.text[n.copied:start])
	n.key.WriteByte('?')
	if _, text := v.(string); text {
		n.key.WriteByte(' ') // another key than a number's
	}
	n.copied = end
	n.args = append(n.args, v)
}

// inList replaces the members of the IN list that follows if all are plain;
// else it steps back to where it was.
func (n *normalizer) inList() (done, ok bool) {
	start, count := n.pos, 0
	t := n.next()
	for t.kind == normOp && (t.op == '(' && count == 0 || t.op == ',' && count > 0) {
		if t = n.next(); t.kind == normBad {
			return false, false
		}
		if _, _, plain := n.member(t); !plain {
			break
		}
		count++
		if t = n.next(); t.kind == normOp && t.op == ')' {
			if len(n.args)+count > maxNormArgs {
				return false, false
			}
			n.pos = start
			n.replaceMembers()
			return true, true
		}
	}
	n.pos = start
	return false, true
}

// member is value without taking a minus for one before something else.
func (n *normalizer) member(t normToken) (v any, end int, plain bool) {
	if t.kind != normInt && t.kind != normString && !(t.kind == normOp && t.op == '-' && t.end == t.start+1) {
		return nil, 0, false
	}
	return n.value(t)
}

// replaceMembers replaces the members of the list at pos, which are plain.
func (n *normalizer) replaceMembers() {
	for t := n.next(); t.op != ')' || t.kind != normOp; t = n.next() {
		if t.kind == normOp && t.op != '-' {
			continue
		}
		if v, end, ok := n.value(t); ok {
			n.replace(t.start, end, v)
		}
	}
}

// step follows the clauses and brackets.
func (n *normalizer) step(t normToken) bool {
	if t.kind == normOp {
		switch t.op {
		case '(':
			return n.open()
		case ')':
			if n.depth == 0 {
				return false
			}
			n.depth--
			n.state = n.stack[n.depth]
		}
		return true
	}
	if n.state == normDead {
		return true
	}
	switch t.kw {
	case kwSelect, kwGroup, kwOrder, kwHaving, kwWindow, kwReturning, kwLimit:
		n.state = normList
	case kwFrom, kwUnion, kwExcept, kwIntersect, kwInto:
		n.state = normPlain
	case kwWhere:
		n.state = normWhere
	case kwSet:
		n.state = normPlain
		if n.update && n.depth == 0 {
			n.state = normSet
		}
	case kwValues:
		if n.insert && n.depth == 0 && n.state == normPlain {
			n.state = normValues
		}
	case kwOn:
		if n.insert && n.depth == 0 {
			n.insert, n.state = false, normList
		}
	case kwFor, kwLock:
		if n.state == normWhere {
			n.state = normList
		}
	case kwAs, kwUse, kwForce, kwIgnore:
		// A row alias, a hint: rows are over.
		if n.state == normValues {
			n.state = normList
		}
	}
	return true
}

// open enters brackets.
func (n *normalizer) open() bool {
	if n.depth == maxNormDepth {
		return false
	}
	n.stack[n.depth] = n.state
	n.depth++
	switch n.state {
	case normList, normDead:
		n.state = normDead
	case normValues:
		n.state = normRow
	case normSet, normRow:
		n.state = normPlain
	}
	return true
}
