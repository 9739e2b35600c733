package activities

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/retort-data/retort/dedup"
	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

const (
	// firstRecords are done by every part in every process: what is made once, tables, buffers and a file's footer, is taken off with them.
	firstRecords = 20
	// instructionRecords are the further records of the part that is measured.
	instructionRecords = 100
	instructionPage    = 20 // records
)

// instructionPart is a part of the flow that asks nobody. do does that many records; it is called some times, so that what parts take
// is much more than the runtime's own threads do.
type instructionPart struct {
	name  string
	times int
	do    func(records int) error
}

// runInstructionParts does the first records of every part, and of the named one more.
func runInstructionParts(t *testing.T, parts []instructionPart, named string) {
	t.Helper()
	found := named == ""
	for _, p := range parts {
		records := firstRecords
		if p.name == named {
			found, records = true, records+instructionRecords
		}
		for range p.times {
			if err := p.do(records); err != nil {
				t.Fatalf("%s: %v", p.name, err)
			}
		}
	}
	if !found {
		t.Fatalf("there is no part %q", named)
	}
}

// instructionPages is input that never changes.
type instructionPages struct {
	t         *testing.T
	recipe    *Recipe
	requests  []schema.Request
	answers   []schema.Response
	inspected []schema.Inspection
	records   []*schema.Reject
	packed    [][3][]byte // by page: requests, answers, inspections
	anchor    *quality.Anchor
}

// parts returns the parts in the order of the flow. Their input is made in every process alike.
func (p *instructionPages) parts() []instructionPart {
	return []instructionPart{
		{"inspect", 1, p.inspect},
		{"write a page", 3, p.writePages},
		{"read a page", 3, p.readPages},
		{"admit", 10, p.admit},
		{"gate", 3, p.judge},
		{"record hash", 5, p.hash},
		{"parquet", 3, p.parquet},
	}
}

// prepare makes the input of all parts.
func (p *instructionPages) prepare() {
	p.t.Helper()
	parsed, err := schema.ParseRecipe("recipe.yaml", []byte(`dataset: d
license: cc-by-4.0
prompts: [{from: questions.jsonl, license: cc-by-4.0, origin: human}]
messages: [{role: system, content: "You explain things. Be short."}, {role: user, content: "Tell me about {{.question}}"}]
samples: 2
teachers: [{name: tester}]
`))
	p.must(err)
	p.recipe, err = NewRecipe(parsed, nil)
	p.must(err)
	p.make(firstRecords + instructionRecords)
	p.must(p.recipe.inspectAll(p.recipe.inspector, p.requests, p.answers, func(got *schema.Inspection) error {
		p.inspected = append(p.inspected, *got)
		return nil
	}))
	w := &fileWriter{run: store.NewDataset("bucket", "p", "d").Run("r"), recipe: p.recipe, clusters: &clusterTable{}}
	for i := range p.answers {
		d := &Decided{Request: p.requests[i], Response: p.answers[i], Inspection: p.inspected[i], Decision: schema.Decision{Outcome: schema.OutcomeAdmitted}}
		p.records = append(p.records, w.record(d, DeclaredTeacher{Teacher: schema.Teacher{Name: "tester", Model: "m", Revision: "r1"}}))
	}
	for from := 0; from < len(p.requests); from += instructionPage {
		p.packed = append(p.packed, p.pack(from))
	}
	b := quality.NewAnchorBuilder(quality.AnchorOptions{Seed: 1})
	for i := range 300 {
		b.Add(quality.AnchorRecord{Key: fmt.Sprint(i), Text: madeUp(uint64(1000 + i))})
	}
	p.anchor, err = b.Build()
	p.must(err)
}

func (p *instructionPages) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// make makes n requests, two for each prompt, with their answers: every tenth answer is one that came before with two words changed,
// and every twentieth a failure.
func (p *instructionPages) make(n int) {
	for i := range n {
		messages := []schema.Message{{Role: "system", Content: "You explain things. Be short."}, {Role: "user", Content: fmt.Sprintf("Tell me about topic %d", i/2)}}
		prompt := schema.Prompt{ID: schema.PromptID(messages), Messages: messages, Source: "questions.jsonl", License: "cc-by-4.0", Key: fmt.Sprint(i / 2)}
		request := schema.Request{Prompt: prompt, RequestID: fmt.Sprintf("%032x", i), Sample: i % 2}
		answer := schema.Response{RequestID: request.RequestID, Text: madeUp(uint64(i)), FinishReason: schema.FinishStop, Model: "m-2026", Fingerprint: "fp1",
			InputTokens: 20, OutputTokens: 150, Attempts: 1, MillisFirst: 200, AnsweredAt: 1_700_000_000_000}
		switch {
		case i%20 == 19:
			answer = schema.Response{RequestID: request.RequestID, FailCode: "timeout", FailDetail: "no answer within 60s", Attempts: 5}
		case i%10 == 5:
			answer.Text = strings.Replace(p.answers[i-5].Text, " the ", " some ", 2)
		}
		p.requests, p.answers = append(p.requests, request), append(p.answers, answer)
	}
}

var madeUpWords, madeUpGrammar = func() (words []string) {
	for _, root := range vocabulary {
		for _, ending := range []string{"", "s", "ed", "ing", "er", "ly", "ness"} {
			words = append(words, root+ending)
		}
	}
	return words
}(), strings.Fields("the of and to in is that it for as with was on are be this by at from or an which not have has but they can will more when there one all their")

var madeUpEnds = []string{".%.0[1]d\n\n", "?%.0[1]d ", ", as of %d. ", ", see https://example.org/%d.\n", ":\n- one of %[1]d\n- two\n", ":\n```go\nx := f(%d)\n```\n"}

// madeUp is 40 to 230 words in sentences and paragraphs, now and then with a number, a link, a list or code; as English as the checks ask.
func madeUp(seed uint64) string {
	rng := rand.New(rand.NewPCG(seed, 7)) //nolint:gosec // made-up text
	var b strings.Builder
	for left := 40 + rng.IntN(190); left > 0; {
		n := min(left, 6+rng.IntN(14))
		left -= n
		for i := range n {
			word := madeUpWords[rng.IntN(len(madeUpWords))]
			if rng.IntN(5) < 2 {
				word = madeUpGrammar[rng.IntN(len(madeUpGrammar))]
			}
			if i == 0 {
				word = strings.ToUpper(word[:1]) + word[1:]
			} else {
				b.WriteByte(' ')
			}
			b.WriteString(word)
		}
		switch end := rng.IntN(24); {
		case end < len(madeUpEnds):
			fmt.Fprintf(&b, madeUpEnds[end], rng.IntN(10_000))
		default:
			b.WriteString(". ")
		}
	}
	return b.String()
}

// inspect is signals, findings and sketch of an answer.
func (p *instructionPages) inspect(records int) error {
	return p.recipe.inspectAll(p.recipe.inspector, p.requests[:records], p.answers[:records], func(*schema.Inspection) error { return nil })
}

// pack makes the three objects of a page.
func (p *instructionPages) pack(from int) (out [3][]byte) {
	requests, answers, inspected := newLines(), newLines(), newLines()
	p.must(requests.add(schema.PageHeader{Requests: instructionPage}))
	p.must(answers.add(answersHeader{}))
	p.must(inspected.add(inspectedHeader{}))
	for i := from; i < from+instructionPage; i++ {
		p.must(requests.add(&p.requests[i]))
		p.must(answers.add(&p.answers[i]))
		p.must(inspected.add(&p.inspected[i]))
	}
	return [3][]byte{requests.packed(), answers.packed(), inspected.packed()}
}

// writePages is what Plan, Ask and Inspect put of a record.
func (p *instructionPages) writePages(records int) error {
	for from := 0; from < records; from += instructionPage {
		p.pack(from)
	}
	return nil
}

// readPages reads the same again, as Inspect and Admit do.
func (p *instructionPages) readPages(records int) error {
	for page := range records / instructionPage {
		if err := errors.Join(unpackRows[schema.Request](p.packed[page][0]), unpackRows[schema.Response](p.packed[page][1]),
			unpackRows[schema.Inspection](p.packed[page][2])); err != nil {
			return err
		}
	}
	return nil
}

func unpackRows[T any](packed []byte) error {
	rows, err := unpack("page", packed)
	if err != nil {
		return err
	}
	got, err := decodeRows[T]("page", rows[1:])
	if err == nil && len(got) != instructionPage {
		err = fmt.Errorf("%d rows in a page of %d", len(got), instructionPage)
	}
	return err
}

// admit decides pages against all before them, and enters what is admitted.
func (p *instructionPages) admit(records int) error {
	ctx := p.t.Context()
	index, err := dedup.Open(ctx, store.NewMemory("bucket"), "index/", "", dedup.Options{Exact: p.recipe.Checks.Exact, Near: p.recipe.Checks.Near, Params: p.recipe.sketches, IsNotFound: notFound})
	if err != nil {
		return err
	}
	defer index.Close()
	admitted := map[string]int{}
	for seq := range records / instructionPage {
		j, err := newJudgement(p.recipe, &compared{}, p.inspected[seq*instructionPage:(seq+1)*instructionPage])
		if err != nil {
			return err
		}
		if err := j.decide(ctx, index, seq, -1); err != nil {
			return err
		}
		for i := range j.decisions {
			admitted[j.decisions[i].Outcome+" "+j.decisions[i].Reason]++
		}
		if _, err := j.commit(ctx, index, seq); err != nil {
			return err
		}
	}
	if admitted[schema.OutcomeAdmitted+" "] < records*3/4 {
		return fmt.Errorf("of %d records are decided: %v", records, admitted)
	}
	return nil
}

// judge reads what the gate needs of an answer, and moves a gate beside human text by it.
func (p *instructionPages) judge(records int) error {
	gate, err := quality.NewGate(p.anchor, quality.GateOptions{Alpha: 0.01, Mode: quality.ModeHuman, Ceilings: map[string]float64{"repetition": 0.15}})
	if err != nil {
		return err
	}
	for from := 0; from < records; from += instructionPage {
		said := &saidPage{rows: make([]saidRow, instructionPage)}
		for i := range said.rows {
			if at := from + i; !p.answers[at].Failed() {
				said.rows[i] = saidRow{request: &p.requests[at], found: &p.inspected[at], events: events(&p.inspected[at], &schema.Decision{})}
			}
		}
		readFeatures(said.rows, p.answers[from:from+instructionPage])
		live := &liveGates{plans: []gatePlan{{}}, gates: []*quality.Gate{gate}}
		if err := live.observe(said, 0, func([]quality.Update) error { return nil }); err != nil {
			return err
		}
	}
	if v := gate.Verdict(); v.Pairs == 0 {
		return fmt.Errorf("no answer was compared with human text: %+v", v)
	}
	return nil
}

// hash is a record's canonical JSON and its digest.
func (p *instructionPages) hash(records int) error {
	for _, r := range p.records[:records] {
		if _, err := schema.RecordHash(schema.FormatMessages, &r.Record); err != nil {
			return err
		}
	}
	return nil
}

// parquet writes a shard, record hashes and tree included.
func (p *instructionPages) parquet(records int) error {
	w, err := schema.NewShardWriter(io.Discard, schema.ShardOptions{Format: schema.FormatMessages, Run: "r"})
	if err != nil {
		return err
	}
	defer w.Abandon()
	for _, r := range p.records[:records] {
		if err := w.Write(&r.Record); err != nil {
			return err
		}
	}
	_, err = w.Close()
	return err
}
