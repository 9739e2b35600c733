package activities

import (
	"context"
	"crypto/ed25519"
	"log/slog"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// Rooms are what the activities work with; one value serves a whole worker process.
type Rooms struct {
	Config   *schema.Config
	Store    store.Store
	Buckets  func(bucket string) (store.Store, error) // other buckets that recipes may read
	Teachers *Teachers
	Scratch  string // folder for local files; each activity cleans up after itself
	Program  string // version of Retort
	Log      *slog.Logger
	Signer   ed25519.PrivateKey // of manifests; nil: they aren't signed

	Scheduler Scheduler

	// Tell says to a run's workflow what a worker waits for; nil: nobody is told.
	Tell func(ctx context.Context, workflow string, w schema.TeacherWait) error

	hasty bool // tests: a store that is away isn't waited for

	indexes indexCache
	served  servedKeys
	gates   gateCache
	evals   evaluationCache
	recipes recipeCache
	handed  handed
	tables  clusterCache
}

func (r *Rooms) run(ref schema.RunRef) store.Run {
	return store.NewDataset(r.Store.Bucket(), r.Config.Store.Prefix, ref.Dataset).Run(ref.Run)
}
