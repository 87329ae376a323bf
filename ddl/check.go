package ddl

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/vitessdo/vitessdo/sqlast"
)

// check says what is wrong with a definition in itself, as MySQL would.
func check(def *sqlast.TableDef) error {
	if err := checkName(def.Name); err != nil {
		return err
	}
	if len(def.Columns) == 0 {
		return fail(errTableNeedsColumn, "table %q must have at least one column", def.Name)
	}
	for _, step := range []func(*sqlast.TableDef) error{
		checkColumns, checkIndexes, checkAutoInc, checkForeignColumns, checkChecks,
	} {
		if err := step(def); err != nil {
			return err
		}
	}
	return nil
}

// checkName refuses the names that shards keep for themselves.
func checkName(name string) error {
	lower := strings.ToLower(name)
	switch {
	case name == "" || strings.HasSuffix(name, " "):
		return fail(errWrongTableName, "incorrect table name %q", name)
	case strings.HasPrefix(lower, "sqlite_"), strings.HasPrefix(lower, "_vt_"):
		return fail(errWrongTableName,
			"incorrect table name %q: names with sqlite_ and _vt_ in front are the shards' own; choose another", name)
	case utf8.RuneCountInString(name) > maxName:
		return fail(errNameTooLong, "identifier name %q is too long: %d characters are allowed", name, maxName)
	}
	return nil
}

func checkColumns(def *sqlast.TableDef) error {
	seen := map[string]bool{}
	for i, c := range def.Columns {
		switch lower := strings.ToLower(c.Name); {
		case seen[lower]:
			return fail(errDuplicateColumn, "duplicate column name %q in table %q", c.Name, def.Name)
		case utf8.RuneCountInString(c.Name) > maxName:
			return fail(errNameTooLong, "identifier name %q is too long: %d characters are allowed", c.Name, maxName)
		default:
			seen[lower] = true
		}
		if lit, ok := c.Default.(*sqlast.Lit); ok && lit.Kind == sqlast.LitNull && c.Type.NotNull {
			return fail(errInvalidDefault, "invalid default value for %q in table %q: the column is NOT NULL", c.Name, def.Name)
		}
		if col := unknownColumn(def, c.Generated); col != nil {
			return fail(errUnknownColumn, "unknown column %q in the expression of generated column %q of table %q",
				col.Name, c.Name, def.Name)
		}
		if col := laterColumn(def, i); col != nil {
			return fail(errGeneratedOrder, "generated column %q of table %q can refer only to generated columns defined prior to it, not to %q",
				c.Name, def.Name, col.Name)
		}
	}
	return nil
}

// laterColumn finds a generated column in the expression of generated column i that
// doesn't stand before it. So none hangs on itself.
func laterColumn(def *sqlast.TableDef, i int) (found *sqlast.ColumnDef) {
	sqlast.Walk(def.Columns[i].Generated, func(e sqlast.Expr) bool {
		if ref, ok := e.(*sqlast.Col); ok {
			if c := def.Column(ref.Name); c.Generated != nil && slices.Index(def.Columns, c) >= i {
				found = c
			}
		}
		return found == nil
	})
	return found
}

func checkIndexes(def *sqlast.TableDef) error {
	seen, primaries := map[string]bool{}, 0
	for _, x := range def.Indexes {
		if x.Kind == sqlast.IndexPrimary {
			if primaries++; primaries > 1 {
				return fail(errMultiplePrimary, "multiple primary key defined in table %q", def.Name)
			}
		}
		lower := strings.ToLower(x.Name)
		if seen[lower] {
			return fail(errDuplicateKeyName, "duplicate key name %q in table %q", x.Name, def.Name)
		}
		seen[lower] = true
		parts := map[string]bool{}
		for _, p := range x.Parts {
			if p.Column == "" {
				if col := unknownColumn(def, p.Expr); col != nil {
					return fail(errUnknownColumn, "unknown column %q in key %q of table %q", col.Name, x.Name, def.Name)
				}
				continue
			}
			if def.Column(p.Column) == nil {
				return fail(errKeyColumnMissing, "key column %q of key %q doesn't exist in table %q", p.Column, x.Name, def.Name)
			}
			if parts[strings.ToLower(p.Column)] {
				return fail(errDuplicateColumn, "duplicate column name %q in key %q of table %q", p.Column, x.Name, def.Name)
			}
			parts[strings.ToLower(p.Column)] = true
		}
	}
	return nil
}

func autoColumn(def *sqlast.TableDef) *sqlast.ColumnDef {
	for _, c := range def.Columns {
		if c.AutoInc {
			return c
		}
	}
	return nil
}

func checkAutoInc(def *sqlast.TableDef) error {
	auto := autoColumn(def)
	if auto == nil {
		return nil
	}
	if auto.Type.Class != sqlast.ClassInt || auto.Type.Name == "BIT" || auto.Type.Name == "YEAR" {
		return fail(errWrongColumnSpec, "incorrect column specifier for column %q of table %q: AUTO_INCREMENT needs an integer column",
			auto.Name, def.Name)
	}
	if auto.Default != nil {
		return fail(errInvalidDefault, "invalid default value for %q in table %q: the column is AUTO_INCREMENT", auto.Name, def.Name)
	}
	keyed := false
	for _, x := range def.Indexes {
		keyed = keyed || len(x.Parts) > 0 && strings.EqualFold(x.Parts[0].Column, auto.Name)
	}
	for _, c := range def.Columns {
		if c.AutoInc && c != auto {
			keyed = false
		}
	}
	if !keyed {
		return fail(errOneAutoColumn,
			"incorrect definition of table %q: there can be only one AUTO_INCREMENT column (%q) and it must be the first column of a key",
			def.Name, auto.Name)
	}
	return nil
}

func checkForeignColumns(def *sqlast.TableDef) error {
	for _, fk := range def.ForeignKeys {
		if len(fk.Columns) == 0 || len(fk.Columns) != len(fk.RefColumns) {
			return fail(errForeignKeyColumns, "incorrect foreign key definition for %q of table %q: %d columns refer to %d",
				fk.Name, def.Name, len(fk.Columns), len(fk.RefColumns))
		}
		for _, name := range fk.Columns {
			c := def.Column(name)
			if c == nil {
				return fail(errKeyColumnMissing, "key column %q of foreign key %q doesn't exist in table %q", name, fk.Name, def.Name)
			}
			if c.Type.NotNull && (fk.OnDelete == "SET NULL" || fk.OnUpdate == "SET NULL") {
				return fail(errForeignNotNull, "column %q of table %q cannot be NOT NULL: needed in foreign key %q SET NULL",
					c.Name, def.Name, fk.Name)
			}
		}
	}
	return nil
}

func checkChecks(def *sqlast.TableDef) error {
	for _, c := range def.Checks {
		if col := unknownColumn(def, c.Expr); col != nil {
			return fail(errCheckColumn, "check constraint %q of table %q refers to non-existing column %q", c.Name, def.Name, col.Name)
		}
	}
	return nil
}

// unknownColumn finds a column in the expression that the table doesn't have.
func unknownColumn(def *sqlast.TableDef, e sqlast.Expr) *sqlast.Col {
	var found *sqlast.Col
	if e == nil {
		return nil
	}
	sqlast.Walk(e, func(e sqlast.Expr) bool {
		if c, ok := e.(*sqlast.Col); ok && found == nil && def.Column(c.Name) == nil {
			found = c
		}
		return found == nil
	})
	return found
}

// checkNames refuses constraint names that another table of the keyspace has.
func (p *planner) checkNames(def *sqlast.TableDef, old string) error {
	fks, checks := map[string]string{}, map[string]string{}
	add := func(t *sqlast.TableDef) error {
		for _, fk := range t.ForeignKeys {
			lower := strings.ToLower(fk.Name)
			if other, taken := fks[lower]; taken {
				return fail(errForeignDuplicate, "duplicate foreign key constraint name %q: table %q has it", fk.Name, other)
			}
			fks[lower] = t.Name
		}
		for _, c := range t.Checks {
			lower := strings.ToLower(c.Name)
			if other, taken := checks[lower]; taken {
				return fail(errCheckDuplicate, "duplicate check constraint name %q: table %q has it", c.Name, other)
			}
			checks[lower] = t.Name
		}
		return nil
	}
	for _, t := range p.s.Tables(p.o.Keyspace) {
		if !strings.EqualFold(t.Name, old) {
			_ = add(t) // what is there already isn't this statement's fault
		}
	}
	return add(def)
}
