package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/retort-data/retort/local/site"
	"github.com/retort-data/retort/local/teacher"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// ground is the site that a trial works on.
type ground struct {
	*site.Site
	t       *trial
	objects store.Store
}

func (t *trial) start(dir string, o site.Options) (*ground, error) {
	o.Retort, o.Local, o.Dir = t.Retort, t.Local, dir
	s, err := site.Start(t.ctx, o)
	if err != nil {
		return nil, err
	}
	g := &ground{Site: s, t: t}
	if g.objects, err = s.Objects(t.ctx); err != nil {
		s.Stop()
	}
	return g, err
}

// replace kills a process with SIGKILL and starts it again at once; it returns when the new one answers.
func (g *ground) replace(name string) error { return g.Replace(g.t.ctx, name) }

// recipe writes questions and recipe of a dataset; more are further lines of the recipe.
func (g *ground) recipe(dataset string, prompts, maxTokens int, more string) (string, error) {
	var rows strings.Builder
	for i := range prompts {
		fmt.Fprintf(&rows, "{\"question\": \"What is to be said of %s number %d, and why does it matter to those who use it?\"}\n", dataset, i)
	}
	if err := os.WriteFile(filepath.Join(g.Dir, dataset+".jsonl"), []byte(rows.String()), 0o600); err != nil {
		return "", err
	}
	file := filepath.Join(g.Dir, dataset+".yaml")
	return file, os.WriteFile(file, fmt.Appendf(nil, `dataset: %[1]s
license: cc-by-4.0
prompts: [{from: %[1]s.jsonl, license: cc-by-4.0, origin: human}]
messages: [{role: user, content: "{{.question}}"}]
teachers: [{name: tester}]
sampling: {temperature: 0.8, max_tokens: %[2]d}
%[3]s`, dataset, maxTokens, more), 0o600)
}

// retort runs the command to its end.
func (g *ground) retort(args ...string) error {
	_, err := g.Do(g.t.ctx, args...)
	return err
}

// stats are the teacher's counts.
func (g *ground) stats() (st teacher.Stats, err error) {
	r, err := http.Get(strings.TrimSuffix(g.TeacherURL, "/v1") + "/stats")
	if err != nil {
		return st, err
	}
	defer r.Body.Close()
	return st, json.NewDecoder(r.Body).Decode(&st)
}

func (g *ground) reset() error {
	r, err := http.PostForm(strings.TrimSuffix(g.TeacherURL, "/v1")+"/reset", url.Values{})
	if err != nil {
		return err
	}
	return r.Body.Close()
}

// status is the newest run of a dataset; nil while it can't be seen.
func (g *ground) status(dataset string) *schema.Status {
	return site.Newest(g.t.ctx, g.objects, dataset)
}

// finish waits until the newest run of a dataset has ended.
func (g *ground) finish(dataset string, within time.Duration) (*schema.Status, error) {
	return site.Finish(g.t.ctx, g.objects, dataset, within)
}
