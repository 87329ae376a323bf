package difftest

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// kind is a column's or an expression's type.
type kind uint8

const (
	kInt kind = iota
	kBig
	kBool
	kDec
	kLong // a DECIMAL of more digits than a number keeps
	kDouble
	kText
	kDate
	kDateTime
	kBlob
)

func (k kind) number() bool   { return k <= kDouble }
func (k kind) temporal() bool { return k == kDate || k == kDateTime }

// column is a column of a table or of a derived table.
type column struct {
	name    string
	kind    kind
	ci      bool // text that compares without regard to case
	notNull bool
	auto    bool
	// positive: its vindex takes no numbers below 0.
	positive bool
	// opaque: which of several equal values it holds is left open, so that it
	// may be shown and nothing more.
	opaque bool
	// unique: a unique key holds it.
	unique bool
	// made is the expression of a generated column.
	made string
}

// table is a table of the schema; its first columns are its primary key's.
type table struct {
	name     string
	cols     []column
	pk       int // leading columns that are the primary key; 0: none
	shard    []int
	sharding string // what the DDL says behind the definition
	parent   *table
	children bool
	// self: the table has a foreign key to itself.
	self bool
	// unique are, as ordinals, the columns of unique keys; keys are those and
	// the columns of lookup vindexes.
	unique, keys [][]int
	// exprs are what unique keys are on beside columns.
	exprs []expression
	// also are the declarations of lookup vindexes, lookup their names.
	also, lookup []string
	// copied: a reference table.
	copied bool
	view   bool
}

// Gen makes a workload. The same seed makes the same one.
type Gen struct {
	r      *rand.Rand
	tables []*table
	lits   []lit
	named  int
	// fold and grouped follow the statement being made: see Statement.Fold.
	fold bool
	inTx bool
	save int
	// foreignKeys: tables get foreign keys beside those that shard them.
	foreignKeys bool
}

// NewGen makes a generator. Every other workload has foreign keys from any table to
// any other; the tables of the rest are free to be changed in any way.
func NewGen(seed uint64) *Gen {
	return &Gen{r: rand.New(rand.NewPCG(seed, 0x5eed)), foreignKeys: seed%2 == 0}
}

func (g *Gen) chance(percent int) bool { return g.r.IntN(100) < percent }
func (g *Gen) n(n int) int             { return g.r.IntN(n) }

func pick[T any](g *Gen, list ...T) T { return list[g.n(len(list))] }

// name gives a new name.
func (g *Gen) name(prefix string) string {
	g.named++
	return prefix + strconv.Itoa(g.named)
}

// lit is a literal that may be sent as an argument instead.
type lit struct {
	sql string
	val any
}

// value marks a literal in a text under construction.
func (g *Gen) value(sql string, val any) string {
	g.lits = append(g.lits, lit{sql, val})
	return fmt.Sprintf("\x01%d\x02", len(g.lits)-1)
}

// finish replaces the marks by literals, or by parameters with their arguments.
func (g *Gen) finish(text string, params bool) (string, []any) {
	var b strings.Builder
	var args []any
	for {
		at := strings.IndexByte(text, 1)
		if at < 0 {
			b.WriteString(text)
			return b.String(), args
		}
		end := strings.IndexByte(text, 2)
		i, _ := strconv.Atoi(text[at+1 : end])
		b.WriteString(text[:at])
		if params {
			b.WriteByte('?')
			args = append(args, g.lits[i].val)
		} else {
			b.WriteString(g.lits[i].sql)
		}
		text = text[end+1:]
	}
}

// The values are few, so that joins, groups and keys meet; texts and dates come
// in spellings that are equal to some collation or type and to no other.
var (
	someTexts     = []string{"a", "A", "b", "B", "ab", "Ab", "", "c", "é", "É", "10", "2", "a ", "x_y", "50%"}
	someDates     = []string{"2024-01-02", "2024-1-2", "2023-12-31", "2024-02-29", "2024-1-31", "2025-01-01"}
	someDateTimes = []string{"2024-01-02 03:04:05", "2024-1-2 3:4:5", "2024-01-02", "2023-12-31 23:59:59", "2024-02-29 12:00:00", "2024-01-02 00:00:00"}
	someLongs     = []string{"12345678901234567890.0123456789", "12345678901234567890.012345678", "-12345678901234567890.0123456789", "0.0000000001", "1.5000000000"}
	someBlobs     = []string{"", "00", "61", "ff00", "4142", "62"}
)

// literal gives a value of a kind; stored tells that a column takes it, so that
// it must be of the column's form.
func (g *Gen) literal(k kind, stored bool) string {
	switch k {
	case kBool:
		n := int64(g.n(2))
		if g.chance(50) {
			return g.value("TRUE", true)
		}
		return g.value(strconv.FormatInt(n, 10), n)
	case kInt, kBig:
		return g.integer(k, stored)
	case kLong:
		if g.chance(30) {
			s := pick(g, someLongs...)
			return g.value(s, s)
		}
		return g.literal(kDec, stored)
	case kDec, kDouble:
		n := float64(g.n(40)-8) / 4
		return g.value(strconv.FormatFloat(n, 'f', -1, 64), n)
	case kText:
		s := pick(g, someTexts...)
		return g.value(quote(s), s)
	case kDate:
		s := pick(g, someDates...)
		return g.value(quote(s), g.moment(s, "2006-1-2"))
	case kDateTime:
		s := pick(g, someDateTimes...)
		return g.value(quote(s), g.moment(s, "2006-1-2 15:4:5"))
	}
	h := pick(g, someBlobs...)
	return g.value("x'"+h+"'", unhex(h))
}

// moment is a date's text as an argument: the text or, now and then, a time.
func (g *Gen) moment(s, layout string) any {
	if t, err := time.Parse(layout, s); err == nil && g.chance(30) {
		return t
	}
	return s
}

func (g *Gen) integer(k kind, stored bool) string {
	n := int64(g.n(14) - 2)
	if k == kBig && g.chance(15) {
		n = pick[int64](g, 1<<33, 1<<33+1, -1<<33, 1<<31)
	}
	text := strconv.FormatInt(n, 10)
	switch {
	case g.chance(6):
		return g.value("'"+text+"'", text)
	case g.chance(4):
		return g.value(text+".0", float64(n))
	case g.chance(4) && !stored:
		x := float64(n) + 0.5
		return g.value(strconv.FormatFloat(x, 'f', -1, 64), x)
	}
	return g.value(text, n)
}

func unhex(h string) []byte {
	b := make([]byte, len(h)/2)
	for i := range b {
		n, _ := strconv.ParseUint(h[2*i:2*i+2], 16, 8)
		b[i] = byte(n)
	}
	return b
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// begin starts a new statement.
func (g *Gen) begin() { g.lits, g.fold = nil, false }

// stmt makes the statement of a text under construction.
func (g *Gen) stmt(k Kind, text string, params bool) Statement {
	sql, args := g.finish(text, params)
	return Statement{SQL: sql, Args: args, Kind: k, Fold: g.fold && k == Query}
}

// stored lists the tables that aren't views.
func (g *Gen) stored() []*table {
	var out []*table
	for _, t := range g.tables {
		if !t.view {
			out = append(out, t)
		}
	}
	return out
}

// Tables names the tables in the order of creation.
func (g *Gen) Tables() []string {
	var out []string
	for _, t := range g.stored() {
		out = append(out, t.name)
	}
	return out
}

// Forget leaves out a table or view that could not be made.
func (g *Gen) Forget(name string) {
	for i, t := range g.tables {
		if t.name == name {
			g.tables = append(g.tables[:i:i], g.tables[i+1:]...)
			return
		}
	}
}
