package teacher

import (
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/retort-data/retort/local/chat"
)

var goDocs = sync.OnceValues(GoDocs)

func corpus(t testing.TB) *Corpus {
	t.Helper()
	c, err := goDocs()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func request(prompt string, seed int64) *chat.Request {
	body := append([]byte(`{"seed":`), []byte(fmtInt(seed))...)
	body = append(body, `,"messages":[{"role":"user","content":`...)
	body = append(chat.AppendString(body, prompt), `}]}`...)
	r, err := chat.ParseRequest(body, nil)
	if err != nil {
		panic(err)
	}
	return &r
}

func TestAnswersFollowFromPromptAndSeed(t *testing.T) {
	c, cfg := corpus(t), DefaultConfig()
	seen := map[string]string{}
	for i := range 2000 {
		prompt := "question " + fmtInt(int64(i/2))
		r := request(prompt, int64(i%2))
		one, mode := c.answer(r, &cfg)
		two, _ := c.answer(r, &cfg)
		if one != two || mode != "" {
			t.Fatalf("the same request: %+v and %+v (%s)", one, two, mode)
		}
		if was, ok := seen[one.Content]; ok {
			t.Fatalf("%s and %s have the same answer", prompt, was)
		}
		seen[one.Content] = prompt
		words := len(strings.Fields(one.Content))
		if words < cfg.MinWords || words > cfg.MaxWords+45 {
			t.Fatalf("%d words, want %d to %d and a sentence", words, cfg.MinWords, cfg.MaxWords)
		}
		if !utf8.ValidString(one.Content) || one.FinishReason != "stop" {
			t.Fatalf("answer %+v", one)
		}
	}
}

// Healthy answers must not look like copies: word 5-grams shared by two of
// them stay far below any threshold for near-duplicates.
func TestAnswersAreNoNearDuplicates(t *testing.T) {
	c, cfg := corpus(t), DefaultConfig()
	var sets []map[string]bool
	for i := range 400 {
		done, _ := c.answer(request("q", int64(i)), &cfg)
		sets = append(sets, fiveGrams(done.Content))
	}
	most := 0.0
	for i := range sets {
		for j := range i {
			most = max(most, jaccard(sets[i], sets[j]))
		}
	}
	t.Logf("largest Jaccard of 5-grams among %d answers: %.3f", len(sets), most)
	if most > 0.5 {
		t.Errorf("two healthy answers share %.2f of their 5-grams", most)
	}
}

func fiveGrams(text string) map[string]bool {
	words := strings.Fields(text)
	set := map[string]bool{}
	for i := 0; i+5 <= len(words); i++ {
		set[strings.Join(words[i:i+5], " ")] = true
	}
	return set
}

func jaccard(a, b map[string]bool) float64 {
	both := 0
	for g := range a {
		if b[g] {
			both++
		}
	}
	return float64(both) / float64(len(a)+len(b)-both)
}

func TestModes(t *testing.T) {
	c := corpus(t)
	wants := map[string]func(chat.Completion) bool{
		"echo":   func(d chat.Completion) bool { return strings.HasPrefix(d.Content, "What does") },
		"refuse": func(d chat.Completion) bool { return len(strings.Fields(d.Content)) < 20 },
		"identity": func(d chat.Completion) bool {
			return strings.HasPrefix(d.Content, "A") || strings.HasPrefix(d.Content, "I")
		},
		"duplicate":      func(d chat.Completion) bool { return d.FinishReason == "stop" },
		"near_duplicate": func(d chat.Completion) bool { return strings.Contains(d.Content, "quite") },
		"empty":          func(d chat.Completion) bool { return strings.TrimSpace(d.Content) == "" },
		"truncated":      func(d chat.Completion) bool { return d.FinishReason == "length" && !strings.HasSuffix(d.Content, ".") },
		"filtered":       func(d chat.Completion) bool { return d.FinishReason == "content_filter" },
		"hostile":        func(d chat.Completion) bool { return len(d.Content) > 0 },
		"loop":           func(d chat.Completion) bool { return len(fiveGrams(d.Content))*6 < len(strings.Fields(d.Content)) },
		"think":          func(d chat.Completion) bool { return strings.Contains(d.Content, "</think>") },
		"reasoning":      func(d chat.Completion) bool { return d.Reasoning != "" },
		"template":       func(d chat.Completion) bool { return strings.Contains(d.Content, "<|im_end|>") },
		"german":         func(d chat.Completion) bool { return strings.Contains(d.Content, " und ") },
	}
	for _, mode := range ModeNames {
		cfg := DefaultConfig()
		cfg.MaxTokens = 10_000
		cfg.Modes = map[string]float64{mode: 1}
		distinct := map[string]bool{}
		for i := range 50 {
			done, got := c.answer(request("What does this do?", int64(i)), &cfg)
			if got != mode || wants[mode] == nil || !wants[mode](done) {
				t.Errorf("%s: answered %q in mode %s", mode, done.Content, got)
			}
			distinct[done.Content] = true
		}
		if mode == "duplicate" && len(distinct) > 4 {
			t.Errorf("duplicates in %d versions", len(distinct))
		}
	}
}

// Over many prompts a mode or fault comes as often as configured.
func TestRatesAreKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := DefaultConfig()
		rate := rapid.Float64Range(0, 0.5).Draw(t, "rate")
		mode := rapid.SampledFrom(ModeNames).Draw(t, "mode")
		other := rapid.SampledFrom(ModeNames).Draw(t, "other")
		cfg.Modes = map[string]float64{other: 0.2, mode: rate}
		cfg.ServerError, cfg.Reset = 0.2, rate
		const n = 20_000
		modes, faults, retried := 0, 0, 0
		for i := range uint64(n) {
			if cfg.draw(mix(i, 1)) == mode {
				modes++
			}
			if cfg.fault(mix(i, 1), 0) == "reset" {
				faults++
				if cfg.fault(mix(i, 1), 1) == "reset" {
					retried++
				}
			}
		}
		near := func(what string, got int, of float64) {
			// 6 standard deviations of a binomial: never in the life of this test.
			if d := float64(got) - of*rate; d*d > 36*(of*rate*(1-rate)+1) {
				t.Fatalf("%s: %d of %.0f at rate %.4f", what, got, of, rate)
			}
		}
		near("mode", modes, n)
		near("fault", faults, n)
		near("fault again on retry", retried, float64(faults))
	})
}
