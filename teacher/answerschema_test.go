package teacher

import (
	"strings"
	"testing"
)

func TestCompileSchema(t *testing.T) {
	for _, r := range []struct{ name, schema, want string }{
		{"closed", answerSchema, ""},
		{"own reference", `{"$defs":{"a":{"type":"string"}},"properties":{"x":{"$ref":"#/$defs/a"}}}`, ""},
		{"draft 7", `{"$schema":"http://json-schema.org/draft-07/schema#","type":"object"}`, ""},
		{"file", `{"properties":{"x":{"$ref":"file:///etc/passwd"}}}`, "not followed"},
		{"relative file", `{"properties":{"x":{"$ref":"other.json"}}}`, "not followed"},
		{"host", `{"$ref":"http://127.0.0.1:1/x.json"}`, "not followed"},
		{"unknown dialect", `{"$schema":"https://example.net/meta.json"}`, "not followed"},
		{"wrong type", `{"type":"objekt"}`, "type"},
		{"no JSON", `{`, "EOF"},
		{"a list", `[]`, "object"},
	} {
		_, err := CompileSchema([]byte(r.schema))
		if (err == nil) != (r.want == "") || err != nil && !strings.Contains(err.Error(), r.want) {
			t.Errorf("%s: %v, want %q", r.name, err, r.want)
		}
	}
}

func TestSchemaFault(t *testing.T) {
	s, err := CompileSchema([]byte(answerSchema))
	if err != nil {
		t.Fatal(err)
	}
	for answer, want := range map[string]string{
		`{"n":3}`:              "",
		`{"n":"3"}`:            "at '/n'",
		`{"n":3,"m":1}`:        "m",
		`{}`:                   "n",
		`Sure! {"n":3}`:        "not JSON",
		`{"n":3} {"n":4}`:      "not JSON",
		`{"n":1e999999999}`:    "out of range",
		``:                     "not JSON",
		strings.Repeat("[", 9): "not JSON",
	} {
		if got := s.Fault(answer); (got == "") != (want == "") || !strings.Contains(got, want) || len(got) > maxDetail || strings.Contains(got, "retort://") {
			t.Errorf("%q: %q, want %q", answer, got, want)
		}
	}
}

func TestStrict(t *testing.T) {
	for text, want := range map[string]bool{
		answerSchema: true,
		`{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}`:                                                                             false,
		`{"type":"object","properties":{"n":{"type":"integer"}},"additionalProperties":false}`:                                                                 false,
		`{"type":"object","properties":{"n":{"type":"array","items":{"properties":{"x":{}},"required":["x"]}}},"required":["n"],"additionalProperties":false}`: false,
	} {
		s, err := CompileSchema([]byte(text))
		if err != nil || s.strict != want {
			t.Errorf("%s: %v %v", text, s.strict, err)
		}
	}
}

func TestUnfence(t *testing.T) {
	for in, want := range map[string]string{
		"```json\n{\"a\":1}\n```":  `{"a":1}`,
		"```\n[1]\n```\n":          `[1]`,
		"```{\"a\":1}```":          `{"a":1}`,
		"x ```{}``` y":             "x ```{}``` y",
		"```\n1\n```\n```\n2\n```": "```\n1\n```\n```\n2\n```",
		"`````":                    "`````",
		"``````":                   "",
		"{\"a\":\"```\"}":          "{\"a\":\"```\"}",
	} {
		if got := unfence(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// What a model wrote, against a schema that uses what validators find hard: no panic, bounded words.
func FuzzSchemaFault(f *testing.F) {
	s, err := CompileSchema([]byte(`{"type":"object","properties":{"a":{"multipleOf":0.1,"maximum":7},"b":{"uniqueItems":true},"c":{"pattern":"^x+$"}},"additionalProperties":{"$ref":"#"}}`))
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{`{"a":1e400}`, `{"a":-1e-400}`, `{"b":[1,1.0,1e0]}`, `{"c":"y"}`, `{"x":{"x":{"a":9}}}`, "```json\n{}\n```", "\xff", `{"a":1E+99999999999999999999}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		if got := s.Fault(unfence(answer)); len(got) > maxDetail {
			t.Errorf("%d bytes: %q", len(got), got)
		}
	})
}
