package dedup

import (
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// Text is a text to be sketched, with the texts whose long runs are left out of it.
type Text struct {
	Text    string
	Without []string
}

// SketchAll sketches texts on several threads, in their order.
func SketchAll(texts []Text, p Params, threads int) ([]Sketch, error) {
	const run = 64 // texts that a thread takes at once
	out := make([]Sketch, len(texts))
	var next atomic.Int64
	var g errgroup.Group
	for range max(threads, 1) {
		g.Go(func() error {
			s, err := NewSketcher(p)
			if err != nil {
				return err
			}
			for {
				end := int(next.Add(run))
				if end-run >= len(texts) {
					return nil
				}
				for i := end - run; i < min(end, len(texts)); i++ {
					out[i] = s.Sketch(texts[i].Text, texts[i].Without...)
				}
			}
		})
	}
	return out, g.Wait()
}
