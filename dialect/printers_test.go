package dialect_test

import (
	"errors"
	"testing"

	"github.com/vitessdo/vitessdo/dialect"
)

// named is a printer that knows nothing but its name.
type named struct {
	dialect.Printer
	name string
}

// TestPrinters: a text has what each printer makes, in their order, and a script has as
// many statements as the printer that needs the most.
func TestPrinters(t *testing.T) {
	ps := dialect.Printers{named{name: "a"}, named{name: "b"}}
	name := func(p dialect.Printer) string { return p.(named).name }
	text, err := ps.Strings(func(p dialect.Printer) (string, error) { return "SELECT " + name(p), nil })
	if err != nil || text.String() != "SELECT a" || text.In(0).String() != "SELECT a" || text.In(1).String() != "SELECT b" {
		t.Errorf("the text is %+v: %v", text, err)
	}
	script, err := ps.Script(func(p dialect.Printer) ([]string, error) {
		if name(p) == "a" {
			return []string{"1a"}, nil
		}
		return []string{"1b", "2b"}, nil
	})
	if err != nil || len(script) != 2 || script[0].In(0).String() != "1a" || script[0].In(1).String() != "1b" ||
		!script[1].In(0).Empty() || script[1].In(1).String() != "2b" {
		t.Errorf("the script is %+v: %v", script, err)
	}
	refused := errors.New("b can't")
	if _, err := ps.Strings(func(p dialect.Printer) (string, error) {
		if name(p) == "b" {
			return "", refused
		}
		return "x", nil
	}); err != refused {
		t.Errorf("what one can't print is %v", err)
	}
	if one, err := ps[:1].Strings(func(dialect.Printer) (string, error) { return "x", nil }); err != nil || one.Also != nil || one.In(0).String() != "x" {
		t.Errorf("one dialect's text is %+v: %v", one, err)
	}
}
