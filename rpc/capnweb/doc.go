// Package capnweb is a peer of Cap'n Web, the RPC protocol of JSON messages in
// which both sides may call each other, objects and functions travel by
// reference, and the result of a call can be used before it is known. It speaks
// the protocol of version 0.12 of the npm package capnweb, over HTTP batches,
// WebSockets and any other [Transport], and knows nothing of SQL.
//
//	application                 session                     wire
//
//	Stub.Call ──▶ hook ──▶ Encoder ──▶ queue ──▶ writer ──▶ ["push", …]
//	Promise.Await ◀── import table ◀─── decoder ◀─── reader ◀── ["resolve", …]
//
//	Target.Call ◀── queue of the object ◀── decoder ◀── reader ◀── ["push", …]
//	its result ──▶ export table ──▶ Encoder ──▶ queue ──▶ writer ──▶ ["resolve", …]
//
// A [Session] has two tables. Exports holds what the peer may name: our main
// object (0), the results of its calls (1, 2, 3 …, in the order in which they
// came) and what was sent to it by reference (-1, -2 …). Imports holds the same
// of the peer's. The reader handles one message after the other and never waits:
// methods run in goroutines of their own, one at a time for each object, and
// answers come through callbacks.
//
// # Values
//
//	nil                              null
//	bool, string                     the same; strings are valid UTF-8
//	int64 and other integers         a number up to 2⁵³-1, a bigint beyond
//	float64                          a number, NaN, Infinity, -Infinity
//	*big.Int                         bigint
//	[]byte, TypedBytes               Uint8Array and the other binary types
//	time.Time                        Date, in milliseconds; the zero time is the invalid Date
//	[]any, map[string]any            Array, Object; other slices and maps with string keys are sent too
//	Undefined                        undefined
//	error, *Error                    Error
//	*url.URL, http.Header            URL, Headers
//	*Request, *Response, *Blob       the same
//	Target, Func, *Stub              an object or a function, by reference: received as a *Stub
//	*Promise                         what it will be
//	Source, *Readable                ReadableStream: received as a *Readable
//	Sink, *Writable                  WritableStream: received as a *Writable
//
// A number arrives as an int64 when it is written without a fraction and an
// exponent and fits, else as a float64. This package writes a float64 that is
// whole with ".0", so that between two of its peers both types keep; JavaScript
// doesn't tell them apart.
//
// # Who releases what
//
// What refers to the other side, that is stubs, promises and streams, must be
// released, or its object is kept until the session ends. Arguments stay the
// caller's, results are the caller's too; a method's arguments are released when
// it returns, unless it takes a Dup, and what it returns is taken over. A raw
// Target, Source or Sink that is sent is taken over, and told when nobody refers
// to it any more.
//
// # Back pressure and limits
//
// A stream's sender waits when a window's worth of bytes isn't read yet; a
// caller waits while the queue to the peer is long. [Limits] bounds everything
// that a peer can make a session hold, and malformed messages end the session
// with an abort that says where they are wrong.
package capnweb
