package teacher

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// newTransport keeps as many idle connections as calls can be under way, so that none is opened twice. HTTP/1.1
// alone: with one connection for all calls a reset would take all of them, and the server's stream limit would
// be a second, hidden concurrency. No compression: answers are small and bounded before they are decoded.
func newTransport(concurrency int, connect time.Duration) *http.Transport {
	if concurrency <= 0 {
		concurrency = DefaultConcurrency
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: connect, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout: connect,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		Protocols:           protocols,
		DisableCompression:  true,
		MaxIdleConns:        0,
		MaxIdleConnsPerHost: concurrency,
		IdleConnTimeout:     90 * time.Second,
		// Large headers are no answer of a chat completion.
		MaxResponseHeaderBytes: 256 << 10,
	}
}
