package postgres

// node is a message of PostgreSQL's tree: its fields by name. Fields at their zero
// value are missing.
type node map[string]any

// tree is a node with its kind, as "SelectStmt".
type tree struct {
	kind string
	node
}

// unwrap takes a node out of the object that names its kind.
func unwrap(v any) tree {
	m, _ := v.(map[string]any)
	for kind, inner := range m {
		n, _ := inner.(map[string]any)
		return tree{kind, n}
	}
	return tree{}
}

// str gives a field that is text or an enum's name.
func (n node) str(field string) string {
	s, _ := n[field].(string)
	return s
}

// num gives a field that is a number.
func (n node) num(field string) int {
	f, _ := n[field].(float64)
	return int(f)
}

// is gives a field that is true or false.
func (n node) is(field string) bool {
	b, _ := n[field].(bool)
	return b
}

// has says whether a field is set.
func (n node) has(field string) bool { return n[field] != nil }

// at is the byte offset in the text that a node has; 0 where it has none.
func (n node) at() int { return max(n.num("location"), 0) }

// message gives a field that is a message of a known kind.
func (n node) message(field string) node {
	m, _ := n[field].(map[string]any)
	return m
}

// child gives a field that is a node of some kind.
func (n node) child(field string) tree { return unwrap(n[field]) }

// list gives a field's nodes.
func (n node) list(field string) []tree {
	all, _ := n[field].([]any)
	out := make([]tree, len(all))
	for i, v := range all {
		out[i] = unwrap(v)
	}
	return out
}

// names gives a field's strings: the parts of a name.
func (n node) names(field string) []string { return stringsOf(n.list(field)) }

func stringsOf(list []tree) []string {
	var out []string
	for _, t := range list {
		if t.kind == "String" {
			out = append(out, t.str("sval"))
		}
	}
	return out
}
