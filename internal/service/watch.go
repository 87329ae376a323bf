package service

import (
	"fmt"
	"os"
	"time"
)

// watch tells when files change. It is guarded by who has it.
type watch struct {
	of     string    // the files' stamp when they were looked at
	looked time.Time // when that was
}

// lookAgain is how often files are looked at, at most.
const lookAgain = time.Second

// changed says whether the files are others than at the last look; the first time, they
// are.
func (w *watch) changed(files ...string) bool {
	if time.Since(w.looked) < lookAgain {
		return false
	}
	stamp := "" // changes when the files do
	for _, name := range files {
		if st, err := os.Stat(name); err == nil {
			stamp += fmt.Sprint(st.Size(), st.ModTime().UnixNano(), ";")
		}
	}
	before := w.of
	w.of, w.looked = stamp, time.Now()
	return stamp != before
}
