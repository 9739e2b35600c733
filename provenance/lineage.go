package provenance

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/retort-data/retort/schema"
)

// Lineage is where a record comes from, as far as manifests say.
type Lineage struct {
	ID         string                  `json:"id"`
	Generation *int32                  `json:"generation"` // null: unknown
	Origin     string                  `json:"origin"`
	Prompt     string                  `json:"prompt_id,omitempty"`
	Request    string                  `json:"request_id,omitempty"`
	Teacher    *schema.ManifestTeacher `json:"teacher,omitempty"` // with revision and terms; null of human text
	Sources    []schema.ManifestSource `json:"sources"`           // pinned; those of the record's own source
	Published  Ancestor                `json:"published"`         // the version whose run made it
}

// Ancestor is a version that a record descends from.
type Ancestor struct {
	Via         string           `json:"via"` // run; or source, or teacher: how it came to be an ancestor
	Dataset     string           `json:"dataset"`
	Version     int              `json:"version"`
	Manifest    string           `json:"manifest"` // sha256
	Run         string           `json:"run"`
	Recipe      string           `json:"recipe,omitempty"` // sha256
	Program     string           `json:"program"`
	Created     time.Time        `json:"created"`
	Generations map[string]int64 `json:"generations"`
	Parents     []Ancestor       `json:"parents,omitempty"`
	Unresolved  []string         `json:"unresolved,omitempty"` // parents that no manifest at hand describes
}

// recordColumns are those that lineage is read from.
type recordColumns struct {
	ID         string `json:"id"`
	Generation *int32 `json:"generation"`
	Origin     string `json:"origin"`
	Teacher    string `json:"teacher"`
	Source     string `json:"source"`
	PromptID   string `json:"prompt_id"`
	RequestID  string `json:"request_id"`
	Run        string `json:"run"`
}

// nobody is no teacher's name: human text descends from none.
const nobody = "\x00"

// mostGenerations bounds how far back lineage is followed.
const mostGenerations = 64

// lineageOf follows from a record and manifests alone. The first manifest is that of the version that is proved; the record's run may
// have published an earlier one.
func lineageOf(record []byte, all []opened) (*Lineage, error) {
	var r recordColumns
	if err := json.Unmarshal(record, &r); err != nil {
		return nil, fmt.Errorf("the record has other columns than a shard's: %w", err)
	}
	l := &Lineage{ID: r.ID, Generation: r.Generation, Origin: r.Origin, Prompt: r.PromptID, Request: r.RequestID, Sources: []schema.ManifestSource{}}
	for i := range all {
		home := &all[i]
		if home.manifest.Dataset != all[0].manifest.Dataset || home.manifest.Run != r.Run {
			continue
		}
		teacher := r.Teacher
		if teacher == "" {
			teacher = nobody
		}
		l.Published = ancestorOf("run", home, all, map[string]bool{}, r.Source, teacher, 0)
		for _, s := range home.manifest.Sources {
			if s.From == r.Source {
				l.Sources = append(l.Sources, s)
			}
		}
		for _, t := range home.manifest.Teachers {
			if t.Name == r.Teacher {
				l.Teacher = &t
			}
		}
		return l, nil
	}
	return nil, fmt.Errorf("no manifest in it is of run %.60q, which made the record", r.Run)
}

// ancestorOf describes a version and, through sources and teachers (of a name, where one is given), those before it.
func ancestorOf(via string, o *opened, all []opened, seen map[string]bool, source, teacher string, depth int) Ancestor {
	m := &o.manifest
	a := Ancestor{Via: via, Dataset: m.Dataset, Version: m.Version, Manifest: o.digest, Run: m.Run, Recipe: m.Recipe, Program: m.Program, Created: m.Created, Generations: m.Generations}
	if seen[o.digest] || depth == mostGenerations {
		return a // described once already
	}
	seen[o.digest] = true
	for _, link := range Links(m, source, teacher) {
		parent := link.find(all)
		if parent == nil {
			a.Unresolved = append(a.Unresolved, link.Via+" "+link.String())
			continue
		}
		a.Parents = append(a.Parents, ancestorOf(link.Via, parent, all, seen, "", "", depth+1))
	}
	return a
}

// Link leads from a version to one that it descends from: by a shard that was a source, or by what a teacher was trained on.
type Link struct {
	Via     string // source | teacher
	Shard   string // URI, of a source
	Dataset string // of a teacher's training
	Version int
}

func (l Link) String() string {
	if l.Shard != "" {
		return l.Shard
	}
	return fmt.Sprintf("%s@%d", l.Dataset, l.Version)
}

// Links are those of a manifest; of one source and teacher where they are named.
func Links(m *schema.Manifest, source, teacher string) (links []Link) {
	for _, s := range m.Sources {
		if source != "" && s.From != source {
			continue
		}
		for _, f := range s.Files {
			if _, ok := DatasetOf(f.Key); ok {
				links = append(links, Link{Via: "source", Shard: "s3://" + f.Bucket + "/" + f.Key})
			}
		}
	}
	for _, t := range m.Teachers {
		if teacher != "" && t.Name != teacher {
			continue
		}
		for _, on := range t.TrainedOn {
			if d, n, err := schema.ParseDatasetVersion(on); err == nil {
				links = append(links, Link{Via: "teacher", Dataset: d, Version: n})
			}
		}
	}
	return oneOfEach(links)
}

// oneOfEach keeps a shard of each run: the shards of one run were published by one version.
func oneOfEach(links []Link) (out []Link) {
	seen := map[string]bool{}
	for _, l := range links {
		at := l.String()
		if l.Shard != "" {
			d, _ := DatasetOf(l.Shard)
			at = l.Via + d + runOf(l.Shard)
		}
		if !seen[at] {
			seen[at] = true
			out = append(out, l)
		}
	}
	return out
}

// find returns the manifest that a link leads to: of those that list a shard, the first one.
func (l Link) find(all []opened) (found *opened) {
	for i := range all {
		m := &all[i].manifest
		if l.Shard == "" && m.Dataset == l.Dataset && m.Version == l.Version {
			return &all[i]
		}
		if l.Shard != "" && l.Listed(m) && (found == nil || m.Version < found.manifest.Version) {
			found = &all[i]
		}
	}
	return found
}

// Listed says whether a manifest lists the link's shard.
func (l Link) Listed(m *schema.Manifest) bool {
	for _, s := range m.Shards {
		if s.URI == l.Shard {
			return true
		}
	}
	return false
}
