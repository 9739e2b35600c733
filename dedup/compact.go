package dedup

import (
	"bytes"
	"context"
)

// Compaction: eight segments of a level become one of the next. Segments larger than mostCompacted are left as they
// are, so that memory while compacting is bounded.
const (
	fanIn         = 8
	mostCompacted = 64 << 20
)

// compact follows from the list alone, so that all attempts at a page put the same objects.
func (o objects) compact(ctx context.Context, list []segmentRef) ([]segmentRef, error) {
	for {
		from := len(list) - fanIn
		if from < 0 || !compactable(list[from:]) {
			return list, nil
		}
		merged, err := o.merge(ctx, list[from:])
		if err != nil {
			return nil, err
		}
		list = append(list[:from], merged)
	}
}

func compactable(refs []segmentRef) bool {
	size := 0
	for _, r := range refs {
		if r.Level != refs[0].Level {
			return false
		}
		size += r.Bytes
	}
	return size <= mostCompacted
}

// merge puts the pages of refs into one segment.
func (o objects) merge(ctx context.Context, refs []segmentRef) (segmentRef, error) {
	out := segmentRef{Level: refs[0].Level + 1, First: refs[0].First, Last: refs[len(refs)-1].Last}
	size := 0
	for _, r := range refs {
		size += r.Bytes
	}
	body := append(make([]byte, 0, size), segmentMagic...)
	for _, r := range refs {
		b, err := o.readSegment(ctx, r)
		if err != nil {
			return out, err
		}
		body = append(body, bytes.TrimPrefix(b, []byte(segmentMagic))...)
		out.Entries += r.Entries
	}
	return o.putSegment(ctx, out, body)
}
