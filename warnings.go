package vitessdo

import (
	"errors"
	"slices"

	"github.com/vitessdo/vitessdo/info"
	"github.com/vitessdo/vitessdo/sqlast"
)

// The levels of what SHOW WARNINGS lists.
const (
	levelNote    = "Note"
	levelWarning = "Warning"
	levelError   = "Error"
)

// maxWarnings is how many are kept of one statement (MySQL's max_error_count).
const maxWarnings = 1024

func (s *session) warn(level string, number uint16, message string) {
	if len(s.warnings) < maxWarnings {
		s.warnings = append(s.warnings, info.Warning{Level: level, Code: number, Message: message})
	}
}

// failedWith leaves a statement's error for SHOW WARNINGS and SHOW ERRORS.
func (s *session) failedWith(err error) error {
	err = s.told(mapError(err))
	var e *Error
	if errors.As(err, &e) {
		s.warnings = []info.Warning{{Level: levelError, Code: e.Number, Message: e.Message}}
	}
	s.rowCount = -1
	return err
}

// begins forgets what the statement before has warned of, when p is one that may
// warn itself: not one that asks for the warnings. Its directives warn at once.
func (s *session) begins(p *prepared) {
	if p.directed != nil && len(p.directed.warnings) > 0 {
		s.warnings = slices.Clone(p.directed.warnings) // the plan is others' too
		return
	}
	if len(s.warnings) == 0 {
		return
	}
	if p.plan != nil && p.plan.Write == nil && len(p.plan.Tables) == 0 {
		return
	}
	if p.parsed != nil {
		if _, asks := p.parsed.Stmt.(*sqlast.Show); asks {
			return
		}
	}
	s.warnings = nil
}

func (s *session) errorCount() int64 {
	n := int64(0)
	for _, w := range s.warnings {
		if w.Level == levelError {
			n++
		}
	}
	return n
}

// ignoredRows warns of the rows that INSERT IGNORE has left out.
func (s *session) ignoredRows(p *prepared, affected int64) {
	for range p.ignoring - min(affected, p.ignoring) {
		s.warn(levelWarning, mysqlErrors[CodeUnique].number, "a row was left out: it duplicates a key, or breaks another constraint")
	}
}
