package schema

import (
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
)

// treeRanges must be one: ranges of different factories can't be compared or merged.
var treeRanges = compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}

// Tree is a Merkle tree of RFC 6962 that keeps one hash a level: memory grows with the logarithm of its leaves.
// The entry of a leaf is a record hash, or the root of a shard.
type Tree struct{ leaves *compact.Range }

// NewTree returns a tree without leaves, whose root is sha256 of nothing.
func NewTree() *Tree { return &Tree{leaves: treeRanges.NewEmptyRange(0)} }

// Append adds an entry at the right end.
func (t *Tree) Append(entry [32]byte) { t.append(entry[:], nil) }

func (t *Tree) append(entry []byte, visit compact.VisitFn) {
	if err := t.leaves.Append(rfc6962.DefaultHasher.HashLeaf(entry), visit); err != nil {
		panic("schema: " + err.Error()) // the range is made by this type alone and can't be inconsistent
	}
}

// Size is the number of leaves.
func (t *Tree) Size() uint64 { return t.leaves.End() }

// Root returns the Merkle tree hash of the leaves so far.
func (t *Tree) Root() [32]byte {
	root, err := t.leaves.GetRootHash(nil)
	if err != nil || root == nil { // no leaves; the range always begins at 0
		root = rfc6962.DefaultHasher.EmptyRoot()
	}
	return [32]byte(root)
}

// InclusionProof returns the audit path (RFC 6962, section 2.1.1) of the entry at index among all entries:
// at most 32 bytes for each level of the tree.
func InclusionProof(index uint64, entries [][32]byte) ([][]byte, error) {
	nodes, err := proof.Inclusion(index, uint64(len(entries)))
	if err != nil {
		return nil, fmt.Errorf("no inclusion proof: %w", err)
	}
	wanted := make(map[compact.NodeID]int, len(nodes.IDs))
	for i, id := range nodes.IDs {
		wanted[id] = i
	}
	hashes := make([][]byte, len(nodes.IDs))
	tree := NewTree()
	for i := range entries {
		tree.append(entries[i][:], func(id compact.NodeID, hash []byte) {
			if at, ok := wanted[id]; ok {
				hashes[at] = hash
			}
		})
	}
	return nodes.Rehash(hashes, rfc6962.DefaultHasher.HashChildren)
}

// VerifyInclusion checks an audit path: entry stands at index in the tree of size leaves that has this root.
func VerifyInclusion(index, size uint64, entry [32]byte, path [][]byte, root [32]byte) error {
	leaf := rfc6962.DefaultHasher.HashLeaf(entry[:])
	return proof.VerifyInclusion(rfc6962.DefaultHasher, index, size, leaf, path, root[:])
}

// ShardsRoot is the root of a version: the RFC 6962 tree whose entries are the shards' own roots, in the
// manifest's order. A tree over all records would have to be built again from every leaf when a shard is
// kept, dropped or moved; this one needs the manifest alone.
func ShardsRoot(shards []Shard) (string, error) {
	entries, err := shardRoots(shards)
	if err != nil {
		return "", err
	}
	tree := NewTree()
	for _, e := range entries {
		tree.Append(e)
	}
	root := tree.Root()
	return hex.EncodeToString(root[:]), nil
}

func shardRoots(shards []Shard) ([][32]byte, error) {
	entries := make([][32]byte, len(shards))
	for i, s := range shards {
		root, err := decodeRoot(s.Root)
		if err != nil {
			return nil, fmt.Errorf("shard %s: %w", s.Key, err)
		}
		entries[i] = root
	}
	return entries, nil
}

func decodeRoot(s string) (root [32]byte, err error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(root) {
		return root, fmt.Errorf("%q is not a Merkle root: expected 64 hex digits", s)
	}
	return [32]byte(b), nil
}

// RecordProof shows that a record stands in a version: its path to the root of its shard, and that root's path
// to the root of the version. With 16 million rows a shard and 1,000 shards it is 34 hashes: 1,088 bytes, 1.7 kB as JSON.
type RecordProof struct {
	Record     string   `json:"record"` // record hash, hex
	Row        uint64   `json:"row"`    // in the shard
	Rows       uint64   `json:"rows"`   // of the shard
	ShardRoot  string   `json:"shard_root"`
	Path       [][]byte `json:"path"`   // from the record to the shard's root
	Shard      uint64   `json:"shard"`  // in the manifest
	Shards     uint64   `json:"shards"` // of the manifest
	ShardsPath [][]byte `json:"shards_path"`
}

// ProveRecord makes the proof for a row of one shard, given the record hashes of that shard.
func ProveRecord(shards []Shard, shard int, hashes [][32]byte, row int) (*RecordProof, error) {
	if shard < 0 || shard >= len(shards) || row < 0 || row >= len(hashes) {
		return nil, fmt.Errorf("no row %d in shard %d of %d", row, shard, len(shards))
	}
	roots, err := shardRoots(shards)
	if err != nil {
		return nil, err
	}
	path, err := InclusionProof(uint64(row), hashes)
	if err != nil {
		return nil, err
	}
	shardsPath, err := InclusionProof(uint64(shard), roots)
	if err != nil {
		return nil, err
	}
	return &RecordProof{
		Record: hex.EncodeToString(hashes[row][:]), Row: uint64(row), Rows: uint64(len(hashes)),
		ShardRoot: shards[shard].Root, Path: path,
		Shard: uint64(shard), Shards: uint64(len(shards)), ShardsPath: shardsPath,
	}, nil
}

// Verify checks both paths against the root of the version, Merkle.Records or Merkle.Rejects of its manifest.
func (p *RecordProof) Verify(versionRoot string) error {
	record, err1 := decodeRoot(p.Record)
	shard, err2 := decodeRoot(p.ShardRoot)
	version, err3 := decodeRoot(versionRoot)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	if err := VerifyInclusion(p.Row, p.Rows, record, p.Path, shard); err != nil {
		return fmt.Errorf("the record is not in the shard of root %s: %w", p.ShardRoot, err)
	}
	if err := VerifyInclusion(p.Shard, p.Shards, shard, p.ShardsPath, version); err != nil {
		return fmt.Errorf("the shard is not in the version of root %s: %w", versionRoot, err)
	}
	return nil
}
