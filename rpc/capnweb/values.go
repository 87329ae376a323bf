package capnweb

import (
	"fmt"
	"net/http"
)

// UndefinedType is the type of [Undefined].
type UndefinedType struct{}

// Undefined is JavaScript's undefined: what a method answers that has nothing
// to say. It is distinct from nil, which is null.
var Undefined UndefinedType

// String gives the word that JavaScript prints.
func (UndefinedType) String() string { return "undefined" }

// Error is an error on the wire: one that the peer's method failed with, or one
// that a method here wants to be seen in full. Any other error is sent with the
// name "Error" and its text, unless it has a method CapnwebError() *Error.
type Error struct {
	Name    string // the JavaScript class, as "TypeError"; "" is sent as "Error"
	Message string
	Stack   string         // "" when the peer kept it to itself
	Props   map[string]any // further fields; their values are as those of any message
}

// Error gives the message, after the name if that says more than "Error".
func (e *Error) Error() string {
	if e.Name == "" || e.Name == "Error" {
		return e.Message
	}
	return e.Name + ": " + e.Message
}

// Errorf makes an Error of a given name.
func Errorf(name, format string, args ...any) *Error {
	return &Error{Name: name, Message: fmt.Sprintf(format, args...)}
}

// TypedBytes is binary data of a JavaScript type other than Uint8Array and
// ArrayBuffer, which are plain []byte here. Elements are little-endian.
type TypedBytes struct {
	Type string // as "Float64Array" or "DataView"
	Data []byte
}

// elementSize tells the valid types of binary data and their elements' sizes.
var elementSize = map[string]int{
	"ArrayBuffer": 1, "DataView": 1, "Int8Array": 1, "Uint8Array": 1, "Uint8ClampedArray": 1,
	"Int16Array": 2, "Uint16Array": 2, "Int32Array": 4, "Uint32Array": 4, "Float32Array": 4,
	"BigInt64Array": 8, "BigUint64Array": 8, "Float64Array": 8,
}

// Request is a Fetch request as a value.
type Request struct {
	URL    string
	Method string // "" is GET
	Header http.Header
	// Body is nil, a string, a []byte or a stream: a [*Readable] when received,
	// a [Source] when sent.
	Body any
	// Init holds the further fields of the request, as plain JSON values:
	// redirect, mode, credentials and so on.
	Init map[string]any
}

// Response is a Fetch response as a value.
type Response struct {
	Status     int // 0 is 200
	StatusText string
	Header     http.Header
	Body       any // as a Request's
	Init       map[string]any
}

// Blob is binary data with a media type, whose bytes come as a stream.
type Blob struct {
	Type string
	// Body is a [*Readable] of []byte chunks when received, a [Source] when
	// sent.
	Body any
}

// Marshaler is a value that writes itself, for types that hold much data: the
// codec then builds nothing in between.
type Marshaler interface {
	// MarshalCapnweb writes exactly one value to e.
	MarshalCapnweb(e *Encoder) error
}

// asError turns any error into one for the wire.
func asError(err error) *Error {
	for e := err; e != nil; {
		switch x := e.(type) {
		case *Error:
			return x
		case interface{ CapnwebError() *Error }:
			return x.CapnwebError()
		}
		u, ok := e.(interface{ Unwrap() error })
		if !ok {
			break
		}
		e = u.Unwrap()
	}
	return &Error{Name: "Error", Message: err.Error()}
}
