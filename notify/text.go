package notify

import (
	"fmt"
	"strings"

	"github.com/retort-data/retort/schema"
)

// Text is an event in a line or two, with what one can do.
func Text(e schema.Event) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: ", e.Dataset)
	switch e.Event {
	case schema.EventPublished:
		fmt.Fprintf(&b, "version %d is published: %d records of %d requests", e.Version, e.Counts.Admitted+e.Counts.Human, e.Counts.Planned)
	case schema.EventHeld:
		fmt.Fprintf(&b, "held (%s). A person decides: retort release %s --why TEXT, or retort cancel %s", words(e), e.Dataset, e.Dataset)
	case schema.EventBudget:
		fmt.Fprintf(&b, "the budget is reached, with %d of %d requests admitted", e.Counts.Admitted, e.Counts.Planned)
	case schema.EventFailed:
		fmt.Fprintf(&b, "failed (%s). See: retort status %s", words(e), e.Dataset)
	case schema.EventSkipped:
		fmt.Fprintf(&b, "the night of %s was skipped (%s)", e.Night.UTC().Format("2006-01-02 15:04 UTC"), words(e))
	case schema.EventExpiring:
		fmt.Fprintf(&b, "the held run expires at %s (%s): retort release %s --why TEXT lets it go on", e.Until.UTC().Format("2006-01-02 15:04 UTC"), words(e), e.Dataset)
	case schema.EventExpired:
		fmt.Fprintf(&b, "the held run has expired (%s) and is cancelled; what was paid for is kept", words(e))
	case schema.EventTeacher:
		fmt.Fprintf(&b, "teacher %s", words(e))
	default:
		b.WriteString(e.Event)
	}
	if e.Missed > 0 {
		fmt.Fprintf(&b, "; %d times before it never started", e.Missed)
	}
	if e.CostMicros > 0 {
		fmt.Fprintf(&b, "; cost $%.4f", float64(e.CostMicros)/1e6)
	}
	if e.Run != "" {
		fmt.Fprintf(&b, "; run %s", e.Run)
	}
	return b.String()
}

func words(e schema.Event) string {
	return strings.TrimSpace(e.Reason + " " + e.Subject)
}
