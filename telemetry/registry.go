package telemetry

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"go.temporal.io/sdk/client"
)

// bounds of the buckets of durations, in seconds.
var bounds = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300}

// mostSeries bounds what is kept: more than that would come from names that somebody makes up.
const mostSeries = 10_000

// Registry holds counters, gauges and durations by name and labels. All methods may be called by many goroutines.
type Registry struct {
	mu     sync.Mutex
	series map[string]map[string]*value // name → labels as they are written → value
	kinds  map[string]string
	count  int
}

// value is a counter or gauge (sum), or a duration (sum, number and buckets).
type value struct {
	sum     float64
	n       uint64
	buckets []uint64
}

// Default is the registry of the process.
var Default = &Registry{}

func (r *Registry) change(name, kind, labels string, do func(*value)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.series == nil {
		r.series, r.kinds = map[string]map[string]*value{}, map[string]string{}
	}
	if r.kinds[name] == "" {
		r.kinds[name], r.series[name] = kind, map[string]*value{}
	}
	v, ok := r.series[name][labels]
	if !ok {
		if r.kinds[name] != kind || r.count >= mostSeries {
			return
		}
		r.count++
		v = &value{}
		r.series[name][labels] = v
	}
	if r.kinds[name] == kind {
		do(v)
	}
}

// Count adds to a counter; labels are names and values in turn.
func (r *Registry) Count(name string, n int64, labels ...string) {
	r.change(name, "counter", written(pairs(labels)), func(v *value) { v.sum += float64(n) })
}

// Set sets a gauge.
func (r *Registry) Set(name string, to float64, labels ...string) {
	r.change(name, "gauge", written(pairs(labels)), func(v *value) { v.sum = to })
}

// Took records a duration.
func (r *Registry) Took(name string, d time.Duration, labels ...string) {
	r.took(name, d, written(pairs(labels)))
}

func (r *Registry) took(name string, d time.Duration, labels string) {
	r.change(name, "histogram", labels, func(v *value) {
		if v.buckets == nil {
			v.buckets = make([]uint64, len(bounds))
		}
		v.sum, v.n = v.sum+d.Seconds(), v.n+1
		for i, b := range bounds {
			if d.Seconds() <= b {
				v.buckets[i]++
			}
		}
	})
}

func pairs(labels []string) map[string]string {
	m := map[string]string{}
	for i := 0; i+1 < len(labels); i += 2 {
		m[labels[i]] = labels[i+1]
	}
	return m
}

// written is how labels stand in the exposition, in order of their names.
func written(labels map[string]string) string {
	parts := make([]string, 0, len(labels))
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, word(k)+`="`+escape.Replace(labels[k])+`"`)
	}
	return strings.Join(parts, ",")
}

var escape = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

// word makes a name of what isn't one.
func word(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '_'
	}, s)
}

// Write writes the text format of Prometheus, version 0.0.4.
func (r *Registry) Write(w io.Writer) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(r.series)) {
		fmt.Fprintf(&b, "# TYPE %s %s\n", name, r.kinds[name])
		for _, labels := range slices.Sorted(maps.Keys(r.series[name])) {
			v := r.series[name][labels]
			if r.kinds[name] != "histogram" {
				fmt.Fprintf(&b, "%s%s %v\n", name, braced(labels), v.sum)
				continue
			}
			for i, bound := range bounds {
				fmt.Fprintf(&b, "%s_bucket%s %d\n", name, braced(joined(labels, fmt.Sprintf(`le="%v"`, bound))), v.buckets[i])
			}
			fmt.Fprintf(&b, "%s_bucket%s %d\n%s_sum%s %v\n%s_count%s %d\n", name, braced(joined(labels, `le="+Inf"`)), v.n, name, braced(labels), v.sum, name, braced(labels), v.n)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func joined(labels, more string) string {
	if labels == "" {
		return more
	}
	return labels + "," + more
}

func braced(labels string) string {
	if labels == "" {
		return ""
	}
	return "{" + labels + "}"
}

// handler takes the Temporal SDK's metrics.
type handler struct {
	registry *Registry
	tags     map[string]string
	labels   string
}

// Handler returns what the Temporal SDK writes its metrics to.
func (r *Registry) Handler() client.MetricsHandler { return &handler{registry: r} }

func (h *handler) WithTags(tags map[string]string) client.MetricsHandler {
	all := maps.Clone(h.tags)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, tags)
	return &handler{h.registry, all, written(all)}
}

func (h *handler) Counter(name string) client.MetricsCounter {
	return counter(func(n int64) {
		h.registry.change(word(name), "counter", h.labels, func(v *value) { v.sum += float64(n) })
	})
}

func (h *handler) Gauge(name string) client.MetricsGauge {
	return gauge(func(to float64) {
		h.registry.change(word(name), "gauge", h.labels, func(v *value) { v.sum = to })
	})
}

func (h *handler) Timer(name string) client.MetricsTimer {
	return timer(func(d time.Duration) { h.registry.took(word(name)+"_seconds", d, h.labels) })
}

type (
	counter func(int64)
	gauge   func(float64)
	timer   func(time.Duration)
)

func (c counter) Inc(n int64)          { c(n) }
func (g gauge) Update(to float64)      { g(to) }
func (t timer) Record(d time.Duration) { t(d) }
