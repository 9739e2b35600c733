package main

import (
	"errors"

	"github.com/retort-data/retort/local/stack"
)

type temporalCommand struct {
	process
	Dir    string `help:"Where data and logs stand." default:".retort" type:"path"`
	Port   int    `help:"Port of the gRPC frontend; 0 takes a free one." default:"7233"`
	UIPort int    `help:"Port of the UI; 0 takes a free one, -1 runs none." default:"8233"`
}

func (c *temporalCommand) Run(t *terminal) error {
	o := stack.Options{Dir: c.Dir, Only: []stack.Service{stack.Temporal}, TemporalPort: c.Port}
	if c.UIPort >= 0 {
		o.Only, o.UIPort = append(o.Only, stack.UI), c.UIPort
	}
	return c.runStack(t, o)
}

type s3Command struct {
	process
	Dir       string   `help:"Where data and logs stand." default:".retort" type:"path"`
	Port      int      `help:"Port; 0 takes a free one." default:"9000"`
	Bucket    []string `help:"Buckets to create." default:"retort"`
	AccessKey string   `help:"Access key; with --secret-key. Default: a pair made once and kept." env:"RETORT_S3_ACCESS_KEY"`
	SecretKey string   `help:"Secret key." env:"RETORT_S3_SECRET_KEY"`
}

func (c *s3Command) Run(t *terminal) error {
	return c.runStack(t, stack.Options{
		Dir: c.Dir, Only: []stack.Service{stack.S3}, S3Port: c.Port, Buckets: c.Bucket,
		AccessKey: c.AccessKey, SecretKey: c.SecretKey,
	})
}

// runStack runs a stack until the process is to end or a service fails.
func (p *process) runStack(t *terminal, o stack.Options) error {
	ctx, cancel := p.until(t)
	defer cancel()
	s, err := stack.Start(ctx, o)
	if err != nil {
		return err
	}
	for _, n := range s.Notices {
		t.say("%s", n)
	}
	sayWhere(t, s)
	if err := p.announce(readyOf(s)); err != nil {
		return errors.Join(err, s.Stop())
	}
	select {
	case <-ctx.Done():
	case err = <-s.Failed():
	}
	return errors.Join(err, s.Stop())
}

func sayWhere(t *terminal, s *stack.Stack) {
	if s.TemporalAddress != "" {
		t.say("Temporal  %s  namespace %s", s.TemporalAddress, s.Namespace)
	}
	if s.UIURL != "" {
		t.say("UI        %s", s.UIURL)
	}
	if s.S3Endpoint != "" {
		t.say("S3        %s  bucket %s  key %s", s.S3Endpoint, s.Bucket, s.AccessKey)
		t.say("files     %s/s3", s.Dir)
	}
}
