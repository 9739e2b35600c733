package schema

import (
	"crypto/sha256"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/gowebpki/jcs"
)

// RecordHash is the leaf of a shard's Merkle tree: sha256 of the record's columns, as they stand in a shard
// of that format, as canonical JSON (RFC 8785). A column that is null in the shard is null in the JSON, so
// anyone who reads the shard can compute the hash from the row alone.
func RecordHash(format string, r *Record) ([32]byte, error) {
	return rowHash(format, &Reject{Record: *r}, false)
}

// RejectHash is RecordHash for a row of a file of rejects, which has the columns of the reason as well.
func RejectHash(format string, r *Reject) ([32]byte, error) { return rowHash(format, r, true) }

func rowHash(format string, r *Reject, rejects bool) ([32]byte, error) {
	layout, err := layoutFor(format, rejects)
	if err != nil {
		return [32]byte{}, err
	}
	row := cleaned(*r, layout.columns)
	b := hashBuffers.Get().(*[]byte)
	defer hashBuffers.Put(b)
	*b = appendCanonical((*b)[:0], layout.sorted, &row)
	return sha256.Sum256(*b), nil
}

var hashBuffers = sync.Pool{New: func() any { return new([]byte) }}

// CanonicalManifest is the manifest as canonical JSON (RFC 8785): what is hashed and signed.
func CanonicalManifest(m *Manifest) ([]byte, error) {
	plain, err := json.Marshal(m)
	if err != nil {
		return nil, &Error{Kind: KindFailed, Code: "manifest", Op: "write the manifest as JSON", Subject: m.Dataset, Cause: err}
	}
	canonical, err := jcs.Transform(plain)
	if err != nil {
		return nil, &Error{Kind: KindFailed, Code: "manifest", Op: "write the manifest as canonical JSON", Subject: m.Dataset, Cause: err}
	}
	return canonical, nil
}

// byName sorts columns as RFC 8785 sorts keys. Their names are ASCII, so bytes are as good as UTF-16.
func byName(columns []column) []column {
	sorted := slices.Clone(columns)
	slices.SortFunc(sorted, func(a, b column) int { return strings.Compare(a.name, b.name) })
	return sorted
}

// appendCanonical appends a cleaned row; columns are sorted by name.
func appendCanonical(b []byte, columns []column, row *Reject) []byte {
	b = append(b, '{')
	for i := range columns {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, columns[i].name...)
		b = append(b, '"', ':')
		b = appendCanonicalValue(b, &columns[i], row)
	}
	return append(b, '}')
}

func appendCanonicalValue(b []byte, c *column, row *Reject) []byte {
	switch c.kind {
	case textColumn:
		if s := c.text(row); s != "" {
			return appendCanonicalString(b, s)
		}
	case int32Column:
		if n := *c.int32(row); n != c.null {
			return strconv.AppendInt(b, int64(n), 10)
		}
	case int64Column:
		if n := *c.int64(row); n != 0 {
			return appendCanonicalInt(b, n)
		}
	case doubleColumn:
		if f := *c.double(row); finite(f) {
			return appendCanonicalFloat(b, f)
		}
	case messagesColumn:
		if m := c.messages(row); m != nil {
			return appendCanonicalMessages(b, m)
		}
	case signalsColumn:
		if len(row.Signals) > 0 {
			return appendCanonicalSignals(b, row.Signals)
		}
	}
	return append(b, "null"...)
}

func appendCanonicalMessages(b []byte, messages []Message) []byte {
	b = append(b, '[')
	for i, m := range messages {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"content":`...)
		b = appendCanonicalString(b, m.Content)
		b = append(b, `,"role":`...)
		b = appendCanonicalString(b, m.Role)
		b = append(b, '}')
	}
	return append(b, ']')
}

func appendCanonicalSignals(b []byte, signals []Signal) []byte {
	b = append(b, '[')
	for i, s := range signals {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"name":`...)
		b = appendCanonicalString(b, s.Name)
		b = append(b, `,"value":`...)
		b = appendCanonicalFloat(b, s.Value)
		b = append(b, '}')
	}
	return append(b, ']')
}

// appendCanonicalString escapes what RFC 8785, section 3.2.2.2, names, and nothing else. s is valid UTF-8.
func appendCanonicalString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		ch := s[i]
		if ch >= 0x20 && ch != '"' && ch != '\\' {
			continue
		}
		b = append(b, s[from:i]...)
		from = i + 1
		switch ch {
		case '"', '\\':
			b = append(b, '\\', ch)
		case '\b':
			b = append(b, '\\', 'b')
		case '\t':
			b = append(b, '\\', 't')
		case '\n':
			b = append(b, '\\', 'n')
		case '\f':
			b = append(b, '\\', 'f')
		case '\r':
			b = append(b, '\\', 'r')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[ch>>4], hex[ch&15])
		}
	}
	b = append(b, s[from:]...)
	return append(b, '"')
}

// appendCanonicalInt writes beyond ±2^53 what a reader of JSON numbers would make of it: RFC 8785 has doubles only.
func appendCanonicalInt(b []byte, n int64) []byte {
	if n > 1<<53 || n < -1<<53 {
		return appendCanonicalFloat(b, float64(n))
	}
	return strconv.AppendInt(b, n, 10)
}

// appendCanonicalFloat writes a finite number as ECMAScript's Number::toString does (RFC 8785, section 3.2.2.3).
func appendCanonicalFloat(b []byte, f float64) []byte {
	if f == 0 { // -0 too
		return append(b, '0')
	}
	if abs := math.Abs(f); abs >= 1e-6 && abs < 1e21 {
		return strconv.AppendFloat(b, f, 'f', -1, 64)
	}
	b = strconv.AppendFloat(b, f, 'e', -1, 64)
	if n := len(b); b[n-2] == '0' && (b[n-3] == '-' || b[n-3] == '+') { // e-09 is e-9 in ECMAScript
		b[n-2] = b[n-1]
		b = b[:n-1]
	}
	return b
}
