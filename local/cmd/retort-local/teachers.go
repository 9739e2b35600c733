package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/retort-data/retort/local/llm"
	"github.com/retort-data/retort/local/ngram"
	"github.com/retort-data/retort/local/teacher"
)

type teacherCommand struct {
	process
	Port    int           `help:"Port; 0 takes a free one." default:"8091"`
	Latency time.Duration `help:"Mean time to an answer."`
	Jitter  time.Duration `help:"Plus or minus, uniform."`

	RateLimited float64 `help:"Rate of 429 answers, 0 to 1." name:"429"`
	ServerError float64 `help:"Rate of 500 answers." name:"500"`
	Reset       float64 `help:"Rate of reset connections."`
	Garbage     float64 `help:"Rate of bodies that are no completion."`
	Hang        float64 `help:"Rate of requests that get no answer."`

	RetryAfter int                `help:"Seconds that a 429 asks to wait." default:"1"`
	Mode       map[string]float64 `help:"Rates of bad answers: echo, refuse, identity, duplicate, near_duplicate, empty, truncated, filtered, hostile, loop, think, reasoning, template, german." placeholder:"NAME=RATE;…"`
	Model      []string           `help:"Model names that are served; default any."`
	APIKey     string             `help:"Answer 401 without this key." env:"RETORT_TEACHER_KEY"`
	RPM        int                `help:"Answer 429 above so many requests a minute."`
	Set        string             `help:"Any fields of the configuration as JSON, as for POST /config; wins over flags." placeholder:"JSON"`
	Journal    string             `help:"Append each answered request to this file, and count what stands in it." type:"path"`
}

func (c *teacherCommand) config() (teacher.Config, error) {
	cfg := teacher.DefaultConfig()
	cfg.LatencyMS = float64(c.Latency) / float64(time.Millisecond)
	cfg.JitterMS = float64(c.Jitter) / float64(time.Millisecond)
	cfg.RateLimited, cfg.ServerError, cfg.Reset, cfg.Garbage, cfg.Hang = c.RateLimited, c.ServerError, c.Reset, c.Garbage, c.Hang
	cfg.RetryAfterS, cfg.Modes, cfg.Models, cfg.APIKey, cfg.RPM = c.RetryAfter, c.Mode, c.Model, c.APIKey, c.RPM
	if c.Set != "" {
		decoder := json.NewDecoder(strings.NewReader(c.Set))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&cfg); err != nil {
			return cfg, fmt.Errorf("--set: %w", err)
		}
	}
	return cfg, nil
}

func (c *teacherCommand) Run(t *terminal) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	corpus, err := teacher.GoDocs()
	if err != nil {
		return err
	}
	server, err := teacher.New(cfg, corpus, c.Journal)
	if err != nil {
		return err
	}
	defer server.Close()
	l, err := listen(t, "the teacher", c.Port)
	if err != nil {
		return err
	}
	ctx, cancel := c.until(t)
	defer cancel()
	return serve(ctx, l, server, func() error {
		t.say("teacher   %s  counts on %s", baseURL(l), strings.TrimSuffix(baseURL(l), "/v1")+"/stats")
		return c.announce(ready{BaseURL: baseURL(l), Model: "honest-1"})
	})
}

type ngramCommand struct {
	process
	Port  int    `help:"Port; 0 takes a free one." default:"8092"`
	Train string `help:"Train on the texts of this JSONL file instead of Go's documentation." type:"existingfile" placeholder:"FILE"`
	Field string `help:"The field of --train that holds the text." default:"doc"`
}

func (c *ngramCommand) Run(t *terminal) error {
	model, err := c.train()
	if err != nil {
		return err
	}
	l, err := listen(t, "the n-gram teacher", c.Port)
	if err != nil {
		return err
	}
	ctx, cancel := c.until(t)
	defer cancel()
	return serve(ctx, l, ngram.Teacher{Model: model}.Handler(), func() error {
		t.say("n-gram    %s  model %s, trained on %d tokens", baseURL(l), ngram.Name, model.Tokens())
		return c.announce(ready{BaseURL: baseURL(l), Model: ngram.Name})
	})
}

func (c *ngramCommand) train() (*ngram.Model, error) {
	if c.Train == "" {
		texts, err := ngram.GoDocs()
		if err != nil {
			return nil, err
		}
		return ngram.Train(texts), nil
	}
	texts, err := ngram.ReadJSONL(c.Train, c.Field)
	if err != nil {
		return nil, err
	}
	return ngram.Train(slices.Values(texts)), nil
}

type modelCommand struct {
	process
	Port     int    `help:"Port; 0 takes a free one." default:"8093"`
	Dir      string `help:"Where models are installed." default:".retort/model" type:"path"`
	Model    string `help:"smollm2 or gemma3-base, a worse one." enum:"smollm2,gemma3-base" default:"smollm2"`
	Threads  int    `help:"Threads of the model; more than free cores make it slower." default:"1"`
	Parallel int    `help:"Requests computed side by side." default:"4"`
	Install  bool   `help:"Install alone; don't run."`
}

func (c *modelCommand) Run(t *terminal) error {
	ctx, cancel := c.until(t)
	defer cancel()
	installed, err := llm.Install(ctx, c.Dir, modelNamed(c.Model), t.out)
	if err != nil || c.Install {
		return err
	}
	server, err := c.start(ctx, t, installed)
	if err != nil {
		return err
	}
	defer server.Stop()
	t.say("model     %s  model %s", server.URL, server.Model)
	if err := c.announce(ready{BaseURL: server.URL, Model: server.Model}); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return nil
	case <-server.Ended():
		return fmt.Errorf("the model's process ended: see its log in %s", c.Dir)
	}
}

// start takes the wished port if it is free.
func (c *modelCommand) start(ctx context.Context, t *terminal, installed *llm.Installed) (*llm.Server, error) {
	l, err := listen(t, "the model", c.Port)
	if err != nil {
		return nil, err
	}
	port := portOf(l)
	l.Close() // the model's process opens it
	return installed.Start(ctx, llm.Options{Port: port, Threads: c.Threads, Parallel: c.Parallel})
}

func modelNamed(name string) llm.Model {
	if name == "gemma3-base" {
		return llm.Gemma3Base
	}
	return llm.SmolLM2
}
