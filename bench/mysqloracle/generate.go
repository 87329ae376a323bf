package mysqloracle

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Expression makes a random expression of functions and operators that both
// sides have, over literals and the columns i, s and d of the table t.
func Expression(r *rand.Rand, depth int) string {
	switch r.IntN(3) {
	case 0:
		return number(r, depth)
	case 1:
		return text(r, depth)
	}
	return date(r, depth)
}

func pick(r *rand.Rand, list ...string) string { return list[r.IntN(len(list))] }

func number(r *rand.Rand, depth int) string {
	if depth <= 0 {
		return pick(r, "0", "1", "2", "7", "10", "-3", "NULL", "i", "id")
	}
	n := func() string { return number(r, depth-1) }
	s := func() string { return text(r, depth-1) }
	d := func() string { return date(r, depth-1) }
	switch r.IntN(16) {
	case 0:
		return fmt.Sprintf("(%s %s %s)", n(), pick(r, "+", "-", "*"), n())
	case 1:
		return fmt.Sprintf("(%s %s %s)", n(), pick(r, "DIV", "%"), n())
	case 2:
		return fmt.Sprintf("(%s %s %s)", n(), pick(r, "=", "<>", "<", "<=", ">", ">=", "<=>"), n())
	case 3:
		return fmt.Sprintf("(%s %s %s)", n(), pick(r, "AND", "OR", "XOR"), n())
	case 4:
		return fmt.Sprintf("(NOT %s)", n())
	case 5:
		return fmt.Sprintf("ABS(0 + %s)", n()) // of a truth value the server makes NULL
	case 6:
		return fmt.Sprintf("%s(%s)", pick(r, "LENGTH", "CHAR_LENGTH", "ASCII"), s())
	case 7:
		return fmt.Sprintf("LOCATE(LOWER(%s), LOWER(%s))", s(), s())
	case 8:
		// Of one case, as the two have different collations by default.
		return fmt.Sprintf("(MD5(%s) %s MD5(%s))", s(), pick(r, "=", "<>", "<", ">="), s())
	case 9:
		return fmt.Sprintf("%s(%s)", pick(r, "YEAR", "MONTH", "DAYOFMONTH", "DAYOFWEEK", "DAYOFYEAR", "WEEKDAY", "QUARTER"), d())
	case 10:
		return fmt.Sprintf("DATEDIFF(%s, %s)", d(), d())
	case 11:
		return fmt.Sprintf("COALESCE(%s, %s)", n(), n())
	case 12:
		return fmt.Sprintf("IF(%s, %s, %s)", n(), n(), n())
	case 13:
		return fmt.Sprintf("(%s IS %s)", n(), pick(r, "NULL", "NOT NULL"))
	case 14:
		return fmt.Sprintf("(%s IN (%s, %s))", n(), n(), n())
	}
	return fmt.Sprintf("SIGN(%s)", n())
}

func text(r *rand.Rand, depth int) string {
	if depth <= 0 {
		return pick(r, "''", "'a'", "'abc'", "'Abc'", "'b,a'", "'x y'", "NULL", "s")
	}
	n := func() string { return pick(r, "0", "1", "2", "3", "5") }
	s := func() string { return text(r, depth-1) }
	switch r.IntN(12) {
	case 0:
		return fmt.Sprintf("CONCAT(%s, %s)", s(), s())
	case 1:
		return fmt.Sprintf("%s(%s)", pick(r, "UPPER", "LOWER", "REVERSE", "TRIM", "LTRIM", "RTRIM"), s())
	case 2:
		return fmt.Sprintf("%s(%s, %s)", pick(r, "LEFT", "RIGHT", "REPEAT"), s(), n())
	case 3:
		return fmt.Sprintf("SUBSTRING(%s, %s, %s)", s(), pick(r, "-2", "-1", "0", "1", "2"), n())
	case 4:
		return fmt.Sprintf("REPLACE(%s, 'a', %s)", s(), s())
	case 5:
		return fmt.Sprintf("%s(%s, %s, 'xy')", pick(r, "LPAD", "RPAD"), s(), n())
	case 6:
		return fmt.Sprintf("COALESCE(%s, %s)", s(), s())
	case 7:
		return fmt.Sprintf("IF(%s, %s, %s)", number(r, depth-1), s(), s())
	case 8:
		return fmt.Sprintf("CONCAT_WS(',', %s, %s)", s(), s())
	case 9:
		return fmt.Sprintf("HEX(%s)", s())
	case 10:
		return fmt.Sprintf("%s(%s)", pick(r, "MD5", "SHA1"), s())
	}
	return fmt.Sprintf("SUBSTRING_INDEX(%s, ',', %s)", s(), pick(r, "-1", "1", "2"))
}

func date(r *rand.Rand, depth int) string {
	if depth <= 0 {
		return pick(r, "'2024-02-29'", "'2023-12-31'", "DATE '2024-01-31'", "NULL", "d")
	}
	d := func() string { return date(r, depth-1) }
	switch r.IntN(4) {
	case 0:
		return fmt.Sprintf("%s(%s, INTERVAL %s %s)", pick(r, "DATE_ADD", "DATE_SUB"), d(), pick(r, "1", "2", "30"), pick(r, "DAY", "MONTH", "YEAR", "WEEK"))
	case 1:
		return fmt.Sprintf("LAST_DAY(%s)", d())
	case 2:
		return fmt.Sprintf("DATE(%s)", d())
	}
	return fmt.Sprintf("COALESCE(%s, %s)", d(), d())
}

// readsColumns says whether an expression needs the table.
func readsColumns(e string) bool {
	for _, f := range strings.FieldsFunc(e, func(r rune) bool { return strings.ContainsRune("(), ", r) }) {
		if f == "i" || f == "s" || f == "d" || f == "id" {
			return true
		}
	}
	return false
}
