//go:build !nonode

package workerd

import (
	"os"
	"os/exec"
	"testing"
)

// The Worker's source has the right types, and its own tests pass.
func TestSource(t *testing.T) {
	dir, _, err := workspace()
	must(t, err)
	defer os.RemoveAll(dir)
	for _, args := range [][]string{{"run", "check"}, {"test"}} {
		cmd := exec.Command("npm", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("npm %v: %v\n%s", args, err, out)
		}
	}
}
