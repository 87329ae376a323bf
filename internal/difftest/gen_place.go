package difftest

import (
	"strconv"
	"strings"
)

// place says how the table is sharded.
func (g *Gen) place(t *table) {
	var cols []string
	var kinds []kind
	for _, i := range t.shard {
		cols = append(cols, t.cols[i].name)
		kinds = append(kinds, t.cols[i].kind)
	}
	list := strings.Join(cols, ", ")
	if len(cols) == 2 {
		t.sharding = pick(g, " PARTITION BY KEY("+list+")",
			" COMMENT 'vindex=multicol("+list+") column_count=2 column_bytes=1,7'",
			" COMMENT 'vindex=multicol("+list+") column_count=2 column_vindex=xxhash,hash'")
		return
	}
	auto := t.pk > 0 && t.shard[0] == 0
	switch {
	case !t.apart() && g.chance(12):
		t.sharding, t.copied, t.shard = " COMMENT 'reference'", true, nil
	case g.chance(8):
		t.sharding, t.shard = " COMMENT '"+pick(g, "unsharded", "pinned=40", "pinned=c0")+"'", nil
	case auto && g.chance(30):
	case g.chance(25):
		t.sharding = " PARTITION BY KEY(" + list + ")"
	default:
		t.sharding = " COMMENT 'vindex=" + g.vindex(list, kinds[0], t.cols[t.shard[0]].ci) + "'"
		c := &t.cols[t.shard[0]]
		c.positive = strings.Contains(t.sharding, "numeric") || strings.Contains(t.sharding, "reverse_bits")
	}
}

func (g *Gen) vindex(col string, k kind, ci bool) string {
	types := []string{"hash", "xxhash", "xxh3", "consistent_hash"}
	switch k {
	case kInt, kBig:
		types = append(types, "numeric", "reverse_bits", "range type=int boundaries=3,7 shards="+shardsSlot+"+++")
	case kText:
		types = append(types, "unicode_loose_md5", "unicode_loose_xxhash", "binary", "binary_md5",
			"range type=text boundaries=a,b"+map[bool]string{true: " collation=nocase"}[ci]+" shards="+shardsSlot+"+++")
	}
	name, params, _ := strings.Cut(pick(g, types...), " ")
	if params != "" {
		params = " " + params
	}
	return name + "(" + col + ")" + params
}

// elsewhere shards some tables by a column that isn't in their primary key,
// which the gate has to keep unique then.
func (g *Gen) elsewhere(t *table) {
	if t.pk == 0 || !g.chance(25) {
		return
	}
	var fit []int
	for i, c := range t.cols[t.pk:] {
		switch c.kind {
		case kInt, kBig, kText, kDec, kLong, kDate, kDateTime:
			fit = append(fit, t.pk+i)
		}
	}
	if len(fit) > 0 {
		t.shard = []int{pick(g, fit...)}
	}
}

// declaration is what stands behind the table's definition.
func (t *table) declaration() string {
	if len(t.also) == 0 {
		return t.sharding
	}
	first, found := strings.CutPrefix(t.sharding, " COMMENT 'vindex=")
	first = strings.TrimSuffix(first, "'")
	if !found {
		typ := "hash("
		var list []string
		for _, i := range t.shard {
			list = append(list, t.cols[i].name)
		}
		cols := strings.Join(list, ", ") + ")"
		if len(list) > 1 {
			typ, cols = "multicol(", cols+" column_count="+strconv.Itoa(len(list))
		}
		first = typ + cols
	}
	return " COMMENT 'vindex=" + first + "; vindex=" + strings.Join(t.also, "; vindex=") + "'"
}
