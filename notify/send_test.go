package notify

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/retort-data/retort/schema"
)

// receiver answers with a status, and keeps what came.
func receiver(t *testing.T, status int) (url string, got *http.Request, body *[]byte) {
	t.Helper()
	got, body = &http.Request{}, new([]byte)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*got, *body = *r, nil
		*body, _ = io.ReadAll(r.Body)
		if status == http.StatusFound {
			w.Header().Set("Location", "http://"+r.Host+"/elsewhere")
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/hook/a-secret-path", got, body
}

var held = schema.Event{ID: "r1/held/1", Event: schema.EventHeld, Dataset: "d", Run: "r1", Reason: "gate", Subject: "length", At: time.Unix(1, 0).UTC()}

func env(vars ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(vars); i += 2 {
			if vars[i] == name {
				return vars[i+1]
			}
		}
		return ""
	}
}

func TestSendSigns(t *testing.T) {
	url, got, body := receiver(t, 204)
	to := schema.Notify{URLEnv: "HOOK", SecretEnv: "SECRET", Format: "json"}
	if err := Send(t.Context(), to, held, env("HOOK", url, "SECRET", "s3cret"), time.Unix(1700000000, 0)); err != nil {
		t.Fatal(err)
	}
	if got.Header.Get("Retort-Timestamp") != "1700000000" || got.Header.Get("Retort-Signature") != Sign("s3cret", 1700000000, *body) || got.Header.Get("Retort-Event") != held.ID {
		t.Errorf("headers %v", got.Header)
	}
	if Sign("a", 1, nil) == Sign("b", 1, nil) || Sign("a", 1, nil) == Sign("a", 2, nil) {
		t.Error("the signature doesn't follow from secret and time")
	}
	var e schema.Event
	if err := json.Unmarshal(*body, &e); err != nil || e.Event != "held" || e.Reason != "gate" || !strings.Contains(e.Text, "retort release d") {
		t.Errorf("body %s: %v", *body, err)
	}
}

func TestSendAsSlackTakesIt(t *testing.T) {
	url, _, body := receiver(t, 200)
	if err := Send(t.Context(), schema.Notify{URLEnv: "HOOK", Format: "slack"}, held, env("HOOK", url), time.Now()); err != nil {
		t.Fatal(err)
	}
	var m map[string]string
	if err := json.Unmarshal(*body, &m); err != nil || len(m) != 1 || !strings.HasPrefix(m["text"], "d: held (gate length)") {
		t.Errorf("body %s: %v", *body, err)
	}
}

// What can't help isn't tried again; and no error holds the address, which is a secret with some receivers.
func TestSendFaults(t *testing.T) {
	for name, c := range map[string]struct {
		status  int
		forGood bool
	}{"busy": {503, false}, "too many": {429, false}, "gone": {404, true}, "refused": {403, true}, "redirected": {302, true}} {
		url, _, _ := receiver(t, c.status)
		err := Send(t.Context(), schema.Notify{URLEnv: "HOOK"}, held, env("HOOK", url), time.Now())
		if err == nil || errors.Is(err, ErrForGood) != c.forGood || strings.Contains(err.Error(), "a-secret-path") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, vars := range map[string][]string{"unset": nil, "no address": {"HOOK", "s3://x"}, "unsigned": {"HOOK", "http://127.0.0.1:9/a-secret-path"}} {
		err := Send(t.Context(), schema.Notify{URLEnv: "HOOK", SecretEnv: "SECRET"}, held, env(vars...), time.Now())
		if !errors.Is(err, ErrForGood) || strings.Contains(err.Error(), "a-secret-path") {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Send(ctx, schema.Notify{URLEnv: "HOOK"}, held, env("HOOK", "http://127.0.0.1:9/a-secret-path"), time.Now()); err == nil || errors.Is(err, ErrForGood) || strings.Contains(err.Error(), "a-secret-path") {
		t.Errorf("away: %v", err)
	}
}
