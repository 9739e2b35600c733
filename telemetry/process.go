package telemetry

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
	"time"
)

var started = time.Now()

// measureProcess notes what the process uses now, under the names that Prometheus' own clients give.
func measureProcess(r *Registry) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	r.Set("go_goroutines", float64(runtime.NumGoroutine()))
	r.Set("go_memstats_heap_alloc_bytes", float64(m.HeapAlloc))
	r.Set("process_start_time_seconds", float64(started.Unix()))
	if fds, err := os.ReadDir("/proc/self/fd"); err == nil { // on Linux
		r.Set("process_open_fds", float64(len(fds)))
	}
	if statm, err := os.ReadFile("/proc/self/statm"); err == nil {
		if fields := bytes.Fields(statm); len(fields) > 1 {
			if pages, err := strconv.ParseInt(string(fields[1]), 10, 64); err == nil {
				r.Set("process_resident_memory_bytes", float64(pages)*float64(os.Getpagesize()))
			}
		}
	}
}
