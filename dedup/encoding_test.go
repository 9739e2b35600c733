package dedup

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSketchesAreReadAsWritten(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	for _, n := range []int{0, 1, 4, 5, 40, 67, 68, 69, 230, 5000, 16387, 16388, 16389, 70000} {
		text := make([]string, n)
		for i := range text {
			text[i] = string(rune('a'+r.IntN(26))) + string(rune('a'+r.IntN(26))) + string(rune('a'+r.IntN(26)))
		}
		s := sketchOf(t, strings.Join(text, " "))
		b, err := s.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeSketch(b)
		if err != nil || got.Exact != s.Exact || got.Bits != s.Bits || !slices.Equal(got.Bands, s.Bands) || !slices.Equal(got.Set, s.Set) {
			t.Errorf("%d words: %v", n, err)
		}
	}
}

func FuzzDecodeSketch(f *testing.F) {
	for _, text := range []string{"", "one", strings.Repeat("a b c d e f g ", 30)} {
		s := sketchOf(f, text)
		b, _ := s.MarshalBinary()
		f.Add(b)
	}
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := DecodeSketch(b)
		if err != nil {
			return
		}
		if !slices.IsSorted(s.Set) || len(slices.Compact(slices.Clone(s.Set))) != len(s.Set) {
			t.Fatal("the set is not in order")
		}
		again, _ := s.MarshalBinary()
		got, err := DecodeSketch(again)
		if err != nil || !reflect.DeepEqual(got, s) {
			t.Fatalf("written again it is read as another: %v", err)
		}
	})
}

func FuzzSegment(f *testing.F) {
	var entries []entry
	for _, text := range []string{"one", strings.Repeat("a b c d e f g ", 30)} {
		entries = append(entries, entry{id: text[:3], prompt: 7, mask: 5, first: true, prev: 2, sketch: sketchOf(f, text)})
	}
	segment := appendPage([]byte(segmentMagic), 3, entries)
	f.Add(segment)
	f.Add(appendPage(segment, 4, entries[:1]))
	f.Add([]byte(segmentMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		n, later := 0, 0
		err := eachEntry(b, -1, func(e *entry) error {
			n++
			if len(e.id) > len(b) {
				t.Fatal("an id longer than the segment")
			}
			return nil
		})
		if err2 := eachEntry(b, 3, func(*entry) error { later++; return nil }); err == nil && (err2 != nil || later > n) {
			t.Fatalf("%d entries, %d of them after page 3: %v", n, later, err2)
		}
	})
}

// FuzzSketch holds that any text gives a valid sketch, the same each time, and that a fast path is no other path.
func FuzzSketch(f *testing.F) {
	for _, text := range []string{"", "a", "Ünïcödé ﬁ ½", "\xff\xfe", "x = -3;\n{}", "```\nif a < b {\n```", "春眠不覚暁 ｱｲｳ", "ภาษาไทย", "e\u0301a", "_a__b_", "a\u00adb"} {
		f.Add(text, text)
	}
	s, err := NewSketcher(DefaultParams)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text, without string) {
		a := s.Sketch(text, without)
		b := sketchOf(t, text, without)
		x, _ := a.MarshalBinary()
		y, _ := b.MarshalBinary()
		if !bytes.Equal(x, y) {
			t.Fatal("a sketcher that was used before makes another sketch")
		}
		if !slices.IsSorted(a.Set) || len(a.Set) > 0 != (len(a.Bands) == DefaultParams.Keys()) {
			t.Fatalf("%d shingles, %d bands", len(a.Set), len(a.Bands))
		}
		if !utf8.ValidString(text) {
			return // Map would change it
		}
		if upper := sketchOf(t, strings.Map(shout, text)); upper.Exact != sketchOf(t, text).Exact {
			t.Fatal("case counts")
		}
	})
}

// shout makes ASCII letters large.
func shout(r rune) rune {
	if r >= 'a' && r <= 'z' {
		return r - 32
	}
	return r
}
