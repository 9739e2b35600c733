package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/retort-data/retort/local/teacher"
	"github.com/retort-data/retort/schema"
)

// hook is a receiver of webhooks that checks what is signed.
type hook struct {
	mu     sync.Mutex
	events []schema.Event
	bodies []string
	forged int
	away   int // answers 503 so often
}

const hookSecret = "canary-of-a-hook-secret"

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.away > 0 {
		h.away--
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	mac := hmac.New(sha256.New, []byte(hookSecret))
	fmt.Fprintf(mac, "%s.%s", r.Header.Get("Retort-Timestamp"), body)
	if r.Header.Get("Retort-Signature") != "v1="+hex.EncodeToString(mac.Sum(nil)) {
		h.forged++
	}
	var e schema.Event
	if json.Unmarshal(body, &e) == nil {
		h.events = append(h.events, e)
		h.bodies = append(h.bodies, string(body))
	}
}

func (h *hook) told(event string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(slices.DeleteFunc(slices.Clone(h.events), func(e schema.Event) bool { return e.Event != event }))
}

// hooked makes a lab tell its events to a hook.
func (l *lab) hooked(h *hook) {
	l.t.Helper()
	url := l.serve(h)
	l.env = append(l.env, "HOOK_URL="+strings.TrimSuffix(url, "/v1")+"/a-secret-path", "HOOK_SECRET="+hookSecret)
	l.extra += "notify: [{url_env: HOOK_URL, secret_env: HOOK_SECRET}]\n"
	l.configure(64, "")
}

// A teacher that says something else than the night before is reported before the night's budget is spent, once; what becomes of the run is
// told too, signed, also where the receiver was away at first.
func TestChangedTeacherIsReported(t *testing.T) {
	cfg := teacher.DefaultConfig()
	l := newLab(t, cfg)
	h := &hook{away: 1}
	l.hooked(h)
	l.startWorker()
	recipe := l.questions("probed", 30, "schedule: {cron: \"0 2 * * *\"}\n")
	l.ok("schedule", "set", recipe, "--every", "2s")
	first := l.awaitNight("probed", schema.StatePublished, time.Time{})
	same := l.awaitNight("probed", schema.StatePublished, first.At)
	l.ok("schedule", "pause", "probed")
	l.wait("the last night to end", func() bool { n := l.nights("probed"); return n[len(n)-1].Outcome != schema.NightBegun })
	cfg.MinWords, cfg.MaxWords = 5, 8
	l.must(l.teacher.Configure(cfg))
	l.ok("schedule", "resume", "probed")
	l.wait("a changed teacher to be reported", func() bool { return h.told(schema.EventTeacher) > 0 || len(l.nights("probed")) > 15 })
	l.ok("schedule", "pause", "probed")
	l.wait("the last night to end", func() bool { n := l.nights("probed"); return n[len(n)-1].Outcome != schema.NightBegun })
	changed := 0
	for _, n := range l.nights("probed") {
		for _, p := range n.Teachers {
			t.Logf("%s: %+v", n.At.Format("15:04:05"), p)
			if p.Changed() {
				changed++
			}
		}
	}
	if changed != 1 || len(first.Teachers) != 1 || first.Teachers[0].Found != schema.ProbeFirst || same.Teachers[0].Found != schema.ProbeSame {
		t.Errorf("changed %d times; first %+v, then %+v", changed, first.Teachers, same.Teachers)
	}
	l.wait("what was published to be told", func() bool { return h.told(schema.EventPublished) >= 2 })
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.forged > 0 || h.away > 0 {
		t.Errorf("%d messages had no good signature; still away %d times", h.forged, h.away)
	}
	for _, b := range h.bodies {
		if strings.Contains(b, "meaning of number") {
			t.Errorf("a message holds a prompt: %s", b)
		}
	}
}

// A held run expires by itself, with notice, and the next run may start.
func TestHeldRunExpires(t *testing.T) {
	cfg := teacher.DefaultConfig()
	cfg.APIKey = "another"
	l := newLab(t, cfg)
	h := &hook{}
	l.hooked(h)
	l.startWorker()
	recipe := l.questions("expiring", 30, "gate: {expires: 4s}\n")
	if got := l.retort("run", recipe); got.status != 3 {
		t.Fatalf("exit %d\n%s%s", got.status, got.stdout, got.stderr)
	}
	s := l.finished("expiring", schema.StateHeld)
	l.wait("it to expire", func() bool { s = l.status("expiring"); return s.State == schema.StateCancelled })
	if s.Reason != schema.ReasonExpired {
		t.Errorf("status %+v", s)
	}
	if got := l.retort("release", "expiring", "--why", "too late"); got.status != 2 {
		t.Errorf("a release after it has expired: exit %d", got.status)
	}
	l.wait("the notice and the end to be told", func() bool {
		return h.told(schema.EventExpiring) == 1 && h.told(schema.EventExpired) == 1 && h.told(schema.EventHeld) == 1
	})
	cfg.APIKey = ""
	l.must(l.teacher.Configure(cfg))
	l.ok("run", recipe)
}
