package activities

import (
	"context"
	"errors"
	"sync"

	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// liveGates are a run's gates in a worker's memory: a cache of what the pages so far make of them.
type liveGates struct {
	mu       sync.Mutex
	plans    []gatePlan
	gates    []*quality.Gate // nil: nothing is known
	seq      int             // pages that they have seen
	released int
	snapshot int // number of the last page whose state was put, -1 none
	behind   int // pages since then
	records  int // and answers
	used     int
}

// gateCache keeps the gates of the runs that this worker judges.
type gateCache struct {
	mu   sync.Mutex
	runs map[string]*liveGates
	tick int
}

// mostGates bounds the runs whose gates stay in memory, some 10 MB each besides their anchors.
const mostGates = 8

func (c *gateCache) of(run string) *liveGates {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.runs == nil {
		c.runs = map[string]*liveGates{}
	}
	c.tick++
	got, ok := c.runs[run]
	if !ok {
		if len(c.runs) >= mostGates {
			oldest := ""
			for name, g := range c.runs {
				if oldest == "" || g.used < c.runs[oldest].used {
					oldest = name
				}
			}
			delete(c.runs, oldest)
		}
		got = &liveGates{}
		c.runs[run] = got
	}
	got.used = c.tick
	return got
}

// openGates returns the run's gates as they stand behind the first seq pages, for the caller alone until it gives them back.
func (r *Rooms) openGates(ctx context.Context, run store.Run, recipe *Recipe, seq int) (*liveGates, func(), error) {
	g := r.gates.of(run.Home())
	g.mu.Lock()
	if err := g.move(ctx, r, run, recipe, seq); err != nil {
		g.close()
		g.mu.Unlock()
		return nil, nil, err
	}
	return g, g.mu.Unlock, nil
}

func (g *liveGates) close() { g.gates = nil }

// move brings the gates to where they stand behind seq pages: from memory or the last state, by reading the pages between again.
func (g *liveGates) move(ctx context.Context, r *Rooms, run store.Run, recipe *Recipe, seq int) error {
	if g.plans == nil {
		if err := r.getJSON(ctx, run.Gates(), &g.plans); err != nil {
			return err
		}
	}
	if g.gates == nil || g.seq > seq {
		if err := g.restore(ctx, r, run, recipe, seq); err != nil {
			return err
		}
	}
	for g.seq < seq {
		if err := g.again(ctx, r, run); err != nil {
			return err
		}
	}
	return nil
}

// restore takes the last state before page seq, or begins.
func (g *liveGates) restore(ctx context.Context, r *Rooms, run store.Run, recipe *Recipe, seq int) error {
	g.gates, g.seq, g.released, g.snapshot, g.behind, g.records = nil, 0, 0, -1, 0, 0
	if seq > 0 {
		head, err := r.readGateLog(ctx, run, seq-1)
		if err != nil {
			return err
		}
		if taken, err := g.takeState(ctx, r, run, recipe, head.Snapshot); taken || err != nil {
			return err
		}
	}
	return g.begin(ctx, r, recipe, make([][]byte, len(g.plans)))
}

// takeState takes the state behind page at, -1 none. A state that is gone, damaged, or put by another version of the
// program is no loss: the gates follow from the pages.
func (g *liveGates) takeState(ctx context.Context, r *Rooms, run store.Run, recipe *Recipe, at int) (bool, error) {
	if at < 0 {
		return false, nil
	}
	var states gateStates
	err := r.getJSON(ctx, run.GateState(at), &states)
	if notFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if len(states.States) != len(g.plans) {
		return false, broken(run.GateState(at), errors.New("it has the states of other gates"))
	}
	head, err := r.readGateLog(ctx, run, at)
	if err != nil {
		return false, err
	}
	var e *schema.Error
	if err := g.begin(ctx, r, recipe, states.States); errors.As(err, &e) && e.Code == quality.CodeDamaged {
		return false, nil
	} else if err != nil {
		return false, err
	}
	g.seq, g.released, g.snapshot = at+1, head.Released, at
	return true, nil
}

// begin opens every gate, at its beginning or as its state has it.
func (g *liveGates) begin(ctx context.Context, r *Rooms, recipe *Recipe, states [][]byte) error {
	var gates []*quality.Gate
	for i, plan := range g.plans {
		gate, err := plan.open(ctx, r, recipe, states[i])
		if err != nil {
			return err
		}
		gates = append(gates, gate)
	}
	g.gates = gates
	return nil
}

// open makes a gate, at its beginning or as a state has it.
func (p *gatePlan) open(ctx context.Context, r *Rooms, recipe *Recipe, state []byte) (*quality.Gate, error) {
	var anchor *quality.Anchor
	if p.Anchor != "" {
		var err error
		if anchor, err = r.openAnchor(ctx, recipe, p.Anchor); err != nil {
			return nil, err
		}
	}
	if state == nil {
		return quality.NewGate(anchor, p.Options)
	}
	return quality.DecodeGate(anchor, state)
}

// again judges the next page as it was judged before.
func (g *liveGates) again(ctx context.Context, r *Rooms, run store.Run) error {
	log, err := r.readGateLog(ctx, run, g.seq)
	if err != nil {
		return err
	}
	head, decisions, err := r.readDecisions(ctx, run, g.seq)
	if err != nil {
		return err
	}
	_, rows, err := r.readInspected(ctx, run, head.Page)
	if err != nil {
		return err
	}
	said, err := r.readSaid(ctx, run, head.Page, rows, decisions)
	if err != nil {
		return err
	}
	err = g.observe(said, log.Released, func([]quality.Update) error { return nil })
	g.seq++
	if g.behind++; log.Snapshot == log.Seq {
		g.snapshot, g.behind, g.records = log.Seq, 0, 0
	}
	return err
}

// verdict is what all gates say: the one that holds, else the one that is nearest to it.
func (g *liveGates) verdict(alpha float64) schema.GateVerdict {
	out := schema.GateVerdict{State: quality.VerdictPass, Alpha: alpha}
	best, near := -1, -1.0
	for i, gate := range g.gates {
		r := g.plans[i].reading(gate.Verdict())
		out.Gates = append(out.Gates, r)
		at := r.Wealth / r.Threshold
		if r.State == quality.VerdictHold {
			at = 1e9
		}
		if at > near {
			best, near = i, at
		}
	}
	if best >= 0 {
		r := out.Gates[best]
		out.State, out.Against, out.Wealth, out.Account, out.Record, out.Since = r.State, r.Against, r.Wealth, r.Account, r.Record, r.Since
	}
	return out
}

// reading is a verdict without its texts.
func (p *gatePlan) reading(v quality.Verdict) schema.GateReading {
	out := schema.GateReading{Against: p.Against, Version: p.Version, Mode: string(p.Options.Mode), State: quality.VerdictPass, Alpha: p.Options.Alpha,
		Threshold: round(v.Threshold), Wealth: round(v.Wealth), Peak: round(v.Peak), Records: int64(v.Records), Pairs: int64(v.Pairs), ByKey: int64(v.ByKey),
		Unmatched: int64(v.Unmatched), Profiled: int64(v.Profiled), Account: v.Account, Record: int64(v.AlarmAt), Since: int64(v.Since), Releases: v.Releases, Over: v.Over}
	if v.Verdict == quality.VerdictHold {
		out.State = v.Verdict
	}
	if p.Anchor == "" {
		out.Mode = ""
	}
	for _, a := range v.Accounts {
		out.Accounts = append(out.Accounts, schema.AccountWealth{Name: a.Name, Wealth: round(a.Wealth), Mean: round(a.Mean)})
	}
	return out
}
