package capnweb

import (
	"errors"
	"fmt"
	"strconv"
)

// mapping is a function that the peer runs over a value, or over each element
// of an array, as a list of instructions. Each instruction is an expression
// whose references are 0 for the element, n for the result of the nth
// instruction, -n for the nth capture. The last one's value is the result.
type mapping struct {
	captures     []hook
	instructions []string
	limits       Limits
	steps        *int // left for the session's message, nested maps included
}

func (m *mapping) release() {
	for _, c := range m.captures {
		c.release()
	}
}

// run applies the mapping to a value, which stays the caller's.
func (m *mapping) run(o origin, v any) hook {
	defer m.release()
	switch x := v.(type) {
	case nil, UndefinedType:
		return newValueHook(payload{value: v})
	case []any:
		out := payload{value: make([]any, 0, len(x))}
		for _, e := range x {
			p, err := m.element(o, e)
			out.value = append(out.value.([]any), p.value)
			out.refs += p.refs
			if err != nil {
				out.release()
				return &errorHook{err}
			}
		}
		return newValueHook(out)
	}
	p, err := m.element(o, v)
	if err != nil {
		p.release()
		return &errorHook{err}
	}
	return hookOf(o, p)
}

func (m *mapping) element(o origin, v any) (payload, error) {
	scope := &mapScope{m: m, o: o, variables: []hook{newValueHook(dupTree(v))}}
	defer func() {
		for _, v := range scope.variables {
			v.release()
		}
	}()
	for i, text := range m.instructions {
		if *m.steps--; *m.steps < 0 {
			return payload{}, Errorf("RangeError", "a map runs more than %d instructions", m.limits.MapSteps)
		}
		d := decoder{scanner: scanner{s: text}, limits: m.limits, x: scope}
		v, err := d.value()
		p := payload{v, d.refs}
		if err != nil || i == len(m.instructions)-1 {
			return p, err
		}
		scope.variables = append(scope.variables, hookOf(o, p))
	}
	return payload{}, errors.New("a map without instructions")
}

// mapScope is what an instruction's references mean.
type mapScope struct {
	m         *mapping
	o         origin
	variables []hook
}

func (s *mapScope) exported(id int64) (hook, error) {
	list := s.variables
	at := id
	if id < 0 {
		list, at = s.m.captures, -id-1
	}
	if at >= int64(len(list)) {
		return nil, fmt.Errorf("a map's instruction refers to %d, which isn't there", id)
	}
	list[at].retain()
	return list[at], nil
}

func (s *mapScope) imported(int64, bool) (hook, error) {
	return nil, errors.New("a map's instruction can't refer to exports")
}

func (s *mapScope) readable(int64) (*Readable, error) {
	return nil, errors.New("a map's instruction can't refer to streams")
}

func (s *mapScope) origin() origin { return s.o }

func (s *mapScope) steps() *int { return s.m.steps }

// remap reads [id, path, captures, instructions].
func (d *decoder) remap(id int64) (hook, error) {
	h, err := d.x.exported(id)
	if err != nil {
		return nil, err
	}
	defer h.release()
	if err := d.want(','); err != nil {
		return nil, err
	}
	path, err := d.path()
	if err == nil {
		err = d.want(',')
	}
	if err != nil {
		return nil, err
	}
	m := &mapping{limits: d.limits}
	if s, nested := d.x.(*mapScope); nested {
		m.steps = s.steps()
	} else {
		n := d.limits.MapSteps
		m.steps = &n
	}
	if err = d.captures(m); err == nil {
		err = d.instructions(m)
	}
	if err != nil {
		m.release()
		return nil, err
	}
	return h.apply(d.x.origin(), path, m), nil
}

func (d *decoder) captures(m *mapping) error {
	if err := d.want('['); err != nil {
		return err
	}
	for more := !d.take(']'); more; {
		if err := d.want('['); err != nil {
			return err
		}
		tag, err := d.text()
		if err == nil {
			err = d.want(',')
		}
		var id int64
		if err == nil {
			id, err = d.integer()
		}
		if err == nil {
			err = d.want(']')
		}
		var h hook
		if err == nil {
			switch tag {
			case "import":
				h, err = d.x.exported(id)
			case "export":
				h, err = d.x.imported(id, false)
			default:
				err = d.fail("unknown capture " + strconv.Quote(clip(tag)))
			}
		}
		if err != nil {
			return err
		}
		m.captures = append(m.captures, h)
		if more, err = d.more(']'); err != nil {
			return err
		}
	}
	return d.want(',')
}

// instructions keeps each expression's text, to be evaluated for each element.
func (d *decoder) instructions(m *mapping) error {
	if err := d.want('['); err != nil {
		return err
	}
	for more := !d.take(']'); more; {
		d.peek()
		from := d.i
		if _, err := d.plain(d.limits.Depth - d.depth); err != nil {
			return err
		}
		m.instructions = append(m.instructions, d.s[from:d.i])
		var err error
		if more, err = d.more(']'); err != nil {
			return err
		}
	}
	if len(m.instructions) == 0 {
		return d.fail("a map without instructions")
	}
	return nil
}

// Mapping records what a function does with the elements of a map, which runs
// at the peer: see [Promise.Map].
type Mapping struct {
	parent       *Mapping
	captures     []hook  // of the outermost
	outer        []int64 // of a nested one: where its captures are in the parent
	known        map[hook]int64
	knownOuter   map[int64]int64
	instructions [][]byte
	err          error
}

// Ref stands for a value at the peer, inside a map.
type Ref struct {
	m    *Mapping
	id   int64
	path []any
}

// Map runs a function over what the promise will be: over each element when that
// is an array, over the value itself otherwise; null and undefined stay. The
// function is called once, here, with a placeholder, and what it does with that
// and returns is recorded and run at the peer, without any more messages. So it
// can use calls and fields of placeholders and captures, but can't look at
// values. It returns the placeholder or value, made of those as well, that
// stands for an element in the result.
func (p *Promise) Map(f func(m *Mapping, element *Ref) any) *Promise {
	h, err := p.hook()
	if err != nil {
		return newPromise(&errorHook{err})
	}
	m := &Mapping{known: map[hook]int64{}}
	result := f(m, &Ref{m: m})
	if err := m.finish(result); err != nil {
		for _, c := range m.captures {
			c.release()
		}
		return newPromise(&errorHook{err})
	}
	limits := Limits{}.complete()
	rec := &mapping{captures: m.captures, limits: limits, steps: &limits.MapSteps}
	for _, i := range m.instructions {
		rec.instructions = append(rec.instructions, string(i))
	}
	return newPromise(h.apply(background, p.path, rec))
}

// Capture makes a stub or promise from outside usable in the map.
func (m *Mapping) Capture(v any) *Ref {
	var h hook
	var path []any
	var err error
	switch x := v.(type) {
	case *Stub:
		h, err = x.hook()
	case *Promise:
		path = x.path
		h, err = x.hook()
	default:
		err = fmt.Errorf("a %T can't be captured by a map; only stubs and promises can", v)
	}
	if err != nil {
		m.fail(err)
		return &Ref{m: m}
	}
	return &Ref{m: m, id: m.capture(h), path: path}
}

func (m *Mapping) fail(err error) {
	if m.err == nil {
		m.err = err
	}
}

func (m *Mapping) capture(h hook) int64 {
	if m.parent != nil {
		return m.inherit(m.parent.capture(h))
	}
	if id := m.known[h]; id != 0 {
		return id
	}
	h.retain()
	m.captures = append(m.captures, h)
	m.known[h] = -int64(len(m.captures))
	return m.known[h]
}

// inherit makes a reference of the enclosing map one of this.
func (m *Mapping) inherit(outer int64) int64 {
	if id := m.knownOuter[outer]; id != 0 {
		return id
	}
	m.outer = append(m.outer, outer)
	m.knownOuter[outer] = -int64(len(m.outer))
	return m.knownOuter[outer]
}

// local gives the number of r in m, which may be nested in r's map.
func (m *Mapping) local(r *Ref) int64 {
	if r.m == m {
		return r.id
	}
	if m.parent == nil {
		m.fail(errors.New("a placeholder was used outside its map"))
		return 0
	}
	return m.inherit(m.parent.local(r))
}

func (m *Mapping) finish(result any) error {
	e := m.encoder()
	if err := e.Value(result); err != nil {
		return err
	}
	m.instructions = append(m.instructions, e.buf)
	return m.err
}

func (m *Mapping) encoder() *Encoder { return &Encoder{x: m, max: Limits{}.complete().Depth} }

func (m *Mapping) push(text []byte) *Ref {
	m.instructions = append(m.instructions, text)
	return &Ref{m: m, id: int64(len(m.instructions))}
}

// Get stands for a field of the value.
func (r *Ref) Get(path ...any) *Ref {
	return &Ref{m: r.m, id: r.id, path: append(r.path[:len(r.path):len(r.path)], path...)}
}

// Call stands for the result of a method of the value.
func (r *Ref) Call(method string, args ...any) *Ref {
	path := r.path
	if method != "" {
		path = append(path[:len(path):len(path)], method)
	}
	e := r.m.encoder()
	e.buf = append(appendCallee(e.buf, "pipeline", r.id, path), ",["...)
	for _, a := range args {
		if err := e.Value(a); err != nil {
			r.m.fail(err)
		}
	}
	return r.m.push(append(e.buf, "]]"...))
}

// Map stands for the result of a map over the value, as [Promise.Map].
func (r *Ref) Map(f func(m *Mapping, element *Ref) any) *Ref {
	inner := &Mapping{parent: r.m, knownOuter: map[int64]int64{}}
	if err := inner.finish(f(inner, &Ref{m: inner})); err != nil {
		r.m.fail(err)
	}
	buf := append(appendCallee(nil, "remap", r.id, r.path), ",["...)
	for i, id := range inner.outer {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = append(buf, `["import",`...)
		buf = strconv.AppendInt(buf, id, 10)
		buf = append(buf, ']')
	}
	buf = append(buf, "],["...)
	for i, text := range inner.instructions {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = append(buf, text...)
	}
	return r.m.push(append(buf, "]]"...))
}

// MarshalCapnweb writes the placeholder in another one's arguments.
func (r *Ref) MarshalCapnweb(e *Encoder) error {
	m, ok := e.x.(*Mapping)
	if !ok {
		return errors.New("a placeholder was used outside its map")
	}
	e.sep()
	e.buf = append(appendRef(e.buf, "pipeline", m.local(r), r.path), ']')
	return nil
}

func (m *Mapping) reference(e *Encoder, h hook, path []any, promise bool) error {
	e.sep()
	tag := "import"
	if promise {
		tag = "pipeline"
	}
	e.buf = append(appendRef(e.buf, tag, m.capture(h), path), ']')
	return nil
}

func (m *Mapping) export(_ *Encoder, _ string, h hook) error {
	h.release()
	return errors.New("a map can't hold an object; make a stub of it first")
}

func (m *Mapping) pipe(*Readable) (int64, error) {
	return 0, errors.New("a map can't hold a stream")
}
