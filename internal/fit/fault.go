package fit

import (
	"fmt"
	"strings"

	"github.com/vitessdo/vitessdo/tablet"
)

// faults holds what MySQL calls each fault: its words in front of the column's
// name or the value, and the code.
var faults = [...]struct {
	words string
	code  tablet.Code
}{
	Range:     {"Out of range value for column '", tablet.CodeValueRange},
	Incorrect: {"Incorrect ", tablet.CodeDataType},
	Truncated: {"Data truncated for column '", tablet.CodeTruncated},
	TooLong:   {"Data too long for column '", tablet.CodeTooLong},
	BadTime:   {"Incorrect ", tablet.CodeBadTime},
	Inexact:   {"Out of range value for column '", tablet.CodeValueRange},
}

// Error tells of a fault as MySQL does: of a value for a column whose type's name
// is kind ("integer", "decimal", "date" …).
func (f Fault) Error(kind string, v any, column string) *tablet.Error {
	e := &tablet.Error{Code: faults[f].code}
	switch f {
	case Incorrect, BadTime:
		shown := text(v)
		if len(shown) > 64 {
			shown = shown[:64] + "…"
		}
		e.Message = fmt.Sprintf("%s%s value: '%s'", faults[f].words, kind, strings.ToValidUTF8(shown, "?"))
		if column != "" {
			e.Message += " for column '" + column + "'"
		}
	case Inexact:
		e.Message = faults[f].words + column + "': a DECIMAL value has more than the 15 digits that are kept exactly"
	default:
		e.Message = faults[f].words + column + "'"
	}
	if column != "" {
		e.Columns = []string{column}
	}
	return e
}

// Recognise gives the error that a message of [Fault.Error] tells of: an engine
// hands on a function's message and nothing else. It is nil for other messages.
func Recognise(message string) *tablet.Error {
	for f := Range; f <= BadTime; f++ {
		rest, ok := strings.CutPrefix(message, faults[f].words)
		if !ok {
			continue
		}
		e := &tablet.Error{Code: faults[f].code, Message: message}
		if f == Incorrect {
			kind, _, ok := strings.Cut(rest, " value: '")
			switch {
			case !ok:
				return nil
			case kind == "date" || kind == "datetime" || kind == "time":
				e.Code = faults[BadTime].code
			}
			i := strings.LastIndex(rest, " for column '")
			if i < 0 {
				return e
			}
			rest = rest[i+len(" for column '"):]
		}
		if column, _, ok := strings.Cut(rest, "'"); ok {
			e.Columns = []string{column}
		}
		return e
	}
	return nil
}
