package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// judge moves the gate by a page: every answer in order, before any filter hides what it shows. The state before and after stand on
// S3, so that the same page on the same state comes to the same. It returns the key of the state after.
func (r *Rooms) judge(ctx context.Context, run store.Run, recipe *Recipe, in schema.AdmitInput, rows []schema.Inspection, decisions []schema.Decision) (string, schema.GateVerdict, error) {
	none := schema.GateVerdict{State: "none"}
	if !Anchored(recipe.Recipe) {
		return "", none, nil
	}
	gate, err := r.openGate(ctx, run, recipe, in.Gate)
	if err != nil {
		return "", none, err
	}
	_, answers, err := r.readAnswers(ctx, run, in.Page)
	if err != nil {
		return "", none, err
	}
	keys, err := r.keysOf(ctx, run, in.Page)
	if err != nil {
		return "", none, err
	}
	for i := range rows {
		if answers[i].Failed() {
			continue
		}
		gate.Observe(quality.Answer{ID: rows[i].RequestID, Key: keys[rows[i].RequestID], Features: quality.FeaturesOf(answers[i].Text), Events: events(&rows[i], &decisions[i])})
	}
	state, err := gate.State()
	if err != nil {
		return "", none, err
	}
	key := run.GateState(in.Seq)
	if err := r.putOnce(ctx, key, state, func() error { return nil }); err != nil { // equal by construction
		return "", none, err
	}
	v := gate.Verdict()
	if v.Verdict == quality.VerdictHold {
		if err := r.keepVerdict(ctx, in, run, &v); err != nil {
			return "", none, err
		}
	}
	return key, schema.GateVerdict{State: v.Verdict, Wealth: v.Wealth, Account: v.Account, Record: int64(v.AlarmAt), Since: int64(v.Since)}, nil
}

// openGate reads the gate's state so far, or begins.
func (r *Rooms) openGate(ctx context.Context, run store.Run, recipe *Recipe, key string) (*quality.Gate, error) {
	body, err := r.Store.Get(ctx, run.Anchor())
	if err != nil {
		return nil, err
	}
	anchor, err := recipe.anchor.open(body)
	if err != nil {
		return nil, err
	}
	if key == "" {
		return quality.NewGate(anchor, quality.GateOptions{Alpha: recipe.Gate.FalseAlarm, Mode: quality.ModeHuman, MinEffect: -1})
	}
	state, err := r.Store.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	return quality.DecodeGate(anchor, state)
}

// keysOf are the anchor's keys of a page's requests.
func (r *Rooms) keysOf(ctx context.Context, run store.Run, ref schema.PageRef) (map[string]string, error) {
	p, err := r.readPage(ctx, run, ref)
	if err != nil {
		return nil, err
	}
	keys := map[string]string{}
	for i := range p.requests {
		keys[p.requests[i].RequestID] = p.requests[i].Key
	}
	return keys, nil
}

// events are what happened to an answer, by the names of the checks.
func events(row *schema.Inspection, d *schema.Decision) (names []string) {
	for i := range row.Findings {
		names = append(names, row.Findings[i].Check)
	}
	if d.Of != "" {
		names = append(names, "duplicate")
	}
	return names
}

// heldVerdict is what stands on S3 about a gate that holds: the verdict, and what the teachers said where it shows.
type heldVerdict struct {
	quality.Verdict
	Answers map[string]string `json:"answers"` // of the examples, by request id
}

// keepVerdict puts why the gate holds, with examples beside their twins, for the person who decides.
func (r *Rooms) keepVerdict(ctx context.Context, in schema.AdmitInput, run store.Run, v *quality.Verdict) error {
	held := heldVerdict{*v, map[string]string{}}
	if err := r.findAnswers(ctx, run, in.Seq, held.Examples, held.Answers); err != nil {
		return err
	}
	if err := r.putJSON(ctx, run.GateVerdict(in.Seq), held, nil); err != nil {
		return err
	}
	text := v.Text
	for _, e := range v.Examples[:min(3, len(v.Examples))] {
		text += fmt.Sprintf("\n  answer: %s\n  beside: %s", shorten(held.Answers[e.Record]), shorten(e.TwinText))
	}
	text += "\n  All of it: " + run.URI(run.GateVerdict(in.Seq))
	b, err := json.MarshalIndent(Problem{Step: schema.StepAdmit, Code: "gate", Message: text, Attempt: 1, At: time.Now().UTC()}, "", " ")
	if err != nil {
		return err
	}
	return r.Store.Put(ctx, run.Problem("gate"), b)
}

// mostSearched bounds the pages that are read back for the examples' texts.
const mostSearched = 100

// findAnswers reads the texts of examples back, from the newest page on.
func (r *Rooms) findAnswers(ctx context.Context, run store.Run, seq int, examples []quality.TwinExample, texts map[string]string) error {
	wanted := map[string]bool{}
	for _, e := range examples {
		wanted[e.Record] = true
	}
	for n := seq; n >= 0 && n > seq-mostSearched && len(texts) < len(wanted); n-- {
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
			}
		}
	}
	return nil
}

func shorten(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 160 {
		return string(r[:160]) + "…"
	}
	return s
}
