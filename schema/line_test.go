package schema

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

type appender interface{ AppendJSON([]byte) ([]byte, error) }

// asEncoded is what encoding/json writes.
func asEncoded(t interface{ Fatal(...any) }, row any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(row); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// drawn fills every field of a row, so that a field that is added later is in it too.
func drawn(t *rapid.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if rapid.Bool().Draw(t, "text") {
			v.SetString(rapid.String().Draw(t, "string"))
		} else {
			v.SetString(string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")))
		}
	case reflect.Int, reflect.Int64:
		v.SetInt(rapid.Int64().Draw(t, "int"))
	case reflect.Float64:
		v.SetFloat(rapid.Float64().Draw(t, "float"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case reflect.Uint8:
		v.SetUint(uint64(rapid.Byte().Draw(t, "byte")))
	case reflect.Pointer:
		if rapid.Bool().Draw(t, "set") {
			v.Set(reflect.New(v.Type().Elem()))
			drawn(t, v.Elem())
		}
	case reflect.Slice:
		n := rapid.IntRange(0, 3).Draw(t, "length")
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			drawn(t, v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			drawn(t, v.Field(i))
		}
	default:
		t.Fatalf("a field of type %v", v.Type())
	}
}

// What is appended is what encoding/json writes, whatever stands in the row.
func TestLinesAreJSON(t *testing.T) {
	for _, row := range []appender{&Response{}, &Inspection{}, &Decision{}} {
		t.Run(reflect.TypeOf(row).Elem().Name(), rapid.MakeCheck(func(t *rapid.T) {
			v := reflect.New(reflect.TypeOf(row).Elem())
			drawn(t, v.Elem())
			got, err := v.Interface().(appender).AppendJSON([]byte("{}"))
			if want := append([]byte("{}"), asEncoded(t, v.Interface())...); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("got  %s, %v\nwant %s", got, err, want)
			}
		}))
	}
}

func TestLineEscapes(t *testing.T) {
	var all []byte
	for c := range 256 {
		all = append(all, byte(c))
	}
	for _, text := range []string{string(all), "\u2028 \u2029 \ufffd é 😀", "<b>&amp;</b>", "\xed\xa0\x80"} {
		if got, want := appendString(nil, text), asEncoded(t, text); !bytes.Equal(got, want) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for _, f := range []float64{0, math.Copysign(0, -1), 1e-7, 1.5e-9, 1e-10, 1e20, 1e21, 1e22, 123456.789, math.MaxFloat64, math.SmallestNonzeroFloat64} {
		o := object{}
		if o.float(f); !bytes.Equal(o.b, asEncoded(t, f)) || o.err != nil {
			t.Errorf("%v is %s", f, o.b)
		}
	}
	if _, err := (&Inspection{Signals: []Signal{{Name: "x", Value: math.NaN()}}}).AppendJSON(nil); err == nil {
		t.Error("a signal that is no number is written")
	}
}

func BenchmarkLine(b *testing.B) {
	cost := int64(12)
	row := &Response{RequestID: "0123456789abcdef0123456789abcdef", Text: string(bytes.Repeat([]byte("Cut slices s around the first \"sep\".\n"), 30)), FinishReason: "stop",
		Model: "test-1", InputTokens: 30, OutputTokens: 200, CostMicros: &cost, Attempts: 1, MillisFirst: 2, AnsweredAt: 1795000000000, Seed: 12345678}
	b.Run("append", func(b *testing.B) {
		var buf []byte
		for b.Loop() {
			buf, _ = row.AppendJSON(buf[:0])
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		var buf bytes.Buffer
		enc := json.NewEncoder(&buf)
		enc.SetEscapeHTML(false)
		for b.Loop() {
			buf.Reset()
			_ = enc.Encode(row)
		}
	})
}
