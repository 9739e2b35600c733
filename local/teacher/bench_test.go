package teacher

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// BenchmarkTeacher asks over 64 connections as fast as it can with a client
// that does as little as possible. cpu-us/req is the CPU time of the process,
// teacher and client together; alone/s is what one core would then serve.
func BenchmarkTeacher(b *testing.B) {
	s := serve(b, nil, "")
	address := strings.TrimPrefix(s.url, "http://")
	var next atomic.Int64
	before := cpu()
	b.ResetTimer()
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				b.Error(err)
				return
			}
			defer conn.Close()
			r := bufio.NewReader(conn)
			for {
				i := next.Add(1)
				if i > int64(b.N) {
					return
				}
				body := fmt.Sprintf(`{"model":"m","seed":%d,"max_tokens":800,"temperature":0.8,"messages":[{"role":"system","content":"You explain Go."},{"role":"user","content":"What does strings.Cut do?"}]}`, i)
				fmt.Fprintf(conn, "POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
				resp, err := http.ReadResponse(r, nil)
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
		})
	}
	all.Wait()
	used := cpu() - before
	b.ReportMetric(float64(used.Microseconds())/float64(b.N), "cpu-us/req")
	b.ReportMetric(float64(b.N)/used.Seconds(), "req/cpu-s")
	if got := s.Stats(); got.Answered != int64(b.N) {
		b.Errorf("answered %d of %d", got.Answered, b.N)
	}
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkAnswer(b *testing.B) {
	c, cfg := corpus(b), DefaultConfig()
	r := request("What does strings.Cut do?", 1)
	b.ReportAllocs()
	for b.Loop() {
		r.Key++
		c.answer(r, &cfg)
	}
}
