package schema

import (
	"bytes"
	"crypto/sha256"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/robfig/cron"
)

// NightRunID is the id of the run that a night begins: like every run's it sorts by time, and the same night gives the same.
func NightRunID(started time.Time, seed string) string {
	sum := sha256.Sum256([]byte(seed))
	return strings.ToLower(ulid.MustNew(ulid.Timestamp(started), bytes.NewReader(sum[:])).String())
}

// mostDue bounds the times that DueBetween returns.
const mostDue = 400

// DueBetween returns the times at which a schedule was due after from and before to, at most 400 of them. With every, the times
// are multiples of it since 1970, as Temporal has them; else cron counts, in the time zone.
func DueBetween(s Schedule, every time.Duration, from, to time.Time) (due []time.Time) {
	next := func(t time.Time) time.Time { return t.Truncate(every).Add(every) }
	if every <= 0 {
		zone, err := time.LoadLocation(s.Timezone)
		spec, cronErr := cron.ParseStandard(s.Cron)
		if err != nil || cronErr != nil { // a recipe with such a schedule doesn't parse
			return nil
		}
		next = func(t time.Time) time.Time { return spec.Next(t.In(zone)) }
	}
	for t := next(from); t.Before(to) && !t.IsZero() && len(due) < mostDue; t = next(t) {
		due = append(due, t.UTC())
	}
	return due
}
