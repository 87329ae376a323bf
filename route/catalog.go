package route

import (
	"strings"

	"github.com/vitessdo/vitessdo/dialect"
	"github.com/vitessdo/vitessdo/sqlast"
)

// CatalogKeyspace is the keyspace whose tables the gate fills from what it
// knows; no shard has a row of them.
const CatalogKeyspace = "information_schema"

// CatalogScan is what a fragment fetches from the gate instead of a shard: the
// fragment's columns, called Names, of one of its tables.
type CatalogScan struct {
	Table string
	// Only are columns whose value is known: the combine compares them itself,
	// so that rows which differ may come along.
	Only []CatalogValue
}

// CatalogValue is the value that a column of a catalog table is asked for.
type CatalogValue struct {
	Column string
	Value  Source
}

func isCatalog(keyspace string) bool { return strings.EqualFold(keyspace, CatalogKeyspace) }

// catalogRef makes the source of a table of the gate's own.
func (b *binder) catalogRef(t *sqlast.TableRef, own *block, nullable bool) (sqlast.TableExpr, []*source, error) {
	var def *sqlast.TableDef
	if b.env.Catalog != nil {
		def = b.env.Catalog(t.Name)
	}
	if def == nil {
		return nil, nil, &Error{Code: CodeUnknownTable, Pos: t.Pos, Table: t.Name,
			Message: "unknown table '" + t.Name + "' in information_schema"}
	}
	t.Table, t.Schema = def, ""
	if t.Alias == "" && t.Name != def.Name {
		t.Alias = t.Name
	}
	t.Name = def.Name
	s := &source{label: t.Label(), keyspace: CatalogKeyspace, ref: t, def: def, catalog: true, nullable: nullable}
	for _, c := range def.Columns {
		s.cols = append(s.cols, outCol{name: c.Name, typ: c.Type, def: c})
	}
	return t, []*source{s}, b.addSource(s, own)
}

// readOnly refuses to write to a table of the gate's own.
func (b *binder) writable(src *source) error {
	if src == nil || !src.catalog {
		return b.copiesFit(src)
	}
	return errorf(CodeReadOnlyTable, -1, "table 'information_schema.%s' can't be written: the gate fills it from the schema", src.def.Name)
}

// catalogFragment fetches the named columns of a catalog table.
func (b *binder) catalogFragment(src *source, cols map[int]bool) *Fragment {
	f := &Fragment{Keyspace: CatalogKeyspace, Table: src.def, Catalog: &CatalogScan{Table: src.def.Name}}
	for i, c := range src.cols {
		if cols[i] {
			f.Names, f.Types = append(f.Names, c.name), append(f.Types, c.typ)
		}
	}
	if len(f.Names) == 0 {
		f.Names, f.Types = []string{src.cols[0].name}, []sqlast.Type{src.cols[0].typ}
	}
	for _, c := range sqlast.Conjuncts(b.pushable(src)) {
		b.facts.eachFact(c, func(t term, n fact) {
			if t.src == src && n.eq != nil && !n.null {
				f.Catalog.Only = append(f.Catalog.Only, CatalogValue{Column: src.cols[t.col].name, Value: *n.eq})
			}
		}, func(_, _ term) {})
	}
	f.Width = len(f.Names)
	f.SQL = dialect.Text{Segments: []string{f.Catalog.text(f.Names)}}
	return f
}

// text tells the scan to people, and scans apart.
func (c *CatalogScan) text(names []string) string {
	var b strings.Builder
	b.WriteString("SELECT " + strings.Join(names, ", ") + " FROM " + CatalogKeyspace + "." + c.Table)
	for i, v := range c.Only {
		b.WriteString([2]string{" WHERE ", " AND "}[min(i, 1)] + v.Column + " = ")
		if v.Value.Arg >= 0 {
			b.WriteString("?" + itoa(v.Value.Arg+1))
		} else {
			b.WriteString(constantText(v.Value.Const))
		}
	}
	return b.String()
}

func constantText(v any) string {
	switch v := v.(type) {
	case string:
		return "'" + strings.ReplaceAll(v, "'", "''") + "'"
	case int64:
		return itoa(int(v))
	}
	return "…"
}
