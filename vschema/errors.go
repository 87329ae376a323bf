package vschema

import "fmt"

// Error says what is wrong in a VSchema and where.
type Error struct {
	// Path leads to the fault, such as keyspaces.shop.tables.orders; "" when
	// the text is no JSON.
	Path   string
	Reason string
	// Line and Column, from 1, are where in the text; 0 when there is none.
	// Column counts bytes.
	Line, Column int
	// Err is the cause, if another package found the fault.
	Err error
}

func (e *Error) Error() string {
	if e.Path == "" && e.Line > 0 {
		return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Reason)
	}
	if e.Path == "" {
		return e.Reason
	}
	return e.Path + ": " + e.Reason
}

func (e *Error) Unwrap() error { return e.Err }

func errorAt(path, format string, args ...any) error {
	return &Error{Path: path, Reason: fmt.Sprintf(format, args...)}
}
