package quality

import (
	"strings"
	"testing"
)

// A keyword of two bytes counts only where a key follows it: else most texts of any language would have one.
func TestKeywordOfTwoBytes(t *testing.T) {
	s, err := theSecretRules()
	if err != nil {
		t.Fatal(err)
	}
	prose := "They say it of words. The keys of Turkey, obey! A long one: heyjudeheyjudeheyjude. " // the last is no JWT, but may be
	if got := s.keywords.in(strings.TrimSuffix(prose, "A long one: heyjudeheyjudeheyjude. ")); len(got) > 0 {
		t.Errorf("rules %v are tried on prose", got)
	}
	if got := s.keywords.in(prose); len(got) != 1 || s.rules[got[0]].kind != "jwt" {
		t.Errorf("rules %v are tried", got)
	}
	token := canary("hvs", ".", "CAESIG", strings.Repeat("x8Lq_-Zt", 11))
	if got := hitsOf(s.find("as in " + token + " it is")); got["vault-service-token"] != 1 {
		t.Errorf("found %v", got)
	}
}
