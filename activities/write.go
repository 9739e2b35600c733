package activities

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/semaphore"

	"github.com/retort-data/retort/prompt"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// writers are the files that this process writes at once: each holds rows and pages, and more of them than cores gain nothing.
var writers = semaphore.NewWeighted(int64(runtime.GOMAXPROCS(0)))

// written is what stands on S3 about a file that was written.
type written struct {
	schema.Shard
	Generations map[string]int64 `json:"generations"`
	Teachers    map[string]int64 `json:"teachers"` // answers by teacher
	Human       int64            `json:"human,omitempty"`
	Served      servedNames      `json:"served"`
}

// Write writes one file of the layout: to a local file first, then to its key if nothing is there.
func (r *Rooms) Write(ctx context.Context, in schema.WriteInput) error {
	run := r.run(in.RunRef)
	if err := r.mayWrite(run); err != nil {
		return err
	}
	var l layout
	if err := r.getJSON(ctx, run.Layout(), &l); err != nil {
		return err
	}
	plan := l.Files[in.File]
	if _, err := r.Store.Head(ctx, run.ShardStats(plan.Name)); err == nil {
		return nil
	} else if !notFound(err) {
		return err
	}
	recipe, err := r.recipe(ctx, run)
	if err != nil {
		return err
	}
	table, err := r.readClusters(ctx, run)
	if err != nil {
		return err
	}
	if err := writers.Acquire(ctx, 1); err != nil {
		return err
	}
	defer writers.Release(1)
	f, err := r.scratchFile("shard-*.parquet")
	if err != nil {
		return err
	}
	defer f.end()
	spill, err := r.scratchFile("pages-*")
	if err != nil {
		return err
	}
	defer spill.end()
	lines, err := r.scratchFile("rows-*")
	if err != nil {
		return err
	}
	defer lines.end()
	w := &fileWriter{rooms: r, ref: in.RunRef, run: run, recipe: recipe, clusters: table, plan: plan, format: l.Format, spill: spill, lines: lines.File,
		stats: written{Generations: map[string]int64{}, Teachers: map[string]int64{},
			Served: servedNames{}}}
	if err := w.write(ctx, f.File); err != nil {
		return err
	}
	if err := r.Store.PutFileNew(ctx, plan.Key, f, w.stats.Bytes); err != nil && !errors.Is(err, store.ErrExists) {
		return err // what another attempt wrote is equal; Publish reads it back and compares
	}
	return r.putJSON(ctx, run.ShardStats(plan.Name), w.stats, nil)
}

// fileWriter writes one file.
type fileWriter struct {
	rooms    *Rooms
	ref      schema.RunRef
	run      store.Run
	recipe   *Recipe
	clusters *clusterTable
	plan     filePlan
	format   string
	spill    schema.Spill
	lines    *os.File     // rows' lines that wait for their places
	waiting  atomic.Int64 // how many bytes
	stats    written
	human    []humanRow // read when the first is needed
}

func (w *fileWriter) write(ctx context.Context, f *os.File) error {
	buf := bufio.NewWriterSize(f, 1<<20)
	o := schema.ShardOptions{Format: w.format, Run: w.run.ID, Rows: w.plan.Rows, RowBytes: w.plan.Bytes, Spill: w.spill}
	var put func(*schema.Reject) error
	var closeFile func() (schema.ShardStats, error)
	if w.plan.Split == rejectsSplit {
		out, err := schema.NewRejectWriter(buf, o)
		if err != nil {
			return err
		}
		defer out.Abandon()
		put, closeFile = out.Write, out.Close
	} else {
		out, err := schema.NewShardWriter(buf, o)
		if err != nil {
			return err
		}
		defer out.Abandon()
		put, closeFile = func(rec *schema.Reject) error { return out.Write(&rec.Record) }, out.Close
	}
	if err := w.rows(ctx, put); err != nil {
		return err
	}
	stats, err := closeFile()
	if err != nil {
		return err
	}
	if stats.Rows != w.plan.Rows {
		return broken(w.plan.Key, fmt.Errorf("the layout has %d rows, the pages have %d", w.plan.Rows, stats.Rows))
	}
	w.stats.Shard = schema.Shard{URI: w.run.URI(w.plan.Key), Key: w.plan.Key, Split: w.plan.Split, Run: w.run.ID, Rows: stats.Rows,
		Bytes: stats.Bytes, SHA256: stats.SHA256, Root: stats.Root}
	return buf.Flush()
}

func generation(g int32) string {
	if g == schema.UnknownGeneration {
		return "unknown"
	}
	return fmt.Sprint(g)
}

// servedNames counts records by teacher and by model name and fingerprint as it answered.
type servedNames map[string]map[string]int64

func (s servedNames) note(teacher string, a *schema.Response) {
	name := a.Model
	if a.Fingerprint != "" {
		name += " (" + a.Fingerprint + ")"
	}
	if s[teacher] == nil {
		s[teacher] = map[string]int64{}
	}
	s[teacher][name]++
}

func (s servedNames) add(more servedNames) {
	for teacher, names := range more {
		if s[teacher] == nil {
			s[teacher] = map[string]int64{}
		}
		addCounts(s[teacher], names)
	}
}

// record joins what the steps have said of one request.
func (w *fileWriter) record(row *Decided, t DeclaredTeacher) *schema.Reject {
	req, a, in, d := &row.Request, &row.Response, &row.Inspection, &row.Decision
	messages := append(req.Messages[:len(req.Messages):len(req.Messages)], schema.Message{Role: "assistant", Content: a.Text})
	rec := &schema.Reject{Record: schema.Record{ID: schema.RecordID(w.run.ID, req.RequestID), Messages: messages, Reasoning: a.Reasoning,
		Teacher: t.Name, Model: t.Model, Revision: t.Revision, Generation: prompt.AnswerGeneration(req.Generation, t.Generation),
		Origin: schema.OriginGenerated, Source: req.Source, SourceLicense: req.License, PromptID: req.ID, RequestID: req.RequestID,
		FinishReason: a.FinishReason, InputTokens: a.InputTokens, OutputTokens: a.OutputTokens, Signals: in.Signals,
		ClusterSize: w.clusters.sizeOf(req.RequestID), Run: w.run.ID}}
	if d.Outcome != schema.OutcomeRejected {
		return rec
	}
	rec.Reason = d.Reason
	if f := in.Dropped(); f != nil && f.Check == d.Reason {
		rec.Signal, rec.Value, rec.Limit, rec.Text = f.Signal, f.Value, f.Limit, f.Match
	}
	if d.Of != "" {
		rec.Of, rec.Value, rec.Limit = d.Of, d.Jaccard, w.recipe.Checks.Near.Jaccard
		if d.OfIn == "" {
			rec.Of = schema.RecordID(w.run.ID, d.Of)
		}
	}
	return rec
}
