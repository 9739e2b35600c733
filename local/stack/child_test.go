package stack_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/retort-data/retort/local/stack"
)

// A stack in a process of its own, so that tests can kill it. The test binary
// runs itself with childOptions set.
const childOptions = "RETORT_TEST_STACK"

func TestMain(m *testing.M) {
	if text := os.Getenv(childOptions); text != "" {
		os.Exit(runChild(text))
	}
	os.Exit(m.Run())
}

// runChild starts a stack, prints it as one line of JSON and stops when its
// standard input ends.
func runChild(text string) int {
	var o stack.Options
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	s, err := stack.Start(context.Background(), o)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := json.NewEncoder(os.Stdout).Encode(s); err != nil {
		return 1
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := s.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

type child struct {
	*stack.Stack
	process *exec.Cmd
	stdin   io.Closer
}

func startChild(t *testing.T, o stack.Options) *child {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childOptions+"="+string(text))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{Stack: &stack.Stack{}, process: cmd, stdin: stdin}
	t.Cleanup(c.kill)
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		t.Fatalf("the stack printed no addresses: %v", err)
	}
	if err := json.Unmarshal(line, c.Stack); err != nil {
		t.Fatal(err)
	}
	return c
}

// kill is kill -9; it returns when the process is gone.
func (c *child) kill() {
	_ = c.process.Process.Kill()
	_ = c.process.Wait()
}

// end asks the child to stop cleanly.
func (c *child) end(t *testing.T) {
	t.Helper()
	c.stdin.Close()
	if err := c.process.Wait(); err != nil {
		t.Errorf("the stack did not stop cleanly: %v", err)
	}
}

func start(t *testing.T, o stack.Options) *stack.Stack {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := stack.Start(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}
