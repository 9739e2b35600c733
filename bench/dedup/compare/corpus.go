package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"hash/fnv"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

// pieceWords is the mean length of a text.
const pieceWords = 230

// writeCorpus cuts the comments of Go's own source, written by people, into pieces of about 230 words, and adds copies
// of them with 0 to 30% of the words edited until there are n texts, in random order. The labels file has a line a
// text: the piece that it comes from, and its share of edited words.
func writeCorpus(args []string) error {
	f := flag.NewFlagSet("corpus", flag.ExitOnError)
	n := f.Int("n", 100_000, "texts")
	seed := f.Uint64("seed", 1, "seed of the edits and the order")
	out := f.String("o", "corpus.jsonl", "file to write")
	root := f.String("source", "", "folder of Go source, such as $(go env GOROOT)/src")
	if err := f.Parse(args); err != nil {
		return err
	}
	all, err := comments(*root)
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(*seed, 0))
	pieces := cutPieces(r, all)
	fmt.Fprintf(os.Stderr, "%d words of comments in %d pieces\n", len(all), len(pieces))
	if len(pieces) > *n {
		pieces = pieces[:*n]
	}
	texts := addEdited(r, pieces, *n)
	r.Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
	return save(*out, texts)
}

// comments are the words of all comments of 20 words and more under root; each comment counts once, so that licence
// headers are no duplicates. Words keep their white space.
func comments(root string) (words []string, err error) {
	seen := map[uint64]bool{}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil // files that are meant not to parse
		}
		if ast.IsGenerated(parsed) {
			return nil
		}
		for _, c := range parsed.Comments {
			text := c.Text()
			h := fnv.New64a()
			h.Write([]byte(text))
			if got := split(text); len(got) >= 20 && !seen[h.Sum64()] {
				seen[h.Sum64()] = true
				words = append(words, got...)
			}
		}
		return nil
	})
	return words, err
}

// split cuts text after the white space that follows each word.
func split(text string) []string {
	var out []string
	start, blank := 0, false
	for i, c := range text {
		if s := unicode.IsSpace(c); s != blank {
			if blank = s; !s && i > start {
				out = append(out, text[start:i])
				start = i
			}
		}
	}
	return append(out, text[start:])
}

func cutPieces(r *rand.Rand, words []string) [][]string {
	var out [][]string
	for len(words) > 0 {
		n := min(pieceWords*2/3+r.IntN(pieceWords*2/3), len(words))
		out = append(out, words[:n])
		words = words[n:]
	}
	return out
}

// labelled is a text with the piece it comes from and its share of edited words.
type labelled struct {
	text  string
	piece int
	share float64
}

func addEdited(r *rand.Rand, pieces [][]string, n int) []labelled {
	out := make([]labelled, 0, n)
	for i, p := range pieces {
		out = append(out, labelled{strings.Join(p, ""), i, 0})
	}
	for len(out) < n {
		i := r.IntN(len(pieces))
		share := .3 * r.Float64()
		out = append(out, labelled{strings.Join(edit(r, pieces, pieces[i], share), ""), i, share})
	}
	return out
}

// edit replaces, leaves out or doubles up with another word each word with probability share.
func edit(r *rand.Rand, pieces [][]string, words []string, share float64) []string {
	out := slices.Clone(words[:0:0])
	for _, w := range words {
		if r.Float64() >= share {
			out = append(out, w)
			continue
		}
		p := pieces[r.IntN(len(pieces))]
		other := p[r.IntN(len(p))]
		switch r.IntN(3) {
		case 0:
			out = append(out, other)
		case 1:
			out = append(out, w, other)
		}
	}
	return out
}

func save(path string, texts []labelled) error {
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	defer out.Close()
	labels, err := os.Create(path + ".labels")
	if err != nil {
		return err
	}
	defer labels.Close()
	w, l := bufio.NewWriter(out), bufio.NewWriter(labels)
	for _, t := range texts {
		line, err := json.Marshal(t.text)
		if err != nil {
			return err
		}
		w.Write(append(line, '\n'))
		fmt.Fprintf(l, "%d\t%.4f\n", t.piece, t.share)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return l.Flush()
}

// load reads a corpus.
func load(path string) ([]string, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	var out []string
	for dec := json.NewDecoder(bufio.NewReader(in)); ; {
		var text string
		if err := dec.Decode(&text); err != nil {
			if len(out) == 0 {
				return nil, err
			}
			return out, nil
		}
		out = append(out, text)
	}
}
