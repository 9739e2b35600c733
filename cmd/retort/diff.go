package main

import (
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/retort-data/retort/schema"
)

// DiffCmd compares two versions.
type DiffCmd struct {
	Dataset string `arg:"" help:"Dataset." placeholder:"DATASET"`
	From    int    `arg:"" help:"A version." placeholder:"N"`
	To      int    `arg:"" help:"Another version." placeholder:"M"`
	Quick   bool   `help:"Leave the signals out: they alone need the shards to be read."`
}

// Difference is what changed from one version to another. Numbers that both have are [from, to].
type Difference struct {
	Dataset     string                    `json:"dataset"`
	From        int                       `json:"from"`
	To          int                       `json:"to"`
	Records     [2]int64                  `json:"records"`
	Bytes       [2]int64                  `json:"bytes"`
	Added       Moved                     `json:"added"`   // shards of the second that the first lacks
	Removed     Moved                     `json:"removed"` // shards of the first that the second lacks
	Human       [2]float64                `json:"human_share"`
	Generations map[string][2]int64       `json:"generations"`
	Rejected    map[string][2]int64       `json:"rejected"` // of the runs that became the versions, by reason
	Outcomes    map[string][2]int64       `json:"outcomes"` // planned, admitted, rejected, failed, unasked, human, of these runs
	Cost        [2]schema.Cost            `json:"cost"`     // of these runs
	Teachers    map[string][2]TeacherPart `json:"teachers"` // of these runs
	Signals     map[string][2]SignalMean  `json:"signals,omitempty"`
	Recipe      [2]string                 `json:"recipe"` // sha256
	Retracted   int64                     `json:"retracted,omitempty"`
}

// Moved counts shards and their records.
type Moved struct {
	Shards  int   `json:"shards"`
	Records int64 `json:"records"`
}

// TeacherPart is what a teacher did for a run.
type TeacherPart struct {
	Model      string `json:"model,omitempty"`
	Revision   string `json:"revision,omitempty"`
	Requests   int64  `json:"requests"`
	Admitted   int64  `json:"admitted"`
	CostMicros *int64 `json:"cost_micros"` // null: unknown
}

// SignalMean is a signal over the records that have it.
type SignalMean struct {
	Mean    float64 `json:"mean"`
	Records int64   `json:"records"`
}

// Run compares manifests, and signals record by record.
func (c *DiffCmd) Run(a *app) error {
	var ms [2]*schema.Manifest
	for i, n := range []int{c.From, c.To} {
		_, m, err := a.version(fmt.Sprintf("%s@%d", c.Dataset, n))
		if err != nil {
			return err
		}
		ms[i] = m
	}
	d := difference(ms)
	if !c.Quick {
		if err := a.diffSignals(d, ms); err != nil {
			return err
		}
	}
	if a.json {
		return a.printJSON(d)
	}
	d.print(a)
	return nil
}

func difference(ms [2]*schema.Manifest) *Difference {
	d := &Difference{Dataset: ms[0].Dataset, From: ms[0].Version, To: ms[1].Version, Generations: map[string][2]int64{}, Rejected: map[string][2]int64{},
		Outcomes: map[string][2]int64{}, Teachers: map[string][2]TeacherPart{}}
	var keys [2]map[string]int64
	for i, m := range ms {
		keys[i] = map[string]int64{}
		for _, s := range m.Shards {
			keys[i][s.Key] = s.Rows
		}
		d.Records[i], d.Bytes[i] = shardTotals(m)
		d.Human[i], d.Cost[i], d.Recipe[i] = m.HumanShare, m.Cost, m.Recipe
		both(d.Generations, i, m.Generations)
		both(d.Rejected, i, m.Counts.Rejected)
		k := m.Counts
		both(d.Outcomes, i, map[string]int64{"planned": k.Planned, "admitted": k.Admitted, "rejected": k.RejectedTotal(), "failed": k.Failed, "unasked": k.Unasked, "human": k.Human})
		for _, t := range m.Teachers {
			if m.Retraction != nil {
				break // it has its parent's teachers, and asked none
			}
			pair := d.Teachers[t.Name]
			pair[i] = TeacherPart{t.Model, t.Revision, t.Requests, t.Admitted, t.CostMicros}
			d.Teachers[t.Name] = pair
		}
		if i == 1 && m.Retraction != nil {
			d.Retracted = m.Retraction.Removed
		}
	}
	d.Added, d.Removed = moved(keys[1], keys[0]), moved(keys[0], keys[1])
	return d
}

// both enters the numbers of one version into the pairs.
func both(pairs map[string][2]int64, i int, of map[string]int64) {
	for k, n := range of {
		p := pairs[k]
		p[i] = n
		pairs[k] = p
	}
}

// moved counts what one has and the other lacks.
func moved(of, other map[string]int64) (m Moved) {
	for key, rows := range of {
		if _, ok := other[key]; !ok {
			m.Shards, m.Records = m.Shards+1, m.Records+rows
		}
	}
	return m
}

// signalSums of one shard or version: the sum over its records, and how many have it.
type signalSums map[string]SignalMean

func (s signalSums) add(name string, sum float64, n int64) {
	v := s[name]
	s[name] = SignalMean{v.Mean + sum, v.Records + n} // Mean holds the sum until all are there
}

// diffSignals reads the shards of both versions, those that they share once.
func (a *app) diffSignals(d *Difference, ms [2]*schema.Manifest) error {
	read := map[string]signalSums{}
	d.Signals = map[string][2]SignalMean{}
	for i, m := range ms {
		total := signalSums{}
		for _, s := range m.Shards {
			if read[s.Key] == nil {
				sums, err := a.signalsOf(s)
				if err != nil {
					return err
				}
				read[s.Key] = sums
			}
			for name, v := range read[s.Key] {
				total.add(name, v.Mean, v.Records)
			}
		}
		for name, v := range total {
			p := d.Signals[name]
			p[i] = SignalMean{v.Mean / float64(v.Records), v.Records}
			d.Signals[name] = p
		}
	}
	return nil
}

func (a *app) signalsOf(s schema.Shard) (signalSums, error) {
	f, err := a.fetchWhole(s)
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // scratch
	defer f.Close()
	sums := signalSums{}
	for r, err := range schema.ReadRecords(f, s.Bytes) {
		if err != nil {
			return nil, err
		}
		for _, g := range r.Signals {
			sums.add(g.Name, g.Value, 1)
		}
	}
	return sums, nil
}

func (d *Difference) print(a *app) {
	a.printf("%s: version %d → %d\n", d.Dataset, d.From, d.To)
	a.printf("  records      %s → %s (%s), %s → %s\n", number(d.Records[0]), number(d.Records[1]), signed(d.Records[1]-d.Records[0]), size(d.Bytes[0]), size(d.Bytes[1]))
	a.printf("  shards       %d added with %s records, %d left out with %s\n", d.Added.Shards, number(d.Added.Records), d.Removed.Shards, number(d.Removed.Records))
	if d.Retracted > 0 {
		a.printf("  retracted    %s records\n", number(d.Retracted))
	}
	a.printf("  human share  %.1f%% → %.1f%%\n", 100*d.Human[0], 100*d.Human[1])
	if d.Recipe[0] != d.Recipe[1] {
		a.printf("  recipe       another one: %.16s → %.16s\n", d.Recipe[0], d.Recipe[1])
	}
	a.printPairs("generation", d.Generations)
	a.printf("Of the runs that became them:\n")
	a.printf("  cost         %s → %s\n", costText(d.Cost[0]), costText(d.Cost[1]))
	a.printPairs("outcome", d.Outcomes)
	a.printPairs("rejected for", d.Rejected)
	for _, name := range slices.Sorted(maps.Keys(d.Teachers)) {
		t := d.Teachers[name]
		a.printf("  teacher %s: %s → %s requests, %s → %s admitted, %s → %s\n", name, number(t[0].Requests), number(t[1].Requests), number(t[0].Admitted), number(t[1].Admitted), modelText(t[0]), modelText(t[1]))
	}
	if len(d.Signals) > 0 {
		a.printf("Signals, mean over the records of the versions:\n")
	}
	for _, name := range slices.Sorted(maps.Keys(d.Signals)) {
		s := d.Signals[name]
		a.printf("  %-24s %.4g → %.4g\n", name, s[0].Mean, s[1].Mean)
	}
}

func (a *app) printPairs(what string, pairs map[string][2]int64) {
	for _, k := range slices.Sorted(maps.Keys(pairs)) {
		if p := pairs[k]; p != [2]int64{} {
			a.printf("  %s %s: %s → %s\n", what, k, number(p[0]), number(p[1]))
		}
	}
}

func modelText(t TeacherPart) string {
	if t.Model == "" {
		return "not asked"
	}
	return t.Model + " " + t.Revision
}

func signed(n int64) string {
	if n < 0 {
		return number(n)
	}
	return "+" + number(n)
}
