package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/retort-data/retort/dedup"
)

// words of a document, and of the vocabulary.
const (
	length     = 230
	vocabulary = 1 << 16
)

// author writes documents of random words; a document follows from its number.
type author struct {
	words [vocabulary][16]byte // padded, so that a word is copied at once
	size  [vocabulary]uint8
	buf   [length*16 + 16]byte
}

func newAuthor() *author {
	a := &author{}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range a.words {
		n := 2 + r.IntN(8)
		for j := range n {
			a.words[i][j] = 'a' + byte(r.IntN(26))
		}
		a.words[i][n], a.size[i] = ' ', uint8(n+1)
	}
	return a
}

// write returns document number n; a share of them are copies of any earlier original with one or two words changed.
func (a *author) write(n int, duplicates float64) string {
	r := rand.New(rand.NewPCG(uint64(n), 3))
	if n == 0 || r.Float64() >= duplicates {
		return a.original(n, nil)
	}
	of := r.IntN(n)
	return a.original(of, []int{r.IntN(length), r.IntN(length)}[:1+r.IntN(2)])
}

// original writes the words of document n, others at the given places.
func (a *author) original(n int, changed []int) string {
	r := rand.NewPCG(uint64(n), 4)
	end := 0
	for i := 0; i < length; {
		for bits := r.Uint64(); bits != 0 && i < length; bits >>= 16 {
			w := bits & (vocabulary - 1)
			for _, c := range changed {
				if c == i {
					w = (w + 1) & (vocabulary - 1)
				}
			}
			*(*[16]byte)(a.buf[end:]) = a.words[w]
			end += int(a.size[w])
			i++
		}
	}
	return string(a.buf[:end])
}

// makePages writes and sketches all documents.
func makePages(s settings, pages chan<- []dedup.Item) {
	defer close(pages)
	a := newAuthor()
	sketcher, err := dedup.NewSketcher(dedup.DefaultParams)
	if err != nil {
		panic(err) // the defaults are valid
	}
	for n := 0; n < s.n; {
		page := make([]dedup.Item, 0, s.page)
		for ; n < s.n && len(page) < s.page; n++ {
			page = append(page, dedup.Item{ID: fmt.Sprintf("%016x", n), Live: true, Sketch: sketcher.Sketch(a.write(n, s.duplicates))})
		}
		pages <- page
	}
}
