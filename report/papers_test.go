package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/retort-data/retort/schema"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with the file testdata/name, which -update rewrites.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got); if this is meant, go test -update:\n%s", path, diff)
	}
}

func micros(n int64) *int64 { return &n }

// sample is a third version that keeps the shard of the second.
func sample() *Papers {
	shard := func(split, run string, rows int64) schema.Shard {
		key := "sets/science/answers/data/" + split + "-" + run + "-00000.parquet"
		return schema.Shard{URI: "s3://corpus/" + key, Key: key, Split: split, Run: run, Rows: rows, Bytes: rows * 1234, SHA256: strings.Repeat("ab", 32)}
	}
	qwen := schema.ManifestTeacher{Name: "qwen", Model: "qwen3-32b", Revision: "2026-08", Served: []string{"qwen3-32b (fp_1)"}, Requests: 9000, Admitted: 7100,
		InputTokens: 400_000, OutputTokens: 2_100_000, CostMicros: micros(1_340_000),
		Terms: schema.Terms{Training: "allowed", License: "Apache-2.0", Source: "model card", ReadOn: "2026-11-01"}}
	llama := schema.ManifestTeacher{Name: "llama", Model: "llama-3.3-70b", Served: []string{"llama-3.3-70b"}, Requests: 3000, Admitted: 2500, TrainedOn: []string{"science/answers@1"},
		Terms: schema.Terms{Training: "allowed", License: "llama3.3", Source: "its licence", ReadOn: "2026-11-02", StudentNamePrefix: "Llama",
			Notice: "Built with Llama", DerivativeLicense: "Llama 3.3 Community License"}}
	earlier := &schema.Manifest{Version: 2, Run: "r2", Teachers: []schema.ManifestTeacher{qwen}, Sources: []schema.ManifestSource{
		{From: "s3://corpus/old/*.jsonl", License: "cc0-1.0", Origin: "human", Role: "prompts", Files: []schema.PinnedFile{{Name: "a", ETag: "1", Bytes: 5000}}}}}
	return &Papers{Home: "s3://corpus/sets/science/answers/", Digest: strings.Repeat("cd", 32), Earlier: []*schema.Manifest{earlier},
		Summary: &Summary{Languages: []Count{{"en", 9000}, {"de", 400}, {"", 150}, {"fr", 3}}},
		Manifest: &schema.Manifest{Format: schema.ManifestFormat, Dataset: "science/answers", Version: 3, Parent: 2, Run: "r3", Program: "v1.2.0",
			Created: time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC), Description: "Short explanations for a small student", License: "cc-by-4.0", Layout: schema.FormatMessages,
			Counts: schema.Counts{Planned: 12_000, Admitted: 9600, Rejected: map[string]int64{"near": 1500, "refusal": 300, "truncated": 500}, Failed: 80, Unasked: 20, Human: 400},
			Cost:   schema.Cost{Micros: 1_340_000, Unknown: 2990},
			Shards: []schema.Shard{shard("train", "r2", 5000), shard("train", "r3", 9900), shard("test", "r3", 100)}, Teachers: []schema.ManifestTeacher{qwen, llama},
			Sources: []schema.ManifestSource{{From: "s3://corpus/questions/*.parquet", License: "cc-by-4.0", Origin: "human", Role: "prompts", Files: []schema.PinnedFile{{Name: "b", ETag: "2", Bytes: 1 << 20}}},
				{From: "human.jsonl", License: "bsd-3-clause", Origin: "human", Role: "anchor", Files: []schema.PinnedFile{{Name: "c", ETag: "3", Bytes: 123456}}}},
			Generations: map[string]int64{"0": 400, "1": 12_100, "2": 2400, "unknown": 100}, HumanShare: 400.0 / 15_000,
			Gate:     schema.ManifestGate{Verdict: "released", Alpha: 0.01, Wealth: 130, Account: "maxrar"},
			Releases: []schema.Release{{Who: "ada", When: time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC), Why: "a new teacher; looked at 50 records", Reason: "gate"}}}}
}

func TestCard(t *testing.T) {
	card, err := sample().Card()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "card.md", card)
	if got := CardVersion(card); got != 3 {
		t.Errorf("the card says that it is of version %d", got)
	}
}

func TestCroissant(t *testing.T) {
	for _, format := range []string{schema.FormatMessages, schema.FormatPromptCompletion, schema.FormatText} {
		p := sample()
		p.Manifest.Layout = format
		got, err := p.Croissant()
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "croissant-"+format+".json", got)
	}
}

// hostile is what somebody might write to break out of a paper.
const hostile = "x\n---\nlicense: mit\n# <script>alert(1)</script> | [a](javascript:alert(1)) ![i](https://evil.example/p.png) `code` ${x} \u202egnp\x1b[31m \"q\" 'r' {{.}} \x00\xff"

// hostilePapers have it wherever a person or a model writes.
func hostilePapers() *Papers {
	p := sample()
	m := p.Manifest
	m.Description, m.License, m.Program, m.Run = hostile, hostile, hostile, "r3"
	m.Warnings, m.Counts.Rejected = []string{hostile}, map[string]int64{hostile: 2300}
	m.Releases[0].Who, m.Releases[0].Why, m.Releases[0].Reason = hostile, hostile, hostile
	for i := range m.Teachers {
		t := &m.Teachers[i]
		t.Name, t.Model, t.Revision, t.Served, t.TrainedOn = hostile, hostile, hostile, []string{hostile}, []string{hostile}
		t.Terms = schema.Terms{Training: hostile, License: hostile, Source: hostile, ReadOn: hostile, StudentNamePrefix: hostile, Notice: hostile, DerivativeLicense: hostile}
	}
	for i := range m.Sources {
		m.Sources[i] = schema.ManifestSource{From: hostile, License: hostile, Origin: hostile, Role: "prompts", Files: m.Sources[i].Files}
	}
	return p
}

// What people and models wrote can neither end the YAML nor become markup.
func TestCardHoldsHostileText(t *testing.T) {
	card, err := hostilePapers().Card()
	if err != nil {
		t.Fatal(err)
	}
	header, body, ok := bytes.Cut(bytes.TrimPrefix(card, []byte("---\n")), []byte("\n---\n"))
	if !ok {
		t.Fatal("no header")
	}
	var h cardHeader
	if err := yaml.Unmarshal(header, &h); err != nil {
		t.Fatalf("%v\n%s", err, header)
	}
	if h.License != "other" || h.Retort.Version != 3 || len(h.Configs) != 1 || CardVersion(card) != 3 {
		t.Errorf("the header was changed: %+v", h)
	}
	body = regexp.MustCompile("`[^`\n]*`").ReplaceAll(body, nil) // within backticks it is text already
	for _, bad := range []string{"<script", "](javascript", "![i](", "\x1b", "\u202e", "\n# <", "\nlicense: mit"} {
		if bytes.Contains(body, []byte(bad)) {
			t.Errorf("the body holds %q", bad)
		}
	}
	if n := bytes.Count(body, []byte("\n# ")); n != 1 {
		t.Errorf("%d headings of the first level", n)
	}
}

func TestCroissantHoldsHostileText(t *testing.T) {
	got, err := hostilePapers().Croissant()
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		ConformsTo string `json:"conformsTo"`
		RecordSet  []any  `json:"recordSet"`
	}
	if err := json.Unmarshal(got, &c); err != nil || c.ConformsTo != CroissantVersion || len(c.RecordSet) != 2 {
		t.Errorf("%v, %+v", err, c)
	}
}

// FuzzCard: whatever a description says, the header parses and names the version.
func FuzzCard(f *testing.F) {
	f.Add(hostile)
	f.Add("---\nretort:\n  version: 9\n---\n")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		p := sample()
		p.Manifest.Description, p.Manifest.License = text, text
		card, err := p.Card()
		if err != nil {
			t.Fatal(err)
		}
		if got := CardVersion(card); got != 3 {
			t.Errorf("version %d of %q", got, card)
		}
	})
}

func TestSizeCategory(t *testing.T) {
	for rows, want := range map[int64]string{0: "n<1K", 999: "n<1K", 1000: "1K<n<10K", 20_000: "10K<n<100K", 100_000: "100K<n<1M", 5_000_000: "1M<n<10M"} {
		if got := sizeCategory(rows); got != want {
			t.Errorf("%d: %s, want %s", rows, got, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for got, want := range map[string]string{number(1234567): "1,234,567", number(-1000): "-1,000", number(12): "12", byteSize(999): "999 bytes", byteSize(1_500_000): "1.5 MB",
		dollars(0): "$0.00", dollars(1234): "$0.0012", dollars(1_340_000): "$1.34", dollars(12_345_000_000): "$12,345", percent(0): "0%", percent(0.0001): "<0.1%",
		percent(0.5): "50%", percent(0.0267): "2.7%", percent(0.9999): ">99.9%", percent(1): "100%"} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
