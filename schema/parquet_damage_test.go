package schema

import (
	"bytes"
	"testing"
)

// readAll reads records until the end or an error; any panic fails the test.
func readAll(file []byte) (rows int, err error) {
	if _, err := ReadFooter(bytes.NewReader(file), int64(len(file))); err != nil {
		return 0, err
	}
	for _, err := range ReadRecords(bytes.NewReader(file), int64(len(file))) {
		if err != nil {
			return rows, err
		}
		rows++
	}
	return rows, nil
}

// TestFlippedBitsAreErrorsNotPanics flips bits all over a small shard, one at a time. Some change nothing that is read
// (statistics, keys); none may panic, and rows may not appear or vanish without an error.
func TestFlippedBitsAreErrorsNotPanics(t *testing.T) {
	shard, _ := writeSample(t, FormatMessages, 20, ShardOptions{})
	const step = 23 // a prime: all eight bits of a byte take their turns
	damaged := make([]byte, len(shard))
	seen := 0
	for at := 0; at < len(shard)*8; at += step {
		copy(damaged, shard)
		damaged[at/8] ^= 1 << (at % 8)
		rows, err := readAll(damaged)
		if err == nil && rows != 20 {
			t.Errorf("bit %d of byte %d: %d rows of 20 and no error", at%8, at/8, rows)
		}
		if err != nil {
			seen++
		}
	}
	t.Logf("%d bytes; %d of %d flips were seen without the file's sha256", len(shard), seen, len(shard)*8/step)
	if seen == 0 {
		t.Error("no damage was seen at all")
	}
}

func TestTruncatedShardsAreErrors(t *testing.T) {
	shard, _ := writeSample(t, FormatMessages, 20, ShardOptions{})
	for n := range shard {
		if _, err := readAll(shard[:n]); err == nil {
			t.Fatalf("the first %d of %d bytes were read as a shard", n, len(shard))
		}
	}
}

func FuzzReadRecords(f *testing.F) {
	for _, format := range shardFormats {
		shard, _ := writeSample(f, format, 5, ShardOptions{RowGroupBytes: 1000})
		f.Add(shard)
	}
	f.Add([]byte("PAR1"))
	f.Add([]byte{})
	f.Fuzz(func(_ *testing.T, file []byte) {
		readAll(file) //nolint:errcheck // an error is fine, a panic is not
	})
}
