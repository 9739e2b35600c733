package stack

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"

	"github.com/gofiber/fiber/v3"
	"github.com/versity/versitygw/s3api"
)

// requestsPath can't hide a bucket: see healthPath.
const requestsPath = "/_requests"

// Requests is what an S3 gateway was asked since it started.
type Requests struct {
	Methods  map[string]int64 `json:"methods"`   // HTTP method → requests
	BytesIn  int64            `json:"bytes_in"`  // bodies of requests
	BytesOut int64            `json:"bytes_out"` // bodies of answers that say their length
}

// Total is the number of requests.
func (r Requests) Total() (n int64) {
	for _, k := range r.Methods {
		n += k
	}
	return n
}

// counter counts requests as a provider would bill them: each part of an upload, each page of a list, each failed put.
type counter struct {
	mu   sync.Mutex
	seen Requests
}

func (c *counter) options() []s3api.Option {
	return []s3api.Option{
		s3api.WithRoute(http.MethodGet, requestsPath, c.answer),
		s3api.WithMiddleware("/", c.count),
	}
}

func (c *counter) count(ctx fiber.Ctx) error {
	method := string(append([]byte(nil), ctx.Request().Header.Method()...)) // the framework reuses its buffers
	in := max(0, int64(ctx.Request().Header.ContentLength()))
	err := ctx.Next()
	out := max(0, int64(ctx.Response().Header.ContentLength()))
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen.Methods == nil {
		c.seen.Methods = map[string]int64{}
	}
	c.seen.Methods[method]++
	c.seen.BytesIn += in
	c.seen.BytesOut += out
	return err
}

func (c *counter) answer(ctx fiber.Ctx) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	body, err := json.Marshal(c.seen)
	if err != nil {
		return err
	}
	ctx.Set("Content-Type", "application/json")
	return ctx.Send(body)
}

// S3Requests asks the gateway at endpoint what it was asked.
func S3Requests(ctx context.Context, endpoint string) (Requests, error) {
	var r Requests
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint+requestsPath, nil)
	if err != nil {
		return r, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return r, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return r, fmt.Errorf("%s%s: %s", endpoint, requestsPath, resp.Status)
	}
	return r, json.NewDecoder(resp.Body).Decode(&r)
}
