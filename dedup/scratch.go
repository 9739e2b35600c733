package dedup

import (
	"os"

	"github.com/retort-data/retort/schema"
)

// scratchFile makes a file without a name where the system allows that, so that no crash leaves it behind.
func scratchFile(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, "retort-dedup-*")
	if err != nil {
		return nil, scratchFault(err)
	}
	_ = os.Remove(f.Name()) // where an open file can't be removed, it stays until somebody clears the folder
	return f, nil
}

// scratchFault says that local disk failed; the index can be opened again elsewhere.
func scratchFault(err error) error {
	return &schema.Error{Kind: schema.KindRetry, Code: "index_scratch", Op: "near-duplicate index on local disk", Cause: err,
		Hint: "is the worker's scratch folder there, writable, and not full?"}
}
