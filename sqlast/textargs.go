package sqlast

// TextArgs gives the arguments that a text function's result has its collation
// from; nil for other functions.
func (f *Func) TextArgs() []Expr {
	switch f.Name {
	case "CONCAT", "CONCAT_WS", "REPLACE", "LPAD", "RPAD", "TRIM":
		return f.Args
	case "LEFT", "RIGHT", "SUBSTRING", "SUBSTR", "MID", "UPPER", "UCASE", "LOWER", "LCASE", "LTRIM", "RTRIM", "REPEAT",
		"REVERSE", "SUBSTRING_INDEX", "QUOTE", "SOUNDEX", "REGEXP_REPLACE", "REGEXP_SUBSTR":
		return f.Args[:min(1, len(f.Args))]
	case "INSERT":
		if len(f.Args) == 4 {
			return []Expr{f.Args[0], f.Args[3]}
		}
	case "ELT", "MAKE_SET":
		return f.Args[min(1, len(f.Args)):]
	}
	return nil
}
