package site

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// Replace kills a process with SIGKILL and starts it again at once; it returns when the new one answers.
func (s *Site) Replace(ctx context.Context, name string) error {
	s.Process(name).Kill()
	for i := range s.Workers {
		if name == Worker(i) {
			return s.StartWorker(i)
		}
	}
	return s.StartPart(ctx, name)
}

// Do runs `retort ARGS` to its end, and returns what it printed.
func (s *Site) Do(ctx context.Context, args ...string) ([]byte, error) {
	cmd := s.Command(ctx, args...)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("retort %s: %w\n%s%s", strings.Join(args, " "), err, errs.String(), out)
	}
	return out, nil
}

// Newest is the status on S3 of the newest run of a dataset; nil while it can't be seen.
func Newest(ctx context.Context, objects store.Store, dataset string) *schema.Status {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	d := store.NewDataset(Bucket, "", dataset)
	runs, err := objects.Folders(ctx, d.Runs())
	if err != nil || len(runs) == 0 {
		return nil
	}
	body, err := objects.Get(ctx, d.Run(runs[len(runs)-1]).Status())
	var st schema.Status
	if err != nil || json.Unmarshal(body, &st) != nil {
		return nil
	}
	return &st
}

// Finish waits until the newest run of a dataset has ended, whoever dies meanwhile.
func Finish(ctx context.Context, objects store.Store, dataset string, within time.Duration) (*schema.Status, error) {
	deadline := time.Now().Add(within)
	for {
		st := Newest(ctx, objects, dataset)
		if st != nil && schema.Ended(st.State) {
			return st, nil
		}
		if time.Now().After(deadline) {
			return st, fmt.Errorf("%s hasn't ended within %v: %+v", dataset, within, st)
		}
		select {
		case <-ctx.Done():
			return st, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}
