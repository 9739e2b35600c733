package activities

import (
	"testing"

	"github.com/retort-data/retort/schema"
)

// A page is half a minute of work at most: at the requests and at the tokens of a minute.
func TestPagesAreSizedByTheRate(t *testing.T) {
	for _, c := range []struct {
		limits schema.Limits
		tokens int64
		n      int
		want   int
	}{
		{schema.Limits{Concurrency: 64}, 400, 0, 640},
		{schema.Limits{Concurrency: 64}, 400, 40, 2560},
		{schema.Limits{Concurrency: 64, RPM: 600}, 400, 40, 300},
		{schema.Limits{Concurrency: 64, RPM: 600, TPM: 100_000}, 500, 40, 100},
		{schema.Limits{Concurrency: 64, TPM: 1000}, 4000, 0, leastPage},
		{schema.Limits{Concurrency: 1, RPM: 3}, 400, 0, leastPage},
	} {
		if got := pageSize(c.limits, c.tokens, c.n); got != c.want {
			t.Errorf("%+v, %d tokens, page %d: %d requests, want %d", c.limits, c.tokens, c.n, got, c.want)
		}
	}
}
