// Command scale sends synthetic documents through the index with little memory, and prints for each million of them
// the documents a second, the memory, and the bytes on local disk. Making documents, sketching, deciding, and encoding
// and hashing segments and roots are all inside the clock; the store that takes these keeps no more than what
// compaction reads again, as it stands on other machines.
//
//	scale [-n 10000000] [-memory 1024] [-page 2000] [-duplicates 0.1] [-dir FOLDER]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"runtime/pprof"
	"syscall"
	"time"

	"github.com/retort-data/retort/dedup"
	"github.com/retort-data/retort/schema"
)

type settings struct {
	n, page    int
	memory     int64 // bytes that the process may use
	duplicates float64
	dir        string
}

func main() {
	var s settings
	flag.IntVar(&s.n, "n", 10_000_000, "documents")
	flag.IntVar(&s.page, "page", 2000, "documents of a page")
	flag.Int64Var(&s.memory, "memory", 1024, "MiB that the process may use; the index is given a half")
	flag.Float64Var(&s.duplicates, "duplicates", .1, "share of documents that are near-duplicates of any earlier one")
	flag.StringVar(&s.dir, "dir", os.TempDir(), "folder for scratch files")
	profile := flag.String("cpuprofile", "", "write a profile of the CPU here")
	flag.Parse()
	s.memory <<= 20
	if *profile != "" {
		f, err := os.Create(*profile)
		if err == nil {
			err = pprof.StartCPUProfile(f)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "scale:", err)
			os.Exit(1)
		}
		defer pprof.StopCPUProfile()
	}
	if err := run(s); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

func run(s settings) error {
	debug.SetMemoryLimit(s.memory * 8 / 10) // the rest is for what the runtime doesn't count
	dir, err := os.MkdirTemp(s.dir, "retort-scale-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	objects := &passing{objects: map[string][]byte{}}
	ix, err := dedup.Open(ctx, objects, "index/", "", dedup.Options{
		Exact: schema.ExactCheck{Scope: schema.ScopeDataset}, Near: schema.NearCheck{Scope: schema.ScopeDataset},
		Scratch: dir, MemoryBytes: s.memory / 2,
	})
	if err != nil {
		return err
	}
	defer ix.Close()
	pages := make(chan []dedup.Item, 2)
	go makePages(s, pages)
	if err := feed(ctx, s, ix, pages); err != nil {
		return err
	}
	fmt.Printf("%.1f GB of segments and roots were handed to the store\n", float64(objects.written)/1e9)
	return nil
}

// feed decides page after page and prints a line a million documents.
func feed(ctx context.Context, s settings, ix *dedup.Index, pages <-chan []dedup.Item) error {
	step := min(1_000_000, max(s.n/10, 1))
	fmt.Println("| documents | documents/s | CPU µs a document | peak memory, MiB | kept | dropped | bands, B a kept document | verification, B |")
	fmt.Println("| --- | --- | --- | --- | --- | --- | --- | --- |")
	start, last, cpu := time.Now(), time.Now(), cpuSeconds()
	done, dropped, seq := 0, 0, 0
	for page := range pages {
		decisions, err := ix.Decide(ctx, seq, page)
		if err != nil {
			return err
		}
		for _, d := range decisions {
			if d.Drop {
				dropped++
			}
		}
		if _, err := ix.Commit(ctx, seq, page, decisions); err != nil {
			return err
		}
		seq++
		before := done
		done += len(page)
		if done/step != before/step || done == s.n {
			now, used := time.Now(), cpuSeconds()
			disk, kept := ix.Disk(), float64(ix.Entries())
			fmt.Printf("| %d | %.0f | %.1f | %d | %d | %d | %.0f | %.0f |\n", done, float64(step)/now.Sub(last).Seconds(),
				(used-cpu)/float64(step)*1e6, peakMiB(), ix.Entries(), dropped, float64(disk.Bands)/kept, float64(disk.Verify)/kept)
			last, cpu = now, used
		}
	}
	fmt.Printf("\n%d documents in %.0f s: %.0f a second\n", done, time.Since(start).Seconds(), float64(done)/time.Since(start).Seconds())
	return nil
}

// passing stands for a store on another machine: it keeps no more than what compaction reads again.
type passing struct {
	objects map[string][]byte
	written int64
}

func (p *passing) Get(_ context.Context, key string) ([]byte, error) {
	b, ok := p.objects[key]
	if !ok {
		return nil, errors.New("no such object")
	}
	return b, nil
}

func (p *passing) PutNew(_ context.Context, key string, body []byte) error {
	p.written += int64(len(body))
	var level, first, last int
	if _, err := fmt.Sscanf(filepath.Base(key), "%d-%d-%d-", &level, &first, &last); err != nil {
		return nil // a root
	}
	for name := range p.objects {
		var l, a, b int
		if _, err := fmt.Sscanf(filepath.Base(name), "%d-%d-%d-", &l, &a, &b); err == nil && a >= first && b <= last {
			delete(p.objects, name) // compacted
		}
	}
	if len(body) < 8<<20 { // eight of them would be too large to be compacted
		p.objects[key] = body
	}
	return nil
}

func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// peakMiB is the most memory that the process has had, as the system counts it.
func peakMiB() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return u.Maxrss >> 10
}
