package teacher

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// serveEnv makes the test binary a server of one fixed answer, in a process of its own, so that a benchmark can
// count the client's CPU time alone.
const serveEnv = "RETORT_TEST_TEACHER"

func TestMain(m *testing.M) {
	if os.Getenv(serveEnv) != "" {
		serveFixed()
		return
	}
	os.Exit(m.Run())
}

func serveFixed() {
	body := []byte(completion(strings.Repeat("The quick brown fox jumps over the lazy dog. ", 20)))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr())
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.Write(body)
	})}
	go server.Serve(listener)
	io.Copy(io.Discard, os.Stdin) // until the parent is gone
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkAskCPU reports this side's CPU time for a call with an answer of 900 bytes, 64 at once.
func BenchmarkAskCPU(b *testing.B) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serveEnv+"=1")
	stdin, _ := cmd.StdinPipe()
	stdout, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() { stdin.Close(); cmd.Wait() }()
	address, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	c, err := New(testTeacher("http://"+strings.TrimSpace(address)), Options{Key: testKey})
	if err != nil {
		b.Fatal(err)
	}
	b.SetParallelism(32)
	b.ReportAllocs()
	b.ResetTimer()
	before := cpuTime()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if r, err := c.Ask(context.Background(), hello()); err != nil || r.Failed() {
				b.Errorf("%v %s %s", err, r.FailCode, r.FailDetail)
			}
		}
	})
	b.ReportMetric(float64((cpuTime()-before).Microseconds())/float64(b.N), "cpu-µs/op")
}
