package vindex

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
)

const maxColumns = 8

// multiCol is Vitess's multicol: the leading bytes of every column's own
// keyspace ID, one after the other, eight in all. A part shorter than its width
// is filled with zeros, except the last one.
type multiCol struct {
	identity
	subs  []SingleColumn
	bytes []int
}

func newMultiCol(name string, params map[string]string) (Vindex, error) {
	v := &multiCol{identity: identity{"multicol", name, 0}}
	count, err := strconv.Atoi(strings.TrimSpace(params["column_count"]))
	if err != nil || count < 1 || count > maxColumns {
		return nil, v.paramError("column_count", "%q must be a number from 1 to %d", params["column_count"], maxColumns)
	}
	if v.bytes, err = v.columnBytes(params["column_bytes"], count); err != nil {
		return nil, err
	}
	types := splitList(params["column_vindex"])
	if len(types) > count {
		return nil, v.paramError("column_vindex", "%d vindexes for %d columns", len(types), count)
	}
	// Everything else is for the sub-vindexes.
	rest := maps.Clone(params)
	for _, p := range []string{"column_count", "column_bytes", "column_vindex"} {
		delete(rest, p)
	}
	taken := map[string]bool{}
	for i := range count {
		typ := "hash"
		if i < len(types) && types[i] != "" {
			typ = types[i]
		}
		sub, err := v.subVindex("column_vindex", typ, subParams(typ, rest, taken))
		if err != nil {
			return nil, err
		}
		v.subs = append(v.subs, sub)
		v.cost += sub.Cost()
	}
	for p := range rest {
		if !taken[p] {
			return nil, v.checkParams(map[string]string{p: ""}, "column_count", "column_bytes", "column_vindex")
		}
	}
	return v, nil
}

// subParams picks the parameters that the sub-vindex's type takes.
func subParams(typ string, params map[string]string, taken map[string]bool) map[string]string {
	if typ != "numeric_static_map" {
		return nil
	}
	picked := map[string]string{}
	for _, p := range []string{"json", "json_path", "fallback_type"} {
		if v, ok := params[p]; ok {
			picked[p], taken[p] = v, true
		}
	}
	return picked
}

func splitList(s string) []string {
	if strings.TrimSpace(s) == "" {
		return nil
	}
	items := strings.Split(s, ",")
	for i := range items {
		items[i] = strings.TrimSpace(items[i])
	}
	return items
}

// columnBytes shares the eight bytes out: what the list leaves unset is split
// evenly, the earlier columns taking the larger part.
func (x *multiCol) columnBytes(list string, count int) ([]int, error) {
	given := splitList(list)
	if len(given) > count {
		return nil, x.paramError("column_bytes", "%d widths for %d columns", len(given), count)
	}
	widths := make([]int, count)
	left, unset := maxColumns, count
	for i, g := range given {
		if g == "" {
			continue
		}
		n, err := strconv.Atoi(g)
		if err != nil || n < 1 || n > maxColumns {
			return nil, x.paramError("column_bytes", "%q must be a number from 1 to %d", g, maxColumns)
		}
		widths[i] = n
		left -= n
		unset--
	}
	if left < unset {
		return nil, x.paramError("column_bytes", "%q leaves %d bytes for %d columns, the sum must fit %d", list, max(left, 0), unset, maxColumns)
	}
	for i := range widths {
		if widths[i] == 0 {
			widths[i] = (left + unset - 1) / unset
			left -= widths[i]
			unset--
		}
	}
	return widths, nil
}

func (x *multiCol) Columns() int { return len(x.subs) }

func (x *multiCol) MapMulti(dst []byte, vs []any) ([]byte, error) {
	if len(vs) != len(x.subs) {
		return dst, x.invalid(fmt.Sprint(len(vs), " values"), fmt.Sprintf("it takes %d columns", len(x.subs)))
	}
	return x.appendColumns(dst, vs)
}

func (x *multiCol) appendColumns(dst []byte, vs []any) ([]byte, error) {
	end := len(dst)
	for i, v := range vs {
		dst = append(dst, NullKeyspaceID[:end-len(dst)]...) // a short part before this one
		id, err := x.subs[i].Map(dst, v)
		if err != nil {
			return dst, err
		}
		end += x.bytes[i]
		dst = id[:min(len(id), end)]
	}
	return dst, nil
}

func (x *multiCol) MapPrefix(vs []any) (KeyRange, error) {
	if len(vs) == 0 || len(vs) > len(x.subs) {
		return KeyRange{}, x.invalid(fmt.Sprint(len(vs), " values"), fmt.Sprintf("it takes 1 to %d leading columns", len(x.subs)))
	}
	prefix, err := x.appendColumns(nil, vs)
	if err != nil {
		return KeyRange{}, err
	}
	return PrefixRange(prefix), nil
}
