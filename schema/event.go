package schema

import "time"

// StepNotify and the events that webhooks are told of.
const (
	StepNotify = "Notify"

	EventPublished = "published"
	EventHeld      = "held"
	EventBudget    = "budget" // the budget was reached
	EventFailed    = "failed"
	EventSkipped   = "skipped"  // a night asked nobody
	EventExpiring  = "expiring" // a held run will be cancelled
	EventExpired   = "expired"  // it was
	EventTeacher   = "teacher-changed"
)

// Notify is somebody who is told what becomes of runs.
type Notify struct {
	URLEnv    string   `yaml:"url_env" json:"url_env" required:"yes"` // variable with the address, on workers
	SecretEnv string   `yaml:"secret_env" json:"secret_env,omitempty"`
	Format    string   `yaml:"format" json:"format" enum:"json slack"`
	On        []string `yaml:"on" json:"on,omitempty" enum:"published held budget failed skipped expiring expired teacher-changed"`
}

// Events are all that webhooks can be told of: the default of Notify.On.
var Events = []string{EventPublished, EventHeld, EventBudget, EventFailed, EventSkipped, EventExpiring, EventExpired, EventTeacher}

// Event is what webhooks are told: names, counts and codes.
type Event struct {
	ID         string    `json:"id"` // the same for every try
	Event      string    `json:"event"`
	Dataset    string    `json:"dataset"`
	Run        string    `json:"run,omitempty"`
	Reason     string    `json:"reason,omitempty"`
	Subject    string    `json:"subject,omitempty"`
	Version    int       `json:"version,omitempty"`
	Counts     *Counts   `json:"counts,omitempty"`
	CostMicros int64     `json:"cost_micros,omitempty"`
	Budget     int64     `json:"budget_micros,omitempty"`
	Missed     int       `json:"missed,omitempty"`
	Night      time.Time `json:"night,omitzero"`
	Until      time.Time `json:"until,omitzero"`
	At         time.Time `json:"at"`
	Text       string    `json:"text,omitempty"` // in words
}

// NotifyInput is a try to tell an event; Left are the targets that weren't reached before (nil: all).
type NotifyInput struct {
	Event Event `json:"event"`
	Left  []int `json:"left,omitempty"`
}
