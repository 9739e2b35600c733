package schema

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
)

// jsonSchema is a JSON Schema (draft 2020-12), as far as a recipe needs it.
type jsonSchema struct {
	Schema               string                 `json:"$schema,omitempty"`
	Title                string                 `json:"title,omitempty"`
	Description          string                 `json:"description,omitempty"`
	Type                 string                 `json:"type,omitempty"`
	Enum                 []any                  `json:"enum,omitempty"`
	Minimum              *float64               `json:"minimum,omitempty"`
	Maximum              *float64               `json:"maximum,omitempty"`
	ExclusiveMinimum     *float64               `json:"exclusiveMinimum,omitempty"`
	ExclusiveMaximum     *float64               `json:"exclusiveMaximum,omitempty"`
	Pattern              string                 `json:"pattern,omitempty"`
	MinItems             int                    `json:"minItems,omitempty"`
	Items                *jsonSchema            `json:"items,omitempty"`
	AnyOf                []*jsonSchema          `json:"anyOf,omitempty"`
	Required             []string               `json:"required,omitempty"`
	Properties           map[string]*jsonSchema `json:"properties,omitempty"`
	AdditionalProperties any                    `json:"additionalProperties,omitempty"` // false or a schema
}

// RecipeJSONSchema is the JSON Schema of a recipe, from the Go types and their tags, so that editors complete recipes. What it
// can't say (templates, names of teachers, what depends on another key) ParseRecipe checks.
func RecipeJSONSchema() []byte {
	s := schemaOf(reflect.TypeFor[Recipe](), "")
	s.Schema, s.Title = "https://json-schema.org/draft/2020-12/schema", "Retort recipe"
	out, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil // no value here can't be written
	}
	return append(out, '\n')
}

func schemaOf(t reflect.Type, tag reflect.StructTag) *jsonSchema {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	s := &jsonSchema{Description: tag.Get("doc")}
	if t == durationType {
		s.Type, s.Pattern = "string", `^([0-9.]+d|([0-9.]+(ns|us|µs|ms|s|m|h))+)$`
		return s
	}
	switch t.Kind() {
	case reflect.Struct:
		return structSchema(t, s)
	case reflect.Map:
		s.Type = "object"
		s.AdditionalProperties = schemaOf(t.Elem(), withoutDoc(tag))
	case reflect.Slice:
		s.Type, s.Items = "array", schemaOf(t.Elem(), "")
		if tag.Get("required") != "" {
			s.MinItems = 1
		}
	case reflect.Bool:
		s.Type = "boolean"
	case reflect.String:
		stringSchema(s, tag)
	case reflect.Interface:
		s.AnyOf = []*jsonSchema{{Type: "string"}, {Type: "number"}, {Type: "boolean"}}
	case reflect.Float64:
		s.Type = "number"
		bounds(s, tag)
	default:
		s.Type = "integer"
		bounds(s, tag)
	}
	return s
}

func withoutDoc(tag reflect.StructTag) reflect.StructTag {
	var keep []string
	for _, key := range []string{"min", "max", "above", "below", "enum"} {
		if v := tag.Get(key); v != "" {
			keep = append(keep, key+":"+strconv.Quote(v))
		}
	}
	return reflect.StructTag(strings.Join(keep, " "))
}

func stringSchema(s *jsonSchema, tag reflect.StructTag) {
	words := strings.Fields(tag.Get("enum"))
	if len(words) == 0 {
		s.Type = "string"
		return
	}
	for _, w := range words {
		s.Enum = append(s.Enum, w)
		if n, err := strconv.Atoi(w); err == nil {
			s.Enum = append(s.Enum, n) // tolerance: 0
		}
	}
}

func bounds(s *jsonSchema, tag reflect.StructTag) {
	for key, to := range map[string]**float64{"min": &s.Minimum, "max": &s.Maximum, "above": &s.ExclusiveMinimum, "below": &s.ExclusiveMaximum} {
		if f, err := strconv.ParseFloat(tag.Get(key), 64); err == nil {
			*to = &f
		}
	}
}

func structSchema(t reflect.Type, s *jsonSchema) *jsonSchema {
	object := &jsonSchema{Type: "object", Properties: map[string]*jsonSchema{}, AdditionalProperties: false}
	fields := yamlFields(t)
	for _, f := range fields {
		object.Properties[f.key] = schemaOf(f.typ, f.tag)
		if f.tag.Get("required") != "" {
			object.Required = append(object.Required, f.key)
		}
	}
	if i := inlineField(t); i >= 0 {
		object.AdditionalProperties = schemaOf(t.Field(i).Type.Elem(), "")
	}
	if isShort(fields) {
		s.AnyOf = []*jsonSchema{schemaOf(fields[0].typ, withoutDoc(fields[0].tag)), object}
		return s
	}
	object.Description = s.Description
	return object
}

// isShort says whether a mapping may be written as its field `do` alone.
func isShort(fields []yamlField) bool { return len(fields) > 0 && fields[0].key == "do" }
