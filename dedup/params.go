package dedup

import (
	"fmt"

	"github.com/retort-data/retort/schema"
)

// Params say how texts become sketches. Sketches of different Params can't be compared.
type Params struct {
	Shingle int // tokens of a shingle
	Bands   int // LSH bands
	Rows    int // MinHash values of a band
}

// DefaultParams are word 5-grams and 128 MinHash values in 16 bands of 8 rows. With the crosswise bands that makes 24
// keys: two texts become candidates with probability 1-(1-J^8)^24, which is .73 at J = .7, .987 at .8, .999998 at .9.
var DefaultParams = Params{Shingle: 5, Bands: 16, Rows: 8}

// Bounds of Params: beyond them a sketch costs more than the text.
const (
	maxShingle = 64
	maxBands   = 42 // so that all keys of a text fit a mask of 64 bits
	maxHashes  = 1024
)

// ParamsOf reads the parameters of a recipe's near check; what is 0 there has its default.
func ParamsOf(near schema.NearCheck) Params {
	p := DefaultParams
	if near.Shingle != 0 {
		p.Shingle = near.Shingle
	}
	if near.Bands != 0 {
		p.Bands = near.Bands
	}
	if near.Rows != 0 {
		p.Rows = near.Rows
	}
	return p
}

// Keys is the number of band keys of a sketch: Bands, and half as many crosswise ones where a band has several rows.
func (p Params) Keys() int {
	if p.Rows == 1 {
		return p.Bands
	}
	return p.Bands + p.Bands/2
}

// Check returns nil where sketches can be made with p.
func (p Params) Check() error {
	switch {
	case p.Shingle < 1 || p.Shingle > maxShingle:
		return invalid("shingle", fmt.Sprintf("%d tokens; want 1 to %d", p.Shingle, maxShingle))
	case p.Bands < 1 || p.Bands > maxBands:
		return invalid("bands", fmt.Sprintf("%d; want 1 to %d", p.Bands, maxBands))
	case p.Rows < 1 || p.Bands*p.Rows > maxHashes:
		return invalid("rows", fmt.Sprintf("%d bands of %d rows; want at most %d values", p.Bands, p.Rows, maxHashes))
	}
	return nil
}

func invalid(what, why string) error {
	return &schema.Error{Kind: schema.KindInvalid, Code: "dedup_params", Op: "near-duplicates", Subject: what,
		Cause: fmt.Errorf("%s", why), Hint: "mend checks.near in the recipe"}
}
