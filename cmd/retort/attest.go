package main

import (
	"crypto/ed25519"
	"errors"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/retort-data/retort/provenance"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// AttestCmd lets a trainer sign what a student consumed.
type AttestCmd struct {
	Dataset string   `arg:"" help:"DATASET@N: the version that the student was trained on." placeholder:"DATASET@N"`
	Student string   `required:"" help:"The student's name." placeholder:"NAME"`
	Key     string   `required:"" help:"The trainer's private key (PEM), as retort keygen makes it." placeholder:"FILE" type:"path"`
	Shards  []string `help:"Shards that were consumed: URIs, keys, or patterns of file names such as train-*; all of the version where left out." placeholder:"SHARD"`
	Split   string   `help:"Shards of this split alone." placeholder:"NAME"`
	Who     string   `help:"Who says so (default: the user's name); the key is what counts." placeholder:"NAME"`
	Output  string   `short:"o" help:"File for the statement (default: DATASET-N-STUDENT.intoto.json)." placeholder:"FILE"`
	NoPut   bool     `help:"Write the file alone: for a machine that may only read the store."`
}

// Run signs the statement, writes it, and puts it beside the dataset, where a retraction finds the student.
func (c *AttestCmd) Run(a *app) error {
	key, err := readPrivateKey(c.Key)
	if err != nil {
		return err
	}
	if !strings.Contains(c.Dataset, "@") {
		return &schema.Error{Kind: schema.KindInvalid, Code: "no_version", Op: "attest", Subject: c.Dataset, Cause: errors.New("it names no version"), Hint: "Say which version the student was trained on: " + c.Dataset + "@N."}
	}
	d, n, m, body, err := a.versionBytes(c.Dataset)
	if err != nil {
		return err
	}
	shards, err := c.consumed(m)
	if err != nil {
		return err
	}
	who := c.Who
	if who == "" {
		who = userName()
	}
	signed, err := provenance.SignStudent(key, d.Manifest(n), body, m, shards, provenance.Student{Student: c.Student, Who: who, When: time.Now().UTC().Truncate(time.Second)})
	if err != nil {
		return err
	}
	return c.keep(a, d, n, signed, len(shards))
}

// keep writes the statement and puts it.
func (c *AttestCmd) keep(a *app, d store.Dataset, n int, signed []byte, shards int) error {
	file := c.Output
	if file == "" {
		file = fileSafe(d.Name) + "-" + strconv.Itoa(n) + "-" + fileSafe(c.Student) + ".intoto.json"
	}
	if err := os.WriteFile(file, signed, 0o644); err != nil {
		return unwritable(file, err)
	}
	key := ""
	if !c.NoPut {
		key = d.StudentAttestation(provenance.Digest(signed))
		if err := a.objects.PutNew(a.ctx, key, signed); err != nil && !errors.Is(err, store.ErrExists) {
			return errors.Join(err, errors.New("the statement was written to "+file+"; who may write to the store puts it to "+d.URI(key)))
		}
		key = d.URI(key)
	}
	if a.json {
		return a.printJSON(map[string]any{"dataset": d.Name, "version": n, "student": c.Student, "shards": shards, "file": file, "attestation": key})
	}
	a.printf("Signed that %s consumed %d shards of %s@%d; wrote %s.\n", c.Student, shards, d.Name, n, file)
	if key != "" {
		a.printf("It stands at %s, so that a retraction names the student.\n", key)
	}
	return nil
}

// consumed are the shards that the arguments name.
func (c *AttestCmd) consumed(m *schema.Manifest) (out []schema.Shard, err error) {
	used := make([]bool, len(c.Shards))
	for _, s := range m.Shards {
		take := len(c.Shards) == 0
		for i, pattern := range c.Shards {
			if shardIs(s, pattern) {
				take, used[i] = true, true
			}
		}
		if take && (c.Split == "" || s.Split == c.Split) {
			out = append(out, s)
		}
	}
	for i, pattern := range c.Shards {
		if !used[i] {
			return nil, noShards(c.Dataset, "it has no shard "+pattern)
		}
	}
	if len(out) == 0 {
		return nil, noShards(c.Dataset, "none of its shards is meant")
	}
	return out, nil
}

func noShards(dataset, what string) error {
	return &schema.Error{Kind: schema.KindInvalid, Code: "no_shard", Op: "attest", Subject: dataset, Cause: errors.New(what), Hint: "See: retort files " + dataset}
}

func shardIs(s schema.Shard, pattern string) bool {
	if s.URI == pattern || s.Key == pattern {
		return true
	}
	ok, err := path.Match(pattern, path.Base(s.Key))
	return ok && err == nil
}

func readPrivateKey(file string) (ed25519.PrivateKey, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, unreadable(file, err)
	}
	return provenance.ParsePrivateKey(file, string(text))
}

// fileSafe makes a name of a file of it.
func fileSafe(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r) {
			return r
		}
		return '-'
	}, s)
}
