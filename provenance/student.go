package provenance

import (
	"crypto/ed25519"
	"time"

	"github.com/retort-data/retort/schema"
)

// Student is what a trainer says: that a student was trained on shards of a version. The shards are subjects of the statement, by their
// sha256, and so is the manifest.
type Student struct {
	Student string    `json:"student"`
	Dataset string    `json:"dataset"`
	Version int       `json:"version"`
	Run     string    `json:"run"`
	Who     string    `json:"who"` // as claimed; the key is what counts
	When    time.Time `json:"when"`
	Shards  int       `json:"shards"`
	Rows    int64     `json:"rows"`
	Whole   bool      `json:"whole"` // all shards of the version
}

// SignStudent makes a trainer's statement about shards of a version: manifestKey is where its manifest stands, body are its bytes.
func SignStudent(signer ed25519.PrivateKey, manifestKey string, body []byte, m *schema.Manifest, shards []schema.Shard, s Student) ([]byte, error) {
	s.Dataset, s.Version, s.Run, s.Shards, s.Whole, s.Rows = m.Dataset, m.Version, m.Run, len(shards), len(shards) == len(m.Shards), 0
	subjects := []Subject{subject(manifestKey, Digest(body))}
	for _, shard := range shards {
		subjects = append(subjects, subject(shard.Key, shard.SHA256))
		s.Rows += shard.Rows
	}
	return sign(signer, Statement[Student]{StatementType, subjects, StudentType, s})
}
