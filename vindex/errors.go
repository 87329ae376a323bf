package vindex

import (
	"errors"
	"fmt"
)

// ErrNoDestination says that a value has no keyspace ID: a read that asks for
// it finds nothing, a write of it is an error.
var ErrNoDestination = errors.New("the value has no keyspace ID")

// ValueError is the error of mapping a value.
type ValueError struct {
	Type, Name string // the vindex's type and name
	Value      any    // the value that could not be mapped
	Reason     string // what the vindex needs instead
	// NoDestination tells a value outside the vindex's domain (true) from a
	// mapping that can't be done at all, such as invalid UTF-8 (false).
	NoDestination bool
}

func (e *ValueError) Error() string {
	return fmt.Sprintf("vindex %q of type %s can't map %s: %s", e.Name, e.Type, describe(e.Value), e.Reason)
}

// Is makes errors.Is(err, ErrNoDestination) true for values outside the domain.
func (e *ValueError) Is(target error) bool {
	return target == ErrNoDestination && e.NoDestination
}

func (id identity) noDestination(v any, reason string) error {
	return &ValueError{Type: id.typ, Name: id.name, Value: own(v), Reason: reason, NoDestination: true}
}

func (id identity) invalid(v any, reason string) error {
	return &ValueError{Type: id.typ, Name: id.name, Value: own(v), Reason: reason}
}

// own copies a byte slice, which may be reused after Map returns.
func own(v any) any {
	if b, ok := v.([]byte); ok {
		return append([]byte{}, b...)
	}
	return v
}

// describe shows a value in an error, shortened to what a reader needs.
func describe(v any) string {
	const limit = 64
	clip := func(s string) (string, string) {
		if len(s) > limit {
			return s[:limit], "..."
		}
		return s, ""
	}
	switch v := v.(type) {
	case nil:
		return "NULL"
	case string:
		s, dots := clip(v)
		return fmt.Sprintf("text %q%s", s, dots)
	case []byte:
		s, dots := clip(string(v))
		return fmt.Sprintf("blob x'%x'%s", s, dots)
	case Decimal:
		s, dots := clip(string(v))
		return "decimal " + s + dots
	case HexNum:
		s, dots := clip(string(v))
		return "hexadecimal literal " + s + dots
	case int64, uint64:
		return fmt.Sprintf("integer %d", v)
	case float64:
		return fmt.Sprintf("float %v", v)
	}
	s, dots := clip(fmt.Sprint(v))
	return fmt.Sprintf("%T %s%s", v, s, dots)
}
