package teacher

import (
	"strings"

	"github.com/retort-data/retort/schema"
)

// leastKey is the shortest key that is looked for in answers: a shorter one ("none", "x") stands in innocent words.
const leastKey = 8

// withoutKey takes the key out of all that a teacher said: one that sends back what it was sent (a proxy's page, a test endpoint) must not
// bring a key into a dataset.
func (c *Client) withoutKey(r *schema.Response) {
	key := c.options.Key
	if len(key) < leastKey {
		return
	}
	for _, s := range []*string{&r.Text, &r.Reasoning, &r.FinishReason, &r.Model, &r.Fingerprint, &r.SchemaFault} {
		*s = strings.ReplaceAll(*s, key, "[key]")
	}
}
