package exec

import (
	"errors"
	"testing"

	"github.com/vitessdo/vitessdo/tablet"
)

// TestStale: where no other attempt helps, the cause is what the statement fails with.
func TestStale(t *testing.T) {
	err := Stale(&tablet.Error{Code: tablet.CodeIO, Message: "the shard can't be reached"})
	if !errors.Is(err, ErrStale) || tablet.CodeOf(err) != tablet.CodeIO || err.Error() != "the shard can't be reached" {
		t.Errorf("the error is %q with the code %s", err, tablet.CodeOf(err))
	}
}
