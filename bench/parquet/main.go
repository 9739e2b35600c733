// Command parquet writes a shard of made-up records and prints the rate, the CPU time and the peak memory of
// writing alone; beside_pyarrow.py then writes the same rows with pyarrow. See run.sh.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/retort-data/retort/schema"
)

func main() {
	rows := flag.Int("rows", 300_000, "records to write")
	out := flag.String("out", "shard.parquet", "file to write")
	format := flag.String("format", schema.FormatMessages, "format of the shard")
	flag.Parse()
	if err := run(*rows, *out, *format); err != nil {
		log.Fatal(err)
	}
}

func run(rows int, out, format string) error {
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // closed below; this is for errors on the way
	to := bufio.NewWriterSize(f, 1<<20)
	spill, err := os.CreateTemp(filepath.Dir(out), "pages-*") // as a worker does
	if err != nil {
		return err
	}
	defer os.Remove(spill.Name()) //nolint:errcheck // scratch
	defer spill.Close()           //nolint:errcheck // scratch
	w, err := schema.NewShardWriter(to, schema.ShardOptions{Format: format, Run: "bench", Spill: spill})
	if err != nil {
		return err
	}
	gen := newGenerator()
	var spent clock
	var raw int64
	batch := make([]*schema.Record, 0, 500)
	for done := 0; done < rows; done += len(batch) {
		batch = batch[:0]
		for i := done; i < min(done+cap(batch), rows); i++ {
			r := gen.record(i)
			raw += rawBytes(r)
			batch = append(batch, r)
		}
		err := spent.time(func() error {
			for _, r := range batch {
				if err := w.Write(r); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	var stats schema.ShardStats
	err = spent.time(func() (err error) {
		if stats, err = w.Close(); err == nil {
			err = to.Flush()
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"writer": "retort", "rows": stats.Rows, "raw_mb": mb(raw), "file_mb": mb(stats.Bytes),
		"seconds": spent.wall.Seconds(), "cpu_seconds": spent.cpu.Seconds(),
		"mb_per_second": mb(raw) / spent.wall.Seconds(), "mb_per_cpu_second": mb(raw) / spent.cpu.Seconds(), "peak_mb": peakMB(),
	})
}

func mb(n int64) float64 { return float64(n) / 1e6 }

// clock adds up wall and CPU time; garbage collection of what is timed falls mostly into it.
type clock struct{ wall, cpu time.Duration }

func (c *clock) time(do func() error) error {
	began, cpu := time.Now(), cpuTime()
	err := do()
	c.wall += time.Since(began)
	c.cpu += cpuTime() - cpu
	return err
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peakMB is the most memory that was resident (VmHWM), generation included.
func peakMB() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Maxrss) / 1e3 // kB on Linux
}

// rawBytes counts the values of a record: text, and eight bytes for a number.
func rawBytes(r *schema.Record) int64 {
	n := len(r.ID) + len(r.Reasoning) + len(r.Teacher) + len(r.Model) + len(r.Revision) + len(r.Origin) + len(r.Source) +
		len(r.SourceLicense) + len(r.PromptID) + len(r.RequestID) + len(r.FinishReason) + len(r.Run) + 4*8
	for _, m := range r.Messages {
		n += len(m.Role) + len(m.Content)
	}
	for _, s := range r.Signals {
		n += len(s.Name) + 8
	}
	return int64(n)
}

// generator makes text whose words follow Zipf's law, so that it compresses about as prose does.
type generator struct {
	rng   *rand.Rand
	zipf  *rand.Zipf
	words []string
}

func newGenerator() *generator {
	rng := rand.New(rand.NewPCG(7, 7))
	g := &generator{rng: rng, zipf: rand.NewZipf(rng, 1.1, 4, 49_999)}
	for range 50_000 {
		word := make([]byte, 2+rng.IntN(9))
		for i := range word {
			word[i] = "etaoinshrdlucmfwypvbgkjqxz"[min(rng.IntN(26), rng.IntN(26))]
		}
		g.words = append(g.words, string(word))
	}
	return g
}

func (g *generator) text(bytes int) string {
	var b strings.Builder
	b.Grow(bytes + 16)
	for b.Len() < bytes {
		b.WriteString(g.words[g.zipf.Uint64()])
		b.WriteByte(' ')
	}
	return b.String()
}

func (g *generator) record(i int) *schema.Record {
	id := func() string { return fmt.Sprintf("%016x%016x", g.rng.Uint64(), g.rng.Uint64()) }
	r := &schema.Record{
		ID:       id(),
		Messages: []schema.Message{{Role: "system", Content: "Be plain."}, {Role: "user", Content: g.text(200)}, {Role: "assistant", Content: g.text(1000 + g.rng.IntN(4000))}},
		Teacher:  "teacher", Model: "model-32b", Revision: "2026-08", Generation: 1, Origin: schema.OriginGenerated,
		Source: "questions.jsonl", SourceLicense: "cc-by-4.0", PromptID: id(), RequestID: id(), FinishReason: schema.FinishStop,
		InputTokens: int64(g.rng.IntN(100)), OutputTokens: int64(g.rng.IntN(1000)), ClusterSize: 1, Run: "bench",
	}
	for _, name := range []string{"words", "mean_word_length", "dup_line_fraction", "top_2_gram", "top_3_gram", "compression", "stop_words", "symbols"} {
		r.Signals = append(r.Signals, schema.Signal{Name: name, Value: g.rng.Float64()})
	}
	if i%10 == 0 {
		r.Reasoning = g.text(1000)
	}
	return r
}
