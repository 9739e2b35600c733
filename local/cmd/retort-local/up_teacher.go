package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"

	"github.com/retort-data/retort/local/llm"
	"github.com/retort-data/retort/local/ngram"
	"github.com/retort-data/retort/local/teacher"
)

// localTeacher is the name under which the configuration declares whatever model runs, so that one recipe fits all; what it is
// stands in its model and revision.
const localTeacher = "small"

// runningTeacher is what up declares in the configuration, and how to end it.
type runningTeacher struct {
	entries []teacherEntry
	failed  chan error
	stop    func()
}

// startTeacher starts the teacher asked for. A real model that can't be had is
// replaced by the n-gram model, and the reason said.
func (c *upCommand) startTeacher(ctx context.Context, t *terminal) (*runningTeacher, error) {
	r := &runningTeacher{failed: make(chan error, 1), stop: func() {}}
	if c.TeacherURL != "" {
		r.entries = []teacherEntry{foreignTeacher(c.TeacherURL, c.TeacherModel)}
		return r, nil
	}
	switch c.Teacher {
	case "none":
		return r, nil
	case "smollm2", "gemma3-base":
		err := r.startModel(ctx, t, c)
		var unavailable *llm.UnavailableError
		if err == nil || !errors.As(err, &unavailable) || ctx.Err() != nil {
			return r, err
		}
		t.say("%v\nA small n-gram model trained on Go's documentation answers instead.", err)
		fallthrough
	case "ngram":
		return r, r.startNgram(t, c)
	default:
		return r, r.startTest(t, c)
	}
}

// foreignTeacher is an endpoint of the user's. Whether its answers may be
// trained on only the user knows: the notice says who said so.
func foreignTeacher(url, model string) teacherEntry {
	return teacherEntry{
		Name: localTeacher, BaseURL: url, Model: model, APIKeyEnv: "TEACHER_API_KEY",
		Terms: termsEntry{
			Training: "allowed", Source: "declared by whoever named this endpoint as TEACHER", ReadOn: today(),
			Notice: "Read the provider's terms before training on these answers.",
		},
		Limits: limitsEntry{Concurrency: 8},
	}
}

func (r *runningTeacher) startModel(ctx context.Context, t *terminal, c *upCommand) error {
	m := modelNamed(c.Teacher)
	installed, err := llm.Install(ctx, filepath.Join(c.Dir, "model"), m, t.out)
	if err != nil {
		return err
	}
	command := modelCommand{Port: c.TeacherPort, Threads: 1, Parallel: 4}
	server, err := command.start(ctx, t, installed)
	if err != nil {
		return err
	}
	go func() {
		<-server.Ended()
		r.failed <- errors.New("the model's process ended")
	}()
	r.stop = server.Stop
	r.entries = []teacherEntry{{
		Name: localTeacher, BaseURL: server.URL, Model: m.Name, Revision: m.Requirements[0],
		Terms: termsEntry{Training: "allowed", License: m.License, Notice: m.Notice,
			Source: "license of the package " + m.Requirements[0], ReadOn: "2026-11-24"},
		Limits: limitsEntry{Concurrency: 4},
		Price:  &priceEntry{},
	}}
	return nil
}

func (r *runningTeacher) startNgram(t *terminal, c *upCommand) error {
	model, err := (&ngramCommand{}).train()
	if err != nil {
		return err
	}
	return r.serveHere(t, c.TeacherPort, ngram.Teacher{Model: model}.Handler(), ngram.Name)
}

func (r *runningTeacher) startTest(t *terminal, c *upCommand) error {
	corpus, err := teacher.GoDocs()
	if err != nil {
		return err
	}
	server, err := teacher.New(teacher.DefaultConfig(), corpus, "")
	if err != nil {
		return err
	}
	return r.serveHere(t, c.TeacherPort, server, "honest-1")
}

// serveHere serves a teacher made of Go's documentation in this process.
func (r *runningTeacher) serveHere(t *terminal, port int, h http.Handler, model string) error {
	l, err := listen(t, "the teacher", port)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := serve(ctx, l, h, func() error { return nil }); err != nil && !errors.Is(err, net.ErrClosed) {
			r.failed <- fmt.Errorf("the teacher: %w", err)
		}
	}()
	r.stop = func() { cancel(); <-ended }
	r.entries = []teacherEntry{{
		Name: localTeacher, BaseURL: baseURL(l), Model: model,
		Terms: termsEntry{
			Training: "allowed", License: "BSD-3-Clause", ReadOn: "2026-11-24",
			Source: "made of the Go standard library's documentation; GOROOT/LICENSE",
		},
		Limits: limitsEntry{Concurrency: 64},
		Price:  &priceEntry{},
	}}
	return nil
}
