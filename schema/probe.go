package schema

// StepProbe asks teachers a few fixed prompts before a night's run.
const StepProbe = "Probe"

// What a probe may find of a teacher.
const (
	ProbeSame         = "same"
	ProbeFirst        = "first"        // there is nothing to compare with
	ProbeServed       = "served-name"  // it answers under another name
	ProbeDistribution = "distribution" // it answers otherwise
	ProbeFailed       = "failed"       // it didn't answer; the run will find out
)

// What a night does about a teacher that has changed.
const (
	ProbeReport = "report"
	ProbeSkip   = "skip"
	ProbeOff    = "off"
)

// ProbeChanged is the outcome of a night that was skipped because a teacher had changed.
const ProbeChanged = "teacher-changed"

// ProbeResult is what a probe found of a teacher.
type ProbeResult struct {
	Teacher    string  `json:"teacher"`
	Found      string  `json:"found"`
	Code       string  `json:"code,omitempty"` // why it didn't answer
	P          float64 `json:"p,omitempty"`    // chance that answers of an unchanged teacher differ as much
	CostMicros int64   `json:"cost_micros,omitempty"`
}

// Changed says whether somebody should look.
func (p *ProbeResult) Changed() bool { return p.Found == ProbeServed || p.Found == ProbeDistribution }
