package route

import "github.com/vitessdo/vitessdo/sqlast"

// folds says whether text that is made of the given values, or is one of them,
// compares without regard to case, as MySQL derives it: a COLLATE decides; columns
// and what is made of them come before literals and arguments; of two columns a
// binary one wins. Numbers and dates have no say.
func folds(xs ...sqlast.Expr) bool {
	some, all := false, true
	for _, x := range xs {
		if x == nil || weakText(x) {
			continue
		}
		t := x.Type()
		if _, ok := x.(*sqlast.Collate); ok {
			return t.NoCase
		}
		if t.Class == sqlast.ClassText || t.NoCase {
			some, all = some || t.NoCase, all && t.NoCase
		}
	}
	return some && all
}

// weakText says whether a value leaves the collation to what it meets.
func weakText(x sqlast.Expr) bool {
	if c := x.Type().Class; c.Numeric() || c.Temporal() {
		return true
	}
	switch x := x.(type) {
	case *sqlast.Lit, *sqlast.Param, *sqlast.Keyword:
		return true
	case *sqlast.Func:
		args := x.TextArgs()
		for _, a := range args {
			if !weakText(a) {
				return false
			}
		}
		return len(args) > 0
	}
	return false
}
