package ddl

import (
	"strings"

	"github.com/vitessdo/vitessdo/sqlast"
)

// columnTypes are the column types that hold any value of a class.
var columnTypes = map[sqlast.Class]sqlast.Type{
	sqlast.ClassInt:      {Name: "BIGINT", Class: sqlast.ClassInt, Size: -1, Scale: -1},
	sqlast.ClassDecimal:  {Name: "DECIMAL", Class: sqlast.ClassDecimal, Size: 65, Scale: 30},
	sqlast.ClassDouble:   {Name: "DOUBLE", Class: sqlast.ClassDouble, Size: -1, Scale: -1},
	sqlast.ClassText:     {Name: "LONGTEXT", Class: sqlast.ClassText, Size: -1, Scale: -1},
	sqlast.ClassBlob:     {Name: "LONGBLOB", Class: sqlast.ClassBlob, Size: -1, Scale: -1},
	sqlast.ClassDate:     {Name: "DATE", Class: sqlast.ClassDate, Size: -1, Scale: -1},
	sqlast.ClassDateTime: {Name: "DATETIME", Class: sqlast.ClassDateTime, Size: -1, Scale: 6},
	sqlast.ClassTime:     {Name: "TIME", Class: sqlast.ClassTime, Size: -1, Scale: 6},
	sqlast.ClassJSON:     {Name: "JSON", Class: sqlast.ClassJSON, Size: -1, Scale: -1},
}

// unknownType is the type of an expression that nothing can be told of; its
// Name is empty.
var unknownType = sqlast.TypeOf(sqlast.ClassUnknown)

// functionClass holds the functions whose result has one class whatever their
// arguments are.
var functionClass = map[string]sqlast.Class{}

// clocks tell the time, to as many digits of a second as their argument says.
var clocks = map[string]bool{"NOW": true, "CURRENT_TIMESTAMP": true, "LOCALTIME": true, "LOCALTIMESTAMP": true,
	"SYSDATE": true, "UTC_TIMESTAMP": true, "CURTIME": true, "CURRENT_TIME": true, "UTC_TIME": true}

func init() {
	for class, names := range map[sqlast.Class]string{
		sqlast.ClassText: "CONCAT CONCAT_WS LOWER UPPER LCASE UCASE LEFT RIGHT SUBSTRING SUBSTR MID TRIM LTRIM RTRIM REPLACE REPEAT REVERSE " +
			"LPAD RPAD SUBSTRING_INDEX HEX MD5 SHA1 SHA SHA2 DATE_FORMAT TIME_FORMAT DAYNAME MONTHNAME FORMAT UUID CHAR BIN OCT CONV TO_BASE64 " +
			"JSON_UNQUOTE JSON_TYPE DATABASE SCHEMA USER VERSION ELT QUOTE SPACE SOUNDEX INET_NTOA",
		sqlast.ClassInt: "LENGTH CHAR_LENGTH CHARACTER_LENGTH OCTET_LENGTH BIT_LENGTH ASCII ORD INSTR LOCATE POSITION FIND_IN_SET FIELD STRCMP " +
			"YEAR MONTH DAY DAYOFMONTH DAYOFWEEK DAYOFYEAR WEEKDAY WEEK WEEKOFYEAR YEARWEEK QUARTER HOUR MINUTE SECOND MICROSECOND EXTRACT " +
			"DATEDIFF TIMESTAMPDIFF TO_DAYS TO_SECONDS UNIX_TIMESTAMP CRC32 SIGN FLOOR CEIL CEILING BIT_COUNT INET_ATON ISNULL JSON_LENGTH " +
			"JSON_CONTAINS JSON_VALID JSON_DEPTH ROW_NUMBER RANK DENSE_RANK NTILE CONNECTION_ID LAST_INSERT_ID REGEXP_INSTR REGEXP_LIKE",
		sqlast.ClassDouble: "SQRT EXP LN LOG LOG2 LOG10 POW POWER SIN COS TAN COT ASIN ACOS ATAN ATAN2 PI RAND DEGREES RADIANS " +
			"PERCENT_RANK CUME_DIST",
		sqlast.ClassBlob:     "UNHEX FROM_BASE64 UUID_TO_BIN RANDOM_BYTES",
		sqlast.ClassDate:     "DATE CURDATE CURRENT_DATE LAST_DAY MAKEDATE FROM_DAYS UTC_DATE",
		sqlast.ClassDateTime: "NOW CURRENT_TIMESTAMP LOCALTIME LOCALTIMESTAMP SYSDATE UTC_TIMESTAMP FROM_UNIXTIME TIMESTAMP",
		sqlast.ClassTime:     "TIME CURTIME CURRENT_TIME UTC_TIME SEC_TO_TIME MAKETIME TIMEDIFF",
		sqlast.ClassJSON: "JSON_EXTRACT JSON_ARRAY JSON_OBJECT JSON_SET JSON_INSERT JSON_REPLACE JSON_REMOVE JSON_MERGE_PATCH " +
			"JSON_MERGE_PRESERVE JSON_KEYS JSON_QUOTE JSON_ARRAY_APPEND",
	} {
		for _, n := range strings.Fields(names) {
			functionClass[n] = class
		}
	}
}

// exprType is the column type that holds an expression's values.
func exprType(e sqlast.Expr, from []source) sqlast.Type {
	switch e := e.(type) {
	case *sqlast.Col:
		if c := find(from, e); c != nil {
			return c.Type
		}
	case *sqlast.Lit:
		return litType(e)
	case *sqlast.Binary:
		return binaryType(e, from)
	case *sqlast.Unary:
		if e.Op == sqlast.OpNeg || e.Op == sqlast.OpPlus {
			return numeric(exprType(e.X, from))
		}
		return columnTypes[sqlast.ClassInt]
	case *sqlast.Agg:
		return aggType(e, from)
	case *sqlast.Window:
		return exprType(e.Func, from)
	case *sqlast.Func:
		return funcType(e, from)
	case *sqlast.Case:
		t := unknownType
		for _, w := range e.Whens {
			t = widen(t, exprType(w.Then, from))
		}
		return widen(t, exprType(e.Else, from))
	case *sqlast.Cast:
		return castType(e.To)
	case *sqlast.Collate:
		t := columnTypes[sqlast.ClassText]
		t.Collation, t.NoCase = e.Name, isCI(e.Name)
		return t
	case *sqlast.In, *sqlast.Between, *sqlast.Like, *sqlast.Is:
		return columnTypes[sqlast.ClassInt]
	case *sqlast.Subquery:
		if e.Kind != sqlast.SubScalar {
			return columnTypes[sqlast.ClassInt]
		}
	}
	return unknownType
}

func litType(e *sqlast.Lit) sqlast.Type {
	switch e.Kind {
	case sqlast.LitInt, sqlast.LitTrue, sqlast.LitFalse:
		return columnTypes[sqlast.ClassInt]
	case sqlast.LitDecimal:
		_, fraction, _ := strings.Cut(e.Text, ".")
		return decimal(len(fraction))
	case sqlast.LitFloat:
		return columnTypes[sqlast.ClassDouble]
	case sqlast.LitString:
		return columnTypes[sqlast.ClassText]
	case sqlast.LitBytes:
		return columnTypes[sqlast.ClassBlob]
	case sqlast.LitDate:
		return columnTypes[sqlast.ClassDate]
	case sqlast.LitTime:
		return columnTypes[sqlast.ClassTime]
	case sqlast.LitTimestamp:
		return columnTypes[sqlast.ClassDateTime]
	}
	return sqlast.TypeOf(sqlast.ClassNull)
}

func binaryType(e *sqlast.Binary, from []source) sqlast.Type {
	switch e.Op {
	case sqlast.OpAdd, sqlast.OpSub, sqlast.OpMul, sqlast.OpMod:
		return widen(numeric(exprType(e.L, from)), numeric(exprType(e.R, from)))
	case sqlast.OpDiv:
		l := numeric(exprType(e.L, from))
		return widen(decimal(scaleOf(l)+4), widen(l, numeric(exprType(e.R, from))))
	case sqlast.OpConcat, sqlast.OpJSONTxt:
		return columnTypes[sqlast.ClassText]
	case sqlast.OpJSONGet:
		return columnTypes[sqlast.ClassJSON]
	}
	return columnTypes[sqlast.ClassInt]
}

func aggType(e *sqlast.Agg, from []source) sqlast.Type {
	arg := unknownType
	if len(e.Args) > 0 {
		arg = exprType(e.Args[0], from)
	}
	switch e.Name {
	case "COUNT", "BIT_AND", "BIT_OR", "BIT_XOR":
		return columnTypes[sqlast.ClassInt]
	case "SUM", "AVG":
		if arg.Class != sqlast.ClassInt && arg.Class != sqlast.ClassDecimal {
			return columnTypes[sqlast.ClassDouble]
		}
		if e.Name == "AVG" {
			return decimal(scaleOf(arg) + 4)
		}
		return decimal(scaleOf(arg))
	case "MIN", "MAX", "ANY_VALUE":
		arg.NotNull = false
		return arg
	case "GROUP_CONCAT":
		return columnTypes[sqlast.ClassText]
	case "JSON_ARRAYAGG", "JSON_OBJECTAGG":
		return columnTypes[sqlast.ClassJSON]
	}
	return columnTypes[sqlast.ClassDouble]
}

func funcType(e *sqlast.Func, from []source) sqlast.Type {
	if class, ok := functionClass[e.Name]; ok {
		t := columnTypes[class]
		if clocks[e.Name] {
			t.Scale = 0
			if len(e.Args) == 1 {
				if fsp, ok := e.Args[0].(*sqlast.Lit); ok && len(fsp.Text) == 1 {
					t.Scale = int(fsp.Text[0] - '0')
				}
			}
		}
		return t
	}
	t := unknownType
	switch args := e.Args; e.Name {
	case "IF":
		args = args[min(1, len(args)):]
		fallthrough
	case "IFNULL", "COALESCE", "GREATEST", "LEAST", "NULLIF", "LAG", "LEAD", "FIRST_VALUE", "LAST_VALUE", "NTH_VALUE":
		for i, a := range args {
			if i > 0 && (e.Name == "NULLIF" || e.Name == "LAG" || e.Name == "LEAD" || e.Name == "NTH_VALUE") {
				break
			}
			t = widen(t, exprType(a, from))
		}
		t.NotNull = false
	case "ABS", "ROUND", "TRUNCATE", "MOD":
		if len(args) > 0 {
			t = numeric(exprType(args[0], from))
		}
	case "DATE_ADD", "DATE_SUB", "ADDDATE", "SUBDATE", "STR_TO_DATE", "ADDTIME", "SUBTIME":
		t = columnTypes[sqlast.ClassDateTime]
	}
	return t
}

func castType(to sqlast.Type) sqlast.Type {
	switch to.Name {
	case "SIGNED", "UNSIGNED", "YEAR":
		t := columnTypes[sqlast.ClassInt]
		t.Unsigned = to.Name == "UNSIGNED"
		return t
	case "DECIMAL":
		t := columnTypes[sqlast.ClassDecimal]
		t.Size, t.Scale = 10, 0
		if to.Size >= 0 {
			t.Size, t.Scale = to.Size, max(to.Scale, 0)
		}
		return t
	case "DOUBLE", "FLOAT", "REAL":
		return columnTypes[sqlast.ClassDouble]
	case "BINARY":
		return columnTypes[sqlast.ClassBlob]
	case "DATE":
		return columnTypes[sqlast.ClassDate]
	case "DATETIME":
		return columnTypes[sqlast.ClassDateTime]
	case "TIME":
		return columnTypes[sqlast.ClassTime]
	case "JSON":
		return columnTypes[sqlast.ClassJSON]
	}
	return columnTypes[sqlast.ClassText]
}

// decimal is the widest DECIMAL with scale digits behind the point.
func decimal(scale int) sqlast.Type {
	t := columnTypes[sqlast.ClassDecimal]
	t.Scale = min(scale, 30)
	return t
}

// scaleOf is the number of digits behind a number's point.
func scaleOf(t sqlast.Type) int {
	if t.Class != sqlast.ClassDecimal {
		return 0
	}
	return max(t.Scale, 0)
}

// numeric is the type of a value once it computes as a number.
func numeric(t sqlast.Type) sqlast.Type {
	switch t.Class {
	case sqlast.ClassInt:
		return columnTypes[sqlast.ClassInt]
	case sqlast.ClassDecimal:
		return decimal(scaleOf(t))
	case sqlast.ClassUnknown, sqlast.ClassNull:
		return t
	}
	return columnTypes[sqlast.ClassDouble]
}

// widen is a type that holds the values of both.
func widen(a, b sqlast.Type) sqlast.Type {
	none := func(t sqlast.Type) bool { return t.Class == sqlast.ClassUnknown || t.Class == sqlast.ClassNull }
	switch {
	case none(a):
		b.NotNull = false
		return b
	case none(b):
		a.NotNull = false
		return a
	case a.Class.Numeric() && b.Class.Numeric() && a.Class != sqlast.ClassDouble && b.Class != sqlast.ClassDouble &&
		(a.Class == sqlast.ClassDecimal || b.Class == sqlast.ClassDecimal):
		return decimal(max(scaleOf(a), scaleOf(b)))
	case a.Class == b.Class:
		t := columnTypes[a.Class]
		if a.Name == b.Name && a.Size == b.Size && a.Scale == b.Scale && len(a.Values) == 0 {
			t = a
		}
		t.NoCase = a.NoCase && b.NoCase
		if a.Collation == b.Collation {
			t.Collation = a.Collation
		}
		t.NotNull = a.NotNull && b.NotNull
		return t
	case a.Class.Numeric() && b.Class.Numeric():
		return columnTypes[max(a.Class, b.Class)] // int, decimal, double
	case a.Class == sqlast.ClassBlob || b.Class == sqlast.ClassBlob:
		return columnTypes[sqlast.ClassBlob]
	}
	return columnTypes[sqlast.ClassText]
}
