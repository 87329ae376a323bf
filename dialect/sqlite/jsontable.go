package sqlite

import (
	"github.com/vitessdo/vitessdo/internal/jsontable"
	"github.com/vitessdo/vitessdo/sqlast"
)

// jsonTable prints JSON_TABLE by a table-valued function, which gets the columns as
// text. Its arguments see the tables before it, as those of lateral_rows do.
func (p *printer) jsonTable(t *sqlast.Derived) {
	p.s("json_rows(")
	p.expr(t.Query.(*sqlast.Select).Items[0].Expr, 0)
	p.s(", ")
	p.str(jsonSpec(t.JSON).Text())
	p.s(") AS ")
	p.ident(t.Alias)
}

func jsonSpec(t *sqlast.JSONTable) *jsontable.Spec {
	s := &jsontable.Spec{Path: t.Path}
	for _, c := range t.Columns {
		s.Columns = append(s.Columns, jsonColumn(c))
	}
	return s
}

func jsonColumn(c *sqlast.JSONColumn) *jsontable.Column {
	if c.Nested != nil {
		return &jsontable.Column{Nested: jsonSpec(c.Nested)}
	}
	out := &jsontable.Column{
		Name: c.Name, Path: c.Path, Ordinality: c.Kind == sqlast.JSONOrdinality, Exists: c.Kind == sqlast.JSONExists,
		Empty: jsontable.Instead(c.Empty), Error: jsontable.Instead(c.Error),
	}
	if !out.Ordinality {
		out.Fit, out.Args = jsonFit(&c.Type)
		out.Members = c.Type.Values
	}
	return out
}

// jsonFit tells how a value is brought into a type, as [printer.fit] does.
func jsonFit(t *sqlast.Type) (jsontable.Fit, []int64) {
	size, scale, unsigned := int64(t.Size), int64(max(t.Scale, 0)), int64(0)
	if t.Unsigned {
		unsigned = 1
	}
	switch t.Class {
	case sqlast.ClassInt:
		if t.Name == "YEAR" {
			return jsontable.Year, nil
		}
		lo, hi := t.IntRange()
		return jsontable.Int, []int64{lo, hi}
	case sqlast.ClassDecimal:
		if t.Keyed() {
			return jsontable.Key, []int64{size, scale, unsigned}
		}
		return jsontable.Decimal, []int64{max(size, 1), scale, unsigned}
	case sqlast.ClassDouble:
		return jsontable.Double, []int64{unsigned}
	case sqlast.ClassText:
		switch t.Name {
		case "ENUM":
			return jsontable.Enum, nil
		case "SET":
			return jsontable.Set, nil
		}
		return jsontable.Text, []int64{size}
	case sqlast.ClassBlob:
		return jsontable.Blob, []int64{size}
	case sqlast.ClassDate:
		return jsontable.Date, nil
	case sqlast.ClassDateTime:
		return jsontable.DateTime, []int64{scale}
	case sqlast.ClassTime:
		return jsontable.Time, []int64{scale}
	}
	return jsontable.JSON, nil
}
