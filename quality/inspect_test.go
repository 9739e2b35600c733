package quality

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/retort-data/retort/schema"
)

const prose = "A mutex guards the map while two goroutines write to it. Without the lock, a reader may see a half-written " +
	"entry, and the race detector says so as soon as both run. Keep the critical section short, so that nobody waits for " +
	"long; copy what you need and work on the copy. When reads are much more frequent than writes, an RWMutex lets many " +
	"readers in at once, though it costs more for each of them."

func inspector(t testing.TB, c schema.Checks) *Inspector {
	t.Helper()
	in, err := NewInspector(c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func inspect(in *Inspector, text string) schema.Inspection {
	return in.Inspect(Input{Response: &schema.Response{Text: text, FinishReason: "stop"}})
}

func reasons(in schema.Inspection) string {
	var all []string
	for _, f := range in.Findings {
		all = append(all, f.Check+":"+f.Do+":"+f.Signal)
	}
	return strings.Join(all, " ")
}

func TestChecks(t *testing.T) {
	var c schema.Checks
	c.Length.Min, c.Language.Want = 3, []string{"en"}
	in := inspector(t, c)
	numbered := strings.ReplaceAll(strings.ReplaceAll(prose, ". ", ".\n- "), "; ", ";\n- ")
	for name, x := range map[string]struct{ text, want string }{
		"good":           {prose, ""},
		"code":           {prose + "\n\n```go\nm.mu.Lock()\ndefer m.mu.Unlock()\n// <think> stays\n```\n", ""},
		"empty":          {" \n… !", "empty:drop:words length:drop:words"},
		"short":          {"Yes indeed", "length:drop:words"},
		"loop":           {strings.Repeat("I like it. ", 40), "repetition:drop:top_2gram_chars"},
		"short loop":     {strings.Repeat("and so on ", 9), "repetition:drop:rep4"},
		"repeated lines": {prose + strings.Repeat("\nAsk the author of the library about the flag.", 4), "repetition:drop:dup_line_fraction"},
		"numbered":       {numbered, ""},
		"refusal":        {"I'm sorry, but I can't help with that request.", "refusal:drop:"},
		"late":           {prose + " I'm sorry, but I can't help with that request.", ""},
		"think":          {"<think>The user wants this.</think> " + prose, "reasoning:drop:"},
		"chatml":         {prose + "<|im_end|>", "template:drop:"},
		"placeholder":    {"Dear [Your Name], " + prose, "template:drop:"},
		"german":         {"Der Mutex schützt die Karte, während zwei Goroutinen in sie schreiben, und das ist nicht immer nötig.", "language:drop:language_share"},
		"identity":       {"I am ChatGPT, a model by OpenAI. " + prose, "identity:drop:"},
		"mention":        {"OpenAI released ChatGPT in 2022. " + prose, ""},
	} {
		got := inspect(in, x.text)
		if !strings.HasPrefix(reasons(got), x.want) || x.want == "" && got.Findings != nil {
			t.Errorf("%s: %v, wanted %q", name, got.Findings, x.want)
		}
	}
}

func TestFindingNamesWhatDecided(t *testing.T) {
	in := inspector(t, schema.Checks{Repetition: schema.LimitsCheck{Limits: map[string]float64{SignalRep4: 0.01}}})
	got := inspect(in, prose+" Keep the critical section short, so that nobody waits for long.")
	f := got.Dropped()
	if f == nil || f.Signal != SignalRep4 || f.Limit != 0.01 || f.Value != value(&got, SignalRep4) || f.Value <= f.Limit {
		t.Fatalf("%+v", got.Findings)
	}
}

func TestResponseParts(t *testing.T) {
	in := inspector(t, schema.Checks{})
	ask := func(r schema.Response, prompt string) schema.Inspection {
		return in.Inspect(Input{Prompt: []schema.Message{{Role: "user", Content: prompt}}, Response: &r})
	}
	if got := ask(schema.Response{Text: prose, FinishReason: schema.FinishLength}, "?"); reasons(got) != "truncated:drop:" {
		t.Error(got.Findings)
	}
	if got := ask(schema.Response{Text: `{"a":1}`, SchemaFault: "a: wanted string"}, "?"); reasons(got) != "schema:drop:" {
		t.Error(got.Findings)
	}
	if got := ask(schema.Response{Text: prose}, "Explain this text: "+prose); reasons(got) != "echo:tag:echo" {
		t.Error(got.Findings)
	}
	if got := ask(schema.Response{FailCode: "rate"}, "?"); got.Failed != "rate" || got.Signals != nil || got.Findings != nil {
		t.Errorf("%+v", got)
	}
	if got := ask(schema.Response{Text: "abc", Reasoning: "de"}, "f"); got.Bytes != 6 {
		t.Error(got.Bytes)
	}
}

func TestUnknownActionsAndSignals(t *testing.T) {
	for _, c := range []schema.Checks{
		{Empty: schema.Check{Do: "maybe"}},
		{Repetition: schema.LimitsCheck{Limits: map[string]float64{"stop_words": 1}}},
		{Quality: schema.LimitsCheck{Limits: map[string]float64{"nonsense": 1}}},
	} {
		_, err := NewInspector(c, Options{})
		if schema.KindOf(err) != schema.KindInvalid {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestLanguages(t *testing.T) {
	in := inspector(t, schema.Checks{})
	for code, s := range map[string]string{
		"en": "The cat sat on the mat and looked at the garden.",
		"de": "Die Katze saß auf der Matte und sah in den Garten hinaus.",
		"fr": "Le chat était assis sur le tapis et regardait dans le jardin.",
		"es": "El gato estaba sentado en la alfombra y miraba el jardín.",
		"zh": "猫坐在垫子上看着花园。",
		"ja": "猫はマットの上に座って庭を見ていました。",
		"ru": "Кошка сидела на коврике и смотрела в сад.",
		"ko": "고양이가 매트 위에 앉아 정원을 보고 있었다.",
		"it": "Il gatto era seduto sul tappeto e guardava il giardino della casa.",
		"":   "Xyzzy plugh frobnicate quux garply waldo fred.",
	} {
		if got := inspect(in, s); got.Language != code {
			t.Errorf("%q: %q, wanted %q", s, got.Language, code)
		}
	}
}

// German prose fails the English stop-word rule; it must be judged by its own.
func TestLimitsAreOfTheLanguage(t *testing.T) {
	s := strings.Repeat("Donaudampfschifffahrtsgesellschaftskapitäne überwachten der Hafenverwaltung nicht unterstellte Binnenschiffe, und die Wasserschutzpolizei ", 1) +
		"kontrollierte nachmittags sämtliche Frachtpapiere. Anschließend verglich der Hafenmeister die Ladelisten mit den Angaben des Reeders, " +
		"wobei einige Unstimmigkeiten auftraten: Manche Container standen auf keiner Liste, andere waren doppelt verzeichnet, und das Gewicht " +
		"eines Schiffes überstieg die zulässige Höchstlast. Der Kapitän erklärte dies mit einem Fehler im Buchungssystem seiner Firma."
	if got := inspect(inspector(t, schema.Checks{}), s); got.Language != "de" || got.Findings != nil {
		t.Errorf("%q %+v", got.Language, got.Findings)
	}
}

func TestContamination(t *testing.T) {
	e := NewEvaluations(0, 0)
	item := "Natalia sold clips to 48 of her friends in April and then she sold half as many clips in May how many clips did Natalia sell altogether in April and May"
	e.Add("gsm8k", item)
	if e.Add("gsm8k", "too short") {
		t.Error("an item below an n-gram was taken")
	}
	e.Seal()
	in, err := NewInspector(schema.Checks{Contamination: schema.Contamination{Do: schema.DoDrop}}, Options{Evaluations: e})
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(item)
	for name, x := range map[string]struct {
		text string
		hit  bool
	}{
		"whole":      {"Here is a question. " + item + "?", true},
		"two thirds": {strings.Join(words[:20], " "), true},
		"third":      {strings.Join(words[:10], " "), false},
		"other":      {prose, false},
	} {
		got := inspect(in, x.text)
		if f := got.Dropped(); (f != nil && f.Check == "contamination") != x.hit {
			t.Errorf("%s: %+v", name, got.Findings)
		} else if x.hit && f.Match != "gsm8k" {
			t.Error(f)
		}
	}
	words[4], words[14], words[24] = "some", "other", "words" // each tenth word changed: 8-grams still see it
	if got := inspect(in, strings.Join(words, " ")); got.Dropped() == nil {
		t.Errorf("a copy with each tenth word changed: %+v", got.Signals)
	}
}

// The same input gives the same inspection, whatever was inspected before and by how many at once.
func TestPureAndConcurrent(t *testing.T) {
	in := inspector(t, schema.Checks{})
	texts := []string{prose, "", strings.Repeat("la ", 500), "猫坐在垫子上看着花园。", "I am ChatGPT.", strings.ToUpper(prose)}
	want := make([]schema.Inspection, len(texts))
	for i, s := range texts {
		want[i] = inspect(inspector(t, schema.Checks{}), s)
	}
	done := make(chan error)
	for g := range 8 {
		go func() {
			for n := range 200 {
				i := (n*7 + g) % len(texts)
				if got := inspect(in, texts[i]); !reflect.DeepEqual(got, want[i]) {
					done <- fmt.Errorf("%q: %+v, wanted %+v", texts[i], got, want[i])
					return
				}
			}
			done <- nil
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestFeaturesAreTheSame(t *testing.T) {
	in := inspector(t, schema.Checks{})
	for _, s := range []string{prose, "", "猫坐在垫子上看着花园。", strings.Repeat("one two, three. ", 400), "bad \xff bytes"} {
		if _, got := in.InspectForGate(Input{Response: &schema.Response{Text: s}}); !slices.Equal(got.words, FeaturesOf(s).words) || got.size != FeaturesOf(s).size {
			t.Errorf("%.20q: %+v", s, got)
		}
	}
}

func FuzzInspect(f *testing.F) {
	for _, s := range []string{prose, "", "\xff\xfe", "`", "```", "“", "I am 'ChatGPT'", "我是ChatGPT。", "…\n\n…", "a.-'b", "\u0300", "<think", "{{", "々〇"} {
		f.Add(s, "prompt "+s)
	}
	e := NewEvaluations(3, 0.1)
	e.Add("x", "one two three four")
	e.Seal()
	in, err := NewInspector(schema.Checks{Contamination: schema.Contamination{Do: schema.DoTag}}, Options{Evaluations: e})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s, prompt string) {
		got := in.Inspect(Input{Prompt: []schema.Message{{Content: prompt}}, Template: []string{s}, Response: &schema.Response{Text: s}})
		for _, x := range got.Signals {
			if math.IsNaN(x.Value) || math.IsInf(x.Value, 0) || x.Value < 0 {
				t.Fatalf("%s = %v", x.Name, x.Value)
			}
		}
	})
}

func FuzzAliases(f *testing.F) {
	f.Add("model\tX\tx one | x-1")
	f.Add("company\t\t((|")
	f.Add("#\n\n\t\t")
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) < 1000 {
			NewInspector(schema.Checks{}, Options{Aliases: s}) //nolint:errcheck // must not panic
		}
	})
}

func BenchmarkInspect(b *testing.B) {
	in := inspector(b, schema.Checks{})
	s := strings.Repeat(prose+" ", 1)
	for _, w := range []string{"handle", "pointer", "channel"} {
		s += strings.ReplaceAll(prose, "the", w) + " "
	}
	b.SetBytes(int64(len(s)))
	b.ReportAllocs()
	for b.Loop() {
		inspect(in, s)
	}
}
