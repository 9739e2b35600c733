package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/retort-data/retort/activities"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// VerifyCmd reads a version again.
type VerifyCmd struct {
	Dataset string   `arg:"" optional:"" help:"DATASET or DATASET@N; the newest version where @N is left out." placeholder:"DATASET[@N]"`
	Key     []string `help:"Public key (PEM) that must have signed it; with several, one of them (repeat it)." placeholder:"FILE" type:"path" sep:"none"`
	Proof   string   `help:"Check this proof of a record (retort prove -o FILE) in place of a version; needs no store." placeholder:"FILE" type:"path"`
}

// Verdict is what verify found.
type Verdict struct {
	Dataset string   `json:"dataset"`
	Version int      `json:"version"`
	Shards  int      `json:"shards"`
	Rows    int64    `json:"rows"`
	Bytes   int64    `json:"bytes"`
	Rejects int64    `json:"rejects"`
	OK      bool     `json:"ok"`
	Signed  string   `json:"signed"`   // by whom, or why not
	GateLog bool     `json:"gate_log"` // there is one, and it gives the manifest's digest
	Wrong   []string `json:"wrong,omitempty"`
}

// Run holds hashes, counts and Merkle roots against the manifest, and says which does not hold.
func (c *VerifyCmd) Run(a *app) error {
	switch {
	case c.Proof != "" && c.Dataset == "":
		return a.verifyProof(c.Proof, c.Key)
	case (c.Proof == "") == (c.Dataset == ""):
		return &schema.Error{Kind: schema.KindInvalid, Code: "arguments", Op: "verify", Cause: errors.New("expected a dataset, or --proof FILE"), Hint: "See retort verify --help."}
	}
	keys, err := readPublicKeys(c.Key)
	if err != nil {
		return err
	}
	d, n, m, body, err := a.versionBytes(c.Dataset)
	if err != nil {
		return err
	}
	v := &Verdict{Dataset: d.Name, Version: n, Shards: len(m.Shards)}
	v.checkSignature(a, d, m, body, keys)
	if err := v.checkChain(a, d, m, body); err != nil {
		return err
	}
	for _, s := range m.Shards {
		rows := v.checkShard(a, d, m, s, false)
		v.Rows += rows
		v.Bytes += s.Bytes
	}
	for _, s := range m.Rejects {
		v.Rejects += v.checkShard(a, d, m, s, true)
	}
	v.checkManifest(d, m)
	if err := v.checkGateLog(a, d, m); err != nil {
		return err
	}
	v.OK = len(v.Wrong) == 0
	if a.json {
		if err := a.printJSON(v); err != nil {
			return err
		}
	} else {
		v.print(a)
	}
	if !v.OK {
		return exitStatus(exitFailed)
	}
	return nil
}

func (v *Verdict) print(a *app) {
	for _, w := range v.Wrong {
		a.printf("WRONG  %s\n", w)
	}
	if v.OK {
		log := ""
		if v.GateLog {
			log = ", and the gate's log"
		}
		a.printf("%s@%d holds: %d shards, %s records, %s rejects, %s; every checksum, count and Merkle root%s. Signed: %s.\n", v.Dataset, v.Version, v.Shards, number(v.Rows), number(v.Rejects), size(v.Bytes), log, v.Signed)
		return
	}
	a.printf("%s@%d does not hold: %d faults.\n", v.Dataset, v.Version, len(v.Wrong))
}

func (v *Verdict) wrong(format string, args ...any) {
	v.Wrong = append(v.Wrong, fmt.Sprintf(format, args...))
}

// checkShard copies a shard to a local file, as a Parquet reader needs one, and reads every record.
func (v *Verdict) checkShard(a *app, d store.Dataset, m *schema.Manifest, s schema.Shard, rejects bool) int64 {
	if s.URI != d.URI(s.Key) {
		v.wrong("%s: the manifest gives it another key, %s", s.URI, s.Key)
		return 0
	}
	f, n, sum, err := a.fetch(s.Key)
	if errors.Is(err, store.ErrNotFound) {
		v.wrong("%s: it is gone", s.URI)
		return 0
	}
	if err != nil {
		v.wrong("%s: %s", s.URI, err)
		return 0
	}
	defer os.Remove(f.Name()) //nolint:errcheck // scratch
	defer f.Close()
	rows, root, err := recordsRoot(f, n, m.Layout, rejects)
	switch {
	case n != s.Bytes || sum != s.SHA256:
		v.wrong("%s: %s", s.URI, differs(m, s, n, sum, rows, root, err))
	case err != nil:
		v.wrong("%s: %s", s.URI, err)
	case rows != s.Rows:
		v.wrong("%s: it has %d records, the manifest says %d", s.URI, rows, s.Rows)
	case root != s.Root:
		v.wrong("%s: the Merkle root of its records is %s, the manifest says %s", s.URI, root, s.Root)
	}
	return rows
}

// differs says how a file isn't what was published, as far as can be told from what stands there.
func differs(m *schema.Manifest, want schema.Shard, n int64, sum string, rows int64, root string, err error) string {
	what := fmt.Sprintf("it was changed: %d bytes of sha256 %s stand there; the manifest says %d of %s", n, sum, want.Bytes, want.SHA256)
	for _, other := range append(m.Shards[:len(m.Shards):len(m.Shards)], m.Rejects...) {
		if other.SHA256 == sum {
			return what + "; they are those of " + other.Key
		}
	}
	switch {
	case err != nil:
		return what + "; it can't be read whole: " + err.Error()
	case rows != want.Rows:
		return fmt.Sprintf("%s; it has %d records, the manifest says %d", what, rows, want.Rows)
	case root != want.Root:
		return what + "; its records are others"
	}
	return what + "; its records are the same"
}

// fetch copies an object to a scratch file, and counts and hashes it on the way.
func (a *app) fetch(key string) (f *os.File, n int64, sum string, err error) {
	body, err := a.objects.Open(a.ctx, key, "")
	if err != nil {
		return nil, 0, "", err
	}
	defer body.Close()
	if f, err = os.CreateTemp("", "retort-shard-*.parquet"); err != nil {
		return nil, 0, "", err
	}
	h := sha256.New()
	if n, err = io.Copy(io.MultiWriter(f, h), body); err != nil {
		f.Close()
		return nil, 0, "", errors.Join(err, os.Remove(f.Name()))
	}
	return f, n, hex.EncodeToString(h.Sum(nil)), nil
}

func recordsRoot(f *os.File, n int64, format string, rejects bool) (rows int64, root string, err error) {
	tree := schema.NewTree()
	add := func(hash [32]byte, err error) error {
		if err == nil {
			tree.Append(hash)
			rows++
		}
		return err
	}
	for rec, err := range records(f, n, rejects) {
		if err != nil {
			return rows, "", err
		}
		if rejects {
			err = add(schema.RejectHash(format, rec))
		} else {
			err = add(schema.RecordHash(format, &rec.Record))
		}
		if err != nil {
			return rows, "", err
		}
	}
	return rows, fmt.Sprintf("%x", tree.Root()), nil
}

// checkGateLog reads the gate's log again: what the run was judged by is part of what the manifest says.
func (v *Verdict) checkGateLog(a *app, d store.Dataset, m *schema.Manifest) error {
	if m.Gate.Log == "" {
		return nil
	}
	wrong, err := activities.CheckGateLog(a.ctx, a.objects, d.Run(m.Run), m.Gate.Log)
	if err != nil {
		return err
	}
	if v.GateLog = wrong == ""; !v.GateLog {
		v.wrong("%s", wrong)
	}
	return nil
}

// checkManifest holds what the manifest says against itself.
func (v *Verdict) checkManifest(d store.Dataset, m *schema.Manifest) {
	if m.Dataset != d.Name {
		v.wrong("the manifest is of dataset %s", m.Dataset)
	}
	if m.Version != v.Version {
		v.wrong("the manifest at version %d is that of version %d: a stale version stands in its place", v.Version, m.Version)
	}
	c := m.Counts
	if !c.Reconciled() {
		v.wrong("counts: planned %d is not admitted %d + rejected %d + failed %d + unasked %d", c.Planned, c.Admitted, c.RejectedTotal(), c.Failed, c.Unasked)
	}
	var own, rejects int64
	for _, s := range m.Shards {
		if s.Run == m.Run {
			own += s.Rows
		}
	}
	for _, s := range m.Rejects {
		rejects += s.Rows
	}
	switch {
	case m.Retraction != nil:
		v.checkRetraction(m, own)
	case own != c.Admitted+c.Human:
		v.wrong("counts: the run's shards have %d records; admitted %d + human %d are counted", own, c.Admitted, c.Human)
	}
	if rejects != c.RejectedTotal() {
		v.wrong("counts: the files of rejects have %d; %d are counted", rejects, c.RejectedTotal())
	}
	for _, r := range []struct {
		name   string
		shards []schema.Shard
		want   string
	}{{"records", m.Shards, m.Merkle.Records}, {"rejects", m.Rejects, m.Merkle.Rejects}} {
		if root, err := schema.ShardsRoot(r.shards); err != nil || root != r.want {
			v.wrong("the Merkle root over the shards' %s is %s, the manifest says %s", r.name, root, r.want)
		}
	}
}
