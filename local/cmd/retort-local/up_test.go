package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/retort-data/retort/schema"
)

// The command under test is this binary with asCommand set.
const asCommand = "RETORT_LOCAL_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

type running struct {
	ready
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   *bytes.Buffer
	ended chan error
}

// launch starts the command and returns when its ready file is there.
func launch(t *testing.T, dir string, env []string, args ...string) *running {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ready.json")
	r := &running{t: t, out: &bytes.Buffer{}, ended: make(chan error, 1)}
	r.cmd = exec.Command(os.Args[0], append(args, "--ready-file", file)...)
	r.cmd.Dir = dir
	r.cmd.Env = append(append(os.Environ(), asCommand+"=1"), env...)
	r.cmd.Stdout, r.cmd.Stderr = r.out, r.out
	var err error
	if r.stdin, err = r.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { r.ended <- r.cmd.Wait(); close(r.ended) }()
	t.Cleanup(func() { _ = r.cmd.Process.Kill(); <-r.ended })
	for {
		if text, err := os.ReadFile(file); err == nil {
			if err := json.Unmarshal(text, &r.ready); err != nil {
				t.Fatal(err)
			}
			return r
		}
		select {
		case err := <-r.ended:
			t.Fatalf("it ended before it was ready: %v\n%s", err, r.out)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// stop ends it by a signal and wants a clean end.
func (r *running) stop(signal os.Signal) string {
	r.t.Helper()
	if err := r.cmd.Process.Signal(signal); err != nil {
		r.t.Fatal(err)
	}
	if err := <-r.ended; err != nil {
		r.t.Errorf("after %v: %v\n%s", signal, err, r.out)
	}
	return r.out.String()
}

func (r *running) s3() *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(r.S3Endpoint), Region: r.Region, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(r.AccessKey, r.SecretKey, ""),
	})
}

func (r *running) ask() (status int, body string) {
	r.t.Helper()
	resp, err := http.Post(r.BaseURL+"/chat/completions", "application/json",
		strings.NewReader(`{"model":"m","messages":[{"role":"user","content":"What does strings.Cut do?"}]}`))
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

var freePorts = []string{"--temporal-port", "0", "--ui-port", "0", "--s3-port", "0", "--teacher-port", "0"}

// up serves everything, its files lead there, and a restart goes on from the data.
func TestUp(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "it's here")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"up", "--teacher", "test", "--bucket", "retort", "--bucket", "corpus"}, freePorts...)
	first := launch(t, dir, nil, args...)
	ctx := context.Background()
	if _, err := first.s3().PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("retort"), Key: aws.String("k"), Body: strings.NewReader("v")}); err != nil {
		t.Fatal(err)
	}
	if status, body := first.ask(); status != 200 {
		t.Errorf("the teacher answers %d %s", status, body)
	}
	config, err := schema.LoadConfig(first.Config)
	if err != nil {
		t.Fatalf("the configuration that up wrote: %v", err)
	}
	if config.Temporal.Address != first.TemporalAddress || config.Store.Endpoint != first.S3Endpoint ||
		config.Teacher(localTeacher) == nil || config.Teacher(localTeacher).BaseURL != first.BaseURL ||
		config.Allow.Paths[0] != filepath.Join(dir, "examples") || config.Allow.Read[0] != "s3://corpus/" {
		t.Errorf("configuration %+v", config)
	}
	shell := exec.Command("sh", "-c", `. "$1" && echo "$RETORT_CONFIG|$AWS_ACCESS_KEY_ID|$AWS_SECRET_ACCESS_KEY|$AWS_REGION|$AWS_ENDPOINT_URL_S3|$TEMPORAL_ADDRESS|${AWS_SESSION_TOKEN-unset}"`, "sh", first.Env)
	shell.Env = []string{"AWS_SESSION_TOKEN=stale", "PATH=" + os.Getenv("PATH")}
	said, err := shell.CombinedOutput()
	want := strings.Join([]string{first.Config, first.AccessKey, first.SecretKey, first.Region, first.S3Endpoint, first.TemporalAddress, "unset"}, "|")
	if err != nil || strings.TrimSpace(string(said)) != want {
		t.Errorf("sourcing %s: %v\n%s\nwant\n%s", first.Env, err, said, want)
	}
	if info, err := os.Stat(first.Env); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file with the secret key: %v %v", info.Mode(), err)
	}
	if out := first.stop(syscall.SIGTERM); !strings.Contains(out, "source "+first.Env) {
		t.Errorf("it printed\n%s", out)
	}

	second := launch(t, dir, nil, args...)
	if _, err := second.s3().HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String("retort"), Key: aws.String("k")}); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	second.stop(os.Interrupt)
}

// Without Python the n-gram model answers, and the person is told why.
func TestUpFallsBackToNgrams(t *testing.T) {
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"PATH=" + t.TempDir(), "GOROOT=" + strings.TrimSpace(string(goroot))}
	r := launch(t, t.TempDir(), env, append([]string{"up", "--no-worker"}, freePorts...)...)
	status, body := r.ask()
	if status != 200 || !strings.Contains(body, `"content":"Cut `) {
		t.Errorf("%d %s", status, body)
	}
	if out := r.stop(os.Interrupt); !strings.Contains(out, "python3-venv") || !strings.Contains(out, "n-gram model") {
		t.Errorf("it printed\n%s", out)
	}
}

func TestTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	r := launch(t, t.TempDir(), nil, "teacher", "--port", port, "--429", "1", "--retry-after", "3")
	if status, _ := r.ask(); status != 429 {
		t.Errorf("status %d, want 429", status)
	}
	if out := r.stop(os.Interrupt); !strings.Contains(out, "port "+port+" for the teacher is taken") {
		t.Errorf("it printed\n%s", out)
	}
}

// A process that is tethered ends with the one that started it.
func TestTether(t *testing.T) {
	for _, args := range [][]string{
		{"s3", "--port", "0", "--tether"},
		{"temporal", "--port", "0", "--ui-port", "0", "--tether"},
		{"ngram", "--port", "0", "--tether"},
		{"teacher", "--port", "0", "--tether"},
	} {
		r := launch(t, t.TempDir(), nil, args...)
		r.stdin.Close()
		if err := <-r.ended; err != nil {
			t.Errorf("%s: %v\n%s", args[0], err, r.out)
		}
	}
}

func TestWrongArguments(t *testing.T) {
	for want, args := range map[string][]string{
		"unexpected argument": {"upp"},
		"unknown flag":        {"up", "--port", "1"},
		"smollm":              {"up", "--teacher", "gpt"},
	} {
		var out bytes.Buffer
		if status := run(args, &out, &out); status != exitWrong || !strings.Contains(out.String(), want) {
			t.Errorf("%v: status %d, %s", args, status, &out)
		}
	}
	for want, args := range map[string][]string{
		"--set":         {"teacher", "--set", `{"latency":1}`},
		"unknown mode":  {"teacher", "--mode", "ecco=1"},
		"TEACHER":       {"up", "--teacher-url", "http://127.0.0.1:1/v1", "--dir", t.TempDir()},
		"documentation": {"godocs", "-o", filepath.Join(t.TempDir(), "x"), "--goroot", t.TempDir()},
	} {
		var out bytes.Buffer
		if status := run(args, &out, &out); status != exitFailed || !strings.Contains(out.String(), want) {
			t.Errorf("%v: status %d, %s", args, status, &out)
		}
	}
}

func TestGodocs(t *testing.T) {
	a, b := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	for _, path := range []string{a, b} {
		var out bytes.Buffer
		if status := run([]string{"godocs", "-o", path, "--limit", "200"}, &out, &out); status != 0 || !strings.Contains(out.String(), "200 questions") {
			t.Fatalf("status %d: %s", status, &out)
		}
	}
	one, err := os.ReadFile(a)
	if err != nil {
		t.Fatal(err)
	}
	if two, _ := os.ReadFile(b); !bytes.Equal(one, two) || bytes.Count(one, []byte("\n")) != 200 {
		t.Errorf("%d and %d bytes, %d lines, on %s", len(one), len(two), bytes.Count(one, []byte("\n")), runtime.Version())
	}
}

func TestShellWord(t *testing.T) {
	for _, word := range []string{"plain", "it's", "$(touch x) `y` \"z\"", "", "a\nb", "-n"} {
		out, err := exec.Command("sh", "-c", "printf %s "+shellWord(word)).Output()
		if err != nil || string(out) != word {
			t.Errorf("%q came back as %q, %v", word, out, err)
		}
	}
}
