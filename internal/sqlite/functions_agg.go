package sqlite

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"
)

var aggregates = []struct {
	name string
	args int
	make sqlite3.AggregateConstructor
}{
	{"bit_and", 1, func() sqlite3.AggregateFunction { return &bitAgg{v: math.MaxUint64, op: '&'} }},
	{"bit_or", 1, func() sqlite3.AggregateFunction { return &bitAgg{op: '|'} }},
	{"bit_xor", 1, func() sqlite3.AggregateFunction { return &bitAgg{op: '^'} }},
	{"bits_and", 1, func() sqlite3.AggregateFunction { return &bitAgg{v: math.MaxUint64, op: '&', part: true} }},
	{"bits_or", 1, func() sqlite3.AggregateFunction { return &bitAgg{op: '|', part: true} }},
	{"bits_xor", 1, func() sqlite3.AggregateFunction { return &bitAgg{op: '^', part: true} }},
	{"var_pop", 1, func() sqlite3.AggregateFunction { return &variance{} }},
	{"var_samp", 1, func() sqlite3.AggregateFunction { return &variance{sample: true} }},
	{"stddev_pop", 1, func() sqlite3.AggregateFunction { return &variance{root: true} }},
	{"stddev_samp", 1, func() sqlite3.AggregateFunction { return &variance{root: true, sample: true} }},
	{"dec_sum", 1, func() sqlite3.AggregateFunction { return &decSum{result: resultDecimal} }},
	{"wide_sum", 1, func() sqlite3.AggregateFunction { return &decSum{result: resultWide} }},
	{"key_sum", 1, func() sqlite3.AggregateFunction { return &decSum{result: resultKey} }},
	{"json_arrayagg", 1, func() sqlite3.AggregateFunction { return &arrayAgg{} }},
	{"json_objectagg", 2, func() sqlite3.AggregateFunction { return &objectAgg{} }},
	{"group_concat_distinct", 4, func() sqlite3.AggregateFunction { return &concatDistinct{} }},
}

// bitAgg folds integers; of no rows it is the operation's neutral element, as
// in MySQL (for bit_and all ones, which is -1 here). A part of a fold over more rows
// may have any bits, the whole must be a number.
type bitAgg struct {
	v    uint64
	op   byte
	part bool
}

func (b *bitAgg) Step(_ sqlite3.Context, arg ...sqlite3.Value) {
	if arg[0].Type() == sqlite3.NULL {
		return
	}
	n := uint64(toBits(arg[0]))
	switch b.op {
	case '&':
		b.v &= n
	case '|':
		b.v |= n
	default:
		b.v ^= n
	}
}

func (b *bitAgg) Value(ctx sqlite3.Context) {
	if b.part {
		ctx.ResultInt64(int64(b.v))
		return
	}
	resultUnsigned(ctx, int64(b.v))
}

// variance is Welford's: one pass, without the cancellation of sums of squares.
type variance struct {
	n            int64
	mean, m2     float64
	sample, root bool
}

func (v *variance) Step(_ sqlite3.Context, arg ...sqlite3.Value) {
	if arg[0].Type() == sqlite3.NULL {
		return
	}
	x := arg[0].Float()
	v.n++
	d := x - v.mean
	v.mean += d / float64(v.n)
	v.m2 += d * (x - v.mean)
}

func (v *variance) Value(ctx sqlite3.Context) {
	n := v.n
	if v.sample {
		n--
	}
	if n <= 0 {
		return
	}
	r := v.m2 / float64(n)
	if v.root {
		r = math.Sqrt(r)
	}
	ctx.ResultFloat(r)
}

// concatDistinct is group_concat_distinct(text, separator, how, by): how holds asc or
// desc, by which the texts are ordered by their first row's last argument, and nocase
// when texts that differ in case only are the same; without a direction they come as
// first seen.
type concatDistinct struct {
	seen     map[string]bool
	items    []concatItem
	sep, how string
}

type concatItem struct {
	text string
	by   any // nil, float64 or string, in this order
}

func (c *concatDistinct) Step(_ sqlite3.Context, arg ...sqlite3.Value) {
	if arg[0].Type() == sqlite3.NULL {
		return
	}
	c.sep, c.how = arg[1].Text(), arg[2].Text()
	it := concatItem{text: arg[0].Text()}
	key := it.text
	if strings.Contains(c.how, "nocase") {
		key = asciiLower(key)
	}
	if c.seen[key] {
		return
	}
	if c.seen == nil {
		c.seen = map[string]bool{}
	}
	c.seen[key] = true
	switch arg[3].Type() {
	case sqlite3.NULL:
	case sqlite3.INTEGER, sqlite3.FLOAT:
		it.by = arg[3].Float()
	default:
		it.by = arg[3].Text()
	}
	c.items = append(c.items, it)
}

// asciiLower folds as NOCASE does.
func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

func (c *concatDistinct) Value(ctx sqlite3.Context) {
	if len(c.items) == 0 {
		return
	}
	desc := strings.Contains(c.how, "desc")
	if desc || strings.Contains(c.how, "asc") {
		slices.SortStableFunc(c.items, func(a, b concatItem) int {
			if desc {
				a, b = b, a
			}
			return compareItems(a.by, b.by)
		})
	}
	parts := make([]string, len(c.items))
	for i, it := range c.items {
		parts[i] = it.text
	}
	ctx.ResultText(strings.Join(parts, c.sep))
}

// compareItems orders as SQLite does: nothing, numbers, text.
func compareItems(a, b any) int {
	switch x := a.(type) {
	case float64:
		if y, ok := b.(float64); ok {
			return cmp.Compare(x, y)
		}
	case string:
		if y, ok := b.(string); ok {
			return strings.Compare(x, y)
		}
	}
	return cmp.Compare(itemRank(a), itemRank(b))
}

func itemRank(v any) int {
	switch v.(type) {
	case nil:
		return 0
	case float64:
		return 1
	}
	return 2
}
