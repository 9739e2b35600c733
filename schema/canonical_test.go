package schema

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/gowebpki/jcs"
	"pgregory.net/rapid"
)

// asMap is the row as a reader of the shard sees it, made without the encoder under test.
func asMap(format string, r Reject, rejects bool) map[string]any {
	layout, _ := layoutFor(format, rejects)
	row := cleaned(r, layout.columns)
	m := map[string]any{}
	for i := range layout.columns {
		c := &layout.columns[i]
		m[c.name] = nil
		switch c.kind {
		case textColumn:
			if s := c.text(&row); s != "" {
				m[c.name] = s
			}
		case int32Column:
			if n := *c.int32(&row); n != c.null {
				m[c.name] = n
			}
		case int64Column:
			if n := *c.int64(&row); n != 0 {
				m[c.name] = float64(n)
			}
		case doubleColumn:
			if f := *c.double(&row); !math.IsNaN(f) && !math.IsInf(f, 0) {
				m[c.name] = f
			}
		case messagesColumn:
			if list := c.messages(&row); list != nil {
				m[c.name] = list
			}
		case signalsColumn:
			if len(row.Signals) > 0 {
				m[c.name] = row.Signals
			}
		}
	}
	return m
}

func TestRowHashIsThatOfTheLibrarysCanonicalJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		format := rapid.SampledFrom(shardFormats).Draw(t, "format")
		row := anyReject(t)
		plain, err := json.Marshal(asMap(format, row, true))
		if err != nil {
			t.Fatal(err)
		}
		canonical, err := jcs.Transform(plain)
		if err != nil {
			t.Fatal(err)
		}
		got, err := RejectHash(format, &row)
		if err != nil {
			t.Fatal(err)
		}
		if got != sha256.Sum256(canonical) {
			layout, _ := layoutFor(format, true)
			clean := cleaned(row, layout.columns)
			t.Fatalf("ours\n%s\nlibrary's\n%s", appendCanonical(nil, layout.sorted, &clean), canonical)
		}
	})
}

// Numbers of RFC 8785, appendix B.
func TestNumbersOfRFC8785(t *testing.T) {
	for bits, want := range map[uint64]string{
		0x0000000000000000: "0", 0x8000000000000000: "0", 0x0000000000000001: "5e-324", 0x8000000000000001: "-5e-324",
		0x7fefffffffffffff: "1.7976931348623157e+308", 0x4340000000000000: "9007199254740992", 0xc340000000000000: "-9007199254740992",
		0x4430000000000000: "295147905179352830000", 0x44b52d02c7e14af5: "9.999999999999997e+22", 0x44b52d02c7e14af6: "1e+23",
		0x44b52d02c7e14af7: "1.0000000000000001e+23", 0x444b1ae4d6e2ef4e: "999999999999999700000", 0x444b1ae4d6e2ef4f: "999999999999999900000",
		0x444b1ae4d6e2ef50: "1e+21", 0x3eb0c6f7a0b5ed8c: "9.999999999999997e-7", 0x3eb0c6f7a0b5ed8d: "0.000001",
		0x41b3de4355555553: "333333333.3333332", 0x41b3de4355555554: "333333333.33333325", 0xbecbf647612f3696: "-0.0000033333333333333333",
		0x43143ff3c1cb0959: "1424953923781206.2",
	} {
		if got := string(appendCanonicalFloat(nil, math.Float64frombits(bits))); got != want {
			t.Errorf("%016x is %s, want %s", bits, got, want)
		}
	}
}

func TestRecordHashIsFixed(t *testing.T) {
	r := Record{ID: "a", Messages: []Message{{"user", "\"€\" é\n"}}, Generation: UnknownGeneration, Origin: OriginHuman, Signals: []Signal{{"x", 1e-7}}}
	want := `{"cluster_size":null,"finish_reason":null,"generation":null,"id":"a","input_tokens":null,"messages":[{"content":"\"€\" é\n","role":"user"}],` +
		`"model":null,"origin":"human","output_tokens":null,"prompt_id":null,"reasoning":null,"request_id":null,"revision":null,"run":null,` +
		`"signals":[{"name":"x","value":1e-7}],"source":null,"source_license":null,"teacher":null}`
	got, err := RecordHash(FormatMessages, &r)
	if err != nil || got != sha256.Sum256([]byte(want)) {
		t.Errorf("%x, %v", got, err)
	}
}

func TestRecordHashKnowsItsFormats(t *testing.T) {
	if _, err := RecordHash("csv", &Record{}); KindOf(err) != KindInvalid {
		t.Errorf("%v", err)
	}
}

func TestCanonicalManifestHasNoOrderOfItsOwn(t *testing.T) {
	m := &Manifest{Dataset: "d", Created: time.Unix(0, 0).UTC(), Counts: Counts{Rejected: map[string]int64{"near": 1, "empty": 2}}}
	a, err := CanonicalManifest(m)
	if err != nil {
		t.Fatal(err)
	}
	var read map[string]any
	if err := json.Unmarshal(a, &read); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(read["counts"].(map[string]any)["rejected"]) != "map[empty:2 near:1]" {
		t.Errorf("%s", a)
	}
	if !json.Valid(a) || a[0] != '{' || a[1] != '"' || a[2] != 'c' {
		t.Errorf("%s does not begin with its first key, counts", a)
	}
}

func BenchmarkRecordHash(b *testing.B) {
	r := sampleRecord(3)
	for b.Loop() {
		if _, err := RecordHash(FormatMessages, r); err != nil {
			b.Fatal(err)
		}
	}
}
