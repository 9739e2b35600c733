package activities

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strconv"

	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// A run's gates are a function of its pages in the order of their decisions. So a page leaves its log alone, some twenty bytes an
// answer, and now and then the whole state; whoever has another state behind reads the pages between again.

// Answers and pages between two states; variables for tests alone.
var snapshotRecords, snapshotPages = 20_000, 64

// gateLogHeader is the first line of a page's log. Lines follow in the order of the decisions: for each gate its twin (-1: none was
// left), its wealth behind the answer, and how much worse the answer was, by account; null where there was no answer.
type gateLogHeader struct {
	Page     schema.PageRef  `json:"page"`
	Seq      int             `json:"seq"`
	Before   string          `json:"before"`             // digest of the log so far
	Released int             `json:"released,omitempty"` // holds that a person had let pass when the page was judged
	Snapshot int             `json:"snapshot"`           // number of the last page with a state; -1: none
	Gates    []gateLogColumn `json:"gates"`
}

type gateLogColumn struct {
	Against  string   `json:"against"`
	Accounts []string `json:"accounts,omitempty"`
}

// log judges a page and puts its log, and the state where it is time. It returns the digest of the log with it: of the digest
// before and of the page's object, each as SHA-256.
func (g *liveGates) log(ctx context.Context, r *Rooms, run store.Run, in schema.AdmitInput, s *saidPage) (string, error) {
	rows := newLines()
	head := gateLogHeader{Page: in.Page, Seq: in.Seq, Before: in.Gate, Released: in.Released}
	for k, gate := range g.gates {
		head.Gates = append(head.Gates, gateLogColumn{g.plans[k].Against, gate.Betting()})
	}
	if g.due(len(s.rows)) {
		g.snapshot, g.behind, g.records = in.Seq, 0, 0
	} else {
		g.behind++
	}
	head.Snapshot = g.snapshot
	if err := rows.add(&head); err != nil {
		return "", err
	}
	if err := g.observe(s, in.Released, func(u []quality.Update) error { return rows.add(logRow(u)) }); err != nil {
		return "", err
	}
	g.seq = in.Seq + 1
	if g.snapshot == in.Seq {
		g.records = 0
		if err := g.putState(ctx, r, run, in.Seq); err != nil {
			return "", err
		}
	}
	body := rows.packed()
	err := r.putOnce(ctx, run.GateLog(in.Seq), body, func() error {
		stands, err := r.Store.Get(ctx, run.GateLog(in.Seq)) // equal rows; another version of the program may compress otherwise
		body = stands
		return err
	})
	return digest([]byte(in.Gate + digest(body))), err
}

// due says whether the state is put behind a page of so many rows. It follows from the pages alone.
func (g *liveGates) due(rows int) bool {
	return g.records+rows >= snapshotRecords || g.behind+1 >= snapshotPages
}

// logRow is an answer's line.
type logRow []quality.Update

func (u logRow) MarshalJSON() ([]byte, error) {
	if u == nil {
		return []byte("null"), nil
	}
	b := []byte{'['}
	for i := range u {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '[')
		b = strconv.AppendInt(b, int64(u[i].Twin), 10)
		b = append(b, ',')
		b = appendShort(b, u[i].Wealth, 6)
		for _, d := range u[i].D {
			b = append(b, ',')
			b = appendShort(b, math.Round(d*1e4)/1e4, 4)
		}
		b = append(b, ']')
	}
	return append(b, ']'), nil
}

func appendShort(b []byte, x float64, digits int) []byte {
	return strconv.AppendFloat(b, x, 'g', digits, 64)
}

// gateStates are all gates of a run behind a page.
type gateStates struct {
	States [][]byte `json:"states"`
}

func (g *liveGates) putState(ctx context.Context, r *Rooms, run store.Run, seq int) error {
	var all gateStates
	for _, gate := range g.gates {
		b, err := gate.State()
		if err != nil {
			return err
		}
		all.States = append(all.States, b)
	}
	b, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return r.putOnce(ctx, run.GateState(seq), b, func() error { return nil }) // equal by construction
}

// readGateLog reads the header of a page's log.
func (r *Rooms) readGateLog(ctx context.Context, run store.Run, seq int) (head gateLogHeader, err error) {
	packed, err := r.Store.Get(ctx, run.GateLog(seq))
	if err != nil {
		return head, err
	}
	rows, err := unpack(run.GateLog(seq), packed)
	if err != nil {
		return head, err
	}
	if err := decode(run.GateLog(seq), rows[0], &head); err != nil {
		return head, err
	}
	if head.Seq != seq || head.Snapshot > seq {
		return head, broken(run.GateLog(seq), errors.New("it is another page's log"))
	}
	return head, nil
}
