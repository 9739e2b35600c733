package schema

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
)

// checkedPages lets only pages pass whose levels are all there. Arrow's column reader asks for levels until it
// has as many as the page claims, and never returns where a damaged page holds fewer.
type checkedPages struct {
	file.PageReader
	maxDefinition, maxRepetition int16
	err                          error
}

func (p *checkedPages) Next() bool {
	if p.err != nil || !p.PageReader.Next() {
		return false
	}
	p.err = p.check()
	return p.err == nil
}

func (p *checkedPages) Err() error {
	if p.err != nil {
		return p.err
	}
	return p.PageReader.Err()
}

func (p *checkedPages) check() error {
	switch page := p.Page().(type) {
	case *file.DataPageV1:
		if page.DefinitionLevelEncoding() != parquet.Encodings.RLE || page.RepetitionLevelEncoding() != parquet.Encodings.RLE {
			return errors.New("a page's levels are not run-length encoded")
		}
		rest, err := checkSizedLevels(page.Data(), p.maxRepetition, int(page.NumValues()))
		if err == nil {
			_, err = checkSizedLevels(rest, p.maxDefinition, int(page.NumValues()))
		}
		return err
	case *file.DataPageV2:
		data, repetition, definition := page.Data(), int(page.RepetitionLevelByteLen()), int(page.DefinitionLevelByteLen())
		if repetition < 0 || definition < 0 || repetition+definition > len(data) {
			return errors.New("a page is shorter than its levels")
		}
		if err := checkLevels(data[:repetition], p.maxRepetition, int(page.NumValues())); err != nil {
			return err
		}
		return checkLevels(data[repetition:repetition+definition], p.maxDefinition, int(page.NumValues()))
	}
	return nil
}

// checkSizedLevels checks levels that begin with their length, as in pages of version 1, and returns what follows.
func checkSizedLevels(data []byte, most int16, want int) ([]byte, error) {
	if most == 0 {
		return data, nil // not written
	}
	if len(data) < 4 {
		return nil, errors.New("a page ends within its levels")
	}
	n := binary.LittleEndian.Uint32(data)
	if uint64(n) > uint64(len(data)-4) {
		return nil, fmt.Errorf("a page claims %d bytes of levels and has %d", n, len(data)-4)
	}
	return data[4+n:], checkLevels(data[4:4+n], most, want)
}

// checkLevels counts the levels of runs and bit-packed groups (Parquet format, RLE/Bit-Packing Hybrid).
func checkLevels(data []byte, most int16, want int) error {
	if most == 0 {
		return nil
	}
	width := bits.Len16(uint16(most))
	for have := 0; have < want; {
		header, n := binary.Uvarint(data)
		if n <= 0 || header < 2 || header > 1<<32 {
			return fmt.Errorf("a page has %d levels of %d", have, want)
		}
		data = data[n:]
		size, levels := (width+7)/8, int(header>>1)
		if header&1 == 1 { // groups of eight
			size, levels = int(header>>1)*width, int(header>>1)*8
		}
		if size > len(data) {
			return fmt.Errorf("a page ends after %d levels of %d", have, want)
		}
		if header&1 == 0 && int16(data[0]) > most {
			return fmt.Errorf("a level is %d; the most is %d", data[0], most)
		}
		data, have = data[size:], have+levels
	}
	return nil
}
