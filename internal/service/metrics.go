package service

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Metrics are numbers for monitoring, written as Prometheus's text format has
// them. The zero value is empty and usable, also by several goroutines.
type Metrics struct {
	mu   sync.Mutex
	list []family
}

// family is the numbers that share a name.
type family struct {
	name, kind, help string
	write            func(w io.Writer, name string)
}

func (m *Metrics) add(f family) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.list = append(m.list, f)
}

// Counter is numbers that only grow, one for each value of its label.
type Counter struct {
	label  string
	counts sync.Map // of *atomic.Int64, by the label's value
}

// Counter makes a counter. label may be "", for a single number.
func (m *Metrics) Counter(name, help, label string) *Counter {
	c := &Counter{label: label}
	if label == "" {
		c.Add("", 0)
	}
	m.add(family{name, "counter", help, c.write})
	return c
}

// Add adds to the number of a label's value.
func (c *Counter) Add(value string, n int64) {
	v, ok := c.counts.Load(value)
	if !ok {
		v, _ = c.counts.LoadOrStore(value, new(atomic.Int64))
	}
	v.(*atomic.Int64).Add(n)
}

func (c *Counter) write(w io.Writer, name string) {
	var lines []string
	c.counts.Range(func(k, v any) bool {
		lines = append(lines, fmt.Sprintf("%s%s %d\n", name, labels(c.label, k.(string)), v.(*atomic.Int64).Load()))
		return true
	})
	slices.Sort(lines)
	_, _ = io.WriteString(w, strings.Join(lines, ""))
}

func labels(name, value string) string {
	if name == "" {
		return ""
	}
	return "{" + name + "=" + strconv.Quote(value) + "}"
}

// Gauge makes a number that is asked for when it is read.
func (m *Metrics) Gauge(name, help string, value func() float64) {
	m.add(family{name, "gauge", help, func(w io.Writer, name string) {
		_, _ = fmt.Fprintf(w, "%s %s\n", name, strconv.FormatFloat(value(), 'g', -1, 64))
	}})
}

// bounds are a histogram's, in seconds.
var bounds = [...]float64{0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60}

// Histogram counts how long things took.
type Histogram struct {
	counts [len(bounds) + 1]atomic.Int64
	nanos  atomic.Int64
}

// Histogram makes a histogram of durations.
func (m *Metrics) Histogram(name, help string) *Histogram {
	h := &Histogram{}
	m.add(family{name, "histogram", help, h.write})
	return h
}

// Observe counts one duration.
func (h *Histogram) Observe(d time.Duration) {
	i, _ := slices.BinarySearch(bounds[:], d.Seconds())
	h.counts[i].Add(1)
	h.nanos.Add(int64(d))
}

func (h *Histogram) write(w io.Writer, name string) {
	sum := int64(0)
	for i := range h.counts {
		sum += h.counts[i].Load()
		le := "+Inf"
		if i < len(bounds) {
			le = strconv.FormatFloat(bounds[i], 'g', -1, 64)
		}
		_, _ = fmt.Fprintf(w, "%s_bucket{le=%q} %d\n", name, le, sum)
	}
	_, _ = fmt.Fprintf(w, "%s_sum %g\n%s_count %d\n", name, time.Duration(h.nanos.Load()).Seconds(), name, sum)
}

// ServeHTTP writes all numbers.
func (m *Metrics) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	m.mu.Lock()
	list := slices.Clone(m.list)
	m.mu.Unlock()
	for _, f := range list {
		_, _ = fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", f.name, f.help, f.name, f.kind)
		f.write(w, f.name)
	}
}
