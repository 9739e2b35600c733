package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/retort-data/retort/schema"
)

// sendFor bounds one try.
const sendFor = 10 * time.Second

// ErrForGood says that trying again won't help.
var ErrForGood = errors.New("the receiver doesn't want it")

// Wants says whether a target is told of an event.
func Wants(t schema.Notify, event string) bool { return slices.Contains(t.On, event) }

// Sign returns the value of the header Retort-Signature.
func Sign(secret string, timestamp int64, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%d.", timestamp)
	mac.Write(body)
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}

// client follows no redirect: what was signed for one receiver isn't for another.
var client = &http.Client{Timeout: sendFor, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// Send sends an event once. env gives the variables that the target names. No error holds the address, which is a secret with some
// receivers: ErrForGood where trying again can't help.
func Send(ctx context.Context, t schema.Notify, e schema.Event, env func(string) string, now time.Time) error {
	to := env(t.URLEnv)
	if u, err := url.Parse(to); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return fmt.Errorf("%w: %s holds no http(s) address", ErrForGood, t.URLEnv)
	}
	body, err := Body(t.Format, e)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%w: %s holds no address", ErrForGood, t.URLEnv)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "retort")
	req.Header.Set("Retort-Event", e.ID)
	if t.SecretEnv != "" {
		secret := env(t.SecretEnv)
		if secret == "" {
			return fmt.Errorf("%w: the worker's environment lacks %s, so it can't be signed", ErrForGood, t.SecretEnv)
		}
		req.Header.Set("Retort-Timestamp", strconv.FormatInt(now.Unix(), 10))
		req.Header.Set("Retort-Signature", Sign(secret, now.Unix(), body))
	}
	return deliver(req)
}

func deliver(req *http.Request) error {
	got, err := client.Do(req)
	if err != nil {
		var at *url.Error
		if errors.As(err, &at) { // which holds the address
			err = at.Err
		}
		return fmt.Errorf("it can't be reached: %w", err)
	}
	defer got.Body.Close()
	io.Copy(io.Discard, io.LimitReader(got.Body, 1<<16)) //nolint:errcheck // so that the connection can be used again
	switch s := got.StatusCode; {
	case s >= 200 && s < 300:
		return nil
	case s == http.StatusRequestTimeout || s == http.StatusTooManyRequests || s >= 500:
		return fmt.Errorf("it answers with status %d", s)
	default:
		return fmt.Errorf("%w: it answers with status %d", ErrForGood, s)
	}
}

// Body is what is sent: the event as it is, or for Slack its text.
func Body(format string, e schema.Event) ([]byte, error) {
	e.Text = Text(e)
	if format == "slack" {
		return json.Marshal(map[string]string{"text": e.Text})
	}
	return json.Marshal(e)
}
