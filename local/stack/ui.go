package stack

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	uioptions "github.com/temporalio/ui-server/v2/server/server_options"
)

// startUI serves Temporal's web interface. It asks nobody outside for news or
// newer versions.
func (s *Stack) startUI(ctx context.Context, o Options, port int) error {
	address := s.TemporalAddress
	if address == "" {
		address = o.TemporalAddress
	}
	server := uiserver.NewServer(uioptions.WithConfigProvider(&uiconfig.Config{
		TemporalGRPCAddress: address,
		Host:                "127.0.0.1",
		Port:                port,
		EnableUI:            true,
		DefaultNamespace:    o.Namespace,
		DisableNewsFetch:    true,
		HideLogs:            true,
		CORS:                uiconfig.CORS{CookieInsecure: true},
	}))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := server.Start(); err != nil {
			s.failed <- fmt.Errorf("temporal UI: %w", err)
		}
	}()
	url := "http://" + local(port)
	if err := awaitHTTP(ctx, url+"/healthz", ended); err != nil {
		return fmt.Errorf("temporal UI on %s: %w", url, err)
	}
	s.onStop(func() error { server.Stop(); <-ended; return nil })
	s.UIURL = url
	return nil
}

// awaitHTTP returns when url answers at all, ended is closed or 10 s are over.
func awaitHTTP(ctx context.Context, url string, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	tick := time.NewTicker(3 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			return resp.Body.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no answer: %w", ctx.Err())
		case <-ended:
			return fmt.Errorf("it ended before it answered")
		case <-tick.C:
		}
	}
}
