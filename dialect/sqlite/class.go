package sqlite

import (
	"strconv"

	"github.com/vitessdo/vitessdo/sqlast"
)

// class gives what is known of e's values: the binder's word, else what the
// node itself shows.
func class(e sqlast.Expr) sqlast.Class {
	if e == nil {
		return sqlast.ClassUnknown
	}
	if c := e.Type().Class; c != sqlast.ClassUnknown {
		return c
	}
	switch e := e.(type) {
	case *sqlast.Col:
		if e.Def != nil {
			return e.Def.Type.Class
		}
	case *sqlast.Values:
		if e.Def != nil {
			return e.Def.Type.Class
		}
	case *sqlast.Lit:
		return litClass(e)
	case *sqlast.Unary:
		return unaryClass(e)
	case *sqlast.Binary:
		return binaryClass(e)
	case *sqlast.Func:
		return funcClass(e)
	case *sqlast.Agg:
		switch e.Name {
		case "COUNT", "BIT_AND", "BIT_OR", "BIT_XOR":
			return sqlast.ClassInt
		case "GROUP_CONCAT":
			return sqlast.ClassText
		case "MIN", "MAX", "ANY_VALUE":
			if len(e.Args) == 1 {
				return class(e.Args[0])
			}
		}
	case *sqlast.Cast:
		return castClass(e.To)
	case *sqlast.Collate:
		return sqlast.ClassText
	case *sqlast.In, *sqlast.Between, *sqlast.Like, *sqlast.Is:
		return sqlast.ClassInt
	case *sqlast.Case:
		if len(e.Whens) > 0 {
			return class(e.Whens[0].Then)
		}
	}
	return sqlast.ClassUnknown
}

func litClass(l *sqlast.Lit) sqlast.Class {
	switch l.Kind {
	case sqlast.LitNull:
		return sqlast.ClassNull
	case sqlast.LitInt, sqlast.LitTrue, sqlast.LitFalse:
		return sqlast.ClassInt
	case sqlast.LitDecimal:
		return sqlast.ClassDecimal
	case sqlast.LitFloat:
		return sqlast.ClassDouble
	case sqlast.LitString:
		return sqlast.ClassText
	case sqlast.LitDate:
		return sqlast.ClassDate
	case sqlast.LitTime:
		return sqlast.ClassTime
	case sqlast.LitTimestamp:
		return sqlast.ClassDateTime
	}
	return sqlast.ClassUnknown // bytes: what the context makes of them
}

func unaryClass(e *sqlast.Unary) sqlast.Class {
	switch e.Op {
	case sqlast.OpNot, sqlast.OpBitNot:
		return sqlast.ClassInt
	}
	return class(e.X)
}

func binaryClass(e *sqlast.Binary) sqlast.Class {
	switch e.Op {
	case sqlast.OpAdd, sqlast.OpSub, sqlast.OpMul, sqlast.OpMod:
		l, r := class(e.L), class(e.R)
		switch {
		case l == sqlast.ClassInt && r == sqlast.ClassInt:
			return sqlast.ClassInt
		case l == sqlast.ClassDouble || r == sqlast.ClassDouble:
			return sqlast.ClassDouble
		case l == sqlast.ClassDecimal || r == sqlast.ClassDecimal:
			return sqlast.ClassDecimal
		}
		return sqlast.ClassUnknown
	case sqlast.OpDiv:
		return sqlast.ClassDecimal
	case sqlast.OpConcat:
		return sqlast.ClassText
	case sqlast.OpJSONGet:
		return sqlast.ClassJSON
	case sqlast.OpJSONTxt:
		return sqlast.ClassUnknown // an SQL value of any class
	}
	return sqlast.ClassInt
}

func castClass(t sqlast.Type) sqlast.Class {
	switch t.Name {
	case "SIGNED", "UNSIGNED", "YEAR":
		return sqlast.ClassInt
	case "CHAR":
		return sqlast.ClassText
	case "BINARY":
		return sqlast.ClassBlob
	case "DATE":
		return sqlast.ClassDate
	case "DATETIME":
		return sqlast.ClassDateTime
	case "TIME":
		return sqlast.ClassTime
	case "DECIMAL":
		return sqlast.ClassDecimal
	case "DOUBLE", "FLOAT", "REAL":
		return sqlast.ClassDouble
	case "JSON":
		return sqlast.ClassJSON
	}
	return t.Class
}

// intLit gives the value of an integer literal, negated or not.
func intLit(e sqlast.Expr) (int64, bool) {
	switch e := e.(type) {
	case *sqlast.Lit:
		if e.Kind == sqlast.LitInt {
			n, err := strconv.ParseInt(e.Text, 10, 64)
			return n, err == nil
		}
	case *sqlast.Unary:
		if n, ok := intLit(e.X); ok && e.Op == sqlast.OpNeg {
			return -n, true
		}
	}
	return 0, false
}

// strLit gives the value of a string literal.
func strLit(e sqlast.Expr) (string, bool) {
	if l, ok := e.(*sqlast.Lit); ok && l.Kind == sqlast.LitString {
		return l.Text, true
	}
	return "", false
}

// funcClass gives the class of the functions whose result decides how what
// stands around them is printed.
func funcClass(f *sqlast.Func) sqlast.Class {
	switch f.Name {
	case "CONCAT", "CONCAT_WS", "UPPER", "LOWER", "UCASE", "LCASE", "SUBSTRING", "SUBSTR", "MID", "LEFT", "RIGHT",
		"TRIM", "LTRIM", "RTRIM", "REPLACE", "LPAD", "RPAD", "REVERSE", "REPEAT", "HEX", "MD5", "SHA1", "SHA2",
		"DATE_FORMAT", "MONTHNAME", "DAYNAME", "SUBSTRING_INDEX", "CHAR", "CHAR_FUNC", "FORMAT", "QUOTE", "UUID":
		return sqlast.ClassText
	case "LENGTH", "CHAR_LENGTH", "CHARACTER_LENGTH", "OCTET_LENGTH", "YEAR", "MONTH", "DAY", "DAYOFMONTH", "HOUR",
		"MINUTE", "SECOND", "QUARTER", "DAYOFWEEK", "WEEKDAY", "DAYOFYEAR", "WEEK", "DATEDIFF", "TIMESTAMPDIFF",
		"UNIX_TIMESTAMP", "LOCATE", "INSTR", "POSITION", "FIND_IN_SET", "FIELD", "CEIL", "CEILING", "FLOOR", "SIGN",
		"CRC32", "BIT_COUNT", "JSON_LENGTH", "JSON_CONTAINS", "JSON_VALID", "ISNULL", "INTERVAL", "TO_DAYS":
		return sqlast.ClassInt
	case "SQRT", "POW", "POWER", "EXP", "LN", "LOG", "LOG2", "LOG10", "PI", "RAND":
		return sqlast.ClassDouble
	case "DATE", "LAST_DAY", "MAKEDATE", "CURDATE", "CURRENT_DATE", "FROM_DAYS", "UTC_DATE":
		return sqlast.ClassDate
	case "NOW", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP", "UTC_TIMESTAMP", "SYSDATE", "TIMESTAMP":
		return sqlast.ClassDateTime
	case "JSON_EXTRACT", "JSON_OBJECT", "JSON_ARRAY", "JSON_SET", "JSON_INSERT", "JSON_REPLACE", "JSON_REMOVE",
		"JSON_MERGE_PATCH", "JSON_MERGE_PRESERVE", "JSON_KEYS":
		return sqlast.ClassJSON
	case "ABS", "ROUND", "TRUNCATE", "IFNULL", "COALESCE", "NULLIF", "GREATEST", "LEAST", "ANY_VALUE":
		if len(f.Args) > 0 {
			return class(f.Args[0])
		}
	case "IF":
		if len(f.Args) == 3 {
			return class(f.Args[1])
		}
	case "MOD":
		if len(f.Args) == 2 && (fractional(class(f.Args[0])) || fractional(class(f.Args[1]))) {
			return sqlast.ClassDecimal
		}
		return sqlast.ClassInt
	}
	return sqlast.ClassUnknown
}
