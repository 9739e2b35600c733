package store

import (
	"fmt"
	"strings"

	"github.com/retort-data/retort/schema"
)

// Dataset gives the keys of one dataset, so that no other code joins keys. Keys are relative to the bucket.
type Dataset struct {
	Bucket string
	Prefix string // of the store, "" or ending in "/"
	Name   string
}

// NewDataset normalizes the prefix.
func NewDataset(bucket, prefix, name string) Dataset {
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		prefix += "/"
	}
	return Dataset{Bucket: bucket, Prefix: prefix, Name: name}
}

// DoctorKey is put and deleted to find out whether the store may be written.
func DoctorKey(prefix, id string) string {
	return NewDataset("", prefix, "").Prefix + "_retort/doctor-" + id
}

func (d Dataset) root() string { return d.Prefix + d.Name + "/" }

// URI is the s3:// address of a key.
func (d Dataset) URI(key string) string { return "s3://" + d.Bucket + "/" + key }

// Home is the s3:// address of the dataset.
func (d Dataset) Home() string { return d.URI(d.root()) }

func (d Dataset) Card() string      { return d.root() + "README.md" }
func (d Dataset) Croissant() string { return d.root() + "croissant.json" }
func (d Dataset) Versions() string  { return d.root() + "_versions/" }
func (d Dataset) Runs() string      { return d.root() + "_runs/" }

// Manifest of version n; what is put there first is version n.
func (d Dataset) Manifest(n int) string { return fmt.Sprintf("%s%06d.json", d.Versions(), n) }

func (d Dataset) Report(n int, run string) string {
	return fmt.Sprintf("%s%06d-%s.report.html", d.Versions(), n, run)
}

// Attestation of the manifest of that digest.
func (d Dataset) Attestation(digest string) string { return d.Attestations() + digest + ".json" }

// Attestations of versions; those of students stand below, in a folder of their own.
func (d Dataset) Attestations() string { return d.root() + "_attestations/" }

// StudentAttestations say which students consumed which versions.
func (d Dataset) StudentAttestations() string { return d.Attestations() + "students/" }

func (d Dataset) StudentAttestation(digest string) string {
	return d.StudentAttestations() + digest + ".json"
}

// Data is the prefix of all shards.
func (d Dataset) Data() string { return d.root() + "data/" }

// Marks says what gc has marked, and since when.
func (d Dataset) Marks() string { return d.root() + "_gc/marks.json" }

func (d Dataset) Shard(split, run string, i int) string {
	return fmt.Sprintf("%sdata/%s-%s-%05d.parquet", d.root(), split, run, i)
}

// Layer is the prefix of an index of texts that runs are compared with; digest is of what was read and how.
func (d Dataset) Layer(digest string) string { return d.root() + "_layers/" + digest + "/" }

// RunOfIndex returns the run, of any dataset under the store's prefix, whose index has the object under key.
func (d Dataset) RunOfIndex(key string) (Run, bool) {
	rest, ok := strings.CutPrefix(key, d.Prefix)
	dataset, rest, in := strings.Cut(rest, "/_runs/")
	run, rest, under := strings.Cut(rest, "/")
	if !ok || !in || !under || !strings.HasPrefix(rest, "index/") {
		return Run{}, false
	}
	return Dataset{Bucket: d.Bucket, Prefix: d.Prefix, Name: dataset}.Run(run), true
}

// Run gives the keys of one run.
func (d Dataset) Run(run string) Run { return Run{d, run} }

// Run is one execution of a recipe on S3.
type Run struct {
	Dataset
	ID string
}

func (r Run) Home() string            { return r.Runs() + r.ID + "/" }
func (r Run) Begun() string           { return r.Home() + "run.json" }           // put last: the run may be planned
func (r Run) RecipeText() string      { return r.Home() + "recipe.yaml" }        // as a person wrote it
func (r Run) Sources() string         { return r.Home() + "sources.json" }       // pinned
func (r Run) Teachers() string        { return r.Home() + "teachers.json" }      // as declared when the run was planned
func (r Run) Plan() string            { return r.Home() + "plan.json" }          // put after the last page
func (r Run) Shape() string           { return r.Home() + "answer.schema.json" } // response.schema as it was sent with the run
func (r Run) Clusters() string        { return r.Home() + "clusters.jsonl.zst" }
func (r Run) Status() string          { return r.Home() + "status.json" }
func (r Run) Layout() string          { return r.Home() + "layout.json" }
func (r Run) Result() string          { return r.Home() + "result.json" } // which version the run became
func (r Run) Index() string           { return r.Home() + "index/" }
func (r Run) IndexRoot() string       { return r.Home() + "index.json" }    // root of the index after the last page
func (r Run) Compared() string        { return r.Home() + "compared.json" } // indexes of others that the run is compared with
func (r Run) LargestClusters() string { return r.Home() + "clusters.json" } // schema.ClusterReport
func (r Run) File(s string) string    { return r.Home() + "files/" + s }    // a local file that was sent with the run

// Claim says that the run may become version n at any time from now on.
func (r Run) Claim(n int) string { return fmt.Sprintf("%s%06d.json", r.Claims(), n) }

// Claims is the prefix of a run's claims.
func (r Run) Claims() string { return r.Home() + "publishing/" }

// Collected says that gc may have deleted what the run wrote: it can't be published any more.
func (r Run) Collected() string { return r.Home() + "collected.json" }

// Retraction says what a run takes out of its dataset, where it is made for that.
func (r Run) Retraction() string { return r.Home() + "retraction.json" }

func (r Run) Page(p schema.PageRef) string    { return r.Home() + "plan/" + p.String() + ".jsonl.zst" }
func (r Run) Journals() string                { return r.Home() + "journal/" }
func (r Run) Journal(p schema.PageRef) string { return r.Home() + "journal/" + p.String() + "/" }
func (r Run) Answers(p schema.PageRef) string {
	return r.Home() + "answers/" + p.String() + ".jsonl.zst"
}
func (r Run) Inspected(p schema.PageRef) string {
	return r.Home() + "inspected/" + p.String() + ".jsonl.zst"
}

// Part of a page's journal: attempt counts the tries of the page, part those of the attempt.
func (r Run) Part(p schema.PageRef, attempt, part int) string {
	return fmt.Sprintf("%s%04d-%06d.jsonl.zst", r.Journal(p), attempt, part)
}

// Decisions of a page, under its sequence number, so that they list in the order in which they were made.
func (r Run) Decisions(seq int) string {
	return fmt.Sprintf("%sdecisions/%06d.jsonl.zst", r.Home(), seq)
}

// DecisionsHome is the prefix of all decisions.
func (r Run) DecisionsHome() string { return r.Home() + "decisions/" }

// ShardStats of a written file, put after it.
func (r Run) ShardStats(name string) string { return r.Home() + "written/" + name + ".json" }

// Rejected is a Parquet file of rejects.
func (r Run) Rejected(i int) string {
	return fmt.Sprintf("%srejected/rejected-%05d.parquet", r.Home(), i)
}

// Anchor is human text or a version, cut in parts and named by a digest of what it was cut from: runs share it.
func (d Dataset) Anchor(digest string) string { return d.root() + "_anchors/" + digest + ".bin" }

// Holdout of the anchor, for mix; Human has the rows of it that the run publishes, and what later versions know them by.
func (r Run) Holdout() string { return r.Home() + "holdout.jsonl.zst" }
func (r Run) Human() string   { return r.Home() + "human.jsonl.zst" }

// Gates are what a run's answers are measured against. GateLog is what each answer of the page that was decided as number seq did to
// them; GateState all of their state behind it, for some of the pages; GateVerdict stands where one holds since then.
func (r Run) Gates() string              { return r.Home() + "gate/gates.json" }
func (r Run) GateLog(seq int) string     { return fmt.Sprintf("%sgate/%06d.jsonl.zst", r.Home(), seq) }
func (r Run) GateState(seq int) string   { return fmt.Sprintf("%sgate/%06d.state", r.Home(), seq) }
func (r Run) GateVerdict(seq int) string { return fmt.Sprintf("%sgate/%06d.json", r.Home(), seq) }

// Release of the n-th hold: who, when and why.
func (r Run) Release(n int) string { return fmt.Sprintf("%sheld/%04d-release.json", r.Home(), n) }

// HoldDecision is what was decided about the n-th hold; put if absent.
func (r Run) HoldDecision(n int) string { return fmt.Sprintf("%sheld/%04d-decision.json", r.Home(), n) }

// Problem is the full text of what a code stands for; the newest is kept.
func (r Run) Problem(code string) string { return r.Home() + "problems/" + code + ".json" }

// Held state number n: what a continuation starts from.
func (r Run) Held(n int) string { return fmt.Sprintf("%sheld/%04d.json", r.Home(), n) }
