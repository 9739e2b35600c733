package schema

import "time"

// Chain is what ties a manifest to those before it.
type Chain struct {
	// ParentDigest is the sha256 of the parent's manifest: no version can be exchanged without its children showing it.
	ParentDigest string `json:"parent_digest,omitempty"`
	// Retraction says why this version was made, where it was made to take records out.
	Retraction *Retraction `json:"retraction,omitempty"`
	// Retracted is all that was taken out up to here: no later version may have it.
	Retracted *Retracted `json:"retracted,omitempty"`
}

// Retracted names what is taken out of a dataset: every record of a source, or single ones.
type Retracted struct {
	Sources []string `json:"sources,omitempty"` // as Record.Source
	Records []string `json:"records,omitempty"` // record ids
}

// Retraction is a tombstone. The version's records are its parent's without Removed of them.
type Retraction struct {
	Retracted
	Who      string           `json:"who"` // as claimed
	When     time.Time        `json:"when"`
	Why      string           `json:"why"`
	Removed  int64            `json:"removed"`  // records
	Replaced []ReplacedShard  `json:"replaced"` // the parent's shards that held them
	Versions []int            `json:"versions"` // earlier versions that have them
	Students []AttestedReader `json:"students"` // students whose trainers attested that they consumed one of those shards
}

// ReplacedShard is a shard of the parent that this version doesn't have.
type ReplacedShard struct {
	Key     string `json:"key"`
	Rows    int64  `json:"rows"`
	Removed int64  `json:"removed"`
	By      string `json:"by,omitempty"` // key of the shard with the rest; "" where nothing was left
}

// AttestedReader is a student that consumed a version, as its trainer signed.
type AttestedReader struct {
	Student     string `json:"student"`
	Version     int    `json:"version"`
	Attestation string `json:"attestation"` // key within the bucket
	KeyID       string `json:"key_id"`      // who signed, as the attestation says
}
