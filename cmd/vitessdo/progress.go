package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/vitessdo/vitessdo/internal/present"
)

// progress shows how far a long job is: a bar that is drawn over on a terminal,
// a plain line per tenth elsewhere.
type progress struct {
	out     io.Writer
	live    bool
	what    string
	total   int64
	began   time.Time
	drawn   time.Time
	tenth   int64
	written bool
}

const barWidth = 30

func newProgress(c *console, what string, total int64) *progress {
	return &progress{out: c.out, live: c.live, what: what, total: total, began: time.Now()}
}

// at shows that done of the total is reached.
func (p *progress) at(done int64) {
	if !p.live {
		if t := done * 10 / p.total; t > p.tenth {
			p.tenth = t
			fmt.Fprintf(p.out, "  %3d%%  %s %s\n", done*100/p.total, present.Thousands(done), p.what)
		}
		return
	}
	now := time.Now()
	if done < p.total && now.Sub(p.drawn) < 100*time.Millisecond {
		return
	}
	p.drawn, p.written = now, true
	full := int(done * barWidth / p.total)
	fmt.Fprintf(p.out, "\r  [%s%s] %3d%%  %s of %s %s  ", strings.Repeat("#", full), strings.Repeat(".", barWidth-full),
		done*100/p.total, present.Thousands(done), present.Thousands(p.total), p.what)
}

// end leaves the line and gives the time that passed.
func (p *progress) end() time.Duration {
	if p.written {
		fmt.Fprintln(p.out)
	}
	return time.Since(p.began)
}
