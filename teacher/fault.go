package teacher

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// fault says why a call gave no answer.
type fault struct {
	code   string
	detail string        // provider's or our words, not yet redacted
	wait   time.Duration // how long the teacher asked to wait; 0: it didn't say
	sent   bool          // the request may have reached the teacher
	format bool          // a refusal of response_format
	tokens bool          // a refusal of max_tokens in favour of max_completion_tokens
}

func (f *fault) Error() string { return f.code + ": " + f.detail }

// maxDetail bounds FailDetail in bytes.
const maxDetail = 300

// redact shortens a provider's words to maxDetail bytes of printable text without the key, a bearer token or
// what looks like a provider's key (an error may echo a part of it).
func redact(text, key string) string {
	if len(text) > 16*maxDetail {
		text = text[:16*maxDetail]
	}
	if key != "" {
		text = strings.ReplaceAll(text, key, "[key]")
	}
	text = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError:
			return -1
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, text)
	words := strings.Fields(text)
	for i, w := range words {
		if secretWord(w) || i > 0 && strings.EqualFold(strings.Trim(words[i-1], `"':`), "bearer") {
			words[i] = "[key]"
		}
	}
	text = strings.Join(words, " ")
	if key != "" { // a key that was broken by control characters
		text = strings.ReplaceAll(text, key, "[key]")
	}
	return shorten(text, maxDetail)
}

// secretWord knows the prefix that most providers give their keys.
func secretWord(w string) bool {
	w = strings.TrimLeft(w, `"'([{`)
	return len(w) > 12 && (strings.HasPrefix(w, "sk-") || strings.HasPrefix(w, "gsk_") || strings.HasPrefix(w, "hf_") || strings.HasPrefix(w, "nvapi-"))
}

// shorten cuts at a rune, and says so with an ellipsis within the limit.
func shorten(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	cut := limit - len("…")
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
