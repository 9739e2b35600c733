package schema

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// The leaves and roots of the reference tests of Certificate Transparency (RFC 6962, Google's merkletree tests).
var (
	rfcLeaves = []string{"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"}
	rfcRoots  = []string{
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
		"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
		"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
	}
)

func TestTreeHasTheRootsOfRFC6962(t *testing.T) {
	tree := NewTree()
	for n, want := range rfcRoots {
		if n > 0 {
			leaf, _ := hex.DecodeString(rfcLeaves[n-1])
			tree.append(leaf, nil)
		}
		if got := fmt.Sprintf("%x", tree.Root()); got != want {
			t.Errorf("root of %d leaves is %s, want %s", n, got, want)
		}
	}
}

func entriesOf(n int) [][32]byte {
	entries := make([][32]byte, n)
	for i := range entries {
		entries[i] = sha256.Sum256(fmt.Append(nil, i))
	}
	return entries
}

func TestInclusionHoldsForEveryLeafAndNoOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entries := entriesOf(rapid.IntRange(1, 300).Draw(t, "leaves"))
		tree := NewTree()
		for _, e := range entries {
			tree.Append(e)
		}
		at := rapid.IntRange(0, len(entries)-1).Draw(t, "index")
		path, err := InclusionProof(uint64(at), entries)
		if err != nil {
			t.Fatal(err)
		}
		size := uint64(len(entries))
		if err := VerifyInclusion(uint64(at), size, entries[at], path, tree.Root()); err != nil {
			t.Fatal(err)
		}
		if VerifyInclusion(uint64(at), size, sha256.Sum256([]byte("another")), path, tree.Root()) == nil {
			t.Fatal("a record that isn't there was proved")
		}
		if other := rapid.IntRange(0, len(entries)-1).Draw(t, "other"); other != at &&
			VerifyInclusion(uint64(other), size, entries[at], path, tree.Root()) == nil {
			t.Fatal("proved at another place")
		}
	})
}

func TestInclusionProofOutsideTheTreeIsAnError(t *testing.T) {
	if _, err := InclusionProof(3, entriesOf(3)); err == nil {
		t.Error("leaf 3 of 3 has a proof")
	}
}

func TestRecordProofIsSmallAndHolds(t *testing.T) {
	const rows = 100_000
	entries := entriesOf(rows)
	tree := NewTree()
	for _, e := range entries {
		tree.Append(e)
	}
	root := tree.Root()
	shards := make([]Shard, 1000)
	for i, e := range entriesOf(len(shards)) {
		shards[i] = Shard{Key: fmt.Sprint("data/", i), Root: hex.EncodeToString(e[:])}
	}
	shards[421].Root = hex.EncodeToString(root[:])
	version, err := ShardsRoot(shards)
	if err != nil {
		t.Fatal(err)
	}
	proof, err := ProveRecord(shards, 421, entries, 77_777)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(proof)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) >= 2000 {
		t.Errorf("the proof has %d bytes", len(b))
	}
	var again RecordProof
	if err := json.Unmarshal(b, &again); err != nil {
		t.Fatal(err)
	}
	if err := again.Verify(version); err != nil {
		t.Error(err)
	}
	again.Record = hex.EncodeToString(make([]byte, 32))
	if again.Verify(version) == nil {
		t.Error("a record that isn't there was proved")
	}
	if proof.Verify(shards[0].Root) == nil {
		t.Error("proved against another version")
	}
}

func TestShardsRootNamesTheBadShard(t *testing.T) {
	if _, err := ShardsRoot([]Shard{{Key: "data/x.parquet", Root: "zz"}}); err == nil {
		t.Error("a root that is no hash was taken")
	}
}
