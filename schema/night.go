package schema

import "time"

// Names of the activities of a night.
const (
	StepBeginNight = "BeginNight"
	StepEndNight   = "EndNight"
)

// Outcomes of a night besides the states in which its run may end.
const (
	NightBegun   = "begun"           // its run is under way
	NightRunning = "already-running" // a run of the dataset was in the way; it is named
	NightHeld    = "held-since"      // a run of the dataset is held; it is named
	NightMissed  = "missed"          // it never started: the schedule was paused, or Temporal away for longer than it catches up
)

// NightInput is one time of a dataset's schedule.
type NightInput struct {
	Dataset  string    `json:"dataset"`
	Setting  string    `json:"setting"`  // digest of the schedule as it was set
	Workflow string    `json:"workflow"` // id of the dataset's workflow: one run at a time
	Schedule string    `json:"schedule"` // id of the schedule
	At       time.Time `json:"at"`       // when it was due
	Started  time.Time `json:"started"`
	Seed     string    `json:"seed"` // unique to this night: its run's id follows from it, whatever is tried again
}

// Ref lets the text of an error be kept: with the run that the night was to begin.
func (n NightInput) Ref() RunRef {
	return RunRef{Dataset: n.Dataset, Run: NightRunID(n.Started, n.Seed)}
}

// Night is what became of one time of a schedule. It stands on S3 and holds codes and counts alone.
type Night struct {
	Dataset string    `json:"dataset"`
	At      time.Time `json:"at"`
	Started time.Time `json:"started,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	Outcome string    `json:"outcome"`
	Reason  string    `json:"reason,omitempty"` // code: why held or failed
	Run     string    `json:"run,omitempty"`    // its own run, or the one that was in the way
	Since   time.Time `json:"since,omitzero"`   // when the run in the way began, or was held
	Version int       `json:"version,omitempty"`
	Counts  *Counts   `json:"counts,omitempty"`
	Cost    *Cost     `json:"cost,omitempty"`

	Search  []string `json:"search,omitempty"`  // search attributes that the namespace has
	Program string   `json:"program,omitempty"` // version of Retort that began it

	Teachers []ProbeResult `json:"teachers,omitempty"` // as probed before its run
	Probe    string        `json:"probe,omitempty"`    // what is done about teachers that have changed
	Missed   int           `json:"missed,omitempty"`   // times before it that never started
}

// Asked says whether a night got as far as its run.
func (n *Night) Asked() bool { return !n.Skipped() && n.Outcome != ProbeChanged }

// Skipped says whether a night asked nobody because of another run, or because it never started.
func (n *Night) Skipped() bool {
	return n.Outcome == NightRunning || n.Outcome == NightHeld || n.Outcome == NightMissed
}

// EndNight is the end of a night, with what to do about it.
type EndNight struct {
	NightInput
	Night Night `json:"night"`
}
