package prompt

import (
	"math"

	"github.com/zeebo/xxh3"

	"github.com/retort-data/retort/schema"
)

// AssignTeacher returns the index of the teacher that answers a prompt: drawn by the weights, which need not sum to 1, from a
// hash of seed and prompt, so that it is the same on every machine. All samples of a prompt go to the same teacher.
func AssignTeacher(seed uint64, promptID string, weights []float64) int {
	total := 0.0
	for _, w := range weights {
		total += w
	}
	u := float64(xxh3.HashStringSeed(promptID, seed)>>11) / (1 << 53) * total
	for i, w := range weights {
		if u < w {
			return i
		}
		u -= w
	}
	return len(weights) - 1
}

// Weights are the shares of a recipe's teachers, in its order.
func Weights(r *schema.Recipe) []float64 {
	out := make([]float64, len(r.Teachers))
	for i, t := range r.Teachers {
		out[i] = t.Weight
	}
	return out
}

// Tokens that a chat format adds: for each message and once for the answer to begin.
const (
	messageTokens = 4
	replyTokens   = 3
)

// EstimateTokens returns how many tokens a prompt probably has (four bytes each, as English text in common vocabularies) and how
// many it has at most (a token is at least a byte).
func EstimateTokens(messages []schema.Message) (likely, most int64) {
	for _, m := range messages {
		likely += int64(math.Ceil(float64(len(m.Content))/4)) + messageTokens
		most += int64(len(m.Content)) + messageTokens
	}
	return likely + replyTokens, most + replyTokens
}
