package info

import (
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// TypeText is a column's type as MySQL 8 prints it: "bigint unsigned",
// "varchar(50)", "decimal(10,2)", "enum('a','b')".
func TypeText(t sqlast.Type) string {
	name := strings.ToLower(t.Name)
	var b strings.Builder
	b.WriteString(name)
	switch name {
	case "":
		return "text"
	case "tinyint":
		if t.Bool || t.Size == 1 && !t.Unsigned {
			return "tinyint(1)"
		}
		displayWidth(&b, t, 3)
	case "smallint":
		displayWidth(&b, t, 5)
	case "mediumint":
		displayWidth(&b, t, 8)
	case "int":
		displayWidth(&b, t, 10)
	case "bigint":
		displayWidth(&b, t, 20)
	case "decimal":
		size, scale := t.Size, t.Scale
		if size < 0 {
			size = 10
		}
		b.WriteString("(" + strconv.Itoa(size) + "," + strconv.Itoa(max(scale, 0)) + ")")
	case "float", "double":
		if t.Size > 0 && t.Scale >= 0 {
			b.WriteString("(" + strconv.Itoa(t.Size) + "," + strconv.Itoa(t.Scale) + ")")
		}
	case "char", "binary", "bit":
		b.WriteString("(" + strconv.Itoa(max(t.Size, 1)) + ")")
	case "varchar", "varbinary":
		if t.Size >= 0 {
			b.WriteString("(" + strconv.Itoa(t.Size) + ")")
		}
	case "datetime", "timestamp", "time":
		if t.Scale > 0 {
			b.WriteString("(" + strconv.Itoa(t.Scale) + ")")
		}
	case "enum", "set":
		members(&b, t.Values)
	}
	if t.Unsigned {
		b.WriteString(" unsigned")
	}
	if t.Zerofill {
		b.WriteString(" zerofill")
	}
	return b.String()
}

// displayWidth: MySQL 8 shows the width of integers only with ZEROFILL.
func displayWidth(b *strings.Builder, t sqlast.Type, width int) {
	if t.Zerofill {
		if t.Size > 0 {
			width = t.Size
		}
		b.WriteString("(" + strconv.Itoa(width) + ")")
	}
}

func members(b *strings.Builder, values []string) {
	for i, v := range values {
		b.WriteString("(,"[min(i, 1):][:1])
		b.WriteString("'" + strings.ReplaceAll(v, "'", "''") + "'")
	}
	b.WriteByte(')')
}
