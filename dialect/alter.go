package dialect

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// SchemaError is a DDL error with MySQL's number.
type SchemaError struct {
	Number  int // 1060, 1061, 1091 …
	Message string
}

func (e *SchemaError) Error() string { return e.Message }

func schemaError(number int, format string, args ...any) error {
	return &SchemaError{Number: number, Message: fmt.Sprintf(format, args...)}
}

// ApplyAlter computes the definition that specs lead to from old, which it
// leaves alone. renamed maps the names of renamed columns to their old ones,
// and to "" the name of a new column where a dropped one had the same.
// Errors are *[SchemaError] with MySQL's numbers.
func ApplyAlter(old *sqlast.TableDef, specs []sqlast.AlterSpec) (def *sqlast.TableDef, renamed map[string]string, err error) {
	a := &altered{def: copyDef(old), renamed: map[string]string{}}
	for i := range specs {
		if err := a.apply(&specs[i]); err != nil {
			return nil, nil, err
		}
	}
	for i, c := range a.def.Columns {
		if c.Pos != i {
			c = a.own(i)
			c.Pos = i
		}
	}
	if len(a.def.Columns) == 0 {
		return nil, nil, schemaError(1090, "you can't delete all columns with ALTER TABLE; use DROP TABLE instead")
	}
	return a.def, a.renamed, nil
}

type altered struct {
	def     *sqlast.TableDef
	renamed map[string]string // new name → name in the old definition
	dropped []string          // names in the old definition
}

// copyDef copies the definition as deep as ApplyAlter changes it in place.
func copyDef(old *sqlast.TableDef) *sqlast.TableDef {
	def := *old
	def.Columns = slices.Clone(old.Columns)
	def.Indexes = slices.Clone(old.Indexes)
	def.ForeignKeys = slices.Clone(old.ForeignKeys)
	def.Checks = slices.Clone(old.Checks)
	def.PartitionKey = slices.Clone(old.PartitionKey)
	return &def
}

// own makes column i the new definition's own, to be changed.
func (a *altered) own(i int) *sqlast.ColumnDef {
	c := *a.def.Columns[i]
	a.def.Columns[i] = &c
	return &c
}

func (a *altered) column(name string) int {
	return slices.IndexFunc(a.def.Columns, func(c *sqlast.ColumnDef) bool { return strings.EqualFold(c.Name, name) })
}

func (a *altered) index(name string) int {
	return slices.IndexFunc(a.def.Indexes, func(x *sqlast.IndexDef) bool { return strings.EqualFold(x.Name, name) })
}

func (a *altered) unknownColumn(name string) error {
	return schemaError(1054, "unknown column '%s' in '%s'", name, a.def.Name)
}

func cantDrop(name string) error {
	return schemaError(1091, "can't DROP '%s'; check that column/key exists", name)
}

func (a *altered) apply(s *sqlast.AlterSpec) error {
	switch s.Kind {
	case sqlast.AlterAddColumn:
		return a.addColumn(s)
	case sqlast.AlterDropColumn:
		return a.dropColumn(s)
	case sqlast.AlterModifyColumn:
		return a.modifyColumn(s)
	case sqlast.AlterRenameColumn:
		return a.renameColumn(s.Name, s.NewName)
	case sqlast.AlterSetDefault, sqlast.AlterDropDefault:
		i := a.column(s.Name)
		if i < 0 {
			return a.unknownColumn(s.Name)
		}
		c := a.own(i)
		c.Default, c.DefaultText = nil, ""
		if s.Kind == sqlast.AlterSetDefault {
			c.Default, c.DefaultText = s.Column.Default, s.Column.DefaultText
		}
	case sqlast.AlterAddIndex:
		return a.addIndex(s)
	case sqlast.AlterDropIndex:
		return a.dropIndex(s)
	case sqlast.AlterRenameIndex:
		return a.renameIndex(s)
	case sqlast.AlterAddForeignKey:
		return a.addForeignKey(s)
	case sqlast.AlterDropForeignKey:
		return a.dropForeignKey(s)
	case sqlast.AlterAddCheck:
		return a.addCheck(s)
	case sqlast.AlterDropCheck:
		return a.dropConstraint(s)
	case sqlast.AlterRename:
		a.def.Name = s.NewName
	case sqlast.AlterAutoInc:
		a.def.AutoInc = s.AutoInc
	case sqlast.AlterComment:
		a.def.Comment = s.Text
	case sqlast.AlterCollate:
		a.def.Charset, a.def.Collation = s.Charset, s.Text
	case sqlast.AlterPartitionKey:
		a.def.PartitionKey = slices.Clone(s.Columns)
	case sqlast.AlterNothing:
	default:
		return schemaError(1235, "this ALTER TABLE change (%d) isn't supported", s.Kind)
	}
	return nil
}

// place puts c where FIRST and AFTER say, at the end by default.
func (a *altered) place(c *sqlast.ColumnDef, s *sqlast.AlterSpec, at int) error {
	switch {
	case s.First:
		at = 0
	case s.After != "":
		i := a.column(s.After)
		if i < 0 {
			return a.unknownColumn(s.After)
		}
		at = i + 1
	}
	a.def.Columns = slices.Insert(a.def.Columns, at, c)
	return nil
}

func (a *altered) addColumn(s *sqlast.AlterSpec) error {
	if a.column(s.Column.Name) >= 0 {
		if s.IfNotExists {
			return nil
		}
		return schemaError(1060, "duplicate column name '%s'", s.Column.Name)
	}
	c := *s.Column
	if containsFold(a.dropped, c.Name) {
		a.renamed[c.Name] = ""
	}
	return a.place(&c, s, len(a.def.Columns))
}

// dropColumn takes the column out of the indexes too, as MySQL does; a foreign
// key that needs it forbids it.
func (a *altered) dropColumn(s *sqlast.AlterSpec) error {
	i := a.column(s.Name)
	if i < 0 {
		if s.IfExists {
			return nil
		}
		return cantDrop(s.Name)
	}
	for _, fk := range a.def.ForeignKeys {
		if containsFold(fk.Columns, s.Name) {
			return schemaError(1828, "cannot drop column '%s': needed in a foreign key constraint '%s'", s.Name, fk.Name)
		}
	}
	for _, c := range a.def.Checks {
		if mentions(c.Expr, s.Name) && !onlyMentions(c.Expr, s.Name) {
			return schemaError(3959, "check constraint '%s' uses column '%s', hence column cannot be dropped or renamed", c.Name, s.Name)
		}
	}
	for _, c := range a.def.Columns {
		if mentions(c.Generated, s.Name) {
			return schemaError(3108, "column '%s' has a generated column dependency", s.Name)
		}
	}
	a.def.Checks = slices.DeleteFunc(a.def.Checks, func(c *sqlast.CheckDef) bool { return mentions(c.Expr, s.Name) })
	a.def.Columns = slices.Delete(a.def.Columns, i, i+1)
	origin := s.Name
	for n, o := range a.renamed {
		if strings.EqualFold(n, s.Name) {
			origin = o
			delete(a.renamed, n)
		}
	}
	a.dropped = append(a.dropped, origin)
	var left []*sqlast.IndexDef
	for _, x := range a.def.Indexes {
		y := *x
		y.Parts = nil
		for _, p := range x.Parts {
			if !strings.EqualFold(p.Column, s.Name) {
				y.Parts = append(y.Parts, p)
			}
		}
		switch {
		case len(y.Parts) == len(x.Parts):
			left = append(left, x)
		case len(y.Parts) > 0:
			left = append(left, &y)
		}
	}
	a.def.Indexes = left
	return nil
}

func containsFold(list []string, name string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, name) })
}

func mentions(e sqlast.Expr, column string) bool {
	found := false
	sqlast.Walk(e, func(x sqlast.Expr) bool {
		c, ok := x.(*sqlast.Col)
		found = found || ok && strings.EqualFold(c.Name, column)
		return !found
	})
	return found
}

func onlyMentions(e sqlast.Expr, column string) bool {
	only := true
	sqlast.Walk(e, func(x sqlast.Expr) bool {
		c, ok := x.(*sqlast.Col)
		only = only && (!ok || strings.EqualFold(c.Name, column))
		return only
	})
	return only
}

// modifyColumn is MODIFY, and CHANGE with its new name.
func (a *altered) modifyColumn(s *sqlast.AlterSpec) error {
	name := s.Name
	if name == "" {
		name = s.Column.Name
	}
	i := a.column(name)
	if i < 0 {
		return a.unknownColumn(name)
	}
	if a.def.Columns[i].Name != s.Column.Name {
		if err := a.renameColumn(name, s.Column.Name); err != nil {
			return err
		}
	}
	c := *s.Column
	if !s.First && s.After == "" {
		a.def.Columns[i] = &c
		return nil
	}
	a.def.Columns = slices.Delete(a.def.Columns, i, i+1)
	return a.place(&c, s, i)
}

func (a *altered) renameColumn(from, to string) error {
	i := a.column(from)
	if i < 0 {
		return a.unknownColumn(from)
	}
	if j := a.column(to); j >= 0 && j != i {
		return schemaError(1060, "duplicate column name '%s'", to)
	}
	old := a.def.Columns[i].Name
	origin := old
	if o, ok := a.renamed[old]; ok {
		origin = o
		delete(a.renamed, old)
	}
	if origin != to && origin != "" {
		a.renamed[to] = origin
	}
	a.def = RenameColumns(a.def, map[string]string{strings.ToLower(old): to})
	return nil
}

// RenameColumns is def with its columns renamed, in its keys and expressions
// too; names maps lower-case old names to new ones. def itself stays.
func RenameColumns(def *sqlast.TableDef, names map[string]string) *sqlast.TableDef {
	delete(names, "")
	if len(names) == 0 {
		return def
	}
	r := renamer(names)
	out := copyDef(def)
	for i, c := range out.Columns {
		if !r.has(c.Name) && c.Generated == nil {
			continue
		}
		d := *c
		d.Name = r.name(c.Name)
		d.Generated, d.GeneratedText = r.expr(c.Generated, c.GeneratedText)
		out.Columns[i] = &d
	}
	for i, x := range out.Indexes {
		y := *x
		y.Parts = slices.Clone(x.Parts)
		for j := range y.Parts {
			p := &y.Parts[j]
			p.Column = r.name(p.Column)
			p.Expr, p.ExprText = r.expr(p.Expr, p.ExprText)
		}
		out.Indexes[i] = &y
	}
	for i, fk := range out.ForeignKeys {
		f := *fk
		f.Columns = r.list(fk.Columns)
		if fk.RefSchema == "" && strings.EqualFold(fk.RefTable, def.Name) {
			f.RefColumns = r.list(fk.RefColumns)
		}
		out.ForeignKeys[i] = &f
	}
	for i, c := range out.Checks {
		d := *c
		d.Expr, d.Text = r.expr(c.Expr, c.Text)
		out.Checks[i] = &d
	}
	out.PartitionKey = r.list(out.PartitionKey)
	return out
}

type renamer map[string]string

func (r renamer) has(name string) bool { _, ok := r[strings.ToLower(name)]; return ok }

func (r renamer) name(name string) string {
	if n, ok := r[strings.ToLower(name)]; ok {
		return n
	}
	return name
}

func (r renamer) list(names []string) []string {
	if names == nil {
		return nil
	}
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = r.name(n)
	}
	return out
}

// expr renames the columns in an expression and in its MySQL text.
func (r renamer) expr(e sqlast.Expr, text string) (sqlast.Expr, string) {
	if e == nil {
		return nil, text
	}
	hit := false
	sqlast.Walk(e, func(x sqlast.Expr) bool {
		c, ok := x.(*sqlast.Col)
		hit = hit || ok && r.has(c.Name)
		return true
	})
	if !hit {
		return e, text
	}
	e = sqlast.Rewrite(sqlast.CloneExpr(e), func(x sqlast.Expr) sqlast.Expr {
		if c, ok := x.(*sqlast.Col); ok {
			c.Name = r.name(c.Name)
		}
		return x
	})
	return e, r.text(text)
}

// text renames the identifiers in MySQL text: words outside of strings.
func (r renamer) text(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '\'' || c == '"':
			j := i + 1
			for j < len(s) && s[j] != c {
				if s[j] == '\\' {
					j++
				}
				j++
			}
			j = min(j+1, len(s))
			b.WriteString(s[i:j])
			i = j
		case c == '`':
			j := i + 1
			for j < len(s) && s[j] != '`' {
				j++
			}
			b.WriteString("`" + r.name(s[i+1:j]) + "`")
			i = min(j+1, len(s))
		case wordByte(c):
			j := i
			for j < len(s) && wordByte(s[j]) {
				j++
			}
			word := s[i:j]
			if r.has(word) && !strings.HasPrefix(strings.TrimLeft(s[j:], " "), "(") {
				word = quoteName(r.name(word))
			}
			b.WriteString(word)
			i = j
		default:
			b.WriteByte(c)
			i++
		}
	}
	return b.String()
}

func wordByte(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func (a *altered) addIndex(s *sqlast.AlterSpec) error {
	x := *s.Index
	if x.Kind == sqlast.IndexPrimary {
		if a.def.PrimaryKey() != nil {
			return schemaError(1068, "multiple primary key defined")
		}
		x.Name = "PRIMARY"
	}
	for _, p := range x.Parts {
		if p.Column != "" && a.column(p.Column) < 0 {
			return schemaError(1072, "key column '%s' doesn't exist in table", p.Column)
		}
	}
	if x.Name == "" {
		x.Name = a.freeIndexName(&x)
	}
	if a.index(x.Name) >= 0 {
		if s.IfNotExists {
			return nil
		}
		return schemaError(1061, "duplicate key name '%s'", x.Name)
	}
	if x.Kind != sqlast.IndexPrimary {
		a.def.Indexes = append(a.def.Indexes, &x)
		return nil
	}
	for _, p := range x.Parts {
		if i := a.column(p.Column); i >= 0 && !a.def.Columns[i].Type.NotNull {
			c := a.own(i)
			c.Type.NotNull = true
			if d, ok := c.Default.(*sqlast.Lit); ok && d.Kind == sqlast.LitNull {
				c.Default, c.DefaultText = nil, "" // every column that may be NULL has it, said or not
			}
		}
	}
	a.def.Indexes = slices.Insert(a.def.Indexes, 0, &x)
	return nil
}

// freeIndexName is MySQL's way: the first column's name, with _2, _3 … if taken.
func (a *altered) freeIndexName(x *sqlast.IndexDef) string {
	base := "functional_index"
	if len(x.Parts) > 0 && x.Parts[0].Column != "" {
		base = x.Parts[0].Column
	}
	name := base
	for n := 2; a.index(name) >= 0; n++ {
		name = fmt.Sprintf("%s_%d", base, n)
	}
	return name
}

func (a *altered) dropIndex(s *sqlast.AlterSpec) error {
	i := a.index(s.Name)
	if i < 0 {
		if s.IfExists {
			return nil
		}
		return cantDrop(s.Name)
	}
	a.def.Indexes = slices.Delete(a.def.Indexes, i, i+1)
	return nil
}

func (a *altered) renameIndex(s *sqlast.AlterSpec) error {
	i := a.index(s.Name)
	if i < 0 {
		return schemaError(1176, "key '%s' doesn't exist in table '%s'", s.Name, a.def.Name)
	}
	if j := a.index(s.NewName); j >= 0 && j != i {
		return schemaError(1061, "duplicate key name '%s'", s.NewName)
	}
	x := *a.def.Indexes[i]
	x.Name = s.NewName
	a.def.Indexes[i] = &x
	return nil
}

func (a *altered) foreignKey(name string) int {
	return slices.IndexFunc(a.def.ForeignKeys, func(f *sqlast.ForeignKeyDef) bool { return strings.EqualFold(f.Name, name) })
}

func (a *altered) check(name string) int {
	return slices.IndexFunc(a.def.Checks, func(c *sqlast.CheckDef) bool { return strings.EqualFold(c.Name, name) })
}

func (a *altered) addForeignKey(s *sqlast.AlterSpec) error {
	fk := *s.ForeignKey
	for _, c := range fk.Columns {
		if a.column(c) < 0 {
			return schemaError(1072, "key column '%s' doesn't exist in table", c)
		}
	}
	if fk.Name == "" {
		for n := 1; fk.Name == "" || a.foreignKey(fk.Name) >= 0; n++ {
			fk.Name = fmt.Sprintf("%s_ibfk_%d", a.def.Name, n)
		}
	} else if a.foreignKey(fk.Name) >= 0 {
		if s.IfNotExists {
			return nil
		}
		return schemaError(1826, "duplicate foreign key constraint name '%s'", fk.Name)
	}
	a.def.ForeignKeys = append(a.def.ForeignKeys, &fk)
	return nil
}

func (a *altered) dropForeignKey(s *sqlast.AlterSpec) error {
	i := a.foreignKey(s.Name)
	if i < 0 {
		if s.IfExists {
			return nil
		}
		return cantDrop(s.Name)
	}
	a.def.ForeignKeys = slices.Delete(a.def.ForeignKeys, i, i+1)
	return nil
}

func (a *altered) addCheck(s *sqlast.AlterSpec) error {
	c := *s.Check
	if c.Name == "" {
		for n := 1; c.Name == "" || a.check(c.Name) >= 0; n++ {
			c.Name = fmt.Sprintf("%s_chk_%d", a.def.Name, n)
		}
	} else if a.check(c.Name) >= 0 {
		return schemaError(3822, "duplicate check constraint name '%s'", c.Name)
	}
	a.def.Checks = append(a.def.Checks, &c)
	return nil
}

// dropConstraint is DROP CHECK, and DROP CONSTRAINT of whatever kind.
func (a *altered) dropConstraint(s *sqlast.AlterSpec) error {
	if i := a.check(s.Name); i >= 0 {
		a.def.Checks = slices.Delete(a.def.Checks, i, i+1)
		return nil
	}
	if a.foreignKey(s.Name) >= 0 {
		return a.dropForeignKey(s)
	}
	if i := a.index(s.Name); i >= 0 && a.def.Indexes[i].Kind != sqlast.IndexPlain {
		return a.dropIndex(s)
	}
	if s.IfExists {
		return nil
	}
	return schemaError(3940, "constraint '%s' does not exist", s.Name)
}
