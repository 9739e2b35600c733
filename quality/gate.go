package quality

import (
	"fmt"
	"slices"
	"sort"

	"github.com/retort-data/retort/schema"
)

// Mode says what the anchor is to the stream.
type Mode string

const (
	// ModeHuman compares with human text: no teacher writes like people, so the first pairs set a tolerance for each
	// account, and only what grows worse than that is held. Four accounts of single records bet.
	ModeHuman Mode = "human"
	// ModeSame compares with a pinned version by the same teacher: tolerance 0.
	ModeSame Mode = "same"
	// ModeChanged compares with a pinned version where the teacher may have changed: a minimum effect, no topics.
	ModeChanged Mode = "changed"
)

// Accounts of the gate, in order; rates follow by name.
const (
	AccountMaxRar  = "maxrar"  // the five rarest words are less rare
	AccountUniLP   = "uni_lp"  // words are commoner
	AccountUni1    = "uni1"    // words come again from the stream's past
	AccountUni2    = "uni2"    // pairs of words come again
	AccountNov6Rep = "nov6rep" // six words in a row, not the anchor's, come again and again
	AccountHrec    = "hrec"    // less entropy within the record
	AccountRep4    = "rep4"    // more repetition within the record
	AccountTopic   = "topic"   // topics vanish
	AccountLength  = "length"  // answers get shorter
	AccountAsked   = "asked"   // answers say less of what was asked
)

const (
	accMaxRar = iota
	accUniLP
	accUni1
	accUni2
	accNov6Rep
	accHrec
	accRep4
	accTopic
	accLength
	accAsked
	numAccounts
)

var accountNames = [numAccounts]string{AccountMaxRar, AccountUniLP, AccountUni1, AccountUni2, AccountNov6Rep, AccountHrec,
	AccountRep4, AccountTopic, AccountLength, AccountAsked}

// accountWeights are the accounts' shares of the gate's capital, relative to each other; a rate's is 1. What photocopies show first has
// most: an account of weight w holds ln(w) / (its growth) records sooner.
var accountWeights = [numAccounts]float64{3, 1, 1, 1, 1, 1, 1, 1, 1, 1}

// GateOptions are fixed for a run.
type GateOptions struct {
	Alpha float64 // bound of the probability that a healthy run is held (0.01)
	Mode  Mode
	// MinEffect is how much worse than its twin a record may be on average before an account wins; below 0: the mode's own
	// (0 for ModeSame, 0.03 for ModeChanged; ModeHuman learns it).
	MinEffect float64
	// NewPrompts says that the stream's prompts aren't the anchor's: other topics are no sign of decay then, nor are other lengths
	// but of answers to the same row.
	NewPrompts bool
	// NewTemplate says that the stream's prompts are made of their rows in another way than the anchor's: length and what was asked are
	// compared only where the prompt is the very same.
	NewTemplate bool
	// Ceilings are the highest healthy rates by event name (a check's name, "duplicate", …).
	Ceilings map[string]float64
}

// Defaults of GateOptions.
const (
	DefaultAlpha     = 0.01
	changedMinEffect = 0.03
	learnPairs       = 1000 // of ModeHuman
	learnSigma       = 2.326
)

// Gate watches a stream of answers, in the order of admission and before any filter. It isn't safe for concurrent use.
type Gate struct {
	anchor *Anchor
	o      GateOptions
	rates  []string // names of ceilings, sorted
	s      state

	// scratch
	pair      pair
	scratch   pairScratch
	byPrompt  map[string][]int
	byKey     map[string][]int
	byStratum map[string][]int
	twinTopic []int8
	active    [numAccounts]bool
}

// NewGate makes a gate at the beginning of a run. A nil anchor gives a gate that watches rates alone.
func NewGate(a *Anchor, o GateOptions) (*Gate, error) {
	if o.Alpha == 0 {
		o.Alpha = DefaultAlpha
	}
	if o.Mode == "" {
		o.Mode = ModeHuman
	}
	if o.MinEffect < 0 {
		o.MinEffect = 0
		if o.Mode == ModeChanged {
			o.MinEffect = changedMinEffect
		}
	}
	if err := o.validate(); err != nil {
		return nil, err
	}
	g := &Gate{anchor: a, o: o}
	for name := range o.Ceilings {
		g.rates = append(g.rates, name)
	}
	sort.Strings(g.rates)
	g.prepare()
	g.s = g.firstState()
	return g, nil
}

func (o *GateOptions) validate() error {
	bad := func(subject string, cause error, hint string) error {
		return &schema.Error{Kind: schema.KindInvalid, Code: "gate", Op: "set up the gate", Subject: subject, Cause: cause, Hint: hint}
	}
	if o.Alpha <= 0 || o.Alpha >= 1 {
		return bad("false_alarm", fmt.Errorf("%v", o.Alpha), "give a probability between 0 and 1, such as 0.01")
	}
	if o.Mode != ModeHuman && o.Mode != ModeSame && o.Mode != ModeChanged {
		return bad("mode", fmt.Errorf("%q", o.Mode), "one of human, same, changed")
	}
	if o.MinEffect >= 1 {
		return bad("tolerance", fmt.Errorf("%v", o.MinEffect), "give a number from 0 to below 1")
	}
	for name, m := range o.Ceilings {
		if m <= 0 || m >= 1 {
			return bad("ceiling of "+name, fmt.Errorf("%v", m), "give a rate between 0 and 1")
		}
	}
	return nil
}

// prepare builds what follows from the anchor and isn't state.
func (g *Gate) prepare() {
	for k := range g.active {
		g.active[k] = g.anchor != nil
		switch k {
		case accTopic:
			g.active[k] = g.active[k] && g.o.Mode == ModeSame && !g.o.NewPrompts
		case accLength: // a teacher that says the same in fewer words is none the worse
			g.active[k] = g.active[k] && g.o.Mode == ModeSame
		case accAsked: // nor one that repeats less of the question
			g.active[k] = g.active[k] && g.o.Mode == ModeSame && slices.ContainsFunc(g.anchor.Twins, func(t AnchorRecord) bool { return len(t.Asked) > 0 })
		case accUni1, accUni2, accNov6Rep:
			// Beside people any teacher's words come again sooner, and the more so the longer the run is: a tolerance learned
			// early would be outgrown (measured: 57% of healthy runs of 6,000 records).
			g.active[k] = g.active[k] && g.o.Mode != ModeHuman
		}
	}
	if g.anchor == nil {
		return
	}
	g.byPrompt, g.byKey, g.byStratum = map[string][]int{}, map[string][]int{}, map[string][]int{}
	for i, t := range g.anchor.Twins {
		if t.PromptID != "" {
			g.byPrompt[t.PromptID] = append(g.byPrompt[t.PromptID], i)
		}
		if t.Key != "" {
			g.byKey[t.Key] = append(g.byKey[t.Key], i)
		}
		g.byStratum[t.Stratum] = append(g.byStratum[t.Stratum], i)
	}
	g.twinTopic = make([]int8, len(g.anchor.Twins))
	for i := range g.twinTopic {
		g.twinTopic[i] = -1
		if len(g.anchor.Topics) == len(g.anchor.Twins) {
			g.twinTopic[i] = int8(g.anchor.Topics[i])
		}
	}
}

// Answer is one record as the gate reads it.
type Answer struct {
	ID       string
	PromptID string // matches it to the twin of the same prompt
	Key      string // matches it to a twin of the same row
	Stratum  string
	Features Features
	Events   []string // names of what happened to it: checks that found something, "duplicate", …
}

// Update is what one answer did.
type Update struct {
	ID     string    `json:"id"`
	Twin   int       `json:"twin"`        // index in the anchor; -1: none was left
	D      []float64 `json:"d,omitempty"` // by the accounts of Betting
	Wealth float64   `json:"wealth"`
	Held   bool      `json:"held,omitempty"` // the gate holds since this record or an earlier one
}

// Observe takes in the next answer.
func (g *Gate) Observe(a Answer) Update {
	twin := -1
	if g.anchor != nil {
		if twin = g.match(&a); twin >= 0 {
			g.pair.measure(g.anchor, a.Features, twin, g.active[accTopic], &g.scratch)
			g.followPasts(&g.pair)
			g.followOthers(&g.pair, twin)
		}
	}
	return g.take(&a, twin, &g.pair)
}

// take moves all accounts by an answer, with its twin, or -1, and what was measured on the two.
func (g *Gate) take(a *Answer, twin int, p *pair) Update {
	g.s.Records++
	u := Update{ID: a.ID, Twin: -1}
	g.observeRates(a.Events)
	if g.anchor != nil {
		if u.Twin = twin; twin < 0 { // counted by match
		} else if p.ok {
			g.judgeWindow(p)
			g.leaveOut(a, &g.anchor.Twins[twin], &p.d)
			g.bet(a.ID, twin, &p.d)
			u.D = make([]float64, 0, numAccounts)
			for k, d := range p.d {
				if g.active[k] {
					u.D = append(u.D, d)
				}
			}
		} else {
			g.s.Short++
		}
	}
	u.Wealth = g.Wealth()
	g.s.Peak = max(g.s.Peak, u.Wealth)
	if g.s.AlarmAt == 0 && u.Wealth >= 1/g.o.Alpha {
		g.s.AlarmAt, g.s.Why = g.s.Records, whyWealth
	}
	u.Held = g.s.AlarmAt > 0
	return u
}

// leaveOut takes back what can't be compared: answers to another question have another length, and say other things.
func (g *Gate) leaveOut(a *Answer, twin *AnchorRecord, d *[numAccounts]float64) {
	if a.PromptID != "" && a.PromptID == twin.PromptID || a.Key != "" && a.Key == twin.Key && !g.o.NewTemplate {
		return
	}
	d[accAsked] = 0
	if g.o.NewPrompts || g.o.NewTemplate {
		d[accLength] = 0
	}
}

// match takes an unused twin: of the same prompt, else of the same key, else the next of the same stratum; -1 where none is left. An
// answer to a prompt of the version whose own answers lie in the profile is left out: any other twin would be missed later on by the
// answer to its own prompt, and the stream would be paired with twins of another order.
func (g *Gate) match(a *Answer) int {
	for _, twins := range [2][]int{g.byPrompt[a.PromptID], g.byKey[a.Key]} {
		for _, i := range twins {
			if !g.s.Used.get(i) {
				g.s.Used.set(i)
				g.s.ByKey++
				return i
			}
		}
	}
	if g.known(a) {
		g.s.Profiled++
		return -1
	}
	all := g.byStratum[a.Stratum]
	at := g.s.cursor(a.Stratum)
	for *at < len(all) {
		i := all[*at]
		*at++
		if !g.s.Used.get(i) {
			g.s.Used.set(i)
			return i
		}
	}
	g.s.Unmatched++
	return -1
}

// known says whether a version has answers to the same prompt, or to one of the same key.
func (g *Gate) known(a *Answer) bool {
	if len(g.anchor.Known) == 0 {
		return false
	}
	has := func(h uint64) bool { _, found := slices.BinarySearch(g.anchor.Known, h); return found }
	return a.PromptID != "" && (len(g.byPrompt[a.PromptID]) > 0 || has(promptHash(a.PromptID))) ||
		a.Key != "" && (len(g.byKey[a.Key]) > 0 || has(keyHash(a.Key)))
}

// bet stakes on each account, or learns its tolerance first.
func (g *Gate) bet(id string, twin int, d *[numAccounts]float64) {
	g.s.Pairs++
	if g.o.Mode == ModeHuman && g.s.Pairs <= learnPairs {
		for k := range d {
			g.s.Tolerance[k].learn(d[k])
		}
		return
	}
	for k := range d {
		if !g.bets(k) {
			continue
		}
		x := d[k]
		if e := g.tolerance(k); e > 0 {
			x = clip((x - e) / (1 + e))
		}
		g.s.Accounts[k].take(x, g.s.Pairs)
		g.s.Examples[k].offer(Example{Record: id, Number: g.s.Records, Pair: g.s.Pairs, Twin: twin, D: d[k]}, g.s.Accounts[k].since)
	}
}

// tolerance is the mean of D that an account lets pass.
func (g *Gate) tolerance(k int) float64 {
	e := max(g.o.MinEffect, g.s.Accepted.D[k])
	if g.o.Mode == ModeHuman {
		e = max(e, g.s.Tolerance[k].bound())
	}
	return e
}

// Betting names the accounts that bet on pairs, in order; accounts of rates aren't among them.
func (g *Gate) Betting() (names []string) {
	for k, name := range accountNames {
		if g.active[k] {
			names = append(names, name)
		}
	}
	return names
}

// Wealth is the weighted mean of the accounts: at least 1/α with probability of at most α where nothing degrades.
func (g *Gate) Wealth() float64 {
	sum, n := 0.0, 0.0
	for k := range g.s.Accounts {
		if g.bets(k) {
			sum += float64(accountWeights[k] * g.s.Accounts[k].wealth())
			n += accountWeights[k]
		}
	}
	for i := range g.s.Rates {
		sum += g.s.Rates[i].wealth()
		n++
	}
	if n == 0 {
		return 1
	}
	return sum / n
}
