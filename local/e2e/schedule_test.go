package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/retort-data/retort/local/teacher"
	"github.com/retort-data/retort/schema"
)

// nightEvery is how often the schedule of these tests begins a night.
const nightEvery = 2 * time.Second

// listed is what `retort schedule list` prints of a dataset.
type listed struct {
	When   string         `json:"when"`
	Paused bool           `json:"paused"`
	Note   string         `json:"note"`
	Nights []schema.Night `json:"nights"`
}

func (l *lab) scheduleOf(dataset string) listed {
	l.t.Helper()
	var all []listed
	l.must(json.Unmarshal([]byte(l.ok("--json", "schedule", "list", dataset, "--nights", "1000")), &all))
	return all[0]
}

// awaitNight waits for a night with that outcome that was due after a time, and returns it.
func (l *lab) awaitNight(dataset, outcome string, after time.Time) (found schema.Night) {
	l.t.Helper()
	l.wait("a night that is "+outcome, func() bool {
		for _, n := range l.scheduleOf(dataset).Nights {
			if n.Outcome == outcome && n.At.After(after) {
				found = n
				return true
			}
		}
		return false
	})
	return found
}

// corpus puts rows into the bucket, as a team does that collects questions.
func (l *lab) corpus(name string, from, n int) {
	l.t.Helper()
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "{\"question\": \"What is the meaning of number %d in a list of things?\"}\n", from+i)
	}
	l.must(l.store.PutNew(l.t.Context(), "corpus/"+name, []byte(b.String())))
}

// A real schedule every few seconds: nights that publish what is new, that find nothing new, that find a manual run or a held one in the way,
// that fail and pause the schedule; no two runs at once, and no time of which nothing is said.
func TestScheduleOfNights(t *testing.T) {
	cfg := teacher.DefaultConfig()
	l := newLab(t, cfg)
	l.startWorker()
	l.corpus("a.jsonl", 0, 40)
	recipe := l.write("nightly.yaml", fmt.Sprintf(`dataset: nightly
license: cc-by-4.0
prompts: [{from: "s3://%s/corpus/*.jsonl", license: cc-by-4.0, origin: human}]
messages: [{role: user, content: "{{.question}}"}]
teachers: [{name: tester}]
sampling: {max_tokens: 400}
schedule: {cron: "0 2 * * *", timezone: Europe/Berlin, new: true}
`, l.stack.Bucket))
	l.ok("schedule", "set", recipe, "--every", nightEvery.String())
	first := l.awaitNight("nightly", schema.StatePublished, time.Time{})
	l.awaitNight("nightly", schema.StateNothingNew, first.At)

	// What was added is found, and alone is asked.
	l.corpus("b.jsonl", 1000, 10)
	second := l.awaitNight("nightly", schema.StatePublished, first.At)
	if second.Version != 2 || second.Counts.Planned != 10 {
		t.Errorf("the night after ten questions were added: %+v", second)
	}

	// A manual run: nights find it in their way.
	cfg.LatencyMS = 7000
	l.must(l.teacher.Configure(cfg))
	l.wait("a manual run to start", func() bool { return l.retort("run", "--detach", recipe).status == 0 })
	manual := l.status("nightly").Run
	inWay := l.awaitNight("nightly", schema.NightRunning, second.At)
	l.wait("the manual run to be named", func() bool {
		inWay = l.awaitNight("nightly", schema.NightRunning, inWay.At.Add(-time.Second))
		return inWay.Run != "" || l.status("nightly").State == schema.StatePublished
	})
	if inWay.Run != "" && inWay.Run != l.status("nightly").Run && inWay.Run != manual {
		t.Errorf("in the way was %s, not %s", inWay.Run, manual)
	}
	cfg.LatencyMS = 0
	l.must(l.teacher.Configure(cfg))
	l.awaitNight("nightly", schema.StateNothingNew, inWay.At)

	// A teacher that blocks holds a night; the next ones say so, until a person decides.
	cfg.APIKey = "another"
	l.must(l.teacher.Configure(cfg))
	l.corpus("c.jsonl", 2000, 10)
	held := l.awaitNight("nightly", schema.StateHeld, inWay.At)
	since := l.awaitNight("nightly", schema.NightHeld, held.At)
	if held.Reason != "teacher_blocked" || since.Run != held.Run || since.Reason != held.Reason {
		t.Errorf("held %+v, then %+v", held, since)
	}
	cfg.APIKey = ""
	l.must(l.teacher.Configure(cfg))
	l.ok("cancel", "nightly")
	again := l.awaitNight("nightly", schema.StatePublished, since.At)

	// What can't be read fails the night, which pauses the schedule.
	l.must(l.store.PutNew(t.Context(), "corpus/d.jsonl", []byte("this is no JSON\n")))
	failed := l.awaitNight("nightly", schema.StateFailed, again.At)
	l.wait("the schedule to be paused", func() bool { return l.scheduleOf("nightly").Paused })
	if s := l.scheduleOf("nightly"); !strings.Contains(s.Note, failed.Run) {
		t.Errorf("the pause doesn't name run %s: %q", failed.Run, s.Note)
	}
	l.must(l.store.Delete(t.Context(), "corpus/d.jsonl"))
	paused := time.Now()
	l.wait("two times to pass", func() bool { return time.Since(paused) > 2*nightEvery })
	l.ok("schedule", "resume", "nightly")
	last := l.awaitNight("nightly", schema.StateNothingNew, failed.At)
	t.Log(l.ok("schedule", "list"))
	l.ok("schedule", "remove", "nightly")
	if got := l.retort("schedule", "list", "nightly"); got.status != 2 {
		t.Errorf("a removed schedule: exit %d\n%s", got.status, got.stderr)
	}
	l.gapless("nightly", last)
}

// gapless holds the nights up to the last: one for every time, and no two runs at once.
func (l *lab) gapless(dataset string, last schema.Night) {
	l.t.Helper()
	var end time.Time
	var before time.Time
	counts := map[string]int{}
	for _, n := range l.nights(dataset) {
		if counts[n.Outcome]++; n.At.After(last.At) {
			break
		}
		if !before.IsZero() && n.At.Sub(before) != nightEvery {
			l.t.Errorf("nothing is said of what was due between %s and %s", before, n.At)
		}
		before = n.At
		if n.Skipped() {
			continue
		}
		if n.Started.Before(end) && !n.Ended.IsZero() && n.Counts != nil {
			l.t.Errorf("the night of %s ran beside the one before, which ended at %s", n.At, end)
		}
		end = n.Ended
	}
	l.t.Logf("nights: %v", counts)
	if counts[schema.NightMissed] == 0 {
		l.t.Error("the times that passed while it was paused are not reported")
	}
}

// nights reads what stands on S3, where it stays when the schedule is gone.
func (l *lab) nights(dataset string) (all []schema.Night) {
	l.t.Helper()
	for _, key := range l.keys(dataset + "/_schedule/nights/") {
		body, err := l.store.Get(l.t.Context(), key)
		l.must(err)
		var n schema.Night
		l.must(json.Unmarshal(body, &n))
		all = append(all, n)
	}
	return all
}
