package teacher

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Schema is a compiled JSON Schema that answers must satisfy.
type Schema struct {
	raw      json.RawMessage
	compiled *jsonschema.Schema
	strict   bool
}

// schemaURL names the schema within the compiler; nothing is fetched.
const schemaURL = "retort:///answer.schema.json"

// noLoader refuses every reference out of the schema.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("%s: references to files and hosts are not followed; put the definition into $defs", url)
}

// CompileSchema reads a JSON Schema without references to files or hosts. Drafts 4 to 2020-12; 2020-12 where it
// says none.
func CompileSchema(raw []byte) (*Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	if _, ok := doc.(map[string]any); !ok {
		return nil, errors.New("a JSON Schema of an answer is an object")
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(noLoader{})
	if err := compiler.AddResource(schemaURL, doc); err != nil {
		return nil, err
	}
	compiled, err := compiler.Compile(schemaURL)
	if err != nil {
		return nil, err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return nil, err
	}
	return &Schema{raw: compact.Bytes(), compiled: compiled, strict: strictSchema(doc)}, nil
}

// JSON returns the schema's text without white space.
func (s *Schema) JSON() json.RawMessage { return s.raw }

// strictSchema says whether OpenAI's strict mode takes the schema: every object closed, every property required.
func strictSchema(doc any) bool {
	switch v := doc.(type) {
	case []any:
		for _, e := range v {
			if !strictSchema(e) {
				return false
			}
		}
	case map[string]any:
		if properties, ok := v["properties"].(map[string]any); ok {
			required, _ := v["required"].([]any)
			if v["additionalProperties"] != false || len(required) != len(properties) {
				return false
			}
		}
		for _, e := range v {
			if !strictSchema(e) {
				return false
			}
		}
	}
	return true
}

// Fault returns how an answer breaks the schema, in at most 300 bytes, or "".
func (s *Schema) Fault(answer string) (why string) {
	defer func() {
		if r := recover(); r != nil { // a validator that a model's text upsets must not take the worker with it
			why = shorten(fmt.Sprintf("can't be validated: %v", r), maxDetail)
		}
	}()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(answer))
	if err != nil {
		return shorten("not JSON: "+err.Error(), maxDetail)
	}
	if n := wildNumber(doc); n != "" {
		return shorten("a number out of range: "+n, maxDetail)
	}
	err = s.compiled.Validate(doc)
	if err == nil {
		return ""
	}
	var invalid *jsonschema.ValidationError
	if errors.As(err, &invalid) {
		return shorten(deepest(invalid), maxDetail)
	}
	return shorten(err.Error(), maxDetail)
}

// deepest names the first leaf of a validation error by its place in the answer.
func deepest(e *jsonschema.ValidationError) string {
	for len(e.Causes) > 0 {
		e = e.Causes[0]
	}
	leaf := *e
	message := leaf.Error()
	if i := strings.LastIndex(message, "at '"); i >= 0 { // without the schema's internal URL
		message = message[i:]
	}
	return message
}

// wildNumber finds a number whose exponent would take the validator's exact arithmetic too long.
func wildNumber(doc any) string {
	switch v := doc.(type) {
	case json.Number:
		if i := strings.IndexAny(v.String(), "eE"); i >= 0 {
			if exp, err := strconv.Atoi(v.String()[i+1:]); err != nil || exp > 400 || exp < -400 {
				return v.String()
			}
		}
	case []any:
		for _, e := range v {
			if n := wildNumber(e); n != "" {
				return n
			}
		}
	case map[string]any:
		for _, e := range v {
			if n := wildNumber(e); n != "" {
				return n
			}
		}
	}
	return ""
}

// unfence takes an answer out of one Markdown code fence that holds all of it.
func unfence(text string) string {
	t := strings.TrimSpace(text)
	if !strings.HasPrefix(t, "```") || !strings.HasSuffix(t, "```") || len(t) < 6 {
		return text
	}
	inner := t[3 : len(t)-3]
	if i := strings.IndexByte(inner, '\n'); i >= 0 && !strings.ContainsAny(inner[:i], "{[\"") {
		inner = inner[i+1:]
	}
	if strings.Contains(inner, "```") {
		return text
	}
	return strings.TrimSpace(inner)
}
