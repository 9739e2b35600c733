package photocopy

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/schema"
)

// RewriteOptions of copies that a real model makes of its own answers. Zero values are the defaults.
type RewriteOptions struct {
	Records     int     // (500)
	Copies      int     // of the answers (3)
	Temperature float64 // (0.7)
	Tokens      int     // most of an answer (80)
	Seed        uint64  // of the choice of questions (1)
	URL         string  // of the model, ending in /v1
	Model       string
	License     string
	Log         io.Writer
}

// Rewritten is what was measured.
type Rewritten struct {
	Model   string  `json:"model"`
	Seconds float64 `json:"seconds"`
	Budget  int     `json:"budget_words"` // that of the shortest copy
	Copies  []Copy  `json:"copies"`
}

// Copy is one turn: number 0 are answers to questions, each other one is the copy before in other words.
type Copy struct {
	Number     int         `json:"copy"`
	Version    int         `json:"version"`
	Depth      string      `json:"depth"`
	Records    int         `json:"records"`
	Same       int         `json:"same"` // word for word the text that was to be rewritten
	Said       Measures    `json:"said"`
	Before     *Inspected  `json:"beside_the_copy_before,omitempty"`
	Candidates []Candidate `json:"candidates,omitempty"`            // what might have seen it, beside the copy before
	FromFirst  *Inspected  `json:"beside_the_first_copy,omitempty"` // the first that was rewritten: answers are texts of another kind
}

// copied is a row of a copy: what the model rewrites next.
type copied struct {
	Key        string `json:"key"`
	Prompt     string `json:"prompt"` // what the model was asked
	Text       string `json:"text"`
	Generation int32  `json:"generation"`
}

const rewriteDataset = "photocopy-llm"

const rewriteAsk = "Say this in your own words:\n\n"

// Rewrite lets a model answer questions about Go's standard library and then rewrite what it said, again and again, through the
// pipeline; the gate compares each copy with the one before, by the key of its question. It takes long: with an error comes what was
// measured before it.
func Rewrite(ctx context.Context, s *Site, o RewriteOptions) (*Rewritten, error) {
	began := time.Now()
	preset(&o.Records, 500)
	preset(&o.Copies, 3)
	preset(&o.Temperature, 0.7)
	preset(&o.Tokens, 80)
	preset(&o.Seed, 1)
	preset[io.Writer](&o.Log, io.Discard)
	text, err := ReadText(o.Seed)
	if err != nil {
		return nil, err
	}
	if err := text.write(s.Dir, o.Records); err != nil {
		return nil, err
	}
	to, err := url.Parse(strings.TrimSuffix(o.URL, "/v1"))
	if err != nil {
		return nil, err
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Path = strings.TrimPrefix(r.In.URL.Path, "/model")
		r.SetURL(to)
	}}
	end, err := s.open(ctx, proxy, []declared{{"model", o.Model, o.License, 16, ""}})
	if err != nil {
		return nil, err
	}
	defer end()
	r := &rewriting{site: s, o: o, keys: map[string]string{}, fidelity: newFidelity(text)}
	for _, row := range text.Rows[:o.Records] {
		r.keys[row.Question] = row.Key
	}
	result := &Rewritten{Model: o.Model}
	for n := 0; n <= o.Copies && err == nil; n++ {
		var c Copy
		if c, err = r.copy(ctx, n); err != nil {
			err = fmt.Errorf("copy %d: %w", n, err)
			break
		}
		result.Copies = append(result.Copies, c)
		fmt.Fprintf(o.Log, "copy %d  %d records, %d word for word as before, %.0f s  %s\n", n, c.Records, c.Same, time.Since(began).Seconds(), c.Before.text())
	}
	r.measure(result, text.Human())
	result.Seconds = time.Since(began).Seconds()
	return result, err
}

type rewriting struct {
	site     *Site
	o        RewriteOptions
	keys     map[string]string // what the model is asked → key of the question
	before   map[string]string // what it is asked → the text in it
	texts    [][]string        // of each copy
	rows     [][]copied        // the same with their keys
	fidelity *fidelity
}

func (r *rewriting) recipe(n int) string {
	from, origin, ask := questionsFile, schema.OriginHuman, "{{.question}}"
	if n > 0 {
		from, origin, ask = copyFile(n), schema.OriginGenerated, rewriteAsk+"{{.text}}"
	}
	return fmt.Sprintf(`dataset: %s
license: apache-2.0
prompts: [{from: %s, license: apache-2.0, origin: %s, key: key}]
messages: [{role: user, content: %q}]
teachers: [{name: model}]
sampling: {temperature: %g, max_tokens: %d}
reuse: never
output: {previous: supersede}
%sgate: {off: true}
`, rewriteDataset, from, origin, ask, r.o.Temperature, r.o.Tokens, noChecks)
}

// copyFile holds the texts from which copy n is made.
func copyFile(n int) string { return fmt.Sprintf("copy-%d.jsonl", n) }

func (r *rewriting) copy(ctx context.Context, n int) (Copy, error) {
	status, err := r.site.run(ctx, fmt.Sprintf("llm-%d", n), r.recipe(n))
	if err != nil {
		return Copy{}, err
	}
	m, err := r.site.manifest(ctx, rewriteDataset, status.Version)
	if err != nil {
		return Copy{}, err
	}
	c := Copy{Number: n, Version: status.Version, Depth: deepest(m.Generations)}
	if err := r.take(ctx, m, &c); err != nil {
		return c, err
	}
	at := func(k int) string { return filepath.Join(r.site.Dir, copyFile(k+1)) }
	compare := func(with int) (*Inspected, error) {
		if len(r.texts[with]) < quality.FewestPinned {
			return nil, nil
		}
		in, err := r.site.inspect(ctx, n, at(n), at(with), "prompt", "key")
		return &in, err
	}
	if n > 0 {
		c.Candidates = r.fidelity.compare(r.rows[n-1], r.rows[n])
		if c.Before, err = compare(n - 1); err != nil {
			return c, err
		}
	}
	if n > 2 {
		c.FromFirst, err = compare(1)
	}
	return c, err
}

// take reads a copy and writes it down for the next one.
func (r *rewriting) take(ctx context.Context, m *schema.Manifest, c *Copy) error {
	rows, err := r.site.records(ctx, m)
	if err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(r.site.Dir, copyFile(c.Number+1)))
	if err != nil {
		return err
	}
	defer f.Close()
	lines := json.NewEncoder(f)
	keys, before := map[string]string{}, map[string]string{}
	var texts []string
	var all []copied
	for _, rec := range rows {
		asked, said := rec.Messages[0].Content, strings.TrimSpace(rec.Answer())
		if said == "" {
			continue
		}
		if said == r.before[asked] {
			c.Same++
		}
		row := copied{r.keys[asked], asked, said, rec.Generation}
		keys[rewriteAsk+said], before[rewriteAsk+said] = row.Key, said
		texts, all = append(texts, said), append(all, row)
		if err := lines.Encode(row); err != nil {
			return err
		}
	}
	r.keys, r.before, r.texts = keys, before, append(r.texts, texts)
	r.rows = append(r.rows, all)
	c.Records = len(texts)
	return nil
}

// measure takes all copies at one budget: that of the shortest.
func (r *rewriting) measure(result *Rewritten, human []string) {
	for i, texts := range r.texts[:len(result.Copies)] { // one that was taken and not compared is no copy yet
		n := 0
		for _, t := range texts {
			n += len(words(t))
		}
		if i == 0 || n < result.Budget {
			result.Budget = n
		}
	}
	ruler := newRuler(human, result.Budget)
	for i := range result.Copies {
		result.Copies[i].Said = ruler.measure(r.texts[i])
	}
}

// Table is the result as text.
func (r *Rewritten) Table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, every copy measured at %d words. %.0f seconds.\n\n", r.Model, r.Budget, r.Seconds)
	fmt.Fprintf(&b, "%-6s%6s%9s%7s%9s%12s%7s%12s  %s\n", "copy", "depth", "records", "same", "entropy", "vocabulary", "tail", "bigram JSD", "beside the copy before")
	for _, c := range r.Copies {
		fmt.Fprintf(&b, "%-6d%6s%9d%7d%9.2f%12d%7.3f%12.3f  %s\n", c.Number, c.Depth, c.Records, c.Same, c.Said.Entropy, c.Said.Vocabulary, c.Said.Tail, c.Said.JSD, c.Before.text())
		for _, k := range c.Candidates {
			fmt.Fprintf(&b, "%68s  not in the gate: %-8s mean %+.3f, wealth %.3g", "", k.Name, k.Mean, k.Wealth)
			if k.At > 0 {
				fmt.Fprintf(&b, ", would hold at record %d", k.At)
			}
			b.WriteByte('\n')
		}
		if c.FromFirst != nil {
			fmt.Fprintf(&b, "%68s  beside copy 1: %s\n", "", c.FromFirst.text())
		}
	}
	return b.String()
}

func (in *Inspected) text() string {
	if in == nil {
		return "–"
	}
	text := fmt.Sprintf("%s, %d pairs, wealth %.3g", in.Verdict, in.Pairs, in.Wealth)
	if in.Record > 0 {
		text += fmt.Sprintf(", record %d, by %s", in.Record, in.Account)
	}
	for _, a := range in.Accounts {
		text += fmt.Sprintf("; %s %.2g (%+.3f)", a.Name, a.Wealth, a.Mean)
	}
	return text
}
