package payload

import (
	"slices"
	"testing"

	"github.com/retort-data/retort/schema"
)

// The key that encrypts is named first, and keys that can't be read are faults.
func TestTrial(t *testing.T) {
	t.Setenv("TRIAL_KEYS", "2026-11:"+key(1)+",2026-01:"+key(2)+",a:"+key(3))
	c := &schema.Config{}
	if ids, err := Trial(c); err != nil || ids != nil {
		t.Errorf("off: %v %v", ids, err)
	}
	c.Temporal.Encryption.KeyEnv = "TRIAL_KEYS"
	if ids, err := Trial(c); err != nil || !slices.Equal(ids, []string{"2026-11", "2026-01", "a"}) {
		t.Errorf("%v %v", ids, err)
	}
	for _, keys := range []string{"", "2026-11", "2026-11:short", "a:" + key(1) + ",a:" + key(2)} {
		t.Setenv("TRIAL_KEYS", keys)
		if _, err := Trial(c); schema.KindOf(err) != schema.KindInvalid {
			t.Errorf("%q: %v", keys, err)
		}
	}
}
