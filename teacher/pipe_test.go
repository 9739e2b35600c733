package teacher

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/retort-data/retort/schema"
)

// pipes is a network within a bubble of synctest: time passes only when nobody has anything to do.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, errors.New("closed")
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// inTime runs a test against a server whose time is fake.
func inTime(t *testing.T, h http.HandlerFunc, change func(*schema.Teacher, *Options), test func(*testing.T, *Client)) {
	synctest.Test(t, func(t *testing.T) {
		network := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
		server := &http.Server{Handler: h}
		go server.Serve(network)
		rt := newTransport(64, 0)
		rt.DialContext = network.dial
		teach, o := testTeacher("http://teacher.test"), Options{Key: testKey, Transport: rt}
		if change != nil {
			change(&teach, &o)
		}
		c, err := New(teach, o)
		if err != nil {
			t.Fatal(err)
		}
		test(t, c)
		rt.CloseIdleConnections()
		server.Close()
		time.Sleep(time.Hour) // handlers notice; it takes no time
	})
}
