package dialect

import (
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// ShowCreate writes def as MySQL's SHOW CREATE TABLE does: text which, parsed
// again, gives an equal definition.
func ShowCreate(def *sqlast.TableDef) string {
	var parts []string
	for _, c := range def.Columns {
		parts = append(parts, quoteName(c.Name)+" "+columnMySQL(c))
	}
	for _, x := range def.Indexes {
		parts = append(parts, indexMySQL(x))
	}
	for _, fk := range def.ForeignKeys {
		parts = append(parts, foreignKeyMySQL(fk))
	}
	for _, c := range def.Checks {
		parts = append(parts, checkMySQL(c))
	}
	word := "CREATE TABLE "
	if def.Temporary {
		word = "CREATE TEMPORARY TABLE "
	}
	return word + quoteName(def.Name) + " (\n  " + strings.Join(parts, ",\n  ") + "\n)" + tableOptions(def)
}

func quoteName(s string) string { return "`" + strings.ReplaceAll(s, "`", "``") + "`" }

func quoteNames(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = quoteName(n)
	}
	return "(" + strings.Join(out, ",") + ")"
}

// quoteText writes a string literal in MySQL's default mode.
func quoteText(s string) string {
	return "'" + strings.NewReplacer("'", "''", `\`, `\\`, "\n", `\n`, "\r", `\r`, "\x00", `\0`).Replace(s) + "'"
}

func tableOptions(def *sqlast.TableDef) string {
	var b strings.Builder
	engine := def.Engine
	if engine == "" {
		engine = "InnoDB"
	}
	b.WriteString(" ENGINE=" + engine)
	if def.AutoInc > 0 {
		b.WriteString(" AUTO_INCREMENT=" + strconv.FormatInt(def.AutoInc, 10))
	}
	if def.Charset != "" {
		b.WriteString(" DEFAULT CHARSET=" + def.Charset)
	}
	if def.Collation != "" {
		b.WriteString(" COLLATE=" + def.Collation)
	}
	if def.Comment != "" {
		b.WriteString(" COMMENT=" + quoteText(def.Comment))
	}
	if len(def.PartitionKey) > 0 {
		b.WriteString("\nPARTITION BY KEY " + quoteNames(def.PartitionKey))
	}
	return b.String()
}

// TypeText is a column type as SHOW COLUMNS and information_schema write it:
// "varchar(20)", "int unsigned", "enum('a','b')".
func TypeText(t *sqlast.Type) string {
	s := strings.ToLower(t.Name)
	switch t.Name {
	case "":
		s = "text"
	case "ENUM", "SET":
		vals := make([]string, len(t.Values))
		for i, v := range t.Values {
			vals[i] = quoteText(v)
		}
		return s + "(" + strings.Join(vals, ",") + ")"
	case "DECIMAL", "NUMERIC", "FLOAT", "DOUBLE":
		if t.Size > 0 {
			s += "(" + strconv.Itoa(t.Size)
			if t.Scale >= 0 {
				s += "," + strconv.Itoa(t.Scale)
			}
			s += ")"
		}
	case "DATETIME", "TIMESTAMP", "TIME":
		if t.Scale > 0 {
			s += "(" + strconv.Itoa(t.Scale) + ")"
		}
	case "TINYINT":
		if t.Bool {
			s += "(1)"
		} else {
			s += sizeText(t.Size)
		}
	case "CHAR", "VARCHAR", "BINARY", "VARBINARY", "BIT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT":
		s += sizeText(t.Size)
	}
	if t.Unsigned {
		s += " unsigned"
	}
	if t.Zerofill {
		s += " zerofill"
	}
	return s
}

func sizeText(n int) string {
	if n <= 0 {
		return ""
	}
	return "(" + strconv.Itoa(n) + ")"
}

func columnMySQL(c *sqlast.ColumnDef) string {
	var b strings.Builder
	b.WriteString(TypeText(&c.Type))
	if c.Charset != "" && c.Type.Class == sqlast.ClassText {
		b.WriteString(" CHARACTER SET " + c.Charset)
	}
	if c.Type.Collation != "" && c.Type.Class == sqlast.ClassText {
		b.WriteString(" COLLATE " + c.Type.Collation)
	}
	if c.GeneratedText != "" || c.Generated != nil {
		b.WriteString(" GENERATED ALWAYS AS (" + c.GeneratedText + ")")
		if c.Stored {
			b.WriteString(" STORED")
		} else {
			b.WriteString(" VIRTUAL")
		}
	}
	switch {
	case c.Type.NotNull:
		b.WriteString(" NOT NULL")
	case c.Type.Name == "TIMESTAMP":
		b.WriteString(" NULL")
	}
	now := ""
	if f, ok := c.Default.(*sqlast.Func); ok {
		now = NowText(f)
	}
	switch {
	case now != "":
		b.WriteString(" DEFAULT " + now)
	case c.DefaultText != "":
		b.WriteString(" DEFAULT " + c.DefaultText)
	case !c.Type.NotNull && !c.AutoInc && c.Generated == nil && c.Default == nil && defaultsToNull(c.Type.Name):
		b.WriteString(" DEFAULT NULL")
	}
	if c.OnUpdateNow {
		b.WriteString(" ON UPDATE CURRENT_TIMESTAMP")
		if c.Type.Scale > 0 {
			b.WriteString("(" + strconv.Itoa(c.Type.Scale) + ")")
		}
	}
	if c.AutoInc {
		b.WriteString(" AUTO_INCREMENT")
	}
	if c.Comment != "" {
		b.WriteString(" COMMENT " + quoteText(c.Comment))
	}
	return b.String()
}

// NowText is how MySQL writes a default that is the time of the statement, by
// whichever name it was given; "" for other functions.
func NowText(f *sqlast.Func) string {
	switch f.Name {
	case "NOW", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP":
		if len(f.Args) == 1 {
			if n, ok := f.Args[0].(*sqlast.Lit); ok {
				return "CURRENT_TIMESTAMP(" + n.Text + ")"
			}
		}
		return "CURRENT_TIMESTAMP"
	}
	return ""
}

// defaultsToNull: MySQL writes DEFAULT NULL, but not for types without defaults.
func defaultsToNull(name string) bool {
	switch {
	case strings.HasSuffix(name, "TEXT"), strings.HasSuffix(name, "BLOB"), name == "":
		return false
	}
	return true
}

func indexMySQL(x *sqlast.IndexDef) string {
	var b strings.Builder
	switch x.Kind {
	case sqlast.IndexPrimary:
		b.WriteString("PRIMARY KEY ")
	case sqlast.IndexUnique:
		b.WriteString("UNIQUE KEY " + quoteName(x.Name) + " ")
	case sqlast.IndexFulltext:
		b.WriteString("FULLTEXT KEY " + quoteName(x.Name) + " ")
	case sqlast.IndexSpatial:
		b.WriteString("SPATIAL KEY " + quoteName(x.Name) + " ")
	default:
		b.WriteString("KEY " + quoteName(x.Name) + " ")
	}
	b.WriteByte('(')
	for i, p := range x.Parts {
		if i > 0 {
			b.WriteByte(',')
		}
		if p.Column == "" {
			b.WriteString("(" + p.ExprText + ")")
		} else {
			b.WriteString(quoteName(p.Column) + sizeText(p.Length))
		}
		if p.Desc {
			b.WriteString(" DESC")
		}
	}
	b.WriteByte(')')
	if x.Using != "" {
		b.WriteString(" USING " + x.Using)
	}
	if x.Comment != "" {
		b.WriteString(" COMMENT " + quoteText(x.Comment))
	}
	return b.String()
}

func foreignKeyMySQL(fk *sqlast.ForeignKeyDef) string {
	s := ""
	if fk.Name != "" {
		s = "CONSTRAINT " + quoteName(fk.Name) + " "
	}
	s += "FOREIGN KEY " + quoteNames(fk.Columns) + " REFERENCES "
	if fk.RefSchema != "" {
		s += quoteName(fk.RefSchema) + "."
	}
	s += quoteName(fk.RefTable) + " " + quoteNames(fk.RefColumns)
	if fk.OnDelete != "" {
		s += " ON DELETE " + fk.OnDelete
	}
	if fk.OnUpdate != "" {
		s += " ON UPDATE " + fk.OnUpdate
	}
	return s
}

func checkMySQL(c *sqlast.CheckDef) string {
	s := ""
	if c.Name != "" {
		s = "CONSTRAINT " + quoteName(c.Name) + " "
	}
	s += "CHECK (" + c.Text + ")"
	if c.NotEnforced {
		s += " NOT ENFORCED"
	}
	return s
}
