package schema

import (
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"
)

// levelRuns writes runs of levels as Parquet does: repeated values, or groups of eight packed to bits.
func levelRuns(t *rapid.T, most int16) (data []byte, levels int) {
	width := map[int16]int{1: 1, 4: 3}[most]
	for range rapid.IntRange(1, 5).Draw(t, "runs") {
		if n := rapid.IntRange(1, 100).Draw(t, "length"); rapid.Bool().Draw(t, "packed") {
			data = binary.AppendUvarint(data, uint64(n)<<1|1)
			data = append(data, make([]byte, n*width)...)
			levels += 8 * n
		} else {
			data = append(binary.AppendUvarint(data, uint64(n)<<1), byte(rapid.IntRange(0, int(most)).Draw(t, "level")))
			levels += n
		}
	}
	return data, levels
}

func TestLevelsAreCountedAsTheyAreWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.SampledFrom([]int16{1, 4}).Draw(t, "most")
		data, levels := levelRuns(t, most)
		if err := checkLevels(data, most, levels); err != nil {
			t.Fatalf("%d levels: %v", levels, err)
		}
		if checkLevels(data, most, levels+1) == nil {
			t.Fatal("one level more than there is was found")
		}
		if levels > 0 && checkLevels(data[:len(data)-1], most, levels) == nil {
			t.Fatal("the last byte is missing and no one noticed")
		}
	})
}

func TestDamagedLevelsAreErrors(t *testing.T) {
	for name, data := range map[string][]byte{
		"nothing":              {},
		"a run of no levels":   {0, 0, 0, 0},
		"a level too high":     {200, 1, 2},
		"an endless header":    {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1},
		"a length of billions": {0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1},
	} {
		if checkLevels(data, 1, 64) == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := checkSizedLevels([]byte{9, 0, 0, 0, 1}, 1, 1); err == nil {
		t.Error("levels longer than their page were taken")
	}
}

func TestTooMuchTextInARecordIsRefused(t *testing.T) {
	layout, _ := layoutFor(FormatMessages, false)
	long := string(make([]byte, 1<<20))
	row := Reject{}
	for range 300 {
		row.Messages = append(row.Messages, Message{Content: long})
	}
	if n := textBytes(layout.columns, &row); n <= MostRecordBytes {
		t.Errorf("300 MB are counted as %d bytes", n)
	}
	w, err := NewShardWriter(&failingWriter{1 << 20}, ShardOptions{Format: FormatMessages})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(&row.Record); KindOf(err) != KindFailed {
		t.Errorf("%v", err)
	}
}
