package teacher

import (
	"math"
	"math/bits"

	"github.com/retort-data/retort/schema"
)

// Usage is what a teacher counts for a call, in tokens. Cached is a part of Input.
type Usage struct {
	Input, Cached, Output int64
}

// pricePlaces is how finely a price is read: a price in USD for a million tokens is one in micro-dollars for a
// token, kept here in millionths of that.
const pricePlaces = 1_000_000

// Cost returns micro-dollars, rounded up, or nil where the price is unknown. batch applies the price's factor
// for batches.
func Cost(p *schema.Price, u Usage, batch bool) *int64 {
	if p == nil {
		return nil
	}
	cached := min(max(u.Cached, 0), max(u.Input, 0))
	cachedPrice := p.Input
	if p.CachedInput != nil {
		cachedPrice = *p.CachedInput
	}
	sum := addUp(product(u.Input-cached, unitPrice(p.Input)), product(cached, unitPrice(cachedPrice)))
	sum = addUp(sum, product(u.Output, unitPrice(p.Output)))
	micros := roundUp(sum)
	if batch {
		micros = AtBatchPrice(p, micros)
	}
	return &micros
}

// AtBatchPrice applies the factor for batches to a cost in micro-dollars.
func AtBatchPrice(p *schema.Price, micros int64) int64 {
	if p == nil || p.Batch <= 0 {
		return micros
	}
	return roundUp(product(micros, unitPrice(p.Batch)))
}

// WorstCase bounds the cost of a call in micro-dollars: a token of input has at least a byte, and an answer has
// at most maxTokens. 0 where the price is unknown.
func WorstCase(p *schema.Price, inputBytes, maxTokens int64) int64 {
	if p == nil {
		return 0
	}
	dear := *p
	if p.CachedInput != nil && *p.CachedInput > p.Input { // writing to a cache may cost more than plain input
		dear.Input = *p.CachedInput
	}
	dear.CachedInput = nil
	return *Cost(&dear, Usage{Input: inputBytes, Output: maxTokens}, false)
}

func unitPrice(usd float64) uint64 {
	n := math.Round(usd * pricePlaces)
	switch {
	case !(n > 0): // NaN too
		return 0
	case n >= math.MaxInt64:
		return math.MaxInt64
	}
	return uint64(n)
}

// product and addUp stay at the largest number where they would overflow.
func product(tokens int64, unit uint64) uint64 {
	if tokens <= 0 {
		return 0
	}
	hi, lo := bits.Mul64(uint64(tokens), unit)
	if hi != 0 {
		return math.MaxUint64
	}
	return lo
}

func addUp(a, b uint64) uint64 {
	sum, carry := bits.Add64(a, b, 0)
	if carry != 0 {
		return math.MaxUint64
	}
	return sum
}

func roundUp(n uint64) int64 {
	micros := n / pricePlaces
	if n%pricePlaces != 0 {
		micros++
	}
	return int64(micros)
}
