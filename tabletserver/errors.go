package tabletserver

import (
	"errors"

	"github.com/vitessdo/vitessdo/tablet"
)

func canceled(cause error) error {
	return &tablet.Error{Code: tablet.CodeCanceled, Message: "the statement was interrupted: " + cause.Error(), Err: cause}
}

func errClosed() error {
	return &tablet.Error{Code: tablet.CodeClosed, Message: "the tablet is closed"}
}

func misuse(msg string) error {
	return &tablet.Error{Code: tablet.CodeMisuse, Message: msg}
}

// at says in an error from which shard it comes.
func (t *Tablet) at(err error) error {
	if err == nil {
		return nil
	}
	var e *tablet.Error
	if errors.As(err, &e) {
		if e.Target == (tablet.Target{}) {
			e.Target = t.cfg.Target
		}
		return err
	}
	return &tablet.Error{Code: tablet.CodeInternal, Target: t.cfg.Target, Message: err.Error(), Err: err}
}
