package dedup

import (
	"context"
	"iter"
)

// Page is what an earlier Commit entered.
type Page struct {
	Seq   int
	Items []Item // Live is true for those that were entered, and for no others
}

// Rebuild writes the index again from what stands elsewhere: the sketches of inspected pages and the decisions about
// them, in order of their sequence numbers. It puts the objects that the first time put, byte for byte, so the root is
// the same where the prefix is; where an object under the prefix is damaged rather than missing, rebuild under another
// prefix, and go on there.
func Rebuild(ctx context.Context, blobs Blobs, prefix string, pages iter.Seq2[Page, error], opts Options) (root string, err error) {
	opts.Layers = nil // they don't change what is written
	ix, err := Open(ctx, blobs, prefix, "", opts)
	if err != nil {
		return "", err
	}
	defer ix.Close()
	for page, err := range pages {
		if err != nil {
			return "", err
		}
		decisions := make([]Decision, len(page.Items))
		for i := range page.Items {
			decisions[i].Enter = page.Items[i].Live
		}
		if root, err = ix.Commit(ctx, page.Seq, page.Items, decisions); err != nil {
			return "", err
		}
	}
	return root, nil
}
