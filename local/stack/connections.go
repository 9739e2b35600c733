package stack

import (
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/valyala/fasthttp"
	"github.com/versity/versitygw/s3api"
)

// connections knows the gateway's connections that carry no request. The
// gateway's own shutdown closes those that are idle after a request, but waits
// ten seconds for those on which none was ever sent, and HTTP clients that
// race requests keep such spares.
type connections struct {
	mu      sync.Mutex
	waiting map[net.Conn]struct{}
	once    sync.Once
}

func (c *connections) options() []s3api.Option {
	return []s3api.Option{
		s3api.WithRoute(http.MethodGet, healthPath, c.health),
		s3api.WithMiddleware("/", c.begun),
	}
}

// health answers our own first request and asks the server to report its
// connections from here on.
func (c *connections) health(ctx fiber.Ctx) error {
	c.once.Do(func() { ctx.App().Server().ConnState = c.changed })
	return ctx.SendStatus(http.StatusOK)
}

// begun sees a request before any of it is carried out.
func (c *connections) begun(ctx fiber.Ctx) error {
	c.set(ctx.RequestCtx().Conn(), false)
	return ctx.Next()
}

// changed is the server's report. It calls a fresh connection active at once.
func (c *connections) changed(conn net.Conn, state fasthttp.ConnState) {
	c.set(conn, state == fasthttp.StateNew || state == fasthttp.StateActive)
}

func (c *connections) set(conn net.Conn, waiting bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !waiting {
		delete(c.waiting, conn)
		return
	}
	if c.waiting == nil {
		c.waiting = map[net.Conn]struct{}{}
	}
	c.waiting[conn] = struct{}{}
}

// closeUntil closes waiting connections until ended is closed.
func (c *connections) closeUntil(ended <-chan struct{}) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		c.mu.Lock()
		for conn := range c.waiting {
			conn.Close()
		}
		clear(c.waiting)
		c.mu.Unlock()
		select {
		case <-ended:
			return
		case <-tick.C:
		}
	}
}
