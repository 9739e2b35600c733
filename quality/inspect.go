package quality

import (
	"fmt"
	"slices"
	"sync"

	"github.com/retort-data/retort/schema"
)

// Options are what an Inspector takes besides a recipe's checks.
type Options struct {
	// Aliases are further names of models and companies, in the format of data/aliases.tsv.
	Aliases string
	// Evaluations are what contamination is judged against; nil: the check finds nothing.
	Evaluations *Evaluations
	// Finish says what becomes of answers by finish reason; reasons that it lacks are the check truncated's, or kept.
	Finish map[string]string
}

// Inspector measures records and finds what breaks a recipe's checks. It is safe for concurrent use.
type Inspector struct {
	checks schema.Checks
	*tables
	repetition  limits
	quality     limits
	secrets     *secretRules
	evaluations *Evaluations
	finish      map[string]string
	pool        sync.Pool
}

// Input is one request with its response. Template holds the texts of the recipe's own template.
type Input struct {
	Prompt   []schema.Message
	Template []string
	Response *schema.Response
}

// work is what one inspection needs; it is reused.
type work struct {
	text         text
	folded       []uint64 // hashes of the words in lower case, without punctuation
	units        []unit   // tokens as n-grams are counted in
	letterUnits  int      // of them with a letter
	smileys      int      // units that belong to the one before
	fenced       int      // units within blocks of code
	hashes       []uint64 // running polynomial of the units' hashes
	lengths      []int32  // running sum of their characters
	repeats      []int32  // positions of n-grams that occur again
	slots        []int32  // of n-grams in seen
	filledLines  int
	seen         counter
	function     [maxLanguages]int32
	stops        [maxLanguages]int32
	stopSeen     []uint32
	stopStamp    uint32
	early, late  [2][2]uint32 // languages of the first and term words, by claim, among the first tokens and the others
	claims       [2]uint32    // languages in which the text may make each kind of claim
	prompt       text
	promptFolded []uint64
	proseText    string
	hasProse     bool
	marks        uint8 // leftoverMarks of the prose
	hasMarks     bool
}

// NewInspector fills empty actions with their defaults and loads the data files. Unknown actions and signals are errors of
// kind invalid.
func NewInspector(checks schema.Checks, o Options) (*Inspector, error) {
	in := &Inspector{checks: checks, evaluations: o.Evaluations, finish: o.Finish}
	if err := in.defaults(); err != nil {
		return nil, err
	}
	if err := in.load(o); err != nil {
		return nil, err
	}
	in.pool.New = func() any { return new(work) }
	return in, nil
}

func (in *Inspector) load(o Options) error {
	ls, err := loadLimits()
	if err != nil {
		return err
	}
	if in.repetition, err = ls.of("repetition", in.checks.Repetition.Limits); err != nil {
		return err
	}
	if in.quality, err = ls.of("quality", in.checks.Quality.Limits); err != nil {
		return err
	}
	if in.secrets, err = theSecretRules(); err != nil {
		return err
	}
	in.tables, err = tablesWith(o.Aliases)
	return err
}

// defaults are those that schema documents at each check.
func (in *Inspector) defaults() error {
	c := &in.checks
	length, want, against := "off", "off", "off"
	if c.Length.Min > 0 || c.Length.Max > 0 {
		length = schema.DoDrop
	}
	if len(c.Language.Want) > 0 {
		want = schema.DoDrop
	}
	if len(c.Contamination.Against) > 0 {
		against = schema.DoDrop
	}
	for _, x := range []struct {
		name string
		do   *string
		def  string
	}{
		{"empty", &c.Empty.Do, schema.DoDrop}, {"truncated", &c.Truncated.Do, schema.DoDrop},
		{"refusal", &c.Refusal.Do, schema.DoDrop}, {"identity", &c.Identity.Do, schema.DoDrop},
		{"repetition", &c.Repetition.Do, schema.DoDrop}, {"quality", &c.Quality.Do, schema.DoTag},
		{"language", &c.Language.Do, want}, {"length", &c.Length.Do, length}, {"echo", &c.Echo.Do, schema.DoTag},
		{"template", &c.Template.Do, schema.DoDrop}, {"reasoning", &c.Reasoning.Do, schema.DoDrop},
		{"schema", &c.Schema.Do, schema.DoDrop}, {"secrets", &c.Secrets.Do, schema.DoTag}, {"personal", &c.Personal.Do, schema.DoTag}, {"contamination", &c.Contamination.Do, against},
	} {
		switch *x.do {
		case "":
			*x.do = x.def
		case schema.DoOff, schema.DoTag, schema.DoDrop:
		default:
			return &schema.Error{Kind: schema.KindInvalid, Code: "check", Op: "checks", Subject: x.name,
				Cause: fmt.Errorf("do is %q", *x.do), Hint: "write off, tag or drop"}
		}
	}
	return nil
}

// Inspect measures a response. It fills Language, Signals, Findings, Bytes and Failed; ids and sketch are the caller's.
// A response without an answer has no signals.
func (in *Inspector) Inspect(i Input) schema.Inspection {
	out, _ := in.inspect(i, false)
	return out
}

// InspectForGate is Inspect, and FeaturesOf the text without reading it again.
func (in *Inspector) InspectForGate(i Input) (schema.Inspection, Features) {
	return in.inspect(i, true)
}

func (in *Inspector) inspect(i Input, features bool) (out schema.Inspection, f Features) {
	r := i.Response
	out = schema.Inspection{RequestID: r.RequestID, Failed: r.FailCode}
	if r.Failed() {
		return out, f
	}
	w := in.pool.Get().(*work)
	defer in.pool.Put(w)
	w.reset(r.Text)
	w.lookUp(in.lexicon)
	out.Bytes = len(r.Text) + len(r.Reasoning)
	for _, m := range i.Prompt {
		out.Bytes += len(m.Content)
	}
	code, sure := w.language(in.lexicon)
	out.Language = code
	out.Signals = w.signals(in.lexicon, code, sure, in.wantsEcho(), i)
	in.findings(w, i, &out)
	if features {
		f = Features{words: slices.Clone(w.folded[:min(len(w.folded), maxFeatureWords)]), size: w.text.words}
	}
	return out, f
}

func (in *Inspector) wantsEcho() bool { return in.checks.Echo.Do != schema.DoOff }

func (w *work) reset(s string) {
	w.text.reset(toValid(s))
	w.folded = fold(w.folded[:0], &w.text)
	w.cutUnits()
	w.sumUp()
	w.filledLines = 0
	for _, l := range w.text.lines {
		if l.end > l.start {
			w.filledLines++
		}
	}
	w.proseText, w.hasProse, w.hasMarks = "", false, false
}
