package schema

import (
	"bytes"
	"encoding/json"
)

// UnmarshalJSON keeps numbers as they stand: a recipe that went through JSON renders the same prompts.
func (v *Vary) UnmarshalJSON(b []byte) error {
	type plain Vary
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return d.Decode((*plain)(v))
}
