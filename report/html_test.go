package report

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/schema"
)

// answers yields n made-up answers of two teachers, drawn by seed; text makes their words.
func answers(n int, text func(i int) string, yield func(*Answer)) {
	rng := rand.New(rand.NewPCG(7, 7))
	for i := range n {
		teacher := []string{"qwen", "llama"}[min(1, i%4/3)]
		id := fmt.Sprintf("%032x", i)
		r := &schema.Response{RequestID: id, Text: text(i), FinishReason: "stop", OutputTokens: int64(40 + rng.IntN(400)), MillisFirst: int64(300 + rng.ExpFloat64()*900),
			AnsweredAt: 1_790_000_000_000 + int64(i)*37}
		in := &schema.Inspection{RequestID: id, Language: []string{"en", "en", "en", "de"}[rng.IntN(4)], Signals: []schema.Signal{
			{Name: quality.SignalWords, Value: 60 + rng.NormFloat64()*20}, {Name: quality.SignalEntropy, Value: 5 + rng.NormFloat64()*0.4},
			{Name: quality.SignalDistinct, Value: 0.7 + rng.NormFloat64()*0.08}, {Name: quality.SignalRep4, Value: math.Max(0, rng.NormFloat64()*0.03)},
			{Name: quality.SignalMeanWordLength, Value: 4.6 + rng.NormFloat64()*0.4}, {Name: quality.SignalStopWords, Value: float64(rng.IntN(8))}}}
		d := &schema.Decision{RequestID: id, PromptID: id, Outcome: schema.OutcomeAdmitted}
		switch k := rng.IntN(100); {
		case k < 4:
			d.Outcome, d.Reason, d.Of, d.Jaccard = schema.OutcomeRejected, "near", fmt.Sprintf("%032x", i-1), 0.91
		case k < 6:
			d.Outcome, d.Reason = schema.OutcomeRejected, "refusal"
			in.Findings = []schema.Finding{{Check: "refusal", Do: "drop", Match: text(i)[:min(40, len(text(i)))]}}
		case k < 9:
			d.Outcome, d.Reason = schema.OutcomeRejected, "repetition"
			in.Findings = []schema.Finding{{Check: "repetition", Do: "drop", Signal: quality.SignalRep4, Value: 0.41, Limit: 0.3}}
		case k < 10:
			r.FailCode, d.Outcome, d.Reason = "timeout", schema.OutcomeFailed, "timeout"
		}
		yield(&Answer{Teacher: teacher, Prompt: []schema.Message{{Role: "system", Content: "Answer briefly."}, {Role: "user", Content: text(i + 1)}}, Source: "questions.jsonl",
			License: "cc-by-4.0", Generation: 0, Response: r, Inspection: in, Decision: d})
	}
}

func plainText(i int) string {
	words := strings.Fields("the sea rises and falls because moon sun pull on water more strongly where they are near so that two bulges travel around earth while it turns beneath them every day")
	rng := rand.New(rand.NewPCG(uint64(i), 3)) //nolint:gosec // a test
	var b strings.Builder
	for range 30 + rng.IntN(60) {
		fmt.Fprintf(&b, "%s%s ", words[rng.IntN(len(words))], []string{"", "", "", fmt.Sprint(rng.IntN(3000))}[rng.IntN(4)])
	}
	return b.String()
}

// made is a report over n answers.
func made(n int, papers *Papers, text func(int) string) *Report {
	m := NewMeasurement(7)
	clusters := []Cluster{{Size: 14, Members: []*Sample{m.Want(fmt.Sprintf("%032x", 3)), m.Want(fmt.Sprintf("%032x", 5))}}, {Size: 6, Members: []*Sample{m.Want(fmt.Sprintf("%032x", 8))}}}
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range 400 {
		m.AddAnchor(fmt.Sprint(i), plainText(100_000+i), []schema.Signal{{Name: quality.SignalWords, Value: 90 + rng.NormFloat64()*30}, {Name: quality.SignalEntropy, Value: 5.4 + rng.NormFloat64()*0.5},
			{Name: quality.SignalDistinct, Value: 0.78 + rng.NormFloat64()*0.08}, {Name: quality.SignalRep4, Value: 0}})
	}
	m.StartGate("human text", 100, []string{quality.AccountMaxRar, quality.AccountUniLP})
	wealth := 1.0
	answers(n, text, func(a *Answer) {
		m.Add(a)
		wealth *= math.Exp(rng.NormFloat64()*0.04 - 0.0008)
		m.Bet(0, wealth, []float64{rng.NormFloat64() * 0.1, rng.NormFloat64() * 0.1})
	})
	r := &Report{Papers: papers, Clusters: clusters}
	r.Papers.Summary, r.Samples = m.Done("science/answers", "r3", "human text")
	return r
}

func page(t testing.TB, r *Report) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := r.HTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func counted() *Papers {
	p := sample()
	m := p.Manifest
	m.Gate = schema.ManifestGate{Verdict: "pass", Alpha: 0.01, Wealth: 0.4, Gates: []schema.GateReading{{Against: schema.AgainstHuman, Alpha: 0.01, Threshold: 100,
		Accounts: []schema.AccountWealth{{Name: quality.AccountMaxRar, Wealth: 0.6, Mean: 0.012}, {Name: quality.AccountUniLP, Wealth: 0.2, Mean: -0.03}}}}}
	m.Releases = nil
	return p
}

// manyAnswers is the page of 100,000 answers, made once.
var manyAnswers = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	if err := made(100_000, counted(), plainText).HTML(&b); err != nil {
		panic(err)
	}
	return b.Bytes()
})

// The report of 100,000 answers is small, whatever their number: samples and sums are bounded.
func TestReportOfManyAnswersIsSmall(t *testing.T) {
	small, large := page(t, made(3000, counted(), plainText)), manyAnswers()
	if len(large) > 3<<20 || len(large) > 2*len(small) {
		t.Errorf("%d bytes of 100,000 answers, %d of 3,000", len(large), len(small))
	}
	t.Logf("%d bytes of 100,000 answers, %d of 3,000", len(large), len(small))
}

var (
	tags       = regexp.MustCompile(`<([a-zA-Z][a-zA-Z0-9]*)`)
	attributes = regexp.MustCompile(`\s([a-zA-Z-]+)=`)
)

// What teachers wrote is text: the page has the same tags with and without it, no handler, no address but those within the page.
func TestReportHoldsHostileAnswers(t *testing.T) {
	hostilePage := page(t, hostileReport())
	allowed := map[string]bool{}
	for _, m := range tags.FindAllSubmatch(page(t, made(300, counted(), plainText)), -1) {
		allowed[string(m[1])] = true
	}
	for _, m := range tags.FindAllSubmatch(hostilePage, -1) {
		if !allowed[string(m[1])] && string(m[1]) != "b" && string(m[1]) != "li" && string(m[1]) != "ul" && string(m[1]) != "br" {
			t.Errorf("a tag <%s> came in", m[1])
		}
	}
	for _, tag := range regexp.MustCompile(`<[a-zA-Z][^>]*>`).FindAll(hostilePage, -1) {
		for _, m := range attributes.FindAllSubmatch(regexp.MustCompile(`"[^"]*"`).ReplaceAll(tag, []byte(`""`)), -1) {
			if strings.HasPrefix(string(m[1]), "on") || string(m[1]) == "src" || string(m[1]) == "style" {
				t.Errorf("an attribute %s came in: %.200s", m[1], tag)
			}
		}
	}
	if bytes.Contains(hostilePage, []byte("\x1b")) || bytes.Contains(hostilePage, []byte("\u202e")) {
		t.Error("characters came in that steer")
	}
	for _, m := range regexp.MustCompile(`href="([^"]*)"`).FindAllSubmatch(hostilePage, -1) {
		if m[1][0] != '#' {
			t.Errorf("an address %q", m[1])
		}
	}
}

// attacks are answers that would run, load or steer.
var attacks = []string{hostile, `</p></main></body><script>document.title='owned'</script>`, `<img src=x onerror="document.title='owned'">`,
	`<svg onload="document.title='owned'"></svg>`, `<iframe srcdoc="<script>parent.document.title='owned'</script>"></iframe>`, `"><script>document.title='owned'</script>`,
	`<a href="javascript:document.title='owned'" autofocus onfocus="document.title='owned'">x</a>`, `<style>*{display:none}</style><link rel=stylesheet href=https://evil.example/x.css>`,
	`{{.}}{{template "x"}}`, `<meta http-equiv=refresh content="0;url=https://evil.example">`, `<base href=https://evil.example/>`, `<details open ontoggle="document.title='owned'">`,
	"<!--", "]]>", `</style><script>document.title='owned'</script>`, `</title><script>document.title='owned'</script>`, "\u2028\u2029\x00\xff\x1b[2J", strings.Repeat("W", 5000), strings.Repeat("<b>", 2000)}

func hostileReport() *Report {
	r := made(2000, hostilePapers(), func(i int) string { return attacks[i%len(attacks)] })
	for i := range r.Summary.Teachers {
		r.Summary.Teachers[i].Name = attacks[i]
	}
	r.Summary.Gates[0].Against, r.Summary.Anchor, r.Missing = attacks[1], attacks[2], []string{attacks[3]}
	for i := range r.Summary.Times.Teachers {
		r.Summary.Times.Teachers[i].Name = attacks[5]
	}
	r.Summary.Signals[0].Name, r.Summary.Finish, r.Summary.Tagged = attacks[1], []Count{{attacks[4], 3}}, []Count{{attacks[6], 3}}
	for i := range r.Samples.Rejected {
		r.Samples.Rejected[i].Reason = attacks[7+i%3]
	}
	return r
}

// A version whose run's pages are gone, or that has none, has a report all the same.
func TestReportOfAManifestAlone(t *testing.T) {
	p := sample()
	p.Summary = nil
	got := page(t, &Report{Papers: p, Missing: []string{"The run's pages are gone."}})
	for _, want := range []string{"pages are gone", "Held, then released", "Where the requests went", "Provenance"} {
		if !bytes.Contains(got, []byte(want)) {
			t.Errorf("it lacks %q", want)
		}
	}
	empty := &Papers{Manifest: &schema.Manifest{Dataset: "d", Version: 1}}
	page(t, &Report{Papers: empty})
}

func TestReportShowsTheTrend(t *testing.T) {
	r := made(3000, counted(), plainText)
	past := made(3000, counted(), func(i int) string { return plainText(i) + fmt.Sprintf(" extra%d more%d", i, i*3) })
	r.History = []Past{{Version: 1, Rows: 10}, {Version: 2, Rows: 3000, Summary: past.Summary}}
	got := string(page(t, r))
	if !strings.Contains(got, "since version 2") || !strings.Contains(got, "against earlier versions") {
		t.Error("the trend is not shown")
	}
}
