package sqlast

import (
	"cmp"
	"slices"
	"strings"
)

// TableDef is a table's definition: what CREATE TABLE says, and what the schema
// keeps. A definition in the schema is immutable.
type TableDef struct {
	Name        string
	Columns     []*ColumnDef
	Indexes     []*IndexDef // the primary key included, first
	ForeignKeys []*ForeignKeyDef
	Checks      []*CheckDef
	Comment     string
	Engine      string
	Charset     string
	Collation   string
	AutoInc     int64 // AUTO_INCREMENT=n; 0 if none
	Temporary   bool
	// PartitionKey holds the columns of PARTITION BY KEY(…), which declares
	// their hash vindex.
	PartitionKey []string
}

// Column returns the column called name, without regard to case, or nil.
func (t *TableDef) Column(name string) *ColumnDef {
	for _, c := range t.Columns {
		if strings.EqualFold(c.Name, name) {
			return c
		}
	}
	return nil
}

// Resolved is a copy of an expression of the table's definition whose columns know
// their own, by whose types they are computed with.
func (t *TableDef) Resolved(e Expr) Expr {
	e = CloneExpr(e)
	Walk(e, func(x Expr) bool {
		if c, ok := x.(*Col); ok && c.Def == nil {
			c.Def = t.Column(c.Name)
		}
		return true
	})
	return e
}

// PrimaryKey returns the primary key, or nil.
func (t *TableDef) PrimaryKey() *IndexDef {
	for _, x := range t.Indexes {
		if x.Kind == IndexPrimary {
			return x
		}
	}
	return nil
}

// KeyOn returns the primary or unique key on just these columns, in any order, or nil.
func (t *TableDef) KeyOn(columns []string) *IndexDef {
	for _, x := range t.Indexes {
		if (x.Kind == IndexPrimary || x.Kind == IndexUnique) && x.Whole() && sameNames(x.Columns(), columns) {
			return x
		}
	}
	return nil
}

// sameNames says whether two lists name the same, without regard to case and order.
func sameNames(a, b []string) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(name string) bool {
		return !slices.ContainsFunc(b, func(s string) bool { return strings.EqualFold(s, name) })
	})
}

// ColumnDef is a column's definition.
type ColumnDef struct {
	Name string
	Type Type // Type.NotNull says NOT NULL
	// Default is nil for none; DefaultText is its MySQL text.
	Default     Expr
	DefaultText string
	AutoInc     bool
	// OnUpdateNow: ON UPDATE CURRENT_TIMESTAMP.
	OnUpdateNow bool
	// Generated is the expression of a generated column, GeneratedText its
	// MySQL text.
	Generated     Expr
	GeneratedText string
	Stored        bool
	Comment       string
	Charset       string
	// Pos is the column's ordinal in its table, from 0.
	Pos int
}

// IndexKind is the kind of an index.
type IndexKind uint8

// The kinds of indexes.
const (
	IndexPlain IndexKind = iota
	IndexPrimary
	IndexUnique
	IndexFulltext
	IndexSpatial
)

// IndexDef is an index.
type IndexDef struct {
	Name    string // "PRIMARY" for the primary key
	Kind    IndexKind
	Parts   []IndexPart
	Comment string
	Using   string
}

// IndexPart is a column or an expression of an index.
type IndexPart struct {
	Column   string // "" for an expression
	Expr     Expr
	ExprText string
	Length   int // prefix length; 0: whole
	Desc     bool
}

// Columns lists the index's column names; nil when a part is an expression.
func (x *IndexDef) Columns() []string {
	cols := make([]string, 0, len(x.Parts))
	for _, p := range x.Parts {
		if p.Column == "" {
			return nil
		}
		cols = append(cols, p.Column)
	}
	return cols
}

// Whole says whether the index is on whole columns, on no expression or prefix.
func (x *IndexDef) Whole() bool {
	return !slices.ContainsFunc(x.Parts, func(p IndexPart) bool { return p.Column == "" || p.Length > 0 })
}

// Computed says whether a part of an index is made of columns: an expression, or
// a generated column.
func (t *TableDef) Computed(p IndexPart) bool {
	if p.Column == "" {
		return true
	}
	c := t.Column(p.Column)
	return c != nil && c.Generated != nil
}

// Given lists the columns that rows are given values for, and which the columns
// called names hang on: themselves, or what they are generated from.
func (t *TableDef) Given(names ...string) []string {
	var out []string
	for _, name := range names {
		c := t.Column(name)
		if c != nil && c.Generated != nil {
			out = append(out, t.GivenFor(c.Generated)...)
		} else {
			out = append(out, name)
		}
	}
	return out
}

// GivenFor is Given for the columns of an expression.
func (t *TableDef) GivenFor(e Expr) []string {
	var names []string
	Walk(e, func(e Expr) bool {
		if c, ok := e.(*Col); ok {
			names = append(names, c.Name)
		}
		return true
	})
	return t.Given(names...)
}

// GivenByKey is Given for what an index is on.
func (t *TableDef) GivenByKey(x *IndexDef) []string {
	var out []string
	for _, p := range x.Parts {
		if p.Column == "" {
			out = append(out, t.GivenFor(p.Expr)...)
		} else {
			out = append(out, t.Given(p.Column)...)
		}
	}
	return out
}

// ForeignKeyDef is a foreign key.
type ForeignKeyDef struct {
	Name               string
	Columns            []string
	RefSchema          string // "": the table's own
	RefTable           string
	RefColumns         []string
	OnDelete, OnUpdate string // "", RESTRICT, CASCADE, SET NULL, NO ACTION, SET DEFAULT
}

// Refers says whether the key, of a table of keyspace own, leads to that table.
func (fk *ForeignKeyDef) Refers(own, keyspace, table string) bool {
	return cmp.Or(fk.RefSchema, own) == keyspace && strings.EqualFold(fk.RefTable, table)
}

// CheckDef is a CHECK constraint.
type CheckDef struct {
	Name string
	Expr Expr
	Text string // MySQL text of Expr
	// NotEnforced checks are kept, but not sent to the shards.
	NotEnforced bool
}

// CreateTable is CREATE TABLE; Like or Query may be set.
type CreateTable struct {
	Schema      string
	Def         *TableDef
	IfNotExists bool
	Like        *TableRef
	Query       Query
	QueryText   string
	// ParentsLater: foreign keys may refer to tables that aren't there yet.
	ParentsLater bool
}

// DropTable is DROP TABLE or DROP VIEW.
type DropTable struct {
	Tables    []*TableRef
	IfExists  bool
	View      bool
	Temporary bool
}

// CreateIndex is CREATE INDEX.
type CreateIndex struct {
	Table       *TableRef
	Index       *IndexDef
	IfNotExists bool
}

// DropIndex is DROP INDEX.
type DropIndex struct {
	Table    *TableRef
	Name     string
	IfExists bool
}

// Truncate is TRUNCATE TABLE.
type Truncate struct{ Table *TableRef }

// RenameTable is RENAME TABLE a TO b, ….
type RenameTable struct{ From, To []*TableRef }

// CreateView is CREATE VIEW and ALTER VIEW.
type CreateView struct {
	View      *TableRef
	Columns   []string
	Query     Query
	QueryText string
	Check     string // "LOCAL" or "CASCADED": WITH … CHECK OPTION; ""
	OrReplace bool   // also for ALTER
	Alter     bool   // the view must be there
}

// CreateDatabase is CREATE DATABASE / SCHEMA.
type CreateDatabase struct {
	Name        string
	IfNotExists bool
}

// DropDatabase is DROP DATABASE / SCHEMA.
type DropDatabase struct {
	Name     string
	IfExists bool
}

// AlterTable is ALTER TABLE with its specs in order.
type AlterTable struct {
	Table *TableRef
	Specs []AlterSpec
}

// AlterKind is what an AlterSpec does.
type AlterKind uint8

// What an AlterSpec does.
const (
	AlterAddColumn      AlterKind = iota // Column, First, After
	AlterDropColumn                      // Name
	AlterModifyColumn                    // Name (old), Column, First, After
	AlterRenameColumn                    // Name, NewName
	AlterSetDefault                      // Name, Column.Default
	AlterDropDefault                     // Name
	AlterAddIndex                        // Index
	AlterDropIndex                       // Name ("PRIMARY" for the primary key)
	AlterRenameIndex                     // Name, NewName
	AlterAddForeignKey                   // ForeignKey
	AlterDropForeignKey                  // Name
	AlterAddCheck                        // Check
	AlterDropCheck                       // Name (also DROP CONSTRAINT of unknown kind)
	AlterRename                          // NewName (and NewSchema)
	AlterAutoInc                         // AutoInc
	AlterComment                         // Text
	AlterCollate                         // Charset, Text (collation)
	AlterPartitionKey                    // Columns
	AlterNothing                         // ENGINE, ROW_FORMAT, ALGORITHM, LOCK …: storage only
	AlterColumnType                      // Name, Column.Type: the rest of the column stays
	AlterNullable                        // Name, Column.Type.NotNull: the rest of the column stays
	AlterColumnComment                   // Name, Text: the rest of the column stays
)

// AlterSpec is one change of an ALTER TABLE.
type AlterSpec struct {
	Kind        AlterKind
	Name        string
	NewName     string
	NewSchema   string
	Column      *ColumnDef
	First       bool
	After       string
	Index       *IndexDef
	ForeignKey  *ForeignKeyDef
	Check       *CheckDef
	AutoInc     int64
	Text        string
	Charset     string
	Columns     []string
	IfExists    bool
	IfNotExists bool
}

// AlterVSchema is ALTER VSCHEMA …, as Vitess spells it.
type AlterVSchema struct {
	// Action: "create vindex", "drop vindex", "add table", "drop table",
	// "add vindex", "drop vindex on", "add sequence", "drop sequence",
	// "add auto_increment", "drop auto_increment".
	Action   string
	Table    *TableRef
	Vindex   string // its name
	Type     string // USING
	Columns  []string
	Params   map[string]string // WITH; owner and the others
	Column   string            // of auto_increment
	Sequence *TableRef
}

func (*CreateTable) stmt()    {}
func (*DropTable) stmt()      {}
func (*CreateIndex) stmt()    {}
func (*DropIndex) stmt()      {}
func (*Truncate) stmt()       {}
func (*RenameTable) stmt()    {}
func (*CreateView) stmt()     {}
func (*CreateDatabase) stmt() {}
func (*DropDatabase) stmt()   {}
func (*AlterTable) stmt()     {}
func (*AlterVSchema) stmt()   {}
