// Command sample writes small datasets, one for each format, as Retort publishes them: shards, rejects and
// manifests. The readers' tests open them where no dataset of a real run is named.
package main

import (
	"bytes"
	"crypto/ed25519"
	"flag"
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/retort-data/retort/provenance"
	"github.com/retort-data/retort/report"
	"github.com/retort-data/retort/schema"
)

const rowsPerShard = 700

func main() {
	out := flag.String("o", "", "folder to write the datasets into")
	flag.Parse()
	if *out == "" {
		log.Fatal("sample: -o FOLDER is missing")
	}
	key, err := signer(*out)
	if err != nil {
		log.Fatal(err)
	}
	for _, format := range []string{schema.FormatMessages, schema.FormatPromptCompletion, schema.FormatText} {
		if err := writeDataset(*out, format, key); err != nil {
			log.Fatal(err)
		}
	}
}

// writeDataset publishes two versions; the second keeps the first one's shard.
func writeDataset(out, format string, key ed25519.PrivateKey) error {
	d := &dataset{dir: filepath.Join(out, format), name: format, format: format, key: key}
	first, err := d.writeShard("train", "run1", 0)
	if err != nil {
		return err
	}
	if err := d.publish(1, "run1", []schema.Shard{first}, nil); err != nil {
		return err
	}
	second, err := d.writeShard("train", "run2", 1)
	if err != nil {
		return err
	}
	test, err := d.writeShard("test", "run2", 2)
	if err != nil {
		return err
	}
	rejects, err := d.writeRejects("run2")
	if err != nil {
		return err
	}
	return d.publish(2, "run2", []schema.Shard{first, second, test}, []schema.Shard{rejects})
}

type dataset struct {
	dir, name, format string
	key               ed25519.PrivateKey
	parent            string // digest of the manifest before
}

// signer makes the key that the samples are signed with, and writes its public half beside them.
func signer(out string) (ed25519.PrivateKey, error) {
	private, public, err := provenance.NewKey()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(out, "public.pem"), public, 0o644); err != nil {
		return nil, err
	}
	return provenance.ParsePrivateKey("sample", string(private))
}

func (d *dataset) writeShard(split, run string, number int) (schema.Shard, error) {
	var b bytes.Buffer
	w, err := schema.NewShardWriter(&b, schema.ShardOptions{Format: d.format, Run: run, RowGroupBytes: 60_000})
	if err != nil {
		return schema.Shard{}, err
	}
	for i := range rowsPerShard {
		r := record(number*rowsPerShard+i, run)
		if err := w.Write(&r); err != nil {
			return schema.Shard{}, err
		}
	}
	stats, err := w.Close()
	if err != nil {
		return schema.Shard{}, err
	}
	return d.store(fmt.Sprintf("data/%s-%s-%05d.parquet", split, run, number), split, run, b.Bytes(), stats)
}

func (d *dataset) writeRejects(run string) (schema.Shard, error) {
	var b bytes.Buffer
	w, err := schema.NewRejectWriter(&b, schema.ShardOptions{Format: d.format, Run: run})
	if err != nil {
		return schema.Shard{}, err
	}
	for i := range 100 {
		r := schema.Reject{Record: record(100_000+i, run), Reason: "near", Signal: "jaccard", Value: 0.9, Limit: 0.8, Of: "x"}
		if i%2 == 0 {
			r.Reason, r.Signal, r.Value, r.Limit, r.Of, r.Text = "refusal", "", 0, math.Inf(1), "", "I can't help"
		}
		if err := w.Write(&r); err != nil {
			return schema.Shard{}, err
		}
	}
	stats, err := w.Close()
	if err != nil {
		return schema.Shard{}, err
	}
	return d.store("_runs/"+run+"/rejected/00000.parquet", "", run, b.Bytes(), stats)
}

func (d *dataset) store(name, split, run string, b []byte, stats schema.ShardStats) (schema.Shard, error) {
	key := d.name + "/" + name
	return schema.Shard{
		URI: "s3://retort/" + key, Key: key, Split: split, Run: run,
		Rows: stats.Rows, Bytes: stats.Bytes, SHA256: stats.SHA256, Root: stats.Root,
	}, d.put(name, b)
}

func (d *dataset) put(name string, b []byte) error {
	path := filepath.Join(d.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o644)
}

func (d *dataset) publish(version int, run string, shards, rejects []schema.Shard) error {
	m := schema.Manifest{
		Format: schema.ManifestFormat, Dataset: d.name, Version: version, Parent: version - 1, Run: run, Program: "sample",
		Created: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), Layout: d.format, Shards: shards, Rejects: rejects,
		License: "cc-by-4.0",
		Counts:  schema.Counts{Failed: 2, Unasked: 3, Rejected: map[string]int64{}},
	}
	for _, s := range shards {
		if s.Run == run {
			m.Counts.Admitted += s.Rows * 9 / 10
			m.Counts.Human += s.Rows - s.Rows*9/10
		}
	}
	if len(rejects) > 0 {
		m.Counts.Rejected = map[string]int64{"near": 50, "refusal": 50}
	}
	m.Counts.Planned = m.Counts.Admitted + m.Counts.RejectedTotal() + m.Counts.Failed + m.Counts.Unasked
	var err error
	if m.Merkle.Records, err = schema.ShardsRoot(shards); err != nil {
		return err
	}
	if m.Merkle.Rejects, err = schema.ShardsRoot(rejects); err != nil {
		return err
	}
	m.ParentDigest = d.parent
	b, err := schema.CanonicalManifest(&m)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("_versions/%06d.json", version)
	attestation, err := provenance.SignVersion(d.key, d.name+"/"+name, &m, b)
	if err != nil {
		return err
	}
	d.parent = provenance.Digest(b)
	if err := d.put("_attestations/"+d.parent+".json", attestation); err != nil {
		return err
	}
	if err := d.put(name, b); err != nil {
		return err
	}
	papers := &report.Papers{Manifest: &m, Digest: d.parent, Home: "s3://retort/" + d.name + "/",
		Summary: &report.Summary{Languages: []report.Count{{Name: "en", N: 1}}}}
	for paper, write := range map[string]func() ([]byte, error){"README.md": papers.Card, "croissant.json": papers.Croissant} {
		body, err := write()
		if err != nil {
			return err
		}
		if err := d.put(paper, body); err != nil {
			return err
		}
	}
	return nil
}

// record has all that a reader may stumble over now and then: nulls, empty text, no prompt, every kind of character.
func record(i int, run string) schema.Record {
	r := schema.Record{
		ID: fmt.Sprintf("%032x", i), Origin: schema.OriginGenerated, Generation: int32(i%4) - 1, Run: run,
		Messages: []schema.Message{{Role: "user", Content: fmt.Sprintf("What is %d? é€😀\u2028\x00\"\\", i)}, {Role: "assistant", Content: strings.Repeat(fmt.Sprint("It is ", i, ".\n"), i%11)}},
		PromptID: fmt.Sprintf("%032x", i/2), RequestID: fmt.Sprintf("%032x", i), ClusterSize: int32(i % 3), Source: "questions.jsonl",
	}
	if i%10 == 0 { // a human row
		r.Origin, r.Generation, r.RequestID = schema.OriginHuman, 0, ""
		r.Messages = r.Messages[1:]
		return r
	}
	r.Teacher, r.Model, r.Revision, r.SourceLicense, r.FinishReason = "qwen", "qwen3-32b", "2026-08", "cc-by-4.0", schema.FinishStop
	r.InputTokens, r.OutputTokens = int64(i%50), int64(i)
	for j := range i % 5 {
		r.Signals = append(r.Signals, schema.Signal{Name: fmt.Sprint("signal_", j), Value: math.Pow(10, float64(i%40-20)) / 3})
	}
	if i%7 == 0 {
		r.Reasoning = "because \xff"
	}
	return r
}
