package schema

import (
	"fmt"
	"time"
)

// What follows travels through Temporal: references, digests, counts and codes, never what a person or a
// model wrote. A test holds that.

// Names of the activities, and of the workflow's signals and query.
const (
	StepPlan    = "Plan"
	StepAsk     = "Ask"
	StepInspect = "Inspect"
	StepAdmit   = "Admit"
	StepLayout  = "Layout"
	StepWrite   = "Write"
	StepPublish = "Publish"
	StepTidy    = "Tidy"
	StepStatus  = "SaveStatus"
	StepHold    = "SaveHeld"
	StepLoad    = "LoadHeld"
	StepPing    = "Ping"
	StepRetract = "Retract"
	StepExpire  = "ExpireHeld"

	StepPublished = "Published"

	SignalPause  = "pause"
	SignalResume = "resume"
	SignalCancel = "cancel"
	SignalWaits  = "waits" // TeacherWait, by a worker
	QueryStatus  = "status"
)

// RunRef names a run; bucket and prefix are the worker's own.
type RunRef struct {
	Dataset string `json:"dataset"`
	Run     string `json:"run"`
}

// Ref lets whatever embeds a RunRef say which run it is about.
func (r RunRef) Ref() RunRef { return r }

// PageRef names a page: the teacher's index in the recipe and the number among that teacher's pages, from 0.
type PageRef struct {
	Teacher int `json:"t"`
	Number  int `json:"n"`
}

func (p PageRef) String() string { return fmt.Sprintf("%02d-%06d", p.Teacher, p.Number) }

// PlanResult is what a plan comes to.
type PlanResult struct {
	Prompts  int64            `json:"prompts"`            // rendered, without repeats
	Repeats  int64            `json:"repeats"`            // exact repeats that were left out
	Alike    int64            `json:"alike,omitempty"`    // left out as alike to a prompt before (checks.near.near_prompt)
	Answered int64            `json:"answered,omitempty"` // answered in earlier versions, and so left out, where only new ones are asked
	Requests int64            `json:"requests"`           // prompts × samples: what is planned
	Teachers []PlannedTeacher `json:"teachers"`
	Policy   Policy           `json:"policy"`
	Reuse    *Reuse           `json:"reuse,omitempty"`
}

// Reuse is what a run takes of the answers of earlier runs.
type Reuse struct {
	Policy   string `json:"policy"`
	Runs     int    `json:"runs"`          // that the policy lets be looked at
	Requests int64  `json:"requests"`      // that have an answer there
	Pages    int    `json:"pages"`         // with such requests
	Why      string `json:"why,omitempty"` // a code: why none has
}

// PlannedTeacher is a teacher's part of a plan.
type PlannedTeacher struct {
	Name        string `json:"name"`
	Pages       int    `json:"pages"`
	Requests    int64  `json:"requests"`
	WorstMicros int64  `json:"worst_micros,omitempty"` // of the dearest request
	Reusable    int64  `json:"reusable,omitempty"`     // requests that an earlier run has answered
	Batch       bool   `json:"batch,omitempty"`        // each page is a batch of the provider's
}

// Policy holds the numbers of a recipe by which the workflow steers.
type Policy struct {
	Rows           int64   `json:"rows,omitempty"`
	Failed         float64 `json:"failed"`
	MostDuplicates float64 `json:"most_duplicates"`
	MostRejected   float64 `json:"most_rejected,omitempty"` // of the answers, by checks other than those for duplicates; 0: no bound
	BudgetMicros   int64   `json:"budget_micros"`           // -1: none
	BudgetRequests int64   `json:"budget_requests"`         // -1: none
	PublishBudget  bool    `json:"publish_on_budget,omitempty"`
	ExpiresSeconds int64   `json:"expires_seconds,omitempty"` // a hold stands so long
}

// AskInput asks a page's requests, or, with Close, only takes together what its journal has.
type AskInput struct {
	RunRef
	Page          PageRef `json:"page"`
	Close         bool    `json:"close,omitempty"`
	LeaseMicros   int64   `json:"lease_micros"`   // the page may spend this much, earlier attempts included; -1: no bound
	LeaseRequests int64   `json:"lease_requests"` // calls; -1: no bound
}

// PageCounts are what became of a page's requests when it was asked.
type PageCounts struct {
	Requests     int64            `json:"requests"`
	Answered     int64            `json:"answered"`
	Failed       map[string]int64 `json:"failed,omitempty"` // fail code → requests
	Unasked      int64            `json:"unasked,omitempty"`
	Calls        int64            `json:"calls"` // attempts at the teacher, as far as known
	InputTokens  int64            `json:"input_tokens"`
	OutputTokens int64            `json:"output_tokens"`
	CostMicros   int64            `json:"cost_micros"` // worst case where unknown
	CostUnknown  int64            `json:"cost_unknown,omitempty"`
	Reused       int64            `json:"reused,omitempty"`
	FirstAt      int64            `json:"first_at,omitempty"` // unix milliseconds of the first and last answer
	LastAt       int64            `json:"last_at,omitempty"`
	Served       []string         `json:"served,omitempty"`  // digests of the names under which the teacher answered
	Stopped      string           `json:"stopped,omitempty"` // code: the teacher must not be asked any more, or the lease is used up
}

// AdmitInput decides one page, in order.
type AdmitInput struct {
	RunRef
	Page     PageRef `json:"page"`
	Seq      int     `json:"seq"`                // 0, 1, 2 … in the order in which the workflow recorded completions
	Root     string  `json:"root"`               // key of the index's root so far, "" at first
	Gate     string  `json:"gate"`               // digest of the gate's log so far, "" at first
	Released int     `json:"released,omitempty"` // how often a person has let the run go on after its gate held it
	RowsLeft int64   `json:"rows_left"`          // records that may still be admitted; -1: no bound
}

// AdmitResult counts the decisions of a page.
type AdmitResult struct {
	Root     string           `json:"root"`
	Gate     string           `json:"gate,omitempty"`
	Admitted int64            `json:"admitted"`
	Rejected map[string]int64 `json:"rejected,omitempty"`
	Failed   int64            `json:"failed,omitempty"`
	Unasked  int64            `json:"unasked,omitempty"`
	Bytes    int64            `json:"bytes"` // of the admitted records
	Verdict  GateVerdict      `json:"verdict"`
}

// GateVerdict is what the gates say so far: of the one that holds, else of the one that is nearest to it.
type GateVerdict struct {
	State   string  `json:"state"` // none | pass | hold
	Alpha   float64 `json:"alpha,omitempty"`
	Against string  `json:"against,omitempty"`
	Wealth  float64 `json:"wealth,omitempty"`
	Account string  `json:"account,omitempty"`
	Record  int64   `json:"record,omitempty"` // the record at which it alarmed
	Since   int64   `json:"since,omitempty"`  // the pair (of rates: the record) since when the account grows

	Gates []GateReading `json:"gates,omitempty"`
}

// What a gate measures answers against.
const (
	AgainstHuman    = "human"    // human text
	AgainstVersion  = "version"  // a pinned earlier version: the trend
	AgainstCeilings = "ceilings" // rates of events
)

// GateReading is one of a run's gates. Its share of the recipe's false_alarm is Alpha; it holds from a wealth of Threshold on.
type GateReading struct {
	Against   string          `json:"against"`
	Version   int             `json:"version,omitempty"` // of AgainstVersion
	Mode      string          `json:"mode,omitempty"`    // human | same | changed
	State     string          `json:"state"`             // pass | hold
	Alpha     float64         `json:"alpha"`
	Threshold float64         `json:"threshold"`
	Wealth    float64         `json:"wealth"`
	Peak      float64         `json:"peak"`
	Records   int64           `json:"records"`
	Pairs     int64           `json:"pairs,omitempty"`      // answers that were compared
	ByKey     int64           `json:"by_key,omitempty"`     // of these, with the same prompt's or row's
	Unmatched int64           `json:"unmatched,omitempty"`  // answers that had no twin left
	Profiled  int64           `json:"in_profile,omitempty"` // answers to prompts whose own twins lie in the profile: left out
	Account   string          `json:"account,omitempty"`
	Record    int64           `json:"record,omitempty"`
	Since     int64           `json:"since,omitempty"`
	Releases  int             `json:"releases,omitempty"` // each spent Alpha once more
	Over      []string        `json:"over,omitempty"`     // rates that went above their ceiling, outside of Alpha
	Accounts  []AccountWealth `json:"accounts,omitempty"`
}

// AccountWealth is an account of a gate with what it has won so far, having begun with 1.
type AccountWealth struct {
	Name   string  `json:"name"`
	Wealth float64 `json:"wealth"`
	Mean   float64 `json:"mean"` // how much worse answers are than their twins, -1 to 1; of a rate: the rate
}

// LayoutInput lays admitted and rejected records out over files.
type LayoutInput struct {
	RunRef
	Pages int    `json:"pages"` // decided ones: sequence numbers 0 to Pages-1
	Root  string `json:"root"`  // key of the index's root after the last, "" where nothing was entered
}

// LayoutResult counts the files to be written.
type LayoutResult struct {
	Shards  int   `json:"shards"`
	Rejects int   `json:"rejects"`
	Human   int64 `json:"human,omitempty"` // rows of human text among the shards' records
}

// WriteInput writes one file of the layout.
type WriteInput struct {
	RunRef
	File int `json:"file"` // index in the layout
}

// PublishInput commits the run as the next version.
type PublishInput struct {
	RunRef
	Counts   Counts      `json:"counts"`
	Cost     Cost        `json:"cost"`
	Created  time.Time   `json:"created"`
	Gate     GateVerdict `json:"gate"`
	GateLog  string      `json:"gate_log,omitempty"` // digest of all of it
	Released int         `json:"released,omitempty"` // holds of the gate that a person let pass

	Teachers []TeacherStatus `json:"teachers"`
}

// PublishResult is the version that the run became.
type PublishResult struct {
	Version int    `json:"version"`
	Digest  string `json:"digest"` // sha256 of the manifest
}

// HeldInput names a held state of a run, to be saved or loaded.
type HeldInput struct {
	RunRef
	Number int `json:"number"` // holds of the run are counted from 1
}

// ExpireHeld asks whether a run is still held by a hold; with Ends it is cancelled if it is.
type ExpireHeld struct {
	HeldInput
	Ends bool `json:"ends,omitempty"`
}

// ReasonExpired is why a held run was cancelled that nobody decided about in time.
const ReasonExpired = "expired"

// States of a run.
const (
	StatePlanning   = "planning"
	StateAsking     = "asking"
	StatePaused     = "paused"
	StateWriting    = "writing"
	StatePublishing = "publishing"
	StatePublished  = "published"
	StateNothing    = "nothing-admitted"
	StateNothingNew = "nothing-new" // every prompt has an answer in the dataset
	StateHeld       = "held"
	StateCancelling = "cancelling"
	StateCancelled  = "cancelled"
	StateFailed     = "failed"
)

// Ended says whether a run in that state goes on by itself.
func Ended(state string) bool {
	switch state {
	case StatePublished, StateNothing, StateNothingNew, StateHeld, StateCancelled, StateFailed:
		return true
	}
	return false
}

// Status is what `retort status` and `watch` show; it stands on S3 and answers the query.
type Status struct {
	Dataset   string          `json:"dataset"`
	Run       string          `json:"run"`
	State     string          `json:"state"`
	Reason    string          `json:"reason,omitempty"` // a code: why held, cancelled or failed
	Subject   string          `json:"subject,omitempty"`
	Started   time.Time       `json:"started"`
	Updated   time.Time       `json:"updated"`
	Prompts   int64           `json:"prompts"`
	Repeats   int64           `json:"repeats,omitempty"`
	Alike     int64           `json:"alike_prompts,omitempty"` // left out by checks.near.near_prompt
	Answered  int64           `json:"answered,omitempty"`      // prompts left out, as the dataset has an answer to them
	Counts    Counts          `json:"counts"`
	Asked     int64           `json:"asked"` // answered or failed
	Pages     Progress        `json:"pages"`
	Files     Progress        `json:"files"`
	Cost      Cost            `json:"cost"`
	Budget    int64           `json:"budget_micros,omitempty"`
	Rows      int64           `json:"rows,omitempty"` // that the recipe wants
	Tokens    Tokens          `json:"tokens"`
	FirstAt   int64           `json:"first_at,omitempty"`
	LastAt    int64           `json:"last_at,omitempty"`
	Teachers  []TeacherStatus `json:"teachers,omitempty"`
	Gate      GateVerdict     `json:"gate"`
	Version   int             `json:"version,omitempty"`
	OnBudget  bool            `json:"budget_reached,omitempty"`
	Reuse     *Reuse          `json:"reuse,omitempty"`
	Reused    int64           `json:"reused,omitempty"` // of asked: answers of earlier runs, which cost nothing
	Generator string          `json:"program,omitempty"`
	HeldAs    int             `json:"held_as,omitempty"` // number of the held state
	Figures
}

// PingResult is whether a teacher answered.
type PingResult struct {
	Name   string `json:"name"`
	Code   string `json:"code,omitempty"` // why it didn't; "" where it did
	Listed bool   `json:"listed"`         // it lists the model; else it was asked for one token
	Millis int64  `json:"ms"`
}

// Progress counts what is done of how many.
type Progress struct {
	Done  int `json:"done"`
	Total int `json:"total"`
}

// Tokens as the teachers counted them.
type Tokens struct {
	Input  int64 `json:"input"`
	Output int64 `json:"output"`
}

// TeacherStatus is a teacher's part of a run.
type TeacherStatus struct {
	Name     string           `json:"name"`
	Pages    Progress         `json:"pages"`
	Requests int64            `json:"requests"`
	Answered int64            `json:"answered"`
	Reused   int64            `json:"reused,omitempty"`   // of answered
	Reusable int64            `json:"reusable,omitempty"` // that an earlier run has answered
	Served   []string         `json:"served,omitempty"`   // digests of the names under which it answered; more than one: it changed
	Admitted int64            `json:"admitted"`
	Failed   map[string]int64 `json:"failed,omitempty"`
	Cost     Cost             `json:"cost"`
	Figures
	Tokens  Tokens        `json:"tokens"`
	Batches *BatchStatus  `json:"batches,omitempty"`
	Stopped string        `json:"stopped,omitempty"` // code
	Waits   []TeacherWait `json:"waits,omitempty"`   // of worker processes, while they wait for the teacher
}
