package schema

import "bytes"

// CanonicalRecord is a record's columns, as they stand in a shard of that format, as canonical JSON (RFC 8785): RecordHash is its sha256.
func CanonicalRecord(format string, r *Record) ([]byte, error) {
	layout, err := layoutFor(format, false)
	if err != nil {
		return nil, err
	}
	row := cleaned(Reject{Record: *r}, layout.columns)
	return appendCanonical(nil, layout.sorted, &row), nil
}

// ExportRecord is CanonicalRecord as one line that nothing can break or steer a terminal with: control characters, line and paragraph
// separators and bidirectional overrides are written as \u escapes. It is the same JSON value.
func ExportRecord(format string, r *Record) ([]byte, error) {
	b, err := CanonicalRecord(format, r)
	if err != nil {
		return nil, err
	}
	return escapeControls(b), nil
}

// escapeControls escapes what RFC 8785 leaves as it is. Such characters stand within strings alone, where an escape means the same.
func escapeControls(b []byte) []byte {
	if bytes.IndexFunc(b, steers) < 0 {
		return b
	}
	out := make([]byte, 0, len(b)+64)
	for _, r := range string(b) {
		if steers(r) {
			const digits = "0123456789abcdef"
			out = append(out, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
			continue
		}
		out = append(out, string(r)...)
	}
	return out
}

func steers(r rune) bool {
	return r >= 0x7f && r <= 0x9f || r == 0x2028 || r == 0x2029 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0xfeff
}
