package schema

// Outcomes of a planned request. Requests never asked are counted as unasked; they have no decision.
const (
	OutcomeAdmitted = "admitted"
	OutcomeRejected = "rejected"
	OutcomeFailed   = "failed"
)

// EventDuplicate is what the gate calls an answer that duplicates another, in whichever way.
const EventDuplicate = "duplicate"

// ReasonSurplus rejects what was answered after the recipe's rows were reached.
const ReasonSurplus = "surplus"

// ReasonSplit rejects what hangs together with records of two splits: it is alike to one, and to another or an answer to its prompt.
const ReasonSplit = "split"

// Finding is what a check says of a record: a tag or a drop with the signal that decided.
type Finding struct {
	Check  string  `json:"check"`
	Do     string  `json:"do"` // tag | drop
	Signal string  `json:"signal,omitempty"`
	Value  float64 `json:"value,omitempty"`
	Limit  float64 `json:"limit,omitempty"`
	Match  string  `json:"match,omitempty"` // the words that matched, shortened
}

// Inspection is a pure function of a record and the checks: a line of an inspected page.
type Inspection struct {
	RequestID string    `json:"request_id"`
	PromptID  string    `json:"prompt_id"`
	Language  string    `json:"language,omitempty"` // ISO 639-1, "" unknown
	Signals   []Signal  `json:"signals,omitempty"`
	Findings  []Finding `json:"findings,omitempty"`
	Sketch    []byte    `json:"sketch,omitempty"` // dedup.Sketch, encoded
	Bytes     int       `json:"bytes,omitempty"`  // of the record's text, for the sizes of shards
	Failed    string    `json:"failed,omitempty"` // the response's FailCode
}

// Dropped returns the first finding that drops, or nil.
func (in *Inspection) Dropped() *Finding {
	for i := range in.Findings {
		if in.Findings[i].Do == DoDrop {
			return &in.Findings[i]
		}
	}
	return nil
}

// Decision is what Admit decided about a request, for good: a line of a decisions object.
type Decision struct {
	RequestID string  `json:"request_id"`
	PromptID  string  `json:"prompt_id"`
	Outcome   string  `json:"outcome"`
	Reason    string  `json:"reason,omitempty"`  // the check, or the fail code
	Of        string  `json:"of,omitempty"`      // what it duplicates: a request of the run, or where OfIn says so a record or text
	OfIn      string  `json:"of_in,omitempty"`   // what Of stands in where that is not the run: DATASET/RUN, or a corpus
	Jaccard   float64 `json:"jaccard,omitempty"` // similarity to Of
	Near      string  `json:"near,omitempty"`    // near-duplicate across prompts that is flagged, not dropped
	NearIn    string  `json:"near_in,omitempty"`
	Split     string  `json:"split,omitempty"` // that an admitted record goes to, where the recipe has splits
	Bytes     int     `json:"bytes,omitempty"`
}
