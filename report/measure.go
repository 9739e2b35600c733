package report

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/schema"
)

// Answer is one request with all that became of it.
type Answer struct {
	Teacher    string
	Prompt     []schema.Message
	Source     string
	License    string
	Generation int32
	Response   *schema.Response
	Inspection *schema.Inspection
	Decision   *schema.Decision
}

// Measurement streams over the answers of a run in the order of their decisions. What it holds doesn't grow with them.
type Measurement struct {
	rng       *rand.Rand
	signals   map[string]*[3]reservoir // admitted, rejected, anchor
	counts    map[string]map[string]int64
	teachers  map[string]*pace
	times     timeline
	diversity quality.DiversitySample
	anchor    quality.DiversitySample
	gates     []*trace
	samples   map[string]*sampler
	wanted    map[string]*Sample // request id → to be filled
	summary   Summary
}

type pace struct {
	TeacherPace
	latency, tokens reservoir
}

// Parts of signals.
const (
	partAdmitted = iota
	partRejected
	partAnchor
)

// NewMeasurement begins; the seed draws the samples.
func NewMeasurement(seed uint64) *Measurement {
	return &Measurement{rng: rand.New(rand.NewPCG(seed, 0x7265706f7274)), //nolint:gosec // a sample
		signals: map[string]*[3]reservoir{}, counts: map[string]map[string]int64{}, teachers: map[string]*pace{}, samples: map[string]*sampler{}, wanted: map[string]*Sample{}}
}

// Kinds of counts.
const (
	countLanguage = "language"
	countLicense  = "license"
	countFinish   = "finish"
	countFailed   = "failed"
	countTagged   = "tagged"
)

func (m *Measurement) count(kind, name string) {
	if m.counts[kind] == nil {
		m.counts[kind] = map[string]int64{}
	}
	m.counts[kind][name]++
}

// Add takes in the next answer.
func (m *Measurement) Add(a *Answer) {
	t := m.teachers[a.Teacher]
	if t == nil {
		t = &pace{TeacherPace: TeacherPace{Name: a.Teacher}}
		m.teachers[a.Teacher] = t
	}
	m.times.add(a.Teacher, a.Response.AnsweredAt)
	if a.Response.Failed() {
		t.Failed++
		m.count(countFailed, a.Response.FailCode)
		return
	}
	t.Answered++
	t.latency.add(m.rng, float64(a.Response.MillisFirst))
	if !a.Response.UsageUnknown {
		t.tokens.add(m.rng, float64(a.Response.OutputTokens))
	}
	m.count(countFinish, a.Response.FinishReason)
	m.diversity.Add(a.Decision.RequestID, a.Response.Text)
	part := partRejected
	if a.Decision.Outcome == schema.OutcomeAdmitted {
		t.Admitted++
		part = partAdmitted
		m.count(countLanguage, a.Inspection.Language)
		m.count(countLicense, a.License)
		for _, f := range a.Inspection.Findings {
			m.count(countTagged, f.Check)
		}
	} else {
		t.Rejected++
	}
	m.addSignals(part, a.Inspection.Signals)
	m.sample(a)
}

func (m *Measurement) addSignals(part int, signals []schema.Signal) {
	for _, s := range signals {
		r := m.signals[s.Name]
		if r == nil {
			r = &[3]reservoir{}
			m.signals[s.Name] = r
		}
		r[part].add(m.rng, s.Value)
	}
}

// AddAnchor takes in a text that answers were measured against, with the signals that an answer of these words would have.
func (m *Measurement) AddAnchor(name, text string, signals []schema.Signal) {
	m.anchor.Add(name, text)
	m.addSignals(partAnchor, signals)
}

// Done returns the summary and the samples.
func (m *Measurement) Done(dataset, run, anchor string) (*Summary, *Samples) {
	s := m.summary
	s.Format, s.Dataset, s.Run = SummaryFormat, dataset, run
	s.Licenses = ordered(m.counts[countLicense])
	s.Languages, s.Finish, s.Failed, s.Tagged = ordered(m.counts[countLanguage]), ordered(m.counts[countFinish]), ordered(m.counts[countFailed]), ordered(m.counts[countTagged])
	var names []string
	for _, name := range slices.Sorted(maps.Keys(m.teachers)) {
		t := m.teachers[name]
		t.Latency, t.Tokens = t.latency.distribution(0, 0, 0), t.tokens.distribution(0, 0, 0)
		s.Teachers = append(s.Teachers, t.TeacherPace)
		names = append(names, name)
	}
	s.Times = m.times.done(names)
	for _, name := range slices.Sorted(maps.Keys(m.signals)) {
		s.Signals = append(s.Signals, summarize(name, m.signals[name]))
	}
	s.Diversity, s.AnchorDiversity = m.diversity.Measure(), m.anchor.Measure()
	if len(s.AnchorDiversity) > 0 {
		s.Anchor = anchor
	}
	for _, g := range m.gates {
		s.Gates = append(s.Gates, g.done())
	}
	return &s, m.drawn()
}

func ordered(counts map[string]int64) (all []Count) {
	for name, n := range counts {
		all = append(all, Count{name, n})
	}
	slices.SortFunc(all, func(a, b Count) int { return cmp.Or(cmp.Compare(b.N, a.N), strings.Compare(a.Name, b.Name)) })
	return all
}

// signalBins are the parts of a histogram.
const signalBins = 30

// summarize cuts from the first to the 99th percentile of all parts, so that an outlier doesn't press the rest into one bin.
func summarize(name string, parts *[3]reservoir) SignalSummary {
	s := SignalSummary{Name: name}
	var answers []float64
	low, high := math.Inf(1), math.Inf(-1)
	for i := range parts {
		slices.Sort(parts[i].values)
		if len(parts[i].values) == 0 {
			continue
		}
		a, b := quantile(parts[i].values, 0.01), quantile(parts[i].values, 0.99)
		low, high = min(low, a), max(high, b)
		if i != partAnchor {
			answers = append(answers, parts[i].values...)
		}
	}
	slices.Sort(answers)
	if low > high { // no value at all
		low, high = 0, 0
	}
	s.Low, s.High = low, high
	s.Admitted, s.Rejected, s.Anchor = parts[partAdmitted].distribution(low, high, signalBins), parts[partRejected].distribution(low, high, signalBins),
		parts[partAnchor].distribution(low, high, signalBins)
	s.Distance = ksDistance(answers, parts[partAnchor].values)
	return s
}

// trace follows a gate. A stride of answers makes a point; strides grow, so that the points stay few.
type trace struct {
	GateTrace
	n      int64
	stride int64
	peak   float64
	sums   []float64
	seen   int64 // answers that had a twin
}

// mostPoints bounds a trace.
const mostPoints = 400

// StartGate adds a gate; Bet moves it.
func (m *Measurement) StartGate(against string, threshold float64, accounts []string) {
	m.gates = append(m.gates, &trace{GateTrace: GateTrace{Against: against, Threshold: threshold, Accounts: accounts}, stride: 1, sums: make([]float64, len(accounts))})
}

// Bet takes in what an answer did to gate number i: its wealth behind it, and how much worse the answer was than its twin, by account.
func (m *Measurement) Bet(i int, wealth float64, d []float64) {
	t := m.gates[i]
	t.n++
	t.peak = max(t.peak, wealth)
	if len(d) == len(t.sums) && len(d) > 0 {
		t.seen++
		for k := range d {
			t.sums[k] += d[k]
		}
	}
	if t.n%t.stride != 0 {
		return
	}
	t.point()
	if len(t.Points) < mostPoints {
		return
	}
	t.stride *= 2
	half := t.Points[:0]
	for k := 1; k < len(t.Points); k += 2 {
		p := t.Points[k]
		p.Wealth = max(p.Wealth, t.Points[k-1].Wealth)
		half = append(half, p)
	}
	t.Points = half
}

func (t *trace) point() {
	p := TracePoint{Record: t.n, Wealth: t.peak}
	for _, sum := range t.sums {
		p.Means = append(p.Means, sum/float64(max(1, t.seen)))
	}
	t.Points = append(t.Points, p)
	t.peak = 0
}

func (t *trace) done() GateTrace {
	if t.n > 0 && (len(t.Points) == 0 || t.Points[len(t.Points)-1].Record != t.n) {
		t.point()
	}
	return t.GateTrace
}

// AnchorName says what a run's answers were measured against.
func AnchorName(against string, version int) string {
	switch against {
	case schema.AgainstVersion:
		return fmt.Sprintf("version %d", version)
	case schema.AgainstHuman:
		return "human text"
	}
	return "ceilings of rates"
}
