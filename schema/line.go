package schema

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"
)

// The rows that a run has most of are encoded here field by field, some of them twice on their way: faster than by reflection, and without
// garbage. What stands on S3 is what encoding/json writes, byte for byte. (TestLinesAreJSON)

// AppendJSON appends the response as encoding/json writes it, HTML unescaped.
func (r *Response) AppendJSON(b []byte) ([]byte, error) {
	o := object{b: append(b, '{')}
	o.str("request_id", r.RequestID)
	o.some("text", r.Text)
	o.some("reasoning", r.Reasoning)
	o.some("finish_reason", r.FinishReason)
	o.some("model", r.Model)
	o.some("fingerprint", r.Fingerprint)
	o.whole("input_tokens", r.InputTokens)
	o.whole("cached_tokens", r.CachedTokens)
	o.whole("output_tokens", r.OutputTokens)
	if r.UsageUnknown {
		o.name("usage_unknown")
		o.b = append(o.b, "true"...)
	}
	if r.CostMicros != nil {
		o.name("cost_micros")
		o.b = strconv.AppendInt(o.b, *r.CostMicros, 10)
	}
	o.whole("attempts", int64(r.Attempts))
	o.whole("ms", r.MillisFirst)
	o.whole("at", r.AnsweredAt)
	o.whole("seed", int64(r.Seed))
	o.some("fail", r.FailCode)
	o.some("fail_why", r.FailDetail)
	o.some("reused", r.ReusedFrom)
	o.some("bad_shape", r.SchemaFault)
	return append(o.b, '}'), nil
}

// AppendJSON appends the inspection as encoding/json writes it, HTML unescaped. A signal that is no number is an error.
func (in *Inspection) AppendJSON(b []byte) ([]byte, error) {
	o := object{b: append(b, '{')}
	o.str("request_id", in.RequestID)
	o.str("prompt_id", in.PromptID)
	o.some("language", in.Language)
	if len(in.Signals) > 0 {
		o.name("signals")
		for i := range in.Signals {
			o.item(i, '[')
			s := object{b: append(o.b, '{')}
			s.str("name", in.Signals[i].Name)
			s.name("value")
			s.float(in.Signals[i].Value)
			o.b, o.err = append(s.b, '}'), firstOf(o.err, s.err)
		}
		o.b = append(o.b, ']')
	}
	if len(in.Findings) > 0 { // few
		o.name("findings")
		for i := range in.Findings {
			o.item(i, '[')
			o.finding(&in.Findings[i])
		}
		o.b = append(o.b, ']')
	}
	if len(in.Sketch) > 0 {
		o.name("sketch")
		o.b = append(base64.StdEncoding.AppendEncode(append(o.b, '"'), in.Sketch), '"')
	}
	o.whole("bytes", int64(in.Bytes))
	o.some("failed", in.Failed)
	return append(o.b, '}'), o.err
}

func (o *object) finding(f *Finding) {
	s := object{b: append(o.b, '{')}
	s.str("check", f.Check)
	s.str("do", f.Do)
	s.some("signal", f.Signal)
	s.number("value", f.Value)
	s.number("limit", f.Limit)
	s.some("match", f.Match)
	o.b, o.err = append(s.b, '}'), firstOf(o.err, s.err)
}

// AppendJSON appends the decision as encoding/json writes it, HTML unescaped.
func (d *Decision) AppendJSON(b []byte) ([]byte, error) {
	o := object{b: append(b, '{')}
	o.str("request_id", d.RequestID)
	o.str("prompt_id", d.PromptID)
	o.str("outcome", d.Outcome)
	o.some("reason", d.Reason)
	o.some("of", d.Of)
	o.some("of_in", d.OfIn)
	o.number("jaccard", d.Jaccard)
	o.some("near", d.Near)
	o.some("near_in", d.NearIn)
	o.some("split", d.Split)
	o.whole("bytes", int64(d.Bytes))
	return append(o.b, '}'), o.err
}

// object is a JSON object that is being written.
type object struct {
	b   []byte
	err error // the first
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// name begins a member; no name needs escaping.
func (o *object) name(name string) {
	if o.b[len(o.b)-1] != '{' {
		o.b = append(o.b, ',')
	}
	o.b = append(append(append(o.b, '"'), name...), '"', ':')
}

// item begins element i of an array.
func (o *object) item(i int, open byte) {
	if i == 0 {
		o.b = append(o.b, open)
	} else {
		o.b = append(o.b, ',')
	}
}

func (o *object) str(name, value string) {
	o.name(name)
	o.b = appendString(o.b, value)
}

// some, whole and number leave zero values out.
func (o *object) some(name, value string) {
	if value != "" {
		o.str(name, value)
	}
}

func (o *object) whole(name string, value int64) {
	if value != 0 {
		o.name(name)
		o.b = strconv.AppendInt(o.b, value, 10)
	}
}

func (o *object) number(name string, value float64) {
	if value != 0 {
		o.name(name)
		o.float(value)
	}
}

// float appends the shortest number that reads back the same, in ECMAScript's form.
func (o *object) float(f float64) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		o.err = firstOf(o.err, &json.UnsupportedValueError{Str: fmt.Sprint(f)})
		o.b = append(o.b, '0')
		return
	}
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	o.b = strconv.AppendFloat(o.b, f, format, -1, 64)
	if n := len(o.b); format == 'e' && n >= 4 && o.b[n-4] == 'e' && o.b[n-3] == '-' && o.b[n-2] == '0' { // e-09 is e-9
		o.b[n-2] = o.b[n-1]
		o.b = o.b[:n-1]
	}
}

const hexDigits = "0123456789abcdef"

// bare says which bytes stand in a string as they are; those of other than ASCII are looked at.
var bare = func() (bare [256]bool) {
	for c := byte(' '); c < utf8.RuneSelf; c++ {
		bare[c] = c != '"' && c != '\\'
	}
	return bare
}()

// bare8 says the same of eight bytes at once; where one isn't it may say no of others.
func bare8(s string) bool {
	const each = 0x0101010101010101
	x := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 | uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
	return (x|(x-each*' ')|((x^each*'"')-each)|((x^each*'\\')-each))&(each*0x80) == 0
}

// appendString appends a string in quotes. Bytes that are no UTF-8 become U+FFFD.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		if i+8 <= len(s) && bare8(s[i:i+8]) {
			i += 8
			continue
		}
		c := s[i]
		if bare[c] {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			b = appendEscape(append(b, s[from:i]...), c)
			i++
			from = i
			continue
		}
		switch r, size := utf8.DecodeRuneInString(s[i:]); {
		case r == utf8.RuneError && size == 1:
			b = append(append(b, s[from:i]...), `\ufffd`...)
			i++
			from = i
		case r == '\u2028' || r == '\u2029': // line ends in JavaScript
			b = append(append(b, s[from:i]...), '\\', 'u', '2', '0', '2', hexDigits[r&0xf])
			i += size
			from = i
		default:
			i += size
		}
	}
	return append(append(b, s[from:]...), '"')
}

func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\b':
		return append(b, '\\', 'b')
	case '\f':
		return append(b, '\\', 'f')
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	}
	return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
}
