package activities

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/retort-data/retort/provenance"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// find lists what isn't needed. The order matters: objects first, then the runs' states, then the versions. So what a run publishes in between is
// either of a run that was open, or in a version that is read after.
func (c *Collector) find(ctx context.Context) ([]Mark, error) {
	objects, err := c.objects(ctx)
	if err != nil || len(objects) == 0 {
		return nil, err
	}
	needed := &needs{open: map[string]bool{}, published: map[string]bool{}, keys: map[string]bool{}, digests: map[string]bool{}, of: map[int]string{}}
	if err := c.runs(ctx, needed); err != nil {
		return nil, err
	}
	if err := c.versions(ctx, needed); err != nil {
		return nil, err
	}
	var out []Mark
	for _, in := range objects {
		m, err := c.judge(ctx, needed, in)
		if err != nil {
			return nil, err
		}
		if m != nil {
			out = append(out, *m)
		}
	}
	return out, nil
}

// needs is what versions and runs need.
type needs struct {
	open      map[string]bool // runs under way or held
	ended     []string        // runs that are neither
	published map[string]bool // runs that became a version
	keys      map[string]bool // files that versions list
	digests   map[string]bool // of manifests
	of        map[int]string  // version → run
}

// objects are those that gc may ever touch: shards, statements about versions, reports, and folders of runs.
func (c *Collector) objects(ctx context.Context) (all []store.Info, err error) {
	d := c.Dataset
	for _, prefix := range []string{d.Data(), d.Attestations(), d.Versions(), d.Runs()} {
		for in, err := range c.Store.List(ctx, prefix, "") {
			if err != nil {
				return nil, err
			}
			if strings.HasPrefix(in.Key, d.StudentAttestations()) || prefix == d.Versions() && strings.HasSuffix(in.Key, ".json") {
				continue
			}
			all = append(all, in)
		}
	}
	return all, nil
}

// runs finds out which runs are open.
func (c *Collector) runs(ctx context.Context, n *needs) error {
	ids, err := c.Store.Folders(ctx, c.Dataset.Runs())
	if err != nil {
		return err
	}
	for _, id := range ids {
		open, err := c.open(ctx, id)
		if err != nil {
			return err
		}
		if open {
			n.open[id] = true
		} else {
			n.ended = append(n.ended, id)
		}
	}
	return nil
}

// open says whether a run is under way or held, or may be taken up by a worker yet.
func (c *Collector) open(ctx context.Context, id string) (bool, error) {
	if strings.HasPrefix(id, previewPrefix) || strings.HasPrefix(id, RetractionPrefix) {
		return false, nil // both take less than the day that a mark takes, and neither is harmed by one
	}
	run := c.Dataset.Run(id)
	body, err := c.Store.Get(ctx, run.Status())
	if notFound(err) {
		_, err = c.Store.Head(ctx, run.Begun())
		if notFound(err) {
			return false, nil // never began: what a failed beginning left
		}
		return true, err // begun: a worker may take it up yet
	}
	if err != nil {
		return false, err
	}
	var st schema.Status
	if err := decode(run.Status(), body, &st); err != nil {
		return false, err
	}
	if st.State == schema.StateHeld {
		return true, nil
	}
	if schema.Ended(st.State) {
		return false, nil
	}
	return c.Dead == nil || c.Now.Sub(st.Updated) < MarkedFor || !c.Dead(id), nil
}

// versions enters what they list.
func (c *Collector) versions(ctx context.Context, n *needs) error {
	for in, err := range c.Store.List(ctx, c.Dataset.Versions(), "") {
		if err != nil {
			return err
		}
		number, ok := store.VersionNumber(in.Key)
		if !ok {
			continue
		}
		m, body, err := ManifestBytes(ctx, c.Store, c.Dataset, number)
		if err != nil {
			return err // what a version lists must be known before anything is removed
		}
		n.digests[digest(body)], n.published[m.Run], n.of[number] = true, true, m.Run
		for _, files := range [][]schema.Shard{m.Shards, m.Rejects} {
			for _, s := range files {
				n.keys[s.Key], n.published[s.Run] = true, true
			}
		}
	}
	return nil
}

// judge says why an object isn't needed; nil where it is.
func (c *Collector) judge(ctx context.Context, n *needs, in store.Info) (*Mark, error) {
	d := c.Dataset
	m := &Mark{Key: in.Key, Bytes: in.Size, ETag: in.ETag}
	switch {
	case n.keys[in.Key]:
		return nil, nil
	case strings.HasPrefix(in.Key, d.Data()):
		m.Run = n.runOfShard(in.Key)
		m.Why = "a shard that no version lists"
	case strings.HasPrefix(in.Key, d.Attestations()):
		return c.judgeAttestation(ctx, n, m)
	case strings.HasPrefix(in.Key, d.Versions()):
		number, run, ok := store.ReportOf(in.Key)
		if !ok || n.of[number] == run {
			return nil, nil
		}
		m.Run, m.Why = run, "a report of a version that the run didn't become"
	default:
		id, rest, _ := strings.Cut(in.Key[len(d.Runs()):], "/")
		m.Run, m.Why, m.again = id, c.whyOfRun(n, id, rest), gateState(rest)
	}
	if m.Why == "" || m.Run == "" || n.open[m.Run] {
		return nil, nil
	}
	return m, nil
}

// runOfShard is the run that wrote a shard, "" where none is known: what isn't Retort's stays.
func (n *needs) runOfShard(key string) string {
	name := key[strings.LastIndexByte(key, '/')+1:]
	for id := range n.open {
		if strings.Contains(name, "-"+id+"-") {
			return id
		}
	}
	for _, id := range n.ended {
		if strings.Contains(name, "-"+id+"-") {
			return id
		}
	}
	return ""
}

// judgeAttestation finds statements about manifests that no version has.
func (c *Collector) judgeAttestation(ctx context.Context, n *needs, m *Mark) (*Mark, error) {
	name := strings.TrimSuffix(m.Key[len(c.Dataset.Attestations()):], ".json")
	if n.digests[name] {
		return nil, nil
	}
	body, err := c.Store.Get(ctx, m.Key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	_, s, err := provenance.Open[provenance.Version](body, provenance.VersionType)
	if err != nil || n.open[s.Predicate.Run] {
		return nil, nil // what isn't Retort's stays
	}
	m.Run, m.Why = s.Predicate.Run, "a statement about a manifest that no version has"
	return m, nil
}

// previewPrefix begins the ids of previews.
const previewPrefix = "preview-"

// made are the parts of a run's folder that nobody paid for, and that nothing needs once the run has ended without a version.
var made = []string{"index/", "written/", "layout.json", "clusters.jsonl.zst"}

// kept are those that stay for good: what became of a run, and what keeps it from being published.
var kept = []string{"status.json", "collected.json", "publishing/"}

// gateState says whether a file of a run's folder is a state of its gates.
func gateState(rest string) bool {
	return strings.HasPrefix(rest, "gate/") && strings.HasSuffix(rest, ".state")
}

func (c *Collector) whyOfRun(n *needs, id, rest string) string {
	has := func(list []string) bool {
		return slices.ContainsFunc(list, func(p string) bool { return strings.HasPrefix(rest, p) })
	}
	switch {
	case gateState(rest):
		return "the state of a gate whose run has ended" // its log and verdicts stay
	case n.published[id] || has(kept):
		return ""
	case strings.HasPrefix(id, previewPrefix):
		return "a preview's"
	case has(made):
		return "made by a run that became no version"
	case c.Answers:
		return "of a run that became no version"
	}
	return ""
}
