package postgres

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wasilibs/go-pgquery/parser"

	"github.com/vitessdo/vitessdo/sqlast"
)

// machine runs the parser, which is WebAssembly that nothing can interrupt. What would
// make it recurse without end is refused before ([tooDeep]); should a text keep it all the
// same, who waits is told after patience, and the next text gets another instance.
type machine struct {
	parse    func(text string) (string, error)
	patience time.Duration
	// working is held while the parser works: it would make another instance of itself for
	// a second text, which costs a second and tens of megabytes, where a parse takes a
	// tenth of a millisecond and happens once for a text.
	working sync.Mutex
	ready   sync.Once
	stuck   atomic.Int32 // instances that didn't come back, each of which keeps a processor
}

// mostStuck is how many instances may be lost before no text is read any more.
const mostStuck = 4

var theMachine = &machine{parse: parser.ParseToJSON, patience: 30 * time.Second}

var (
	errStuck  = errors.New("the parser doesn't come back from this text")
	errLost   = errors.New("the parser didn't come back from several texts: the program must be started anew")
	errFailed = errors.New("the statement is nested too deeply, or too long")
)

// toJSON has the parser read a text; a failure of its machine is an error, too.
func toJSON(text string) (out string, err error) {
	if at := tooDeep(text); at >= 0 {
		return "", sqlast.ErrorAt(text, at, "the statement is nested too deeply: there may be 120 pairs of brackets in each other, or 100 CASE, or 500 operators without a comma between")
	}
	return theMachine.read(text)
}

type reading struct {
	out string
	err error
}

func (m *machine) read(text string) (string, error) {
	m.ready.Do(func() { m.run("") }) // it is compiled, for as long as that takes
	m.working.Lock()
	defer m.working.Unlock()
	if m.stuck.Load() >= mostStuck {
		return "", errLost
	}
	done := make(chan reading, 1)
	go func() { done <- m.run(text) }()
	timer := time.NewTimer(m.patience)
	defer timer.Stop()
	select {
	case r := <-done:
		return r.out, r.err
	case <-timer.C:
		m.stuck.Add(1)
		return "", errStuck
	}
}

func (m *machine) run(text string) (r reading) {
	defer func() {
		if recover() != nil {
			r.err = errFailed
		}
	}()
	r.out, r.err = m.parse(text)
	return r
}
