package activities

import (
	"context"
	"runtime"
	"sync"

	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// judge moves the run's gates by a page: every answer in order, before any filter hides what it shows. What each answer did goes into
// the page's log. It returns the digest of the log so far. The same page at the same place comes to the same, whoever judges.
func (r *Rooms) judge(ctx context.Context, run store.Run, recipe *Recipe, in schema.AdmitInput, rows []schema.Inspection, decisions []schema.Decision) (string, schema.GateVerdict, error) {
	none := schema.GateVerdict{State: "none"}
	if !Judged(recipe.Recipe) {
		return "", none, nil
	}
	said, err := r.readSaid(ctx, run, in.Page, rows, decisions)
	if err != nil {
		return "", none, err
	}
	live, giveBack, err := r.openGates(ctx, run, recipe, in.Seq)
	if err != nil {
		return "", none, err
	}
	defer giveBack()
	page, err := live.log(ctx, r, run, in, said)
	if err != nil {
		live.close() // what it holds is behind this page; the next to ask reads it again
		return "", none, err
	}
	v := live.verdict(recipe.Gate.FalseAlarm)
	if v.State == quality.VerdictHold {
		err = r.keepVerdict(ctx, in, run, live)
	}
	return page, v, err
}

// saidPage is a page's answers as the gates read them.
type saidPage struct {
	page    schema.PageRef
	teacher string
	rows    []saidRow
}

// saidRow is one answer; a request without one is nil.
type saidRow struct {
	request  *schema.Request
	found    *schema.Inspection
	features quality.Features
	events   []string
}

// readSaid joins a page's answers with what was found of them. The texts aren't kept.
func (r *Rooms) readSaid(ctx context.Context, run store.Run, ref schema.PageRef, rows []schema.Inspection, decisions []schema.Decision) (*saidPage, error) {
	_, answers, err := r.readAnswers(ctx, run, ref)
	if err != nil {
		return nil, err
	}
	p, err := r.readPage(ctx, run, ref)
	if err != nil {
		return nil, err
	}
	if len(answers) != len(rows) || len(decisions) != len(rows) {
		return nil, broken(run.Inspected(ref), errDiffer)
	}
	requests := map[string]*schema.Request{}
	for i := range p.requests {
		requests[p.requests[i].RequestID] = &p.requests[i]
	}
	out := &saidPage{page: ref, teacher: p.Teacher, rows: make([]saidRow, len(rows))}
	for i := range rows {
		if answers[i].Failed() {
			continue
		}
		request, ok := requests[rows[i].RequestID]
		if !ok {
			return nil, broken(run.Inspected(ref), errDiffer)
		}
		out.rows[i] = saidRow{request: request, found: &rows[i], events: events(&rows[i], &decisions[i])}
	}
	readFeatures(out.rows, answers)
	return out, nil
}

// events are what happened to an answer, by the names of the checks.
func events(row *schema.Inspection, d *schema.Decision) (names []string) {
	for i := range row.Findings {
		names = append(names, row.Findings[i].Check)
	}
	if d.Of != "" {
		names = append(names, schema.EventDuplicate)
	}
	return names
}

// observe moves all gates by a page, and yields what each answer did to each gate, in order; nothing where there was no answer.
func (g *liveGates) observe(s *saidPage, released int, yield func([]quality.Update) error) error {
	for ; g.released < released; g.released++ {
		for _, gate := range g.gates {
			gate.Release()
		}
	}
	updates := make([][]quality.Update, len(g.gates))
	for k, gate := range g.gates {
		var answers []quality.Answer
		for i := range s.rows {
			row := &s.rows[i]
			if row.request == nil {
				continue
			}
			a := quality.Answer{ID: row.request.RequestID, PromptID: row.request.ID, Key: row.request.Key, Features: row.features, Events: row.events}
			if g.plans[k].Against == schema.AgainstVersion {
				a.Stratum = stratum(row.request, row.found, s.teacher, g.plans[k].ByTeacher)
			}
			answers = append(answers, a)
		}
		updates[k] = gate.ObserveAll(answers)
	}
	next := 0
	for i := range s.rows {
		if s.rows[i].request == nil {
			if err := yield(nil); err != nil {
				return err
			}
			continue
		}
		row := make([]quality.Update, len(g.gates))
		for k := range row {
			row[k] = updates[k][next]
		}
		next++
		g.records++
		if err := yield(row); err != nil {
			return err
		}
	}
	return nil
}

// readFeatures reads what the gates need of each text, on all cores.
func readFeatures(rows []saidRow, answers []schema.Response) {
	var wait sync.WaitGroup
	threads := runtime.GOMAXPROCS(0)
	for thread := range threads {
		wait.Go(func() {
			for i := thread; i < len(rows); i += threads {
				if rows[i].request != nil {
					rows[i].features = quality.FeaturesOf(answers[i].Text)
				}
			}
		})
	}
	wait.Wait()
}
