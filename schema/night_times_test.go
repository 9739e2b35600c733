package schema

import (
	"testing"
	"time"
)

func TestDueBetween(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		cron     string
		every    time.Duration
		from, to time.Time
		want     int
	}{
		"none between two nights":             {"0 2 * * *", 0, time.Date(2026, 11, 1, 2, 0, 0, 0, berlin), time.Date(2026, 11, 2, 2, 0, 0, 0, berlin), 0},
		"a week":                              {"0 2 * * *", 0, time.Date(2026, 11, 1, 2, 0, 0, 0, berlin), time.Date(2026, 11, 8, 2, 0, 0, 0, berlin), 6},
		"the clock goes back: one, not two":   {"0 3 * * *", 0, time.Date(2026, 10, 24, 3, 0, 0, 0, berlin), time.Date(2026, 10, 26, 3, 0, 0, 0, berlin), 1},
		"the clock goes forward over 2:30":    {"30 2 * * *", 0, time.Date(2026, 3, 28, 2, 30, 0, 0, berlin), time.Date(2026, 3, 30, 2, 30, 0, 0, berlin), 0},
		"every five seconds":                  {"", 5 * time.Second, time.Unix(100, 0), time.Unix(120, 0), 3},
		"a long time away is bounded":         {"* * * * *", 0, time.Unix(0, 0), time.Unix(1e9, 0), mostDue},
		"what isn't a schedule is never due":  {"nonsense", 0, time.Unix(0, 0), time.Unix(1e6, 0), 0},
		"nothing between a time and the same": {"0 2 * * *", 0, time.Unix(100, 0), time.Unix(100, 0), 0},
	} {
		got := DueBetween(Schedule{Cron: c.cron, Timezone: "Europe/Berlin"}, c.every, c.from, c.to)
		if len(got) != c.want {
			t.Errorf("%s: %v, want %d", name, got, c.want)
		}
	}
}

// The same night begins the same run, and runs sort by time.
func TestNightRunID(t *testing.T) {
	at := time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC)
	a, again, later := NightRunID(at, "x"), NightRunID(at, "x"), NightRunID(at.Add(time.Second), "a")
	if a != again || a == NightRunID(at, "y") || a >= later || len(a) != 26 {
		t.Errorf("ids %s, %s, %s", a, again, later)
	}
}
