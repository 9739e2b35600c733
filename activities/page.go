package activities

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// page is a planned page: its requests in order.
type page struct {
	schema.PageHeader
	requests []schema.Request
}

func (r *Rooms) readPage(ctx context.Context, run store.Run, ref schema.PageRef) (*page, error) {
	p := &page{}
	var err error
	p.requests, err = readTable[schema.Request](ctx, r, run.Page(ref), &p.PageHeader)
	return p, err
}

// readTable reads an object of many rows: a header line, then a row a line.
func readTable[T any](ctx context.Context, r *Rooms, key string, head any) ([]T, error) {
	rows, err := r.readLines(ctx, key, head)
	if err != nil {
		return nil, err
	}
	return decodeRows[T](key, rows)
}

// readLines reads such an object and leaves its rows undecoded.
func (r *Rooms) readLines(ctx context.Context, key string, head any) ([][]byte, error) {
	return r.readLinesInto(ctx, key, head, new(plain))
}

// readLinesInto returns rows that stand in the buffer.
func (r *Rooms) readLinesInto(ctx context.Context, key string, head any, into *plain) ([][]byte, error) {
	packed, err := r.Store.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	rows, err := into.unpack(key, packed)
	if err != nil {
		return nil, err
	}
	return rows[1:], decode(key, rows[0], head)
}

// answersHeader is the first line of a page's final answers.
type answersHeader struct {
	Page   schema.PageRef    `json:"page"`
	Counts schema.PageCounts `json:"counts"`
}

// readAnswers returns a page's final answers; store.ErrNotFound where it has none yet.
func (r *Rooms) readAnswers(ctx context.Context, run store.Run, ref schema.PageRef) (answersHeader, []schema.Response, error) {
	var head answersHeader
	rows, err := readTable[schema.Response](ctx, r, run.Answers(ref), &head)
	return head, rows, err
}

// putOnce puts a final object; where another attempt was first, won reads the winner's.
func (r *Rooms) putOnce(ctx context.Context, key string, body []byte, won func() error) error {
	err := r.Store.PutNew(ctx, key, body)
	if errors.Is(err, store.ErrExists) && won != nil {
		return won()
	}
	return err
}

// getJSON reads a small object.
func (r *Rooms) getJSON(ctx context.Context, key string, into any) error {
	b, err := r.Store.Get(ctx, key)
	if err != nil {
		return err
	}
	return decode(key, b, into)
}

// putJSON puts a small object if absent; where one is there already, into gets that one.
func (r *Rooms) putJSON(ctx context.Context, key string, value, into any) error {
	b, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		return err
	}
	return r.putOnce(ctx, key, b, func() error {
		if into == nil {
			return nil
		}
		return r.getJSON(ctx, key, into)
	})
}
