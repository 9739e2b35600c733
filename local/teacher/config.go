package teacher

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Config is how the teacher behaves. Its JSON form is that of /config.
type Config struct {
	Models      []string `json:"models"`       // what is served; empty serves any name
	ServedModel string   `json:"served_model"` // the name in answers; empty repeats the request's
	Fingerprint string   `json:"fingerprint"`  // system_fingerprint

	LatencyMS float64 `json:"latency_ms"` // mean time to an answer
	JitterMS  float64 `json:"jitter_ms"`  // uniform, plus or minus

	// Rates of faults, each 0 to 1, of all requests; together at most 1.
	RateLimited float64 `json:"rate_limited"` // 429 with Retry-After
	ServerError float64 `json:"server_error"` // 500
	Reset       float64 `json:"reset"`        // the connection is reset, half of the time amid the body
	Garbage     float64 `json:"garbage"`      // status 200 or 502 with a body that is no completion
	Hang        float64 `json:"hang"`         // no answer until the asker leaves
	RetryAfterS int     `json:"retry_after_s"`

	// Modes are rates of bad answers by name (see ModeNames), together at most 1.
	Modes map[string]float64 `json:"modes"`

	MinWords  int     `json:"min_words"`
	MaxWords  int     `json:"max_words"`
	MaxTokens int     `json:"max_tokens"` // the model's own limit of an answer
	Pool      float64 `json:"pool"`       // share of the sentences in use; small values make answers alike, as a collapsed model does

	APIKey string `json:"api_key"` // "" accepts any; otherwise 401 without it
	RPM    int    `json:"rpm"`     // requests accepted in any 60 s; above it 429. 0: no limit

	PriceInput  float64 `json:"price_input"` // USD for a million tokens
	PriceOutput float64 `json:"price_output"`

	BatchMS      float64 `json:"batch_ms"`      // time that a batch takes
	BatchPrice   float64 `json:"batch_price"`   // factor of the price of a batch's answers
	BatchLost    float64 `json:"batch_lost"`    // rate of batches whose creation is not heard of
	BatchExpired float64 `json:"batch_expired"` // rate of a batch's requests that are not come to

	// BatchFates of the first batches in the order of their creation: "" is none, lost (its creation is not heard of), expired or
	// cancelled (by the provider), both half-way.
	BatchFates []string `json:"batch_fates"`
}

// DefaultConfig is a quick, healthy teacher.
func DefaultConfig() Config {
	return Config{
		Fingerprint: "fp_honest_1", RetryAfterS: 1,
		MinWords: 40, MaxWords: 250, MaxTokens: 2048, Pool: 1,
		PriceInput: 0.20, PriceOutput: 0.60,
		BatchMS: 200, BatchPrice: 0.5,
	}
}

func (c *Config) validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	sum := 0.0
	for name, rate := range map[string]float64{
		"rate_limited": c.RateLimited, "server_error": c.ServerError, "reset": c.Reset,
		"garbage": c.Garbage, "hang": c.Hang,
	} {
		if !(rate >= 0 && rate <= 1) {
			fault("%s is %v: a rate from 0 to 1 is wanted", name, rate)
		}
		sum += rate
	}
	if sum > 1+1e-9 {
		fault("the rates of faults add up to %v, more than 1", sum)
	}
	for name, rate := range map[string]float64{
		"batch_price": c.BatchPrice, "batch_lost": c.BatchLost, "batch_expired": c.BatchExpired,
	} {
		if !(rate >= 0 && rate <= 1) {
			fault("%s is %v: 0 to 1 is wanted", name, rate)
		}
	}
	for _, fate := range c.BatchFates {
		if !slices.Contains([]string{"", "lost", "expired", "cancelled"}, fate) {
			fault("unknown fate of a batch %q", fate)
		}
	}
	if !(c.BatchMS >= 0 && c.BatchMS <= 86_400_000) {
		fault("batch_ms is %v: want 0 to a day", c.BatchMS)
	}
	sum = 0
	for name, rate := range c.Modes {
		if !slices.Contains(ModeNames, name) {
			fault("unknown mode %q: there are %s", name, strings.Join(ModeNames, ", "))
		}
		if !(rate >= 0 && rate <= 1) {
			fault("mode %s is %v: a rate from 0 to 1 is wanted", name, rate)
		}
		sum += rate
	}
	if sum > 1+1e-9 {
		fault("the rates of modes add up to %v, more than 1", sum)
	}
	if c.MinWords < 1 || c.MaxWords < c.MinWords || c.MaxWords > 20_000 {
		fault("min_words %d and max_words %d: want 1 <= min <= max <= 20000", c.MinWords, c.MaxWords)
	}
	if c.MaxTokens < 1 {
		fault("max_tokens is %d: want at least 1", c.MaxTokens)
	}
	if !(c.Pool > 0 && c.Pool <= 1) {
		fault("pool is %v: want a share above 0, up to 1", c.Pool)
	}
	if !(c.LatencyMS >= 0) || !(c.JitterMS >= 0) || c.JitterMS > c.LatencyMS || c.LatencyMS > 86_400_000 {
		fault("latency_ms %v and jitter_ms %v: want 0 <= jitter <= latency <= a day", c.LatencyMS, c.JitterMS)
	}
	if c.RetryAfterS < 0 || c.RPM < 0 || !(c.PriceInput >= 0) || !(c.PriceOutput >= 0) {
		fault("retry_after_s, rpm and prices can't be negative")
	}
	return errors.Join(faults...)
}

// microUSD is what an answer costs, rounded up as a bill is.
func (c *Config) microUSD(promptTokens, completionTokens int) int64 {
	return c.priced(promptTokens, completionTokens, 1)
}

func (c *Config) batchMicroUSD(promptTokens, completionTokens int) int64 {
	return c.priced(promptTokens, completionTokens, c.BatchPrice)
}

func (c *Config) priced(promptTokens, completionTokens int, factor float64) int64 {
	// USD for a million tokens is micro-dollars for one.
	cost := factor * (float64(promptTokens)*c.PriceInput + float64(completionTokens)*c.PriceOutput)
	whole := int64(cost)
	if float64(whole) < cost {
		whole++
	}
	return whole
}
