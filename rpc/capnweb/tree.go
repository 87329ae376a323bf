package capnweb

import (
	"maps"
	"net/http"
	"reflect"
	"slices"
	"sync"
)

// releaseTree releases every reference in a value.
func releaseTree(v any) {
	switch x := v.(type) {
	case []any:
		for _, e := range x {
			releaseTree(e)
		}
	case map[string]any:
		for _, e := range x {
			releaseTree(e)
		}
	case *Stub:
		x.Release()
	case *Promise:
		x.Release()
	case *Readable:
		x.Release()
	case *Writable:
		x.Release()
	case *Error:
		for _, e := range x.Props {
			releaseTree(e)
		}
	case *Request:
		releaseTree(x.Body)
	case *Response:
		releaseTree(x.Body)
	case *Blob:
		releaseTree(x.Body)
	}
}

// Release releases every stub, promise and stream in a value that was received.
func Release(v any) { releaseTree(v) }

// dupTree copies a value with references of its own. A value without any is
// shared.
func dupTree(v any) payload {
	p := payload{value: v}
	switch x := v.(type) {
	case []any:
		var list []any
		for i, e := range x {
			q := dupTree(e)
			if q.refs > 0 && list == nil {
				list = slices.Clone(x)
			}
			if q.refs > 0 {
				list[i] = q.value
				p.refs += q.refs
			}
		}
		if list != nil {
			p.value = list
		}
	case map[string]any:
		p.value, p.refs = dupMap(x)
	case *Stub:
		p = payload{x.Dup(), 1}
	case *Promise:
		p = payload{x.Dup(), 1}
	case *Readable:
		p = payload{x.dup(), 1}
	case *Writable:
		p = payload{x.dup(), 1}
	case *Error:
		if props, refs := dupMap(x.Props); refs > 0 {
			y := *x
			y.Props = props
			p = payload{&y, refs}
		}
	case *Request:
		if body := dupTree(x.Body); body.refs > 0 {
			y := *x
			y.Body = body.value
			p = payload{&y, body.refs}
		}
	case *Response:
		if body := dupTree(x.Body); body.refs > 0 {
			y := *x
			y.Body = body.value
			p = payload{&y, body.refs}
		}
	case *Blob:
		if body := dupTree(x.Body); body.refs > 0 {
			y := *x
			y.Body = body.value
			p = payload{&y, body.refs}
		}
	}
	return p
}

func dupMap(x map[string]any) (map[string]any, int) {
	m, refs := x, 0
	for k, e := range x {
		q := dupTree(e)
		if q.refs == 0 {
			continue
		}
		if refs == 0 {
			m = maps.Clone(x)
		}
		m[k] = q.value
		refs += q.refs
	}
	return m, refs
}

// ownedTree takes over a value of the application's: objects in it become
// stubs, so that the peer can use them before it has got the value. With dup,
// stubs, promises and streams stay the application's too. Containers are copied
// only when they hold references.
func ownedTree(v any, dup bool) (payload, error) {
	switch x := v.(type) {
	case nil, bool, int, int64, float64, string, []byte, Marshaler, UndefinedType, error, http.Header:
		return payload{value: v}, nil
	case *Stub, *Promise, *Writable, *Readable:
		if dup {
			return dupTree(v), nil
		}
		return payload{v, 1}, nil
	case *Request:
		y := *x
		p, err := ownedTree(x.Body, dup)
		y.Body = p.value
		return payload{&y, p.refs}, err
	case *Response:
		y := *x
		p, err := ownedTree(x.Body, dup)
		y.Body = p.value
		return payload{&y, p.refs}, err
	case *Blob:
		y := *x
		p, err := ownedTree(x.Body, dup)
		y.Body = p.value
		return payload{&y, p.refs}, err
	case Source:
		return payload{NewReadable(x), 1}, nil
	case Sink:
		return payload{newWritable(newSinkHook(x)), 1}, nil
	case Target:
		return payload{newStub(newLocalHook(x)), 1}, nil
	case []any:
		return ownedList(x, dup)
	case map[string]any:
		return ownedMap(x, dup)
	}
	switch rv := reflect.ValueOf(v); rv.Kind() {
	case reflect.Slice, reflect.Array, reflect.Map:
		switch rv.Type().Elem().Kind() {
		case reflect.Interface, reflect.Pointer, reflect.Slice, reflect.Map, reflect.Func:
			g, err := generic(rv)
			if err != nil {
				return payload{}, err
			}
			return ownedTree(g, dup)
		}
	}
	return payload{value: v}, nil
}

func ownedList(x []any, dup bool) (payload, error) {
	p := payload{value: x}
	var list []any
	for i, e := range x {
		q, err := ownedTree(e, dup)
		if err != nil {
			return payload{}, err
		}
		if q.refs > 0 {
			if list == nil {
				list = slices.Clone(x)
				p.value = list
			}
			list[i] = q.value
			p.refs += q.refs
		}
	}
	return p, nil
}

func ownedMap(x map[string]any, dup bool) (payload, error) {
	p := payload{value: x}
	var m map[string]any
	for k, e := range x {
		q, err := ownedTree(e, dup)
		if err != nil {
			return payload{}, err
		}
		if q.refs > 0 {
			if m == nil {
				m = maps.Clone(x)
				p.value = m
			}
			m[k] = q.value
			p.refs += q.refs
		}
	}
	return p, nil
}

// settle replaces every promise in the value by what it stands for, and calls
// done once, when all are known or one has failed. The value must be the
// caller's alone until then. Promises of the session's peer are left alone, when
// one is given.
func settle(p *payload, except *Session, done func(error)) {
	s := &settling{open: 1, p: p, except: except, done: done}
	s.walk(p.value, func(v any) { p.value = v })
	s.end(nil)
}

type settling struct {
	p      *payload
	except *Session
	done   func(error)
	mu     sync.Mutex
	open   int
	err    error
}

// slot is a promise and how to put another value in its place.
type slot struct {
	promise *Promise
	put     func(any)
}

// walk awaits the promises in v. All are found before the first is awaited: from
// then on the containers change.
func (s *settling) walk(v any, put func(any)) {
	var found []slot
	find(v, put, &found)
	s.mu.Lock()
	s.open += len(found)
	s.mu.Unlock()
	for _, f := range found {
		s.await(f)
	}
}

func find(v any, put func(any), found *[]slot) {
	switch x := v.(type) {
	case []any:
		for i, e := range x {
			if !isLeaf(e) {
				find(e, func(v any) { x[i] = v }, found)
			}
		}
	case map[string]any:
		for k, e := range x {
			find(e, func(v any) { x[k] = v }, found)
		}
	case *Error:
		find(x.Props, nil, found)
	case *Promise:
		*found = append(*found, slot{x, put})
	}
}

func isLeaf(v any) bool {
	switch v.(type) {
	case nil, bool, int64, float64, string, []byte, *Stub:
		return true
	}
	return false
}

func (s *settling) await(f slot) {
	h, err := f.promise.target()
	if imp, ok := h.(*importHook); err != nil || ok && imp.s == s.except {
		s.end(err)
		return
	}
	h.pull(func(q payload, err error) {
		if err != nil {
			s.end(err)
			return
		}
		q = dupTree(q.value)
		s.mu.Lock()
		f.put(q.value)
		s.p.refs += q.refs
		s.mu.Unlock()
		f.promise.Release()
		// What came may hold promises too.
		if q.refs > 0 {
			s.walk(q.value, f.put)
		}
		s.end(nil)
	})
}

func (s *settling) end(err error) {
	s.mu.Lock()
	if err != nil && s.err == nil {
		s.err = err
	}
	s.open--
	last := s.open == 0
	s.mu.Unlock()
	if last {
		s.done(s.err)
	}
}
