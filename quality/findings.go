package quality

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/retort-data/retort/schema"
)

// toValid replaces bytes that aren't UTF-8.
func toValid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\ufffd")
}

// signals measures everything; the order is that of the names' declaration.
func (w *work) signals(l *lexicon, code string, sure float64, echo bool, i Input) []schema.Signal {
	out := make([]schema.Signal, 0, 32)
	add := func(name string, v float64) { out = append(out, schema.Signal{Name: name, Value: v}) }
	add(SignalWords, float64(w.text.words))
	add(SignalCharacters, float64(w.text.chars))
	if w.text.words == 0 {
		return out
	}
	add(SignalMeanWordLength, float64(w.text.wordChars)/float64(w.text.words))
	hash, dots := w.symbols()
	add(SignalSymbolRatio, hash)
	add(SignalEllipsisRatio, dots)
	shapes := w.lineShapes()
	add(SignalBulletLines, shapes.bullets)
	add(SignalEllipsisLines, shapes.ellipses)
	add(SignalAlphaWords, w.alphaWords())
	add(SignalStopWords, float64(w.stopWords(l, code)))
	add(SignalNewlineRatio, share(w.text.newlines, len(w.text.tokens)))
	add(SignalPunctLines, shapes.punctuated)
	add(SignalShortLines, shapes.short)
	fraction, chars, bare := w.lineRepetition()
	add(SignalDupLineFraction, fraction)
	add(SignalDupLineChars, chars)
	add(SignalDupCharLines, bare)
	w.addGramSignals(add)
	add(SignalRep4, w.repeated4())
	entropy, distinct := w.entropy(budgetWords)
	add(SignalEntropy, entropy)
	add(SignalDistinct, distinct)
	if echo {
		add(SignalEcho, w.echo(i.Prompt, i.Template))
	}
	add(SignalLanguageShare, sure)
	return out
}

// addGramSignals stops counting where no n-gram came twice: no longer one can have.
func (w *work) addGramSignals(add func(string, float64)) {
	w.repeats = w.repeats[:0]
	for i := range w.units {
		w.repeats = append(w.repeats, int32(i))
	}
	last := 1.0
	for n := 2; n <= 4; n++ {
		if last > 0 {
			last = w.topGram(n)
		}
		add(topSignals[n-2], last)
	}
	for n := 5; n <= 10; n++ {
		if last > 0 {
			last = w.dupGrams(n)
		}
		add(dupSignals[n-5], last)
	}
}

var (
	topSignals = [...]string{SignalTop2, SignalTop3, SignalTop4}
	dupSignals = [...]string{SignalDup5, SignalDup6, SignalDup7, SignalDup8, SignalDup9, SignalDup10}
)

// findings judges the checks in the order of schema.Checks: the first that drops is the reason of a reject.
func (in *Inspector) findings(w *work, i Input, out *schema.Inspection) {
	c, r := &in.checks, i.Response
	words := float64(w.text.words)
	add := func(f schema.Finding) {
		if f.Do != schema.DoOff {
			out.Findings = append(out.Findings, f)
		}
	}
	if w.text.words == 0 {
		add(schema.Finding{Check: "empty", Do: c.Empty.Do, Signal: SignalWords, Limit: 1})
	}
	add(in.finished(r.FinishReason))
	if c.Refusal.Do != schema.DoOff {
		if m := w.refusal(in); m != "" {
			add(schema.Finding{Check: "refusal", Do: c.Refusal.Do, Match: m})
		}
	}
	if c.Identity.Do != schema.DoOff {
		if m := w.identity(in); m != "" {
			add(schema.Finding{Check: "identity", Do: c.Identity.Do, Match: m})
		}
	}
	if w.text.words > 0 {
		in.judge(w, "repetition", c.Repetition.Do, in.repetition, out)
		in.judge(w, "quality", c.Quality.Do, in.quality, out)
	}
	if len(c.Language.Want) > 0 && out.Language != "" && !slices.Contains(c.Language.Want, out.Language) {
		add(schema.Finding{Check: "language", Do: c.Language.Do, Signal: SignalLanguageShare, Value: value(out, SignalLanguageShare), Match: out.Language})
	}
	if c.Length.Min > 0 && words < float64(c.Length.Min) {
		add(schema.Finding{Check: "length", Do: c.Length.Do, Signal: SignalWords, Value: words, Limit: float64(c.Length.Min)})
	}
	if c.Length.Max > 0 && words > float64(c.Length.Max) {
		add(schema.Finding{Check: "length", Do: c.Length.Do, Signal: SignalWords, Value: words, Limit: float64(c.Length.Max)})
	}
	if v := value(out, SignalEcho); v > echoLimit {
		add(schema.Finding{Check: "echo", Do: c.Echo.Do, Signal: SignalEcho, Value: v, Limit: echoLimit})
	}
	for _, x := range []struct{ check, do string }{{"template", c.Template.Do}, {"reasoning", c.Reasoning.Do}} {
		if x.do == schema.DoOff {
			continue
		}
		if m := w.findLeftover(in.leftovers, x.check); m != "" {
			add(schema.Finding{Check: x.check, Do: x.do, Match: m})
		}
	}
	if r.SchemaFault != "" {
		add(schema.Finding{Check: "schema", Do: c.Schema.Do, Match: shorten(r.SchemaFault)})
	}
	in.disclosures(r, out)
	in.contamination(w, i, out)
}

// judge adds the first limit of a family that the record breaks.
func (in *Inspector) judge(w *work, check, do string, ls limits, out *schema.Inspection) {
	if do == schema.DoOff {
		return
	}
	for _, l := range ls.forLanguage(out.Language) {
		if !w.enough(l.signal) {
			continue
		}
		if v := value(out, l.signal); l.broken(v) {
			out.Findings = append(out.Findings, schema.Finding{Check: check, Do: do, Signal: l.signal, Value: v, Limit: l.value})
			return
		}
	}
}

// value returns a signal of an inspection, 0 where it has none.
func value(in *schema.Inspection, name string) float64 {
	for _, s := range in.Signals {
		if s.Name == name {
			return s.Value
		}
	}
	return 0
}

// finished judges why an answer ended: by the recipe's word for that reason, else by the check truncated.
func (in *Inspector) finished(reason string) schema.Finding {
	f := schema.Finding{Check: "finish", Do: in.finish[reason], Match: reason}
	if reason == schema.FinishLength || reason == schema.FinishContentFilter {
		f.Check = "truncated"
		if f.Do == "" {
			f.Do = in.checks.Truncated.Do
		}
	}
	if f.Do != schema.DoTag && f.Do != schema.DoDrop { // a failure has no text to be judged
		f.Do = schema.DoOff
	}
	return f
}
