package inspect

import (
	"context"

	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/schema"
)

// Report is what was found.
type Report struct {
	Records    int64             `json:"records"`
	Kept       int64             `json:"kept"`
	Rejected   map[string]int64  `json:"rejected"`         // reason → rows; kept and these are all
	Tagged     map[string]int64  `json:"tagged,omitempty"` // check → rows on which it found something that drops nothing
	Duplicates Duplicates        `json:"duplicates"`
	Pairs      *int64            `json:"pairs,omitempty"` // lines of the file of pairs, where one was asked for
	Starred    int               `json:"pairs_of_first_alone,omitempty"`
	Signals    map[string]Signal `json:"signals"`
	Gate       Gate              `json:"gate"`
	Warnings   []string          `json:"warnings,omitempty"`
}

// Duplicates are rows that are like an earlier one, dropped or tagged. Rows that another check drops are not compared.
type Duplicates struct {
	Exact int64 `json:"exact"`
	Near  int64 `json:"near"`
	Other int64 `json:"other_prompt,omitempty"` // alike to an answer to another prompt: flagged only
}

// Signal is a mean over all rows, beside the anchor's. Tolerance is that of the gate's account of the signal, where it has one.
type Signal struct {
	Value     float64  `json:"value"`
	Anchor    *float64 `json:"anchor"`
	Tolerance *float64 `json:"tolerance"`
}

// Gate is the gate's verdict; alarm and signal are always there, null and "" where nothing alarmed.
type Gate struct {
	quality.Verdict
	AlarmAt *int   `json:"alarm_at_record"`
	Account string `json:"signal"`

	Texts map[int]string `json:"texts,omitempty"` // of the examples, by their number
}

// Held says whether the gate would hold.
func (r *Report) Held() bool { return r.Gate.Verdict.Verdict == quality.VerdictHold }

// findTexts reads the texts of a hold's examples again, so that a person sees them beside their twins.
func (r *Report) findTexts(ctx context.Context, o *Options, from *files) error {
	wanted := map[int]bool{}
	for _, e := range r.Gate.Examples {
		wanted[e.Number] = true
	}
	if len(wanted) == 0 {
		return nil
	}
	r.Gate.Texts = map[int]string{}
	number := 0
	for got, err := range from.rows(ctx, o.Columns, false) {
		if err != nil {
			return err
		}
		if number++; wanted[number] {
			r.Gate.Texts[number] = got.text
		}
		if len(r.Gate.Texts) == len(wanted) {
			return nil
		}
	}
	return nil
}

// means are the sums of signals by name.
type means map[string]sum

type sum struct {
	total float64
	n     int64
}

func (m means) add(signals []schema.Signal) {
	for _, s := range signals {
		of := m[s.Name]
		m[s.Name] = sum{of.total + s.Value, of.n + 1}
	}
}

// accountOf names the gate's account that bets on a signal.
var accountOf = map[string]string{quality.SignalEntropy: quality.AccountHrec, quality.SignalRep4: quality.AccountRep4}

func (r *Report) finish(own, anchor means, verdict quality.Verdict) {
	tolerances := map[string]float64{}
	for _, a := range verdict.Accounts {
		tolerances[a.Name] = a.Tolerance
	}
	for name, of := range own {
		s := Signal{Value: of.total / float64(of.n)}
		if there, ok := anchor[name]; ok {
			mean := there.total / float64(there.n)
			s.Anchor = &mean
		}
		if t, ok := tolerances[accountOf[name]]; ok {
			s.Tolerance = &t
		}
		r.Signals[name] = s
	}
	r.Gate = Gate{Verdict: verdict, Account: verdict.Account}
	if verdict.AlarmAt > 0 {
		r.Gate.AlarmAt = &verdict.AlarmAt
	}
}
