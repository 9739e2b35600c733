package teacher

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"github.com/retort-data/retort/schema"
)

// Options of a Client; the zero value is right for production but for Key.
type Options struct {
	Key       string            // the API key's value; empty: none is sent
	UserAgent string            // where the teacher declares none; default "retort"
	Transport http.RoundTripper // for tests
	Observe   Observer          // hears of each call; nil: nobody
	Limiter   *Limiter          // shared with others; nil: an own one, with a lease of the teacher's whole limit that never ends

	MaxAttempts int           // calls for one request at most, repairs apart; default 8
	MaxElapsed  time.Duration // no new call of a request is begun after this, waits for a turn apart; default 15m
	Backoff     time.Duration // before the second call; doubles; default 500ms
	MostBackoff time.Duration // default 30s
	Connect     time.Duration // for a connection; default 10s
	FirstByte   time.Duration // for the first byte of an answer; default: Timeout of the teacher
	MaxBody     int64         // bytes of an answer; default 32 MiB
	Unavailable time.Duration // bound of the breaker; default 10m
}

func (o *Options) fill() {
	fill(&o.UserAgent, "retort")
	fill(&o.MaxAttempts, 8)
	fill(&o.MaxElapsed, 15*time.Minute)
	fill(&o.Backoff, 500*time.Millisecond)
	fill(&o.MostBackoff, 30*time.Second)
	fill(&o.Connect, 10*time.Second)
	fill(&o.MaxBody, 32<<20)
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Client asks one teacher. It is safe for concurrent use.
type Client struct {
	teacher schema.Teacher
	options Options
	timeout time.Duration
	api     *openai.Client
	limiter *Limiter
	stats   counters
	format  atomic.Int32 // the response_format that the server is known to take
	newer   atomic.Bool  // the server wants max_completion_tokens; see dialect
}

// New returns a client for a teacher. It checks what would otherwise fail at each call.
func New(t schema.Teacher, o Options) (*Client, error) {
	o.fill()
	if err := checkBaseURL(t, o.Key != ""); err != nil {
		return nil, err
	}
	if strings.ContainsAny(o.Key, "\r\n\x00") || strings.TrimSpace(o.Key) != o.Key {
		return nil, invalid(t, "the API key has white space around it or line breaks in it", "set "+t.APIKeyEnv+" to the bare key")
	}
	c := &Client{teacher: t, options: o, timeout: time.Duration(t.Timeout), limiter: o.Limiter}
	fill(&c.timeout, 10*time.Minute)
	if c.limiter == nil {
		c.limiter = NewLimiter(t.Name, o.Unavailable)
		c.limiter.SetLease(FullRate(t.Limits), time.Time{})
	}
	rt := o.Transport
	if rt == nil {
		rt = newTransport(t.Limits.Concurrency, o.Connect)
	}
	cfg := openai.DefaultConfig(o.Key)
	cfg.BaseURL = strings.TrimRight(t.BaseURL, "/")
	agent := t.UserAgent
	fill(&agent, o.UserAgent)
	cfg.HTTPClient = &doer{rt: rt, userAgent: agent, from: t.Contact, maxBody: o.MaxBody, firstByte: o.FirstByte}
	c.api = openai.NewClientWithConfig(cfg)
	c.newer.Store(wantsCompletionTokens(t.Model))
	return c, nil
}

func checkBaseURL(t schema.Teacher, key bool) error {
	u, err := url.Parse(t.BaseURL)
	switch {
	case err != nil, u.Host == "", u.Scheme != "http" && u.Scheme != "https":
		return invalid(t, "base_url is not an http or https URL", "give it as https://HOST/v1")
	case u.User != nil:
		return invalid(t, "base_url holds a user name or password", "name an environment variable in api_key_env instead")
	}
	return nil
}

func invalid(t schema.Teacher, what, mend string) error {
	return &schema.Error{Kind: schema.KindInvalid, Code: "teacher_config", Op: "teacher", Subject: t.Name, Cause: errors.New(what), Hint: mend}
}

// wantsCompletionTokens names the models for which go-openai itself refuses max_tokens.
func wantsCompletionTokens(model string) bool {
	for _, prefix := range []string{"o1", "o3", "o4", "gpt-5", "gpt-6"} {
		if strings.HasPrefix(model, prefix) {
			return true
		}
	}
	return false
}

// Limiter returns the client's limiter, to set its lease and to read its state.
func (c *Client) Limiter() *Limiter { return c.limiter }

// Teacher returns the teacher that the client asks.
func (c *Client) Teacher() schema.Teacher { return c.teacher }

// blocked stops all asking of the teacher.
func (c *Client) blocked(f *fault) error {
	err := &schema.Error{
		Kind: schema.KindHold, Code: CodeBlocked, Op: "ask", Subject: c.teacher.Name,
		Cause: fmt.Errorf("%s: %s", f.code, redact(f.detail, c.options.Key)),
		Hint:  blockHint(c.teacher, f.code),
	}
	c.limiter.block(f.code, err)
	return err
}

func blockHint(t schema.Teacher, code string) string {
	switch code {
	case CodeUnauthorized:
		return "the key in " + t.APIKeyEnv + " is missing or wrong; mend it on the workers, then release the run"
	case CodePayment:
		return "the account's credit or quota is used up; see to it with the provider, then release the run"
	case CodeModelNotFound:
		return "the teacher serves no model " + t.Model + " at its base_url; mend model or base_url, then release the run"
	case CodeRedirect:
		return "base_url redirects elsewhere, and a key must not follow; give the final URL, then release the run"
	case CodeUnsupported:
		return "leave out the sampling parameters that the model doesn't take"
	}
	return "the provider refuses this account; see to it with the provider, then release the run"
}
