package store

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/retort-data/retort/schema"
)

// mostKeyBytes is the protocol's bound.
const mostKeyBytes = 1024

// confine refuses to write or delete what isn't a plain key under the store's prefix ("" or ending in "/"). Names are checked where they
// come in; this is for those that weren't. S3 itself takes parts such as .. literally, but stores on file systems need not.
func confine(prefix, key string) error {
	if what := keyFault(prefix, key); what != "" {
		return &schema.Error{Kind: schema.KindFailed, Code: "key", Op: "write", Subject: fmt.Sprintf("%.200q", key), Cause: fmt.Errorf("the key %s", what),
			Hint: "Nothing is written there. A name in it doesn't come from Retort: see docs/security.md."}
	}
	return nil
}

func keyFault(prefix, key string) string {
	switch {
	case key == "" || len(key) > mostKeyBytes:
		return fmt.Sprintf("has %d bytes; S3 takes 1 to %d", len(key), mostKeyBytes)
	case !strings.HasPrefix(key, prefix):
		return fmt.Sprintf("is outside of the store's prefix %q", prefix)
	case !utf8.ValidString(key) || strings.ContainsFunc(key, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }):
		return "has control characters or isn't UTF-8"
	case strings.ContainsRune(key, '\\'):
		return "has a backslash"
	}
	for part := range strings.SplitSeq(key, "/") {
		if part == "" || part == "." || part == ".." {
			return fmt.Sprintf("has a part %q", part)
		}
	}
	return ""
}

func confineAll(prefix string, keys []string) error {
	for _, key := range keys {
		if err := confine(prefix, key); err != nil {
			return err
		}
	}
	return nil
}
