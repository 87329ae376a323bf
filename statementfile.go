package vitessdo

import (
	"context"
	"encoding/json"
	"os"
	"sync"
)

// StatementsVariable names the environment's variable that names a file to which every
// statement of the program is appended, as a line of JSON with "sql", its text as it was
// run. It is there for vitessdo advise, to be set when tests are run: literals are in
// the file as they are in the statements, arguments aren't.
const StatementsVariable = "VITESSDO_STATEMENTS"

// statementFile is an Observer that writes statements to a file. All connectors of a
// program share it.
type statementFile struct {
	mu   sync.Mutex
	file *os.File
}

var _ Observer = (*statementFile)(nil)

// recordedTo opens the file once, for as long as the program runs; nil when none is named.
var recordedTo = sync.OnceValues(func() (*statementFile, error) {
	name := os.Getenv(StatementsVariable)
	if name == "" {
		return nil, nil
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, errorFrom(CodeDSN, err, "%s: %v", StatementsVariable, err)
	}
	return &statementFile{file: f}, nil
})

// StatementStart implements Observer.
func (r *statementFile) StatementStart(ctx context.Context, st *Statement) context.Context {
	line, err := json.Marshal(map[string]string{"sql": st.Query})
	if err == nil {
		r.mu.Lock()
		_, _ = r.file.Write(append(line, '\n')) // a full disk must not fail the statement
		r.mu.Unlock()
	}
	return ctx
}

// StatementEnd implements Observer.
func (r *statementFile) StatementEnd(context.Context, *Statement) {}
