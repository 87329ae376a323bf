package service

import (
	"os"
	"runtime"
	"runtime/metrics"
)

// Runtime adds what the process itself holds, under the names that Prometheus's own
// clients have for it. Where the system doesn't tell its open files, they are 0.
func (m *Metrics) Runtime() {
	m.Gauge("go_goroutines", "Goroutines that there are.", func() float64 { return float64(runtime.NumGoroutine()) })
	m.Gauge("go_gc_heap_live_bytes", "Heap that the last garbage collection has left.", func() float64 {
		s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(s)
		return float64(s[0].Value.Uint64())
	})
	m.Gauge("process_open_fds", "Files and connections that are open.", func() float64 {
		list, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			return 0
		}
		return float64(len(list) - 1) // one of them is the directory
	})
}
