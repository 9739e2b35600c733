package schema

import (
	"bytes"
	"errors"
	"fmt"
	"io"
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

// memorySpill is a spill that tells how much it was given.
type memorySpill struct {
	b       []byte
	written int64
	fault   error
}

func (s *memorySpill) ReadAt(b []byte, at int64) (int, error) {
	return bytes.NewReader(s.b).ReadAt(b, at)
}

func (s *memorySpill) WriteAt(b []byte, at int64) (int, error) {
	if s.fault != nil {
		return 0, s.fault
	}
	if need := int(at) + len(b); need > len(s.b) {
		s.b = append(s.b, make([]byte, need-len(s.b))...)
	}
	s.written += int64(len(b))
	return copy(s.b[at:], b), nil
}

// held is what a writer keeps of its row group in memory: Arrow's blocks outside of the heap, and the pages that aren't in the spill.
func held(w *ShardWriter) (n int) {
	w.memory.mu.Lock()
	defer w.memory.mu.Unlock()
	for _, b := range w.memory.mapped {
		n += len(b)
	}
	if w.group != nil {
		for _, p := range w.group.pages {
			n += cap(p.pages.tail)
		}
	}
	return n + cap(w.file.packed) + cap(w.file.spill.copy)
}

// TestAWriterHoldsLittleOfARowGroup writes row groups of 32 MB, all of which waits in the spill but for a page a column.
func TestAWriterHoldsLittleOfARowGroup(t *testing.T) {
	spill := &memorySpill{}
	w, err := NewShardWriter(io.Discard, ShardOptions{Format: FormatMessages, Run: "run", RowGroupBytes: 32 << 20, Spill: spill})
	if err != nil {
		t.Fatal(err)
	}
	most := 0
	for i := range 4000 {
		if err := w.Write(bigRecord(i)); err != nil {
			t.Fatal(err)
		}
		most = max(most, held(w))
	}
	stats, err := w.Close()
	if err != nil || stats.Rows != 4000 {
		t.Fatal(stats, err)
	}
	t.Logf("a file of %d bytes: %d in the spill, %d at once in memory", stats.Bytes, spill.written, most)
	if most > 8<<20 {
		t.Errorf("the writer held %d bytes", most)
	}
	if spill.written < stats.Bytes*9/10 || int64(len(spill.b)) > stats.Bytes*6/10 {
		t.Errorf("of %d bytes %d went through the spill, which grew to %d", stats.Bytes, spill.written, len(spill.b))
	}
	if n := len(w.memory.mapped); n != 0 {
		t.Errorf("%d blocks are left after Close", n)
	}
}

func TestASpillThatIsFullIsSaid(t *testing.T) {
	full := errors.New("no space left")
	w, err := NewShardWriter(io.Discard, ShardOptions{Format: FormatMessages, Run: "run", Spill: &memorySpill{fault: full}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abandon()
	for i := 0; err == nil && i < 500; i++ {
		err = w.Write(bigRecord(i))
	}
	if !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
	if _, again := w.Close(); !errors.Is(again, full) {
		t.Errorf("closed: %v", again)
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
