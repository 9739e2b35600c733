package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/schema"
)

// Verdict is the sentence at the top.
type Verdict struct{ Class, Word, Text string }

// Verdict says how the run was judged.
func (r *Report) Verdict() Verdict {
	g := r.Manifest.Gate
	switch g.Verdict {
	case "pass":
		return Verdict{"pass", "Passed", fmt.Sprintf("No degradation showed at a false-alarm bound of %s.", percent(g.Alpha))}
	case "released":
		return Verdict{"released", "Held, then released", "The gate found degradation, and a person let the run go on."}
	}
	return Verdict{"none", "Not measured", "There was no anchor to measure degradation against."}
}

// Deepest names the deepest generation.
func (r *Report) Deepest() string {
	rows := r.GenerationRows()
	if len(rows) == 0 {
		return "–"
	}
	return rows[len(rows)-1].Name
}

// CostFigure is the cost in a word.
func (r *Report) CostFigure() string {
	c := r.Manifest.Cost
	switch {
	case c.Unknown > 0 && c.Micros == 0:
		return "unknown"
	case c.Unknown > 0:
		return "≥ " + dollars(c.Micros)
	}
	return dollars(c.Micros)
}

// CostEach is the cost of a thousand admitted records.
func (r *Report) CostEach() string {
	m := r.Manifest
	if m.Cost.Unknown > 0 || m.Counts.Admitted == 0 {
		return "teachers without a price: " + number(m.Cost.Unknown) + " answers"
	}
	return dollars(m.Cost.Micros*1000/m.Counts.Admitted) + " for 1,000 records"
}

// Answered counts the answers of the run.
func (r *Report) Answered() int64 {
	return r.Manifest.Counts.Admitted + r.Manifest.Counts.RejectedTotal()
}

// BarRow is a bar with its number.
type BarRow struct {
	Name, Class string
	N           int64
	Share       float64
	Sub         bool
}

// Funnel goes from planned to admitted.
func (r *Report) Funnel() []BarRow {
	c := r.Manifest.Counts
	rows := []BarRow{{Name: "planned", Class: "solid-s", N: c.Planned}, {Name: "asked", Class: "solid-s", N: c.Planned - c.Unasked}, {Name: "answered", Class: "solid-s", N: r.Answered()}}
	if c.Failed > 0 {
		rows = append(rows, BarRow{Name: "failed", Class: "solid-r", N: c.Failed, Sub: true})
	}
	for _, reason := range reasons(c.Rejected) {
		rows = append(rows, BarRow{Name: "rejected: " + reason.Name, Class: "solid-r", N: reason.N, Sub: true})
	}
	rows = append(rows, BarRow{Name: "admitted", Class: "solid-a", N: c.Admitted})
	for i := range rows {
		rows[i].Share = share(rows[i].N, c.Planned)
	}
	return rows
}

// LastAnswer labels the right end of a gate's chart.
func (r *Report) LastAnswer(g GateTrace) string {
	return "answer " + number(g.Points[len(g.Points)-1].Record)
}

// AlphaOf is the gate's share of the false-alarm bound.
func (r *Report) AlphaOf(g GateTrace) float64 { return 1 / max(1, g.Threshold) }

// AccountsOf are a gate's accounts at its end, as the manifest has them.
func (r *Report) AccountsOf(g GateTrace) []schema.AccountWealth {
	for _, reading := range r.Manifest.Gate.Gates {
		if AnchorName(reading.Against, reading.Version) == g.Against {
			return reading.Accounts
		}
	}
	return nil
}

// SomePoints are at most a dozen of a gate's points, the last among them.
func (r *Report) SomePoints(g GateTrace) (some []TracePoint) {
	stride := max(1, (len(g.Points)+11)/12)
	for i := len(g.Points) - 1; i >= 0; i -= stride {
		some = append(some, g.Points[i])
	}
	slices.Reverse(some)
	return some
}

// mostHistograms are shown; the table has all signals.
const mostHistograms = 9

// constant are signals whose distribution says nothing beside another's.
var constant = map[string]bool{quality.SignalCharacters: true, quality.SignalTop3: true, quality.SignalDup6: true, quality.SignalDup7: true, quality.SignalDup8: true, quality.SignalDup9: true}

// TopSignals are those to look at: that stand farthest from the anchor, or, without one, the commonest.
func (r *Report) TopSignals() (top []SignalSummary) {
	first := []string{quality.SignalWords, quality.SignalEntropy, quality.SignalDistinct, quality.SignalRep4, quality.SignalMeanWordLength, quality.SignalStopWords}
	rank := func(s SignalSummary) float64 {
		if i := slices.Index(first, s.Name); i >= 0 {
			return 1 - float64(i)/100
		}
		return 0
	}
	for _, s := range r.Summary.Signals {
		if s.Admitted.N+s.Rejected.N > 0 && s.High > s.Low && !constant[s.Name] {
			top = append(top, s)
		}
	}
	slices.SortStableFunc(top, func(a, b SignalSummary) int {
		x, y := a.Distance, b.Distance
		if r.Summary.Anchor == "" {
			x, y = rank(a), rank(b)
		}
		switch {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	return top[:min(len(top), mostHistograms)]
}

// diverse are the versions that have a diversity at the largest number of words that this one has, oldest first, this one last.
func (r *Report) diverse() (versions []int, of []quality.Diversity) {
	words := r.DiversityWords()
	for _, p := range r.History {
		if p.Summary == nil {
			continue
		}
		if d, ok := atBudget(p.Summary.Diversity, int(words)); ok {
			versions, of = append(versions, p.Version), append(of, d)
		}
	}
	d, _ := atBudget(r.Summary.Diversity, int(words))
	return append(versions, r.Manifest.Version), append(of, d)
}

// DiversityWords is the number of words at which versions are compared: the largest that this one and most others fill.
func (r *Report) DiversityWords() int64 {
	best := r.Summary.Diversity[len(r.Summary.Diversity)-1].Words
	for _, d := range slices.Backward(r.Summary.Diversity) {
		all := true
		for _, p := range r.History {
			if p.Summary != nil && len(p.Summary.Diversity) > 0 {
				_, ok := atBudget(p.Summary.Diversity, d.Words)
				all = all && ok
			}
		}
		if all {
			return int64(d.Words)
		}
		best = d.Words
	}
	return int64(best)
}

func atBudget(all []quality.Diversity, words int) (quality.Diversity, bool) {
	for _, d := range all {
		if d.Words == words {
			return d, true
		}
	}
	return quality.Diversity{}, false
}

// Trend is one measure of diversity from version to version.
type Trend struct {
	Title, Text string
	Values      []float64
	Anchor      float64
	HasAnchor   bool
	First       int
	Now         float64
	Change      string
}

// Trends are the measures of diversity.
func (r *Report) Trends() (all []Trend) {
	versions, of := r.diverse()
	anchor, hasAnchor := atBudget(r.Summary.AnchorDiversity, int(r.DiversityWords()))
	for _, m := range []struct {
		title, text string
		of          func(quality.Diversity) float64
	}{
		{"Entropy", "Bits a word.", func(d quality.Diversity) float64 { return d.Entropy }},
		{"Different words", "Vocabulary.", func(d quality.Diversity) float64 { return float64(d.Vocabulary) }},
		{"Words that come once", "Share of the vocabulary.", func(d quality.Diversity) float64 { return d.Hapax }},
		{"Different pairs of words", "Share of all pairs.", func(d quality.Diversity) float64 { return d.Distinct2 }},
	} {
		t := Trend{Title: m.title, Text: m.text, First: versions[0], HasAnchor: hasAnchor, Anchor: m.of(anchor)}
		for _, d := range of {
			t.Values = append(t.Values, m.of(d))
		}
		t.Now = t.Values[len(t.Values)-1]
		if n := len(t.Values); n > 1 && t.Values[n-2] > 0 {
			t.Change = fmt.Sprintf("%+.1f%% since version %d", 100*(t.Now/t.Values[n-2]-1), versions[n-2])
		}
		all = append(all, t)
	}
	return all
}

// DiversityRow is a row of the table.
type DiversityRow struct {
	Name string
	quality.Diversity
}

// Vocabulary64 for the template.
func (d DiversityRow) Vocabulary64() int64 { return int64(d.Vocabulary) }

// DiversityRows are the versions, and the anchor.
func (r *Report) DiversityRows() (rows []DiversityRow) {
	versions, of := r.diverse()
	for i, d := range of {
		rows = append(rows, DiversityRow{fmt.Sprintf("version %d", versions[i]), d})
	}
	if d, ok := atBudget(r.Summary.AnchorDiversity, int(r.DiversityWords())); ok {
		rows = append(rows, DiversityRow{r.Summary.Anchor, d})
	}
	return rows
}

// Size64 for the template.
func (c Cluster) Size64() int64 { return int64(c.Size) }

// EachThousand is the cost of a thousand admitted records of a teacher.
func (r *Report) EachThousand(t schema.ManifestTeacher) string {
	if t.CostMicros == nil || t.Admitted == 0 {
		return "–"
	}
	return dollars(*t.CostMicros * 1000 / t.Admitted)
}

// PaceOf is how fast a teacher answered; nil where that isn't known.
func (r *Report) PaceOf(name string) *TeacherPace {
	for i := range r.Summary.Teachers {
		if r.Summary.Teachers[i].Name == name {
			return &r.Summary.Teachers[i]
		}
	}
	return nil
}

// CostRows are the teachers' parts of the cost, where there is a cost and more than one of them.
func (r *Report) CostRows() (rows []BarRow) {
	var all int64
	for _, t := range r.Manifest.Teachers {
		if t.CostMicros != nil && *t.CostMicros > 0 {
			rows = append(rows, BarRow{Name: t.Name, N: *t.CostMicros})
			all += *t.CostMicros
		}
	}
	if len(rows) < 2 {
		return nil
	}
	for i := range rows {
		rows[i].Share = share(rows[i].N, all)
	}
	return rows
}

func clock(ms int64) string { return time.UnixMilli(ms).UTC().Format("2 Jan 15:04:05") }

// TimeFrom and TimeTo label the ends of the chart of times.
func (r *Report) TimeFrom() string { return clock(r.Summary.Times.From) }

// TimeTo labels the right end.
func (r *Report) TimeTo() string {
	t := r.Summary.Times
	return clock(t.From+t.Step*int64(t.steps())) + " UTC"
}

// PaceText sums the times up.
func (r *Report) PaceText() string {
	var answers int64
	t := r.Summary.Times
	for _, s := range t.Teachers {
		for _, n := range s.Answers {
			answers += n
		}
	}
	ms := float64(t.Step) * float64(t.steps())
	return fmt.Sprintf("%s answers in %s: %s a second on average.", number(answers), seconds(ms), value(float64(answers)*1000/ms))
}

// GenerationShares are the records by generation as bars.
func (r *Report) GenerationShares() (rows []BarRow) {
	for _, g := range r.GenerationRows() {
		row := BarRow{Name: g.Name, N: g.N, Share: share(g.N, r.Rows()), Class: "solid-a"}
		if n, err := strconv.Atoi(g.Name); err != nil || n > 1 {
			row.Class = "solid-b"
		}
		rows = append(rows, row)
	}
	return rows
}

// mostShards bounds the table of shards.
const mostShards = 200

// ShownShards are the first of the shards, by their names within the folder.
func (r *Report) ShownShards() (all []schema.Shard) {
	for _, s := range r.Manifest.Shards[:min(mostShards, len(r.Manifest.Shards))] {
		s.Key = strings.TrimPrefix(RelativePath(r.Manifest.Dataset, s), "data/")
		all = append(all, s)
	}
	return all
}

// MoreShards counts the others.
func (r *Report) MoreShards() int { return max(0, len(r.Manifest.Shards)-mostShards) }
