package stack

import (
	"fmt"
	"net"
	"strconv"
)

// ports hands out TCP ports of 127.0.0.1. Each stays occupied until release,
// so that no port is given twice; the servers open them by number right after.
type ports struct {
	held    []net.Listener
	notices []string
}

// take returns the wished port, or a free one where wish is 0 or taken.
func (p *ports) take(service string, wish int) (int, error) {
	l, err := listenLocal(wish)
	if err != nil && wish != 0 {
		l, err = listenLocal(0)
		if err == nil {
			p.notices = append(p.notices, fmt.Sprintf("port %d for %s is taken; using %d", wish, service, portOf(l)))
		}
	}
	if err != nil {
		return 0, fmt.Errorf("no free port on 127.0.0.1 for %s: %w", service, err)
	}
	p.held = append(p.held, l)
	return portOf(l), nil
}

func (p *ports) release() {
	for _, l := range p.held {
		l.Close()
	}
	p.held = nil
}

func listenLocal(port int) (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
}

func portOf(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
