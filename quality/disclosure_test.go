package quality

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"regexp/syntax"
	"strings"
	"testing"

	"github.com/retort-data/retort/schema"
)

// generate writes a text that an expression matches, drawn at random.
func generate(b *strings.Builder, re *syntax.Regexp, rng *rand.Rand) {
	repeat := func(least, most int) {
		if most < 0 || most > least+6 {
			most = least + 6
		}
		for range least + rng.IntN(most-least+1) {
			generate(b, re.Sub[0], rng)
		}
	}
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		for range 100 { // printable where the class has such
			i := 2 * rng.IntN(len(re.Rune)/2)
			lo, hi := re.Rune[i], min(re.Rune[i+1], 0x17e)
			if c := lo + rng.Int32N(max(hi-lo, 0)+1); c > 0x20 && c < 0x7f {
				b.WriteRune(c)
				return
			}
		}
		b.WriteRune(re.Rune[0])
	case syntax.OpAnyCharNotNL, syntax.OpAnyChar:
		b.WriteByte('x')
	case syntax.OpStar:
		repeat(0, -1)
	case syntax.OpPlus:
		repeat(1, -1)
	case syntax.OpQuest:
		repeat(0, 1)
	case syntax.OpRepeat:
		repeat(re.Min, re.Max)
	case syntax.OpCapture:
		generate(b, re.Sub[0], rng)
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			generate(b, sub, rng)
		}
	case syntax.OpAlternate:
		generate(b, re.Sub[rng.IntN(len(re.Sub))], rng)
	}
}

// Each rule finds what its expression describes: the index of keywords and the look for a stretch of key leave nothing out.
func TestSecretRulesFindWhatTheyDescribe(t *testing.T) {
	s, err := theSecretRules()
	if err != nil {
		t.Fatal(err)
	}
	if len(s.rules) < 200 {
		t.Fatalf("%d rules", len(s.rules))
	}
	rows, err := embedded("secrets.tsv", 5)
	if err != nil {
		t.Fatal(err)
	}
	keywords := map[string]string{}
	for _, row := range rows {
		if row[0] == "rule" {
			keywords[row[1]] = row[2]
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for _, r := range s.rules {
		parsed, err := syntax.Parse(r.source, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		whole, tried, found := regexp.MustCompile(r.source), 0, 0
		for range 100 {
			var b strings.Builder
			generate(&b, parsed, rng)
			text := "It is for " + strings.Split(keywords[r.kind], "|")[0] + ": " + b.String() + " " // some keywords stand beside what is found
			m := whole.FindStringSubmatchIndex(text)
			if m == nil {
				continue
			}
			from, to := secretOf(m)
			if secret := text[from:to]; entropyOf(secret) < r.entropy || anyMatch(r.allowed, secret) || anyMatch(s.allowed, secret) {
				continue
			}
			tried++
			if hitsOf(s.find(text))[r.kind] > 0 {
				found++
			} else if tried-found == 1 {
				t.Logf("%s: not found in %q", r.kind, text)
			}
		}
		if tried == 0 || found < tried {
			t.Errorf("%s: found in %d of %d texts", r.kind, found, tried)
		}
	}
}

func hitsOf(hits []Hit) map[string]int {
	counts := map[string]int{}
	for _, h := range hits {
		counts[h.Kind]++
	}
	return counts
}

// canary is put together here, so that the file itself holds nothing that scanners of repositories would stop at.
func canary(parts ...string) string { return strings.Join(parts, "") }

var aKey = canary("AKIA", "QYLPMN5HFI", "QR7XYA")

// What is one, what looks like one and is none.
func TestDisclosures(t *testing.T) {
	in := inspector(t, schema.Checks{})
	token := canary("ghp_", "16C7e42F292c6912E7710c838347Ae178B4a")
	for _, c := range []struct{ text, secrets, personal string }{
		{"Use the key " + aKey + " for this.", "aws-access-token", ""},
		{"Use the key " + canary("AKIA", "IOSFODNN7EXAMPLE") + " for this.", "", ""},
		{"export GITHUB_TOKEN=" + token + "\nexport OTHER=" + strings.Replace(token, "16C", "27D", 1) + "\n", "github-pat ×2", ""},
		{"-----BEGIN RSA PRIVATE KEY-----\n" + strings.Repeat("MIIEowIBAAKCAQEAr7\n", 5) + "-----END RSA PRIVATE KEY-----", "private-key", ""},
		{"Set ${API_KEY} or {{ .Values.token }} in Asia, as they do at Square and Linear.", "", ""},
		{"Write to jane.roe@uni-passau.de, or to bob@lists.debian.org.", "", "email ×2"},
		{"Write to you@example.com, user@gmail.com, name@company.com, git@github.com or x@host.invalid.", "", ""},
		{"Call +49 30 2093 12345 or (212) 664-7665, or 650-253-0000.", "", "phone ×3"},
		{"Call (555) 555-1234, 212-555-0123, +1 212 555 0199 or +999 123 456 789.", "", ""},
		{"Pay with 4539 1488 0343 6467 now.", "", "payment-card"},
		{"Pay with 4242 4242 4242 4242 or 4539 1488 0343 6468 or 1234567890123456.", "", ""},
		{"The account is DE44 5001 0517 5407 3249 31.", "", "iban"},
		{"The account is DE89 3704 0044 0532 0130 00 or DE45 5001 0517 5407 3249 31.", "", ""},
		{"Her number is 536-22-8145.", "", "us-ssn"},
		{"Not 123-45-6789, 900-12-3456, 2024-11-24 or 536-22-81455.", "", ""},
		{"Between 1914-1918 and 1939-1945, 3.14159265358979, version 10.0.19045.3803, 192.168.100.200.", "", ""},
	} {
		got := in.Inspect(Input{Response: &schema.Response{Text: c.text}})
		found := map[string]string{}
		for _, f := range got.Findings {
			if f.Check == SignalSecrets || f.Check == SignalPersonal {
				found[f.Check] = f.Match
				if f.Do != schema.DoTag || value(&got, f.Check) != f.Value || f.Value < 1 {
					t.Errorf("%q: %+v, signals %v", c.text, f, got.Signals)
				}
			}
		}
		if found[SignalSecrets] != c.secrets || found[SignalPersonal] != c.personal {
			t.Errorf("%q: %q, %q", c.text, found[SignalSecrets], found[SignalPersonal])
		}
		if c.secrets+c.personal == "" && Mask(c.text) != c.text {
			t.Errorf("masked: %q", Mask(c.text))
		}
	}
}

// Neither a finding nor a masked text has what was found; reasoning is looked at too; a check that is off finds nothing.
func TestFindingsHoldNoSecret(t *testing.T) {
	text := "My key is " + aKey + ", my address jane.roe@uni-passau.de."
	r := schema.Response{Text: "Nothing to see.", Reasoning: text}
	got := inspector(t, schema.Checks{Secrets: schema.Check{Do: schema.DoDrop}}).Inspect(Input{Response: &r})
	if d := got.Dropped(); d == nil || d.Check != "secrets" {
		t.Errorf("dropped for %+v", d)
	}
	for _, shown := range []string{fmt.Sprintf("%+v", got), Mask(text)} {
		if strings.Contains(shown, aKey) || strings.Contains(shown, "jane") {
			t.Error(shown)
		}
	}
	if want := "My key is [aws-access-token], my address [email]."; Mask(text) != want {
		t.Errorf("masked: %q", Mask(text))
	}
	off := schema.Check{Do: schema.DoOff}
	if got := inspector(t, schema.Checks{Secrets: off, Personal: off}).Inspect(Input{Response: &r}); len(got.Findings) > 0 {
		t.Errorf("checks that are off: %+v", got.Findings)
	}
}

func FuzzMask(f *testing.F) {
	f.Add("key " + aKey + " a@b.de +49 30 2093 12345 4539 1488 0343 6467 DE44 5001 0517 5407 3249 31 536-22-8145")
	f.Add("curl -u me:secret -H 'Authorization: Bearer abcdefgh1234' \xff\xfe\x00@")
	f.Fuzz(func(t *testing.T, s string) {
		s = toValid(s)
		masked := Mask(s)
		for _, h := range findPersonal(s) {
			if h.Start < 0 || h.End > len(s) || h.Start >= h.End {
				t.Errorf("%+v of %d bytes", h, len(s))
			}
		}
		if len(masked) > 20*len(s)+100 {
			t.Errorf("%d bytes became %d", len(s), len(masked))
		}
	})
}

func BenchmarkDisclosures(b *testing.B) {
	s, err := theSecretRules()
	if err != nil {
		b.Fatal(err)
	}
	text := strings.Repeat(prose+" ", 4)
	code := strings.Repeat("Call `client.do(2024, \"https://api.host.org/v1/keys?token=abc\")` and they ask for the api-key of Square.\n", 15)
	for name, text := range map[string]string{"prose": text, "code": code} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				s.find(text)
				findPersonal(text)
			}
		})
	}
}
