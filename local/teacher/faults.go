package teacher

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/retort-data/retort/local/chat"
)

// fault draws what goes wrong with one attempt at a prompt; "" is nothing.
func (c *Config) fault(key uint64, attempt uint32) string {
	sum := c.RateLimited + c.ServerError + c.Reset + c.Garbage + c.Hang
	if sum == 0 {
		return ""
	}
	at := unit(key, streamFault+uint64(attempt))
	for _, f := range [...]struct {
		name string
		rate float64
	}{
		{"rate_limited", c.RateLimited}, {"server_error", c.ServerError}, {"reset", c.Reset},
		{"garbage", c.Garbage}, {"hang", c.Hang},
	} {
		if at -= f.rate; at < 0 {
			return f.name
		}
	}
	return ""
}

func tooMany(w http.ResponseWriter, seconds int) {
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	chat.WriteError(w, http.StatusTooManyRequests, "rate_limit_error", "rate_limit_exceeded",
		fmt.Sprintf("Rate limit reached. Please try again in %ds.", seconds))
}

// resetConnection ends the connection with a TCP reset; with part not empty,
// after a part of a body that announced more.
func resetConnection(w http.ResponseWriter, part string) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if part != "" {
		fmt.Fprintf(buffered, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			2*len(part), part)
		_ = buffered.Flush()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	conn.Close()
}

// garbage sends something that is no completion, as broken proxies do.
func garbage(w http.ResponseWriter, pick uint64, body []byte) {
	const page = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
	contentType, status, text := "application/json", http.StatusOK, ""
	switch pick % 7 {
	case 0:
		contentType, status, text = "text/html", http.StatusBadGateway, page
	case 1:
		contentType, text = "text/html", page
	case 2:
		text = string(body[:len(body)/2]) // JSON cut short, with a length that fits
	case 3:
		text = ""
	case 4:
		text = `{"id":"x","object":"chat.completion","choices":[]}`
	case 5:
		text = `{"choices":[{"index":0,"message":null,"finish_reason":null}],"usage":{"prompt_tokens":-5,"completion_tokens":"many"}}`
	default:
		text = "\x00\xff\xfe" + strings.Repeat("\x00", 64)
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}
