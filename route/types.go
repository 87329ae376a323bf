package route

import (
	"errors"
	"math/big"
	"strconv"
	"strings"

	"github.com/vitessdo/vitessdo/internal/decimal"
	"github.com/vitessdo/vitessdo/sqlast"
	"github.com/vitessdo/vitessdo/vindex"
)

// infer sets an expression's type from its children's, and brings literals and
// parameters into the form of the dates that they meet.
func (b *binder) infer(e sqlast.Expr) {
	t := e.Type()
	switch e := e.(type) {
	case *sqlast.Lit:
		*t = litType(e)
	case *sqlast.Binary:
		b.inferBinary(e)
	case *sqlast.Unary:
		b.inferUnary(e)
	case *sqlast.Between:
		b.meet(e.X, &e.Lo)
		b.meet(e.X, &e.Hi)
		b.meet(e.Lo, &e.X)
		b.compareTimes(&e.X, &e.Lo, &e.Hi)
		*t = boolType(e.X, e.Lo, e.Hi)
	case *sqlast.In:
		for i := range e.List {
			b.meet(e.X, &e.List[i])
		}
		*t = sqlast.TypeOf(sqlast.ClassInt)
		t.Bool = true
	case *sqlast.Like, *sqlast.Subquery:
		b.inferSub(e)
	case *sqlast.Is:
		*t = boolType()
	case *sqlast.Case:
		var all []sqlast.Expr
		for i := range e.Whens {
			if e.X != nil {
				b.meet(e.X, &e.Whens[i].Cond)
			}
			all = append(all, e.Whens[i].Then)
		}
		*t = commonType(append(all, e.Else))
	case *sqlast.Cast:
		inferCast(e)
	case *sqlast.Collate:
		*t = *e.X.Type()
		t.Collation = e.Name
		t.NoCase = strings.HasSuffix(strings.ToLower(e.Name), "_ci") || strings.EqualFold(e.Name, "nocase")
	case *sqlast.Agg:
		inferAgg(e)
	case *sqlast.Func:
		inferFunc(e)
	}
}

func (b *binder) inferSub(e sqlast.Expr) {
	t := e.Type()
	*t = sqlast.TypeOf(sqlast.ClassInt)
	t.Bool = true
	if s, ok := e.(*sqlast.Subquery); ok && s.Kind == sqlast.SubScalar {
		if cols := b.outputs[s.Query]; len(cols) == 1 {
			*t = cols[0].typ
			t.NotNull = false
		}
	}
}

func litType(l *sqlast.Lit) sqlast.Type {
	class := map[sqlast.LitKind]sqlast.Class{
		sqlast.LitNull: sqlast.ClassNull, sqlast.LitInt: sqlast.ClassInt,
		sqlast.LitDecimal: sqlast.ClassDecimal, sqlast.LitFloat: sqlast.ClassDouble,
		sqlast.LitString: sqlast.ClassText, sqlast.LitBytes: sqlast.ClassBlob,
		sqlast.LitDate: sqlast.ClassDate, sqlast.LitTime: sqlast.ClassTime,
		sqlast.LitTimestamp: sqlast.ClassDateTime, sqlast.LitTrue: sqlast.ClassInt,
		sqlast.LitFalse: sqlast.ClassInt,
	}[l.Kind]
	t := sqlast.TypeOf(class)
	switch l.Kind {
	case sqlast.LitDecimal:
		t = sqlast.Decimal(sqlast.LitDigits(l.Text))
	case sqlast.LitInt:
		t.Size = min(max(len(l.Text), 1), 19)
	}
	t.NotNull = l.Kind != sqlast.LitNull
	t.Bool = l.Kind == sqlast.LitTrue || l.Kind == sqlast.LitFalse
	return t
}

func boolType(xs ...sqlast.Expr) sqlast.Type {
	t := sqlast.TypeOf(sqlast.ClassInt)
	t.NotNull, t.Bool = true, true
	for _, x := range xs {
		t.NotNull = t.NotNull && x.Type().NotNull
	}
	return t
}

func (b *binder) inferBinary(e *sqlast.Binary) {
	t := e.Type()
	l, r := e.L.Type(), e.R.Type()
	switch e.Op {
	case sqlast.OpAdd, sqlast.OpSub, sqlast.OpMul:
		*t = numType(e.Op, *l, *r)
	case sqlast.OpDiv, sqlast.OpMod:
		*t = numType(e.Op, *l, *r)
		t.NotNull = false // it is NULL where the divisor is 0
	case sqlast.OpIntDiv:
		*t = sqlast.TypeOf(sqlast.ClassInt)
	case sqlast.OpConcat:
		*t = sqlast.TypeOf(sqlast.ClassText)
		t.NoCase = folds(e.L, e.R)
	case sqlast.OpJSONGet:
		*t = sqlast.TypeOf(sqlast.ClassJSON)
	case sqlast.OpJSONTxt:
		*t = sqlast.TypeOf(sqlast.ClassText)
	default:
		if e.Op.Comparison() {
			b.meet(e.L, &e.R)
			b.meet(e.R, &e.L)
			if e.Op >= sqlast.OpLt {
				b.compareTimes(&e.L, &e.R)
			}
		}
		*t = boolType(e.L, e.R)
		t.Bool = e.Op < sqlast.OpBitOr || e.Op > sqlast.OpShr
	}
}

// numType is the type of arithmetic.
func numType(op sqlast.Op, l, r sqlast.Type) sqlast.Type {
	t := sqlast.TypeOf(sqlast.ClassInt)
	if d, ok := sqlast.Arithmetic(op, &l, &r); ok {
		d.NotNull = l.NotNull && r.NotNull
		return d
	}
	switch {
	case l.Class.Temporal() || r.Class.Temporal():
		t = sqlast.TypeOf(sqlast.ClassUnknown)
	case l.Class == sqlast.ClassDouble || r.Class == sqlast.ClassDouble || l.Class == sqlast.ClassText || r.Class == sqlast.ClassText:
		t.Class = sqlast.ClassDouble
	case l.Class == sqlast.ClassUnknown || r.Class == sqlast.ClassUnknown:
		t.Class = sqlast.ClassUnknown
	case l.Class == sqlast.ClassDecimal || r.Class == sqlast.ClassDecimal:
		t.Class = sqlast.ClassDecimal
	case op == sqlast.OpDiv:
		t.Class = sqlast.ClassDouble
	}
	t.NotNull = l.NotNull && r.NotNull
	return t
}

func (b *binder) inferUnary(e *sqlast.Unary) {
	t := e.Type()
	switch e.Op {
	case sqlast.OpNeg, sqlast.OpPlus:
		*t = *e.X.Type()
		t.Name, t.Bool = "", false
		if e.Op == sqlast.OpNeg && t.Class == sqlast.ClassText {
			*t = sqlast.TypeOf(sqlast.ClassDouble)
		}
	case sqlast.OpBinary:
		*t = *e.X.Type()
		t.NoCase = false
	default:
		*t = boolType(e.X)
		t.Bool = e.Op == sqlast.OpNot
	}
}

func inferCast(e *sqlast.Cast) {
	t := e.Type()
	*t = e.To
	if t.Class == sqlast.ClassUnknown {
		t.Class = map[string]sqlast.Class{
			"SIGNED": sqlast.ClassInt, "UNSIGNED": sqlast.ClassInt, "CHAR": sqlast.ClassText,
			"BINARY": sqlast.ClassBlob, "DATE": sqlast.ClassDate, "DATETIME": sqlast.ClassDateTime,
			"TIME": sqlast.ClassTime, "DECIMAL": sqlast.ClassDecimal, "DOUBLE": sqlast.ClassDouble,
			"FLOAT": sqlast.ClassDouble, "REAL": sqlast.ClassDouble, "JSON": sqlast.ClassJSON,
			"YEAR": sqlast.ClassInt,
		}[e.To.Name]
	}
	// SQLite takes a cast column for a column when it looks for a collation.
	t.NoCase = t.Class == sqlast.ClassText && e.X.Type().NoCase
}

func inferAgg(e *sqlast.Agg) {
	t := e.Type()
	switch e.Name {
	case "COUNT", "APPROX_COUNT_DISTINCT":
		*t = sqlast.TypeOf(sqlast.ClassInt)
		t.Name, t.NotNull = "BIGINT", true
	case "SUM":
		inferSum(t, e.Args[0].Type())
		if withArgument(e.Args[0]) {
			t.Class = sqlast.ClassUnknown // an exact number, as far as the argument is one
		}
	case "AVG":
		*t = sqlast.TypeOf(sqlast.ClassDouble)
		if d, ok := sqlast.Average(e.Args[0].Type()); ok {
			*t = d
		}
	case "MIN", "MAX", "ANY_VALUE":
		*t = *e.Args[0].Type()
		t.NotNull = false
	case "BIT_AND", "BIT_OR", "BIT_XOR":
		*t = sqlast.TypeOf(sqlast.ClassInt)
	case "GROUP_CONCAT":
		*t = sqlast.TypeOf(sqlast.ClassText)
		t.NoCase = folds(e.Args...)
	case "JSON_ARRAYAGG", "JSON_OBJECTAGG":
		*t = sqlast.TypeOf(sqlast.ClassJSON)
	default:
		*t = sqlast.TypeOf(sqlast.ClassDouble)
	}
}

// withArgument says whether e is arithmetic between a DECIMAL and an argument of which
// nothing is known.
func withArgument(e sqlast.Expr) bool {
	x, ok := e.(*sqlast.Binary)
	if !ok || x.Op < sqlast.OpAdd || x.Op > sqlast.OpDiv || x.T.Class != sqlast.ClassUnknown {
		return false
	}
	plain := func(e sqlast.Expr) bool {
		_, param := e.(*sqlast.Param)
		return param && e.Type().Class == sqlast.ClassUnknown || withArgument(e)
	}
	l, r := x.L.Type().Class, x.R.Type().Class
	return l == sqlast.ClassDecimal && plain(x.R) || r == sqlast.ClassDecimal && plain(x.L) ||
		l.Exact() && withArgument(x.R) || r.Exact() && withArgument(x.L)
}

// inferSum: a sum has as many digits behind the point as what it adds.
func inferSum(t, x *sqlast.Type) {
	*t = *x
	if !t.Class.Numeric() {
		t.Class = sqlast.ClassDouble
	}
	if whole, scale, ok := x.Digits(); ok && t.Class == sqlast.ClassDecimal {
		*t = sqlast.Decimal(whole+22, scale)
	}
	t.Name, t.NotNull, t.Bool, t.Unsigned = "", false, false, false
}

// funcClass gives the classes of functions whose result doesn't follow an
// argument's.
var funcClass = map[string]sqlast.Class{}

func init() {
	for class, names := range map[sqlast.Class]string{
		sqlast.ClassInt: "LENGTH CHAR_LENGTH CHARACTER_LENGTH OCTET_LENGTH BIT_LENGTH ASCII ORD LOCATE POSITION INSTR " +
			"FIND_IN_SET FIELD STRCMP YEAR MONTH DAY DAYOFMONTH HOUR MINUTE SECOND MICROSECOND QUARTER DAYOFWEEK WEEKDAY " +
			"DAYOFYEAR WEEK WEEKOFYEAR YEARWEEK EXTRACT DATEDIFF TIMESTAMPDIFF UNIX_TIMESTAMP TO_DAYS TO_SECONDS SIGN " +
			"CRC32 BIT_COUNT ISNULL INTERVAL JSON_LENGTH JSON_VALID JSON_CONTAINS JSON_CONTAINS_PATH JSON_DEPTH " +
			"ROW_NUMBER RANK DENSE_RANK NTILE INET_ATON TIME_TO_SEC REGEXP_LIKE REGEXP_INSTR IS_IPV4 IS_IPV6 IS_IPV4_COMPAT IS_IPV4_MAPPED IS_UUID JSON_OVERLAPS UNCOMPRESSED_LENGTH PERIOD_DIFF PERIOD_ADD",
		sqlast.ClassDouble: "SQRT POW POWER EXP LN LOG LOG2 LOG10 PI SIN COS TAN ASIN ACOS ATAN ATAN2 COT RADIANS DEGREES " +
			"RAND CUME_DIST PERCENT_RANK",
		sqlast.ClassText: "CONCAT CONCAT_WS LEFT RIGHT SUBSTRING SUBSTR MID UPPER UCASE LOWER LCASE TRIM LTRIM RTRIM LPAD " +
			"RPAD REPEAT SPACE REVERSE REPLACE INSERT SUBSTRING_INDEX HEX MD5 SHA SHA1 SHA2 TO_BASE64 CHAR QUOTE FORMAT " +
			"MONTHNAME DAYNAME DATE_FORMAT TIME_FORMAT CONV BIN OCT JSON_UNQUOTE JSON_TYPE UUID ELT EXPORT_SET MAKE_SET " +
			"JSON_QUOTE SOUNDEX INET_NTOA INET6_NTOA BIN_TO_UUID JSON_VALUE JSON_PRETTY REGEXP_REPLACE REGEXP_SUBSTR CHARSET COLLATION",
		sqlast.ClassBlob: "UNHEX FROM_BASE64 UUID_TO_BIN INET6_ATON AES_ENCRYPT COMPRESS WEIGHT_STRING",
		sqlast.ClassDate: "DATE LAST_DAY MAKEDATE FROM_DAYS",
		sqlast.ClassTime: "TIME SEC_TO_TIME MAKETIME TIMEDIFF",
		sqlast.ClassJSON: "JSON_EXTRACT JSON_OBJECT JSON_ARRAY JSON_SET JSON_REMOVE JSON_INSERT JSON_REPLACE " +
			"JSON_MERGE_PATCH JSON_MERGE_PRESERVE JSON_KEYS JSON_ARRAY_APPEND JSON_ARRAY_INSERT JSON_SEARCH",
		sqlast.ClassDateTime: "TIMESTAMP FROM_UNIXTIME CONVERT_TZ",
	} {
		for _, n := range strings.Fields(names) {
			funcClass[n] = class
		}
	}
}

// truths are the functions that tell whether something is so.
var truths = map[string]bool{"REGEXP_LIKE": true, "JSON_CONTAINS": true, "JSON_CONTAINS_PATH": true, "JSON_VALID": true,
	"JSON_OVERLAPS": true, "ISNULL": true, "IS_IPV4": true, "IS_IPV6": true, "IS_UUID": true}

// byArguments gives the class of the functions whose result is of another class with
// some arguments.
func byArguments(e *sqlast.Func, c sqlast.Class) sqlast.Class {
	switch {
	case e.Name == "FROM_UNIXTIME" && len(e.Args) == 2:
		return sqlast.ClassText
	case e.Name == "UNIX_TIMESTAMP" && len(e.Args) == 1:
		// Of text it has as many digits as that has.
		if t := e.Args[0].Type(); t.Class != sqlast.ClassDate && (t.Class != sqlast.ClassDateTime || t.Scale > 0) {
			return sqlast.ClassUnknown
		}
	}
	return c
}

func inferFunc(e *sqlast.Func) {
	t := e.Type()
	if c, ok := funcClass[e.Name]; ok {
		*t = sqlast.TypeOf(byArguments(e, c))
		t.Bool = truths[e.Name]
		if args := e.TextArgs(); args != nil {
			t.NoCase = folds(args...)
		}
		return
	}
	switch e.Name {
	case "IF":
		if len(e.Args) == 3 {
			*t = commonType(e.Args[1:])
		}
	case "IFNULL", "COALESCE", "GREATEST", "LEAST":
		*t = commonType(e.Args)
		for _, a := range e.Args {
			if e.Name == "COALESCE" || e.Name == "IFNULL" {
				t.NotNull = t.NotNull || a.Type().NotNull
			}
		}
	case "ROUND", "TRUNCATE":
		if len(e.Args) > 0 {
			inferRound(t, e.Args)
		}
	case "NULLIF", "ABS", "_DIVISOR", "LAG", "LEAD", "FIRST_VALUE", "LAST_VALUE", "NTH_VALUE", "ANY_VALUE":
		if len(e.Args) > 0 {
			*t = *e.Args[0].Type()
			t.NotNull, t.NoCase, t.Name = false, folds(e.Args[0]), ""
		}
	case "CEIL", "CEILING", "FLOOR":
		*t = sqlast.TypeOf(sqlast.ClassInt)
		if len(e.Args) > 0 && e.Args[0].Type().Class == sqlast.ClassDouble {
			t.Class = sqlast.ClassDouble
		}
	case "MOD":
		if len(e.Args) == 2 {
			*t = numType(sqlast.OpMod, *e.Args[0].Type(), *e.Args[1].Type())
			t.NotNull = false
		}
	case "DATE_ADD", "DATE_SUB", "ADDDATE", "SUBDATE", "TIMESTAMPADD", "ADDTIME", "SUBTIME", "STR_TO_DATE":
		inferDateArith(e)
	}
}

// inferRound: a DECIMAL has as many digits behind the point as it is rounded to.
func inferRound(t *sqlast.Type, args []sqlast.Expr) {
	*t = *args[0].Type()
	t.NotNull, t.NoCase, t.Name = false, false, ""
	whole, _, ok := t.Digits()
	if !ok || t.Class != sqlast.ClassDecimal {
		return
	}
	digits := 0
	if len(args) == 2 {
		n, ok := intLit(args[1])
		if !ok {
			return
		}
		digits = n
	}
	*t = sqlast.Decimal(whole+1, max(digits, 0))
}

func intLit(e sqlast.Expr) (int, bool) {
	switch e := e.(type) {
	case *sqlast.Lit:
		return smallInt(e.Text)
	case *sqlast.Unary:
		n, ok := intLit(e.X)
		return -n, ok && e.Op == sqlast.OpNeg
	}
	return 0, false
}

func inferDateArith(e *sqlast.Func) {
	t := e.Type()
	*t = sqlast.TypeOf(sqlast.ClassDateTime)
	if len(e.Args) < 2 || !strings.HasPrefix(e.Name, "DATE_") && e.Name != "ADDDATE" && e.Name != "SUBDATE" {
		t.Class = sqlast.ClassUnknown
		return
	}
	unit := "DAY"
	if iv, ok := e.Args[1].(*sqlast.Interval); ok {
		unit = iv.Unit
	}
	t.Scale = e.Args[0].Type().Scale
	switch e.Args[0].Type().Class {
	case sqlast.ClassDate:
		switch unit {
		case "DAY", "WEEK", "MONTH", "QUARTER", "YEAR", "YEAR_MONTH":
			t.Class = sqlast.ClassDate
		}
	case sqlast.ClassDateTime:
	default:
		t.Class = sqlast.ClassText
	}
}

// commonType is the type of an expression that gives one of several values.
func commonType(xs []sqlast.Expr) sqlast.Type {
	var t sqlast.Type
	first, notNull, truth := true, true, true
	for _, x := range xs {
		if x == nil {
			notNull = false
			continue
		}
		xt := x.Type()
		notNull = notNull && xt.NotNull
		if xt.Class == sqlast.ClassNull {
			continue
		}
		truth = truth && xt.Bool
		if first {
			t, first = *xt, false
			continue
		}
		t = mergeTypes(t, *xt)
	}
	if first {
		t = sqlast.TypeOf(sqlast.ClassNull)
	}
	t.NotNull, t.NoCase, t.Bool = notNull, t.Class == sqlast.ClassText && folds(xs...), truth && !first
	return t
}

func mergeTypes(l, r sqlast.Type) sqlast.Type {
	if l.Class == sqlast.ClassNull {
		return r
	}
	if d, ok := sqlast.Common(&l, &r); ok && r.Class != sqlast.ClassNull {
		d.NotNull = l.NotNull && r.NotNull
		return d
	}
	if r.Class == sqlast.ClassNull || l.Class == r.Class && l.Name == r.Name {
		l.NotNull, l.Bool = l.NotNull && r.NotNull, l.Bool && (r.Bool || r.Class == sqlast.ClassNull)
		if l.Class == sqlast.ClassInt && r.Class == sqlast.ClassInt && min(l.Size, r.Size) < 0 {
			l.Size = -1 // of any length
		} else {
			l.Size = max(l.Size, r.Size)
		}
		l.Scale = max(l.Scale, r.Scale)
		return l
	}
	t := sqlast.TypeOf(sqlast.ClassText)
	switch {
	case l.Class == sqlast.ClassUnknown || r.Class == sqlast.ClassUnknown:
		t.Class = sqlast.ClassUnknown
	case l.Class.Numeric() && r.Class.Numeric():
		t = numType(sqlast.OpAdd, l, r)
	case l.Class == r.Class:
		t.Class = l.Class
	case l.Class.Temporal() && r.Class.Temporal():
		t.Class = sqlast.ClassDateTime
	}
	t.NotNull = l.NotNull && r.NotNull
	t.Scale = max(l.Scale, r.Scale)
	return t
}

// meet brings *x, when it is a literal or a parameter, into the form of the
// temporal values that it is compared with. Text that meets numbers is the number
// that it begins with.
func (b *binder) meet(with sqlast.Expr, x *sqlast.Expr) {
	t := *with.Type()
	if l, ok := with.(*sqlast.Lit); ok && !l.T.Class.Temporal() {
		return
	}
	if r, ok := (*x).(*sqlast.Row); ok {
		if w, ok := with.(*sqlast.Row); ok && len(w.Items) == len(r.Items) {
			for i := range r.Items {
				b.meet(w.Items[i], &r.Items[i])
			}
		}
		return
	}
	t.NotNull = false
	switch v := (*x).(type) {
	case *sqlast.Param:
		if t.Class == sqlast.ClassJSON {
			b.params.asText(v, t) // a part of a document meets a value, and no document
			return
		}
		b.params.meet(v, t)
	case *sqlast.Lit:
		if v.Kind == sqlast.LitString && t.Class == sqlast.ClassBlob {
			v.Kind, v.T = sqlast.LitBytes, sqlast.TypeOf(sqlast.ClassBlob)
			return
		}
		if v.Kind == sqlast.LitBytes && t.Class.Numeric() {
			// x'41' and b'101' are numbers among numbers.
			v.Kind, v.Text = sqlast.LitInt, new(big.Int).SetBytes([]byte(v.Text)).String()
			v.T = litType(v)
			return
		}
		if v.Kind == sqlast.LitString && t.Class.Numeric() && t.Name != "ENUM" {
			if n, ok := Numeral(v.Text); !ok {
				v.Kind, v.Text = sqlast.LitDecimal, n.String()
				v.T = litType(v)
			}
			return
		}
		if t.Class.Temporal() && (v.Kind == sqlast.LitString || v.Kind == sqlast.LitInt && len(v.Text) >= 6 ||
			v.Kind >= sqlast.LitDate && v.Kind <= sqlast.LitTimestamp) {
			if s, ok := Coerce(v.Text, Coercion{Type: t}).(string); ok && (v.Kind != sqlast.LitInt || s != v.Text) {
				v.Kind, v.Text = sqlast.LitString, s
				v.T = t
			}
		}
	}
}

// Numeral gives the number that text is or begins with; ok says whether it is one
// as a whole, which SQLite's affinity reads alike.
func Numeral(text string) (n decimal.Decimal, ok bool) {
	text = strings.Trim(text, " \t\r\n")
	if n, ok = decimal.Parse(text); ok {
		return n, true
	}
	_, err := strconv.ParseFloat(text, 64)
	return decimal.Prefix(text), errors.Is(err, strconv.ErrRange)
}

// temporalOf maps a type to the vindex package's idea of it.
func temporalOf(t sqlast.Type) (vindex.Temporal, int) {
	switch t.Class {
	case sqlast.ClassDate:
		return vindex.Date, 0
	case sqlast.ClassDateTime:
		return vindex.DateTime, max(0, t.Scale)
	case sqlast.ClassTime:
		return vindex.Time, max(0, t.Scale)
	}
	return vindex.NotTemporal, 0
}

// Coerce brings a value into the form of a temporal type: exactly what the
// column would store when c.Store is set, and otherwise what orders rightly
// against stored values, which keeps digits that the column would round away.
// Values that are no date stay as they are.
func Coerce(v any, c Coercion) any {
	tmp, fsp := temporalOf(c.Type)
	if tmp == vindex.NotTemporal || v == nil {
		return v
	}
	if c.Store {
		if s, ok := vindex.CanonicalTemporal(v, tmp, fsp); ok {
			return s
		}
		return v
	}
	if tmp == vindex.Date {
		s, ok := vindex.CanonicalTemporal(v, vindex.DateTime, 6)
		if !ok {
			return v
		}
		return strings.TrimSuffix(trimFraction(s, 0), " 00:00:00")
	}
	if s, ok := vindex.CanonicalTemporal(v, tmp, 6); ok {
		return trimFraction(s, fsp)
	}
	return v
}

// CanonicalTime gives the text that a column of a date or time type keeps for v;
// ok is false for what can't be read as one.
func CanonicalTime(v any, t *sqlast.Type) (text string, ok bool) {
	tmp, fsp := temporalOf(*t)
	return vindex.CanonicalTemporal(v, tmp, fsp)
}

// trimFraction cuts zeros off a fraction of six digits, down to keep digits.
func trimFraction(s string, keep int) string {
	n := len(s)
	for n > len(s)-6+keep && s[n-1] == '0' {
		n--
	}
	if s[n-1] == '.' {
		n--
	}
	return s[:n]
}
