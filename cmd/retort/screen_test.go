package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"github.com/retort-data/retort/activities"
	"github.com/retort-data/retort/schema"
)

var update = flag.Bool("update", false, "write the pictures anew")

var atNight = time.Date(2026, 11, 24, 2, 12, 0, 0, time.UTC)

// asking is a run amid trouble: a limit, a breaker, batches, faults that are tried again.
func asking() *snapshot {
	s := schema.Status{
		Dataset: "science-answers", Run: "01m879h53faqn7czv3ka3qzxby", State: schema.StateAsking, Started: atNight.Add(-12 * time.Minute), Updated: atNight.Add(-time.Second),
		Counts: schema.Counts{Planned: 40_000, Unasked: 27_000, Admitted: 11_800, Failed: 100,
			Rejected: map[string]int64{"near": 402, "repetition": 301, "identity": 200, "refusal": 120, "template": 40, "length": 20, "echo": 10, "schema": 7}},
		Asked: 13_000, Pages: schema.Progress{Done: 20, Total: 63}, Cost: schema.Cost{Micros: 12_100_000}, Budget: 15_000_000, FirstAt: atNight.Add(-11 * time.Minute).UnixMilli(),
		Gate: schema.GateVerdict{State: "pass", Gates: []schema.GateReading{
			{Against: schema.AgainstHuman, State: "pass", Threshold: 200, Wealth: 1.2, Records: 12_900, Pairs: 9_000, Accounts: []schema.AccountWealth{{Name: "maxrar", Wealth: 3.4}}},
			{Against: schema.AgainstCeilings, State: "pass", Threshold: 200, Wealth: 40, Records: 12_900, Over: []string{"refusal"}}}},
		Teachers: []schema.TeacherStatus{
			{Name: "qwen-32b", Requests: 25_000, Answered: 9_000, Admitted: 8_000, Pages: schema.Progress{Done: 14, Total: 40}, Cost: schema.Cost{Micros: 10_000_000}, Failed: map[string]int64{"status_500": 100},
				Waits: []schema.TeacherWait{{Worker: "LLGJYGZZ", For: schema.WaitLimit, Code: "rpm", Since: atNight.Add(-30 * time.Second)}}},
			{Name: "nemotron", Requests: 10_000, Answered: 4_000, Admitted: 3_800, Pages: schema.Progress{Done: 6, Total: 15}, Cost: schema.Cost{Micros: 2_100_000}, Served: []string{"a", "b"},
				Waits: []schema.TeacherWait{{Worker: "LLGJYGZZ", For: schema.WaitBreaker, Code: "status_503", Since: atNight.Add(-90 * time.Second), Until: atNight.Add(30 * time.Second)}}},
			{Name: "overnight", Requests: 5_000, Pages: schema.Progress{Total: 8}, Batches: &schema.BatchStatus{Submitted: 8, Queued: 6, Running: 2, Requests: 5_000, Completed: 1_200, Failed: 3}},
		},
	}
	s.Figure()
	return &snapshot{Status: s, flying: activities.Beat{Total: 640, Done: 120}, steps: []step{
		{Name: schema.StepAsk, Started: true, Attempt: 1}, {Name: schema.StepAsk, Started: true, Attempt: 1}, {Name: schema.StepInspect, Attempt: 1},
		{Name: schema.StepAdmit, Attempt: 7, Code: "s3_slowdown", Next: atNight.Add(8 * time.Second)}}}
}

func held() *snapshot {
	s := asking()
	s.State, s.Reason, s.Subject = schema.StateHeld, "teacher_blocked", "qwen-32b"
	s.Teachers = s.Teachers[:1]
	s.Teachers[0].Stopped, s.Teachers[0].Waits = "status_401", nil
	s.Gate.Gates, s.steps, s.flying = s.Gate.Gates[:1], nil, activities.Beat{}
	return s
}

func published() *snapshot {
	s := held()
	s.State, s.Reason, s.Subject, s.Version = schema.StatePublished, "", "", 3
	s.Counts = schema.Counts{Planned: 13_000, Admitted: 12_000, Rejected: map[string]int64{"near": 1000}}
	s.Files = schema.Progress{Done: 4, Total: 4}
	s.Teachers[0].Stopped = ""
	s.Budget = 0
	s.Figure()
	return s
}

func night() *trail {
	t := &trail{asked: []mark{{atNight.Add(-time.Minute), 11_000}, {atNight, 13_120}}, wealth: map[string][]float64{}}
	for i := range 30 {
		t.wealth["human"] = append(t.wealth["human"], 1.2+float64(i%7)/4)
		t.wealth["ceilings"] = append(t.wealth["ceilings"], .02*float64(i*i)+.1)
	}
	return t
}

var pictures = map[string]screen{
	"asking":    {snapshot: asking(), trail: night()},
	"held":      {snapshot: held(), trail: night()},
	"published": {snapshot: published(), trail: night()},
	"waiting":   {snapshot: &snapshot{Status: schema.Status{Dataset: "science-answers", Run: "01m879h53faqn7czv3ka3qzxby", State: stateWaiting}, stale: true}},
	"planning":  {snapshot: &snapshot{Status: schema.Status{Dataset: "science-answers", Run: "01m879h53faqn7czv3ka3qzxby", State: schema.StatePlanning, Started: atNight.Add(-time.Minute)}, steps: []step{{Name: schema.StepPlan, Started: true, Attempt: 1}}}},
	"no-worker": {snapshot: func() *snapshot {
		s := asking()
		s.stale = true
		s.steps, s.Updated = nil, atNight.Add(-time.Hour)
		return s
	}()},
	"no-temporal": {snapshot: func() *snapshot {
		s := asking()
		s.stale, s.lost, s.steps = true, errors.New("connection refused"), nil
		return s
	}()},
	"lost": {snapshot: asking(), trail: night(), link: "connection lost, last heard 42s ago; trying again, and the run goes on without this view (dial tcp: connection refused)"},
}

// Every state is drawn as the picture in testdata has it, and no line is wider than the terminal.
func TestPictures(t *testing.T) {
	zone := time.Local
	time.Local = time.UTC
	defer func() { time.Local = zone }()
	for name, s := range pictures {
		for _, size := range [][2]int{{40, 24}, {80, 24}, {200, 40}} {
			s.now, s.width, s.height = atNight, size[0], size[1]
			got := s.String() + "\n"
			if n := strings.Count(got, "\n"); n > size[1] {
				t.Errorf("%s has %d lines, of %d", name, n, size[1])
			}
			s.paint.colour = true
			if bare := ansi.Strip(s.String()) + "\n"; bare != got {
				t.Errorf("%s at %d columns: colour changes the text:\n%s", name, size[0], cmp.Diff(got, bare))
			}
			s.paint.colour = false
			for line := range strings.SplitSeq(got, "\n") {
				if ansi.StringWidth(line) > size[0] {
					t.Errorf("%s at %d columns: a line is %d wide: %s", name, size[0], ansi.StringWidth(line), line)
				}
			}
			compare(t, filepath.Join("testdata", "screen", fmt.Sprintf("%s-%d.txt", name, size[0])), got)
		}
	}
}

func compare(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (go test ./cmd/retort -run Pictures -update writes it anew):\n%s", file, diff)
	}
}

// Scrolled to its end, the last line of a body that doesn't fit is seen; the foot says what is above.
func TestScroll(t *testing.T) {
	s := screen{snapshot: asking(), trail: night(), now: atNight, width: 40, height: 12}
	body := s.body()
	s.scroll = s.maxScroll()
	got := s.String()
	if !strings.Contains(got, body[len(body)-1]) || !strings.Contains(got, "more above") || s.scroll == 0 || strings.Contains(got, "below") {
		t.Error(got)
	}
	if n := strings.Count(got, "\n") + 1; n != s.height {
		t.Errorf("%d lines", n)
	}
}

// Without UTF-8 the picture is ASCII alone, at the same width.
func TestPictureInASCII(t *testing.T) {
	if p := paintOf(func(string) string { return "" }); !p.ascii {
		t.Error("a POSIX locale gets UTF-8")
	}
	env := map[string]string{"LANG": "de_DE.UTF-8", "NO_COLOR": "1"}
	if p := paintOf(func(n string) string { return env[n] }); p.ascii || p.colour {
		t.Errorf("%+v", p)
	}
	s := screen{snapshot: asking(), trail: night(), now: atNight, width: 80, height: 60, paint: paint{ascii: true, colour: true}}
	for _, r := range s.String() {
		if r >= utf8.RuneSelf {
			t.Fatalf("%q in\n%s", r, s.String())
		}
	}
}

// Whatever names and codes hold, nothing but this program's own colours steers the terminal.
func FuzzScreen(f *testing.F) {
	f.Add("qwen\x1b]0;owned\x07", "near\x1b[2J", "a\nb\u202ec\x9b31m", 80)
	f.Add("名前"+strings.Repeat("x", 300), "", "\xff\xfe", 20)
	f.Fuzz(func(t *testing.T, name, reason, code string, width int) {
		if width < 20 || width > 300 {
			return
		}
		s := asking()
		s.Dataset, s.State, s.Reason, s.Subject = name, reason, code, name
		s.Teachers[0].Name, s.Teachers[0].Stopped, s.Teachers[1].Waits[0].Worker = name, code, reason
		s.Counts.Rejected = map[string]int64{reason: 3, code: 2, name: 1}
		s.Gate.Gates[0].Accounts[0].Name, s.Gate.Gates[1].Over = name, []string{code}
		s.steps[3].Code = code
		sc := screen{snapshot: s, trail: night(), now: atNight, width: width, height: 40, link: clean(code)}
		for _, r := range sc.String() {
			if r != '\n' && (r < 0x20 || r >= 0x7f && r <= 0x9f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069) {
				t.Fatalf("%q", r)
			}
		}
		for line := range strings.SplitSeq(sc.String(), "\n") {
			if ansi.StringWidth(line) > width {
				t.Fatalf("%d wide: %q", ansi.StringWidth(line), line)
			}
		}
	})
}

// Words are broken under the indent of their line.
func TestHang(t *testing.T) {
	if got := hangIn("one two three four five six\n  seven", 30); got != "  one two three four five six\n    seven\n" {
		t.Errorf("%q", got)
	}
	if got := hangIn(strings.Repeat("word ", 10)+"\x1b[2J", 30); strings.Contains(got, "\x1b") || !strings.Contains(got, "\n  word") {
		t.Errorf("%q", got)
	}
}
