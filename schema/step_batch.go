package schema

// Steps of a page that goes to its provider as a batch. They are short: the workflow waits between them by timers.
const (
	StepSubmit = "SubmitBatch"
	StepPoll   = "PollBatch"
	StepFetch  = "FetchBatch"
	StepCancel = "CancelBatch"
)

// BatchInput is what the steps of a batch work on.
type BatchInput struct {
	AskInput
	ID     string `json:"id,omitempty"`      // the provider's, once it is known
	Round  int    `json:"round,omitempty"`   // the page's batches are counted from 1
	GiveUp bool   `json:"give_up,omitempty"` // what is left fails: enough batches have left it unanswered
}

// BatchSubmitted is a batch that exists at the provider, or, with Counts, a page that is done or for which the lease has no
// more money (Counts.Stopped).
type BatchSubmitted struct {
	ID       string      `json:"id,omitempty"`
	Round    int         `json:"round,omitempty"` // the page's batches are counted from 1
	Requests int64       `json:"requests,omitempty"`
	Counts   *PageCounts `json:"counts,omitempty"`
}

// Phases of a batch.
const (
	BatchQueued     = "queued"
	BatchRunning    = "running"
	BatchFinalizing = "finalizing"
	BatchDone       = "done" // completed, expired, cancelled, failed or lost: BatchProgress.Status says which
)

// How a batch ended, where that matters to the workflow.
const (
	BatchFailed = "failed" // as a whole: its file or the account was refused
	BatchLost   = "lost"   // the provider knows it no more
)

// CodeBatchFailed is why a run is held whose batches the provider fails as a whole, again and again.
const CodeBatchFailed = "batch_failed"

// BatchProgress is how far a batch is, as its provider counts.
type BatchProgress struct {
	Phase     string `json:"phase"`
	Status    string `json:"status,omitempty"` // in the provider's words, of a list that is known
	Total     int64  `json:"total,omitempty"`
	Completed int64  `json:"completed,omitempty"`
	Failed    int64  `json:"failed,omitempty"`
}

// BatchFetched is what a batch that is done has brought.
type BatchFetched struct {
	Status   string `json:"status"`
	Answered int64  `json:"answered"` // failed for good ones too
	Missing  int64  `json:"missing"`  // of the batch's requests: to be submitted again
}

// BatchStatus sums a teacher's batches for those who watch.
type BatchStatus struct {
	Submitted  int   `json:"submitted"` // all that were created for the run
	Queued     int   `json:"queued,omitempty"`
	Running    int   `json:"running,omitempty"`
	Finalizing int   `json:"finalizing,omitempty"`
	Requests   int64 `json:"requests,omitempty"` // of those under way
	Completed  int64 `json:"completed,omitempty"`
	Failed     int64 `json:"failed,omitempty"`
}
