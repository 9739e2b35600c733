package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// HeldGate is what stands on S3 about a gate that holds, for the person who decides: verdicts, and what the teachers said where it shows.
type HeldGate struct {
	Gates   []HeldVerdict     `json:"gates"`
	Answers map[string]string `json:"answers"` // of the examples, by request id
}

// HeldVerdict is the verdict of a gate that holds, with up to ten examples beside their twins.
type HeldVerdict struct {
	Against string `json:"against"`
	Version int    `json:"version,omitempty"`
	quality.Verdict
}

// keepVerdict puts why the gate holds.
func (r *Rooms) keepVerdict(ctx context.Context, in schema.AdmitInput, run store.Run, g *liveGates) error {
	held := HeldGate{Answers: map[string]string{}}
	for i, gate := range g.gates {
		v := gate.Verdict()
		if v.Verdict != quality.VerdictHold {
			continue
		}
		held.Gates = append(held.Gates, HeldVerdict{g.plans[i].Against, g.plans[i].Version, v})
		if err := r.findAnswers(ctx, run, in.Seq, v.Examples, held.Answers); err != nil {
			return err
		}
	}
	if err := r.putJSON(ctx, run.GateVerdict(in.Seq), held, nil); err != nil {
		return err
	}
	text := held.Text() + "\n  All of it: " + run.URI(run.GateVerdict(in.Seq))
	b, err := json.MarshalIndent(Problem{Step: schema.StepAdmit, Code: "gate", Message: text, Attempt: 1, At: time.Now().UTC()}, "", " ")
	if err != nil {
		return err
	}
	return r.Store.Put(ctx, run.Problem("gate"), b)
}

// Text says what raised the hold, since when, by which examples, and what a person can do.
func (h *HeldGate) Text() string {
	var b strings.Builder
	for i := range h.Gates {
		v := &h.Gates[i]
		fmt.Fprintf(&b, "%sAgainst %s: %s.", strings.Repeat("\n  ", min(i, 1)), v.name(), v.Verdict.Text)
		if means, ok := accountMeans[v.Account]; ok {
			fmt.Fprintf(&b, " It says: %s.", means)
		}
		for n, e := range v.Examples {
			fmt.Fprintf(&b, "\n  %d. record %d\n     answer: %s\n     beside: %s", n+1, e.Number, shorten(h.Answers[e.Record]), shorten(e.TwinText))
		}
	}
	b.WriteString("\n  Look at what changed before that record: the teacher (its status page, its served model), the prompts, the template, the sampling. " +
		"Cancel and mend it; or release, where the change is meant: what the gate saw becomes the new level, and what grows worse than that is held again.")
	return b.String()
}

func (v *HeldVerdict) name() string {
	switch v.Against {
	case schema.AgainstVersion:
		return fmt.Sprintf("version %d", v.Version)
	case schema.AgainstCeilings:
		return "the ceilings"
	}
	return "human text"
}

// accountMeans explain what an account saw.
var accountMeans = map[string]string{
	quality.AccountMaxRar: "the rarest words of an answer are less rare", quality.AccountUniLP: "answers use commoner words",
	quality.AccountUni1: "answers say words again that the run has said", quality.AccountUni2: "answers say pairs of words again that the run has said",
	quality.AccountNov6Rep: "the same sentences come again and again", quality.AccountHrec: "an answer has fewer different words",
	quality.AccountRep4: "answers repeat themselves", quality.AccountTopic: "topics have vanished",
	quality.AccountLength: "answers are shorter than their twins", quality.AccountAsked: "answers say less of what was asked than their twins",
}

// mostSearched bounds the pages that are read back for the examples' texts.
const mostSearched = 100

// findAnswers reads the texts of examples back, from the newest page on.
func (r *Rooms) findAnswers(ctx context.Context, run store.Run, seq int, examples []quality.TwinExample, texts map[string]string) error {
	wanted, left := map[string]bool{}, 0
	for _, e := range examples {
		if _, found := texts[e.Record]; !found && !wanted[e.Record] {
			wanted[e.Record] = true
			left++
		}
	}
	for n := seq; n >= 0 && n > seq-mostSearched && left > 0; n-- {
		head, _, err := r.readDecisions(ctx, run, n)
		if err != nil {
			return err
		}
		_, answers, err := r.readAnswers(ctx, run, head.Page)
		if err != nil {
			return err
		}
		for i := range answers {
			if wanted[answers[i].RequestID] {
				texts[answers[i].RequestID] = answers[i].Text
				left--
			}
		}
	}
	return nil
}

func shorten(s string) string { return shortenTo(strings.Join(strings.Fields(s), " "), 160) }

func shortenTo(s string, runes int) string {
	if r := []rune(s); len(r) > runes {
		return string(r[:runes]) + "…"
	}
	return s
}

// round leaves four digits: what travels through Temporal is for people to see.
func round(x float64) float64 {
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return 0
	}
	y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 4, 64), 64)
	if err != nil {
		return x
	}
	return y
}
