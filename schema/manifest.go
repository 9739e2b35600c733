package schema

import "time"

// ManifestFormat names the form of the manifest below; readers refuse others.
const ManifestFormat = "retort/manifest/1"

// Counts reconcile: Planned = Admitted + all Rejected + Failed + Unasked. Human rows are counted apart.
type Counts struct {
	Planned  int64            `json:"planned"`
	Admitted int64            `json:"admitted"`
	Rejected map[string]int64 `json:"rejected"`
	Failed   int64            `json:"failed"`
	Unasked  int64            `json:"unasked"`
	Human    int64            `json:"human"`
}

// RejectedTotal sums the reasons.
//
//workflowcheck:ignore // a sum doesn't depend on the order
func (c Counts) RejectedTotal() int64 {
	var n int64
	for _, k := range c.Rejected {
		n += k
	}
	return n
}

// Reconciled says whether every planned request ended as exactly one of the outcomes.
func (c Counts) Reconciled() bool {
	return c.Planned == c.Admitted+c.RejectedTotal()+c.Failed+c.Unasked
}

// Manifest is the contract of a version: it lists its files, exactly. It is put once and never changes.
type Manifest struct {
	Format      string            `json:"format"`
	Dataset     string            `json:"dataset"`
	Version     int               `json:"version"`
	Parent      int               `json:"parent,omitempty"` // 0: none
	Run         string            `json:"run"`
	Recipe      string            `json:"recipe"`  // sha256 of the recipe as run
	Program     string            `json:"program"` // version of Retort
	Created     time.Time         `json:"created"`
	Description string            `json:"description,omitempty"`
	License     string            `json:"license,omitempty"`
	Layout      string            `json:"layout"` // format of the shards: messages | prompt-completion | text
	Counts      Counts            `json:"counts"`
	Cost        Cost              `json:"cost"`
	Reused      int64             `json:"reused,omitempty"` // answers that earlier runs had paid for
	Shards      []Shard           `json:"shards"`
	Rejects     []Shard           `json:"rejects,omitempty"`
	Merkle      Merkle            `json:"merkle"`
	Teachers    []ManifestTeacher `json:"teachers"`
	Sources     []ManifestSource  `json:"sources"`
	Generations map[string]int64  `json:"generations"` // generation ("unknown" too) → records of all shards
	HumanShare  float64           `json:"human_share"` // of all shards
	Gate        ManifestGate      `json:"gate"`
	Releases    []Release         `json:"releases,omitempty"`
	Warnings    []string          `json:"warnings,omitempty"`

	Chain
}

// Cost in micro-dollars; Unknown counts answers whose price is not known.
type Cost struct {
	Micros  int64 `json:"micros"`
	Unknown int64 `json:"unknown,omitempty"`
}

// Shard is one immutable Parquet file.
type Shard struct {
	URI    string `json:"uri"` // s3://BUCKET/KEY
	Key    string `json:"key"` // within the bucket
	Split  string `json:"split,omitempty"`
	Run    string `json:"run"` // that wrote it
	Rows   int64  `json:"rows"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	Root   string `json:"root"` // RFC 6962 Merkle root over its record hashes, hex
}

// Merkle holds the roots (RFC 6962, hex) of all shards, and of the files of rejects: trees whose entries are the
// roots of the files (Shard.Root, 32 bytes) in the order of the lists; see ShardsRoot. So a version's root follows
// from its manifest alone, whichever shards it keeps, and a record's proof has two short paths (RecordProof).
type Merkle struct {
	Records string `json:"records"`
	Rejects string `json:"rejects"`
}

// ManifestTeacher is a teacher as it was declared and as it answered.
type ManifestTeacher struct {
	Name         string   `json:"name"`
	Model        string   `json:"model"`
	Revision     string   `json:"revision,omitempty"`
	Served       []string `json:"served,omitempty"` // model names and fingerprints in its answers
	Terms        Terms    `json:"terms"`
	TrainedOn    []string `json:"trained_on,omitempty"`
	Generation   int32    `json:"generation"` // deepest of what it was trained on; 0 where that is no Retort dataset
	Requests     int64    `json:"requests"`
	Admitted     int64    `json:"admitted"`
	Reused       int64    `json:"reused,omitempty"` // of requests: answers of earlier runs
	InputTokens  int64    `json:"input_tokens"`
	OutputTokens int64    `json:"output_tokens"`
	CostMicros   *int64   `json:"cost_micros"` // null: unknown
}

// ManifestSource is a pinned source.
type ManifestSource struct {
	From    string       `json:"from"`
	License string       `json:"license"`
	Origin  string       `json:"origin"`
	Role    string       `json:"role"` // prompts | anchor | version | against | evaluations
	Files   []PinnedFile `json:"files"`
}

// PinnedFile is a file at the state in which it was read.
type PinnedFile struct {
	Name    string `json:"name"` // as a person knows it
	Bucket  string `json:"bucket"`
	Key     string `json:"key"`
	ETag    string `json:"etag"`
	Version string `json:"version,omitempty"`
	Bytes   int64  `json:"bytes"`
}

// ManifestGate says how the run was judged.
type ManifestGate struct {
	Verdict string  `json:"verdict"` // none | pass | released
	Alpha   float64 `json:"alpha,omitempty"`
	Wealth  float64 `json:"wealth,omitempty"`
	Account string  `json:"account,omitempty"`
	Log     string  `json:"log,omitempty"` // digest of the gate's log: see docs/gate.md

	Releases   int           `json:"releases,omitempty"`    // holds of the gate that a person let pass
	AlphaSpent float64       `json:"alpha_spent,omitempty"` // alpha, and each released gate's share once more for each release
	Gates      []GateReading `json:"gates,omitempty"`
}

// Release is a person's decision to let a held run go on.
type Release struct {
	Who    string    `json:"who"` // as claimed
	When   time.Time `json:"when"`
	Why    string    `json:"why"`
	Reason string    `json:"reason"` // what the run was held for
}
