package photocopy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/retort-data/retort/local/stack"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// Site is where a demonstration runs: a local stack, the real command, and a folder of its own. Stack's keys must be in the
// environment.
type Site struct {
	Stack  *stack.Stack
	Binary string // the command retort
	Dir    string

	store store.Store
	url   string // of the students, without a regime
}

func (s *Site) config() string { return filepath.Join(s.Dir, "temporal.yaml") }

// declared is a teacher as the configuration declares it; students serves it under its name.
type declared struct {
	name, model, license string
	concurrency          int
	trainedOn            string
}

// open serves the students, and starts a worker; end stops both.
func (s *Site) open(ctx context.Context, students http.Handler, teachers []declared) (end func(), err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: students, ReadHeaderTimeout: time.Minute}
	go server.Serve(ln) //nolint:errcheck // ends with Close
	s.url = "http://" + ln.Addr().String()
	s.store, err = store.OpenS3(ctx, schema.StoreConfig{Endpoint: s.Stack.S3Endpoint, Region: s.Stack.Region, Bucket: s.Stack.Bucket, PathStyle: true}, "")
	if err == nil {
		err = s.declare(teachers)
	}
	if err != nil {
		server.Close()
		return nil, err
	}
	log, err := os.Create(filepath.Join(s.Dir, "worker.log"))
	if err != nil {
		server.Close()
		return nil, err
	}
	worker := exec.Command(s.Binary, "--config", s.config(), "worker", "--grace", "1s")
	worker.Stderr = log
	if err := worker.Start(); err != nil {
		server.Close()
		return nil, errors.Join(err, log.Close())
	}
	return func() {
		worker.Process.Signal(os.Interrupt) //nolint:errcheck // may be gone
		worker.Wait()                       //nolint:errcheck // it was told to end
		log.Close()
		server.Close()
	}, nil
}

// declare writes the configuration.
func (s *Site) declare(teachers []declared) error {
	var b strings.Builder
	fmt.Fprintf(&b, `temporal: {address: %q, namespace: %q, task_queue: photocopy}
store: {endpoint: %q, region: %s, bucket: %s, path_style: true}
allow: {paths: [%q]}
worker: {pages: 8, index_mb: 64, scratch: %q}
teachers:
`, s.Stack.TemporalAddress, s.Stack.Namespace, s.Stack.S3Endpoint, s.Stack.Region, s.Stack.Bucket, s.Dir, filepath.Join(s.Dir, "scratch"))
	for _, t := range teachers {
		fmt.Fprintf(&b, `  - name: %s
    base_url: %s/%s/v1
    model: %s
    terms: {training: allowed, license: %s, source: a model that runs beside this demonstration, read_on: 2026-11-24}
    trained_on: [%s]
    limits: {concurrency: %d}
    price: {input: 0, output: 0}
`, t.name, s.url, t.name, t.model, t.license, t.trainedOn, t.concurrency)
	}
	part := s.config() + ".part"
	if err := os.WriteFile(part, []byte(b.String()), 0o600); err != nil {
		return err
	}
	return os.Rename(part, s.config())
}

// retort runs the command; its exit status is no error.
func (s *Site) retort(ctx context.Context, args ...string) (stdout []byte, status int, err error) {
	cmd := exec.CommandContext(ctx, s.Binary, append([]string{"--config", s.config()}, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return nil, 0, fmt.Errorf("retort %v: %w", args, err)
	}
	if status = cmd.ProcessState.ExitCode(); status != 0 && status != exitHeld {
		return nil, status, fmt.Errorf("retort %s: exit %d\n%s%s", strings.Join(args, " "), status, out.String(), errs.String())
	}
	return out.Bytes(), status, nil
}

const exitHeld = 3

// run runs a recipe to its end: published, or held.
func (s *Site) run(ctx context.Context, name, recipe string) (*schema.Status, error) {
	file := filepath.Join(s.Dir, name+".yaml")
	if err := os.WriteFile(file, []byte(recipe), 0o644); err != nil {
		return nil, err
	}
	out, _, err := s.retort(ctx, "--json", "run", file)
	if err != nil {
		return nil, err
	}
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	var last schema.Status
	if err := json.Unmarshal(lines[len(lines)-1], &last); err != nil {
		return nil, fmt.Errorf("retort run %s: %w", file, err)
	}
	if last.State != schema.StatePublished && last.State != schema.StateHeld {
		return nil, fmt.Errorf("the run of %s ended as %s %s", name, last.State, last.Reason)
	}
	return &last, nil
}

// manifest reads a version's.
func (s *Site) manifest(ctx context.Context, dataset string, n int) (*schema.Manifest, error) {
	body, err := s.store.Get(ctx, store.NewDataset(s.Stack.Bucket, "", dataset).Manifest(n))
	if err != nil {
		return nil, err
	}
	var m schema.Manifest
	return &m, json.Unmarshal(body, &m)
}

// texts reads what a trainer reads: the answers of all records of a version, people's among them.
func (s *Site) texts(ctx context.Context, m *schema.Manifest) (texts []string, err error) {
	rows, err := s.records(ctx, m)
	for _, rec := range rows {
		texts = append(texts, rec.Answer())
	}
	return texts, err
}

func (s *Site) records(ctx context.Context, m *schema.Manifest) (rows []*schema.Record, err error) {
	for _, shard := range m.Shards {
		body, err := s.store.Get(ctx, shard.Key)
		if err != nil {
			return nil, err
		}
		for rec, err := range schema.ReadRecords(bytes.NewReader(body), int64(len(body))) {
			if err != nil {
				return nil, err
			}
			rows = append(rows, rec)
		}
	}
	return rows, nil
}

// keep copies a version's shards into one folder, for the command inspect.
func (s *Site) keep(ctx context.Context, dir string, m *schema.Manifest) (files string, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for i, shard := range m.Shards {
		body, err := s.store.Get(ctx, shard.Key)
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%05d.parquet", i)), body, 0o644); err != nil {
			return "", err
		}
	}
	return filepath.Join(dir, "*.parquet"), nil
}

// Inspected is what the command inspect says of a version beside an earlier one.
type Inspected struct {
	Version int     `json:"version"`
	Verdict string  `json:"verdict"`
	Record  int     `json:"alarm_at_record,omitempty"`
	Account string  `json:"signal,omitempty"`
	Wealth  float64 `json:"wealth"`

	Pairs    int       `json:"pairs"`
	Accounts []Account `json:"accounts"`
}

// Account is what one account of the gate came to; Mean is that of its differences, positive where the later text is worse.
type Account struct {
	Name   string  `json:"name"`
	Wealth float64 `json:"wealth"`
	Mean   float64 `json:"mean"`
}

// inspect compares files with others; prompt and key name the columns with what was asked, and by which rows belong together.
func (s *Site) inspect(ctx context.Context, version int, files, anchor, prompt, key string) (Inspected, error) {
	out, status, err := s.retort(ctx, "--json", "inspect", files, "--anchor", anchor, "--tolerance", "0", "--prompt", prompt, "--key", key)
	if err != nil {
		return Inspected{}, err
	}
	var got struct {
		Gate struct {
			Verdict  string
			AlarmAt  *int   `json:"alarm_at_record"`
			Account  string `json:"signal"`
			Wealth   float64
			Pairs    int
			Accounts []Account
		}
	}
	if err := json.Unmarshal(out, &got); err != nil {
		return Inspected{}, err
	}
	in := Inspected{Version: version, Verdict: got.Gate.Verdict, Account: got.Gate.Account, Wealth: got.Gate.Wealth, Pairs: got.Gate.Pairs, Accounts: got.Gate.Accounts}
	if got.Gate.AlarmAt != nil {
		in.Record = *got.Gate.AlarmAt
	}
	if (status == exitHeld) != (in.Verdict == "hold") {
		return in, fmt.Errorf("inspect of version %d says %s and ends with status %d", version, in.Verdict, status)
	}
	return in, nil
}
