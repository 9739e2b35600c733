package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/retort-data/retort/local/stack"
)

type upCommand struct {
	process
	Dir          string   `help:"Where data, logs, models and configuration stand." default:".retort" type:"path"`
	TemporalPort int      `help:"Port of Temporal; 0 takes a free one." default:"7233"`
	UIPort       int      `help:"Port of Temporal's UI; 0 takes a free one." default:"8233"`
	S3Port       int      `name:"s3-port" help:"Port of S3; 0 takes a free one." default:"9000"`
	TeacherPort  int      `help:"Port of the teacher; 0 takes a free one." default:"8091"`
	Bucket       []string `help:"Buckets to create; the first is Retort's, the others may be read by recipes." default:"retort"`
	Teacher      string   `help:"The teacher to run: smollm2 (a real small model, installed once), gemma3-base (a worse one), ngram, test or none." enum:"smollm2,gemma3-base,ngram,test,none" default:"smollm2"`
	TeacherURL   string   `help:"Use this OpenAI-compatible endpoint instead; its key is read from TEACHER_API_KEY." env:"TEACHER" placeholder:"URL"`
	TeacherModel string   `help:"The model at --teacher-url." env:"MODEL" placeholder:"NAME"`
	Allow        []string `help:"Local folders that recipes may read." default:"examples" type:"path"`
	NoWorker     bool     `help:"Run no worker in this process."`
}

func (c *upCommand) Run(t *terminal) error {
	if (c.TeacherURL == "") != (c.TeacherModel == "") {
		return errors.New("give both TEACHER (a URL ending in /v1) and MODEL, or neither")
	}
	ctx, cancel := c.until(t)
	defer cancel()
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return err
	}
	teacher, err := c.startTeacher(ctx, t)
	if err != nil {
		return err
	}
	defer teacher.stop()
	s, err := stack.Start(ctx, stack.Options{
		Dir: c.Dir, TemporalPort: c.TemporalPort, UIPort: c.UIPort, S3Port: c.S3Port, Buckets: c.Bucket,
	})
	if err != nil {
		return err
	}
	return errors.Join(c.runWith(ctx, t, s, teacher), s.Stop())
}

// runWith writes the files that others find the stack by and runs the worker
// until the end.
func (c *upCommand) runWith(ctx context.Context, t *terminal, s *stack.Stack, teacher *runningTeacher) error {
	config, env := filepath.Join(c.Dir, "temporal.yaml"), filepath.Join(c.Dir, "env")
	if err := writeConfig(config, s, teacher.entries, c.Allow); err != nil {
		return fmt.Errorf("write %s: %w", config, err)
	}
	key, err := signer(c.Dir)
	if err != nil {
		return fmt.Errorf("make the key that versions are signed with: %w", err)
	}
	variables := append(environment(s, config), [2]string{signingEnv, key})
	if err := writeEnv(env, variables); err != nil {
		return fmt.Errorf("write %s: %w", env, err)
	}
	if err := adopt(variables); err != nil {
		return err
	}
	workerCtx, stopWorker := context.WithCancel(ctx)
	defer stopWorker()
	workerEnded := c.startWorker(workerCtx, config)

	for _, n := range s.Notices {
		t.say("%s", n)
	}
	sayWhere(t, s)
	for _, e := range teacher.entries {
		t.say("teacher   %s  %s", e.Name, e.BaseURL)
	}
	t.say("config    %s\n\nIn another shell:\n\n  source %s\n", config, env)
	r := readyOf(s)
	r.Config, r.Env = config, env
	if len(teacher.entries) > 0 {
		r.BaseURL, r.Model = teacher.entries[0].BaseURL, teacher.entries[0].Model
	}
	err = c.announce(r)
	if err == nil {
		select {
		case <-ctx.Done():
			t.say("stopping; the data stays in %s", c.Dir)
		case err = <-s.Failed():
		case err = <-teacher.failed:
		case err = <-workerEnded:
			workerEnded = nil
			err = fmt.Errorf("the worker ended: %w", err)
		}
	}
	stopWorker()
	if workerEnded != nil {
		err = errors.Join(err, ignoreCancel(<-workerEnded))
	}
	return err
}

// startWorker runs a worker beside; the channel delivers its end. Without one
// it delivers nil as soon as ctx ends.
func (c *upCommand) startWorker(ctx context.Context, config string) chan error {
	ended := make(chan error, 1)
	go func() {
		if c.NoWorker {
			<-ctx.Done()
			ended <- nil
			return
		}
		ended <- runWorker(ctx, config, filepath.Join(c.Dir, "logs", "worker.log"))
	}()
	return ended
}

func ignoreCancel(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func portOf(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }
