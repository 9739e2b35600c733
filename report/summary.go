package report

import "github.com/retort-data/retort/quality"

// SummaryFormat names the form of Summary.
const SummaryFormat = "retort/summary/1"

// Summary is what was measured of a run when it was published: numbers and names, no texts. It stands beside the run, so that cards and
// the reports of later versions have it without reading a record again.
type Summary struct {
	Format    string          `json:"format"`
	Dataset   string          `json:"dataset"`
	Run       string          `json:"run"`
	Languages []Count         `json:"languages,omitempty"`      // ISO 639-1 ("" where unknown) of admitted records, commonest first
	Licenses  []Count         `json:"licenses,omitempty"`       // of the sources of admitted records
	Finish    []Count         `json:"finish_reasons,omitempty"` // of answers
	Failed    []Count         `json:"failed,omitempty"`         // codes
	Tagged    []Count         `json:"tagged,omitempty"`         // checks that found something in admitted records
	Signals   []SignalSummary `json:"signals,omitempty"`
	Teachers  []TeacherPace   `json:"teachers,omitempty"`
	Times     *Timeline       `json:"times,omitempty"`
	Gates     []GateTrace     `json:"gates,omitempty"`

	Diversity       []quality.Diversity `json:"diversity,omitempty"`        // of the answers, before any check
	AnchorDiversity []quality.Diversity `json:"anchor_diversity,omitempty"` // of the text that they were measured against
	Anchor          string              `json:"anchor,omitempty"`           // what that is: human | version N
}

// Count is a name with how often it came.
type Count struct {
	Name string `json:"name"`
	N    int64  `json:"n"`
}

// SignalSummary is the distribution of a signal: shares of Bins equal parts from Low to High (what lies outside is in the first and last).
type SignalSummary struct {
	Name     string       `json:"name"`
	Low      float64      `json:"low"`
	High     float64      `json:"high"`
	Admitted Distribution `json:"admitted"`
	Rejected Distribution `json:"rejected"`
	Anchor   Distribution `json:"anchor"`
	Distance float64      `json:"distance"` // Kolmogorov–Smirnov, of all answers from the anchor; 0 without one
}

// Distribution of some values.
type Distribution struct {
	N      int64     `json:"n"`
	Mean   float64   `json:"mean,omitempty"`
	P5     float64   `json:"p5,omitempty"`
	Median float64   `json:"median,omitempty"`
	P95    float64   `json:"p95,omitempty"`
	Shares []float64 `json:"shares,omitempty"`
}

// TeacherPace is how a teacher answered.
type TeacherPace struct {
	Name     string       `json:"name"`
	Answered int64        `json:"answered"`
	Admitted int64        `json:"admitted"`
	Rejected int64        `json:"rejected"`
	Failed   int64        `json:"failed"`
	Latency  Distribution `json:"latency_ms"`    // from the last send to the whole answer
	Tokens   Distribution `json:"output_tokens"` // of an answer
}

// Timeline counts answers over time in steps of equal length.
type Timeline struct {
	From     int64       `json:"from"` // unix milliseconds
	Step     int64       `json:"step"` // milliseconds
	Teachers []TimeSerie `json:"teachers"`
}

// TimeSerie is one teacher's answers, a number a step.
type TimeSerie struct {
	Name    string  `json:"name"`
	Answers []int64 `json:"answers"`
}

// GateTrace is a gate's wealth over the answers, thinned: each point is the highest of its stretch.
type GateTrace struct {
	Against   string       `json:"against"`
	Threshold float64      `json:"threshold"`
	Accounts  []string     `json:"accounts,omitempty"`
	Points    []TracePoint `json:"points"`
}

// TracePoint stands behind answer number Record.
type TracePoint struct {
	Record int64     `json:"record"`
	Wealth float64   `json:"wealth"`
	Means  []float64 `json:"means,omitempty"` // of D since the first answer, by account
}
