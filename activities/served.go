package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/retort-data/retort/store"
)

// Served is a name under which a teacher has answered: what it said its model is, with the fingerprint of the system behind it. More
// than one in a run means that the provider changed something meanwhile.
type Served struct {
	Teacher     string `json:"teacher"`
	Model       string `json:"model"`
	Fingerprint string `json:"fingerprint,omitempty"`
	At          int64  `json:"at"` // unix milliseconds of an answer of the first page that had it
}

func (s Served) String() string {
	if s.Fingerprint == "" {
		return s.Model
	}
	return s.Model + " (" + s.Fingerprint + ")"
}

// mostServed bounds the names of a page that are noted: some providers draw a fingerprint for every answer.
const mostServed = 8

// noteServed puts the names under which a page's new answers came, and returns their digests: the names are a provider's words, which go
// to S3 alone.
func (r *Rooms) noteServed(ctx context.Context, j *journal, p *page) (digests []string, err error) {
	seen := map[string]bool{}
	for i := range p.requests {
		a, ok := j.answers[p.requests[i].RequestID]
		if !ok || a.Failed() || a.ReusedFrom != "" || a.Model == "" || seen[a.Model+"\x00"+a.Fingerprint] || len(digests) == mostServed {
			continue
		}
		seen[a.Model+"\x00"+a.Fingerprint] = true
		sum := sha256.Sum256([]byte(a.Model + "\x00" + a.Fingerprint))
		digest := hex.EncodeToString(sum[:6])
		if err := r.putServed(ctx, j, digest, Served{p.Teacher, a.Model, a.Fingerprint, a.AnsweredAt}); err != nil {
			return nil, err
		}
		digests = append(digests, digest)
	}
	slices.Sort(digests)
	return digests, nil
}

// putServed puts a name that is new in the run, and says so where it isn't the teacher's first.
func (r *Rooms) putServed(ctx context.Context, j *journal, digest string, s Served) error {
	key := j.run.Served(j.page.Teacher, digest)
	if r.served.known(key) {
		return nil
	}
	body, err := json.Marshal(s)
	if err != nil {
		return err
	}
	switch err := r.Store.PutNew(ctx, key, body); {
	case errors.Is(err, store.ErrExists):
	case err != nil:
		return err
	default:
		names, err := ServedNames(ctx, r.Store, j.run)
		if err != nil {
			return err
		}
		if of := names[s.Teacher]; len(of) > 1 {
			r.Log.Warn("the teacher's model changed while the run went on", "run", j.run.ID, "teacher", s.Teacher, "page", j.page.String(), "names", fmt.Sprint(of))
		}
	}
	r.served.note(key)
	return nil
}

// servedKeys are the keys of names that this process has put, so that a page doesn't ask S3 about what the page before it has put.
type servedKeys struct {
	mu   sync.Mutex
	keys map[string]bool
}

// mostServedKeys bounds them over all runs; past it they are forgotten, which costs a put that finds its object there.
const mostServedKeys = 4096

func (s *servedKeys) known(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys[key]
}

func (s *servedKeys) note(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys == nil || len(s.keys) >= mostServedKeys {
		s.keys = map[string]bool{}
	}
	s.keys[key] = true
}

// ServedNames are the names under which the teachers of a run have answered, in the order of their first answers.
func ServedNames(ctx context.Context, s store.Store, run store.Run) (map[string][]Served, error) {
	names := map[string][]Served{}
	for in, err := range s.List(ctx, run.AllServed(), "") {
		if err != nil {
			return nil, err
		}
		body, err := s.Get(ctx, in.Key)
		if err != nil {
			return nil, err
		}
		var one Served
		if err := decode(in.Key, body, &one); err != nil {
			return nil, err
		}
		names[one.Teacher] = append(names[one.Teacher], one)
	}
	for _, of := range names {
		slices.SortFunc(of, func(a, b Served) int {
			if a.At != b.At {
				return int(min(1, max(-1, a.At-b.At)))
			}
			return strings.Compare(a.String(), b.String())
		})
	}
	return names, nil
}

// servedWarnings say, for the manifest, which teachers changed in mid-run.
func (r *Rooms) servedWarnings(ctx context.Context, run store.Run) (warnings []string, err error) {
	names, err := ServedNames(ctx, r.Store, run)
	if err != nil {
		return nil, err
	}
	for _, teacher := range sortedKeys(names) {
		if of := names[teacher]; len(of) > 1 {
			warnings = append(warnings, ServedText(teacher, of))
		}
	}
	return warnings, nil
}

// ServedText says that a teacher changed in mid-run.
func ServedText(teacher string, of []Served) string {
	texts := make([]string, len(of))
	for i := range of {
		texts[i] = of[i].String()
	}
	return fmt.Sprintf("teacher %s changed while the run went on: it answered as %s", teacher, strings.Join(texts, ", then as "))
}
