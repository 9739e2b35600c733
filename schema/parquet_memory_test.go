package schema

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

func bigRecord(i int) *Record {
	return &Record{ID: fmt.Sprint("r", i), Run: "run", Teacher: "t", Origin: OriginGenerated, PromptID: fmt.Sprint("p", i),
		Messages: []Message{{Role: "user", Content: fmt.Sprint("question ", i)}, {Role: "assistant", Content: noise(i, 20_000)}}}
}

// noise is text that doesn't compress away.
func noise(seed, n int) string {
	var b strings.Builder
	for x := uint64(seed)*2654435761 + 1; b.Len() < n; x = x*6364136223846793005 + 1442695040888963407 {
		fmt.Fprintf(&b, "%x ", x)
	}
	return b.String()
}

func TestRowGroupsStandOutsideOfTheHeap(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("memory is mapped on Linux alone")
	}
	var out bytes.Buffer
	w, err := NewShardWriter(&out, ShardOptions{Format: FormatMessages, Run: "run", RowGroupBytes: 16 << 20})
	if err != nil {
		t.Fatal(err)
	}
	most := 0
	for i := range 2000 {
		if err := w.Write(bigRecord(i)); err != nil {
			t.Fatal(err)
		}
		w.memory.mu.Lock()
		for _, b := range w.memory.mapped {
			most = max(most, len(b))
		}
		w.memory.mu.Unlock()
	}
	stats, err := w.Close()
	if err != nil || stats.Rows != 2000 {
		t.Fatal(stats, err)
	}
	if most < 4<<20 {
		t.Errorf("the largest block outside of the heap was of %d bytes", most)
	}
	if n := len(w.memory.mapped); n != 0 {
		t.Errorf("%d blocks are left after Close", n)
	}
}

type fullDisk struct{ left int }

func (d *fullDisk) Write(b []byte) (int, error) {
	if d.left -= len(b); d.left < 0 {
		return 0, errors.New("disk full")
	}
	return len(b), nil
}

func TestAWriterThatFailsLeavesNoMemoryBehind(t *testing.T) {
	w, err := NewShardWriter(&fullDisk{1 << 20}, ShardOptions{Format: FormatMessages, Run: "run", RowGroupBytes: 8 << 20})
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; err == nil && i < 5000; i++ {
		err = w.Write(bigRecord(i))
	}
	if err == nil {
		t.Fatal("the disk was never full")
	}
	w.Abandon()
	if n := len(w.memory.mapped); n != 0 {
		t.Errorf("%d blocks are left", n)
	}
	if _, again := w.Close(); again == nil {
		t.Error("an abandoned writer could be closed")
	}
}
