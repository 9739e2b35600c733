package teacher

import (
	"math/rand/v2"
	"strings"

	"github.com/retort-data/retort/local/chat"
)

// Streams of randomness drawn from one key, so that a change of one behaviour
// leaves the others as they were.
const (
	streamText  = 0x7465787400000000
	streamMode  = 0x6d6f646500000000
	streamFault = 0x6661756c74000000
)

// mix makes a well-spread number of a key and a stream (the finalizer of
// Steele, Lea and Flood, SplitMix, OOPSLA 2014).
func mix(key, stream uint64) uint64 {
	z := key + stream*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// unit is mix as a number in [0, 1).
func unit(key, stream uint64) float64 { return float64(mix(key, stream)>>11) / (1 << 53) }

// compose is the healthy answer to a prompt: between MinWords and, but for the
// last sentence, MaxWords words in paragraphs of a few sentences.
func (c *Corpus) compose(key uint64, cfg *Config) string {
	rng := rand.NewPCG(key, streamText)
	pool := max(1, int(cfg.Pool*float64(len(c.sentences))))
	target := cfg.MinWords + int(rng.Uint64()%uint64(cfg.MaxWords-cfg.MinWords+1))
	var b strings.Builder
	b.Grow(target * 8)
	inParagraph := 0
	for words := 0; words < target; {
		i := int(rng.Uint64() % uint64(pool))
		if words > 0 {
			inParagraph++
			if inParagraph >= 3 && rng.Uint64()%3 == 0 {
				b.WriteString("\n\n")
				inParagraph = 0
			} else {
				b.WriteByte(' ')
			}
		}
		b.WriteString(c.sentences[i])
		words += c.words[i]
	}
	return b.String()
}

// answer is what the teacher says to r, and the mode that it was said in.
func (c *Corpus) answer(r *chat.Request, cfg *Config) (chat.Completion, string) {
	done := chat.Completion{FinishReason: "stop", PromptTokens: r.PromptTokens()}
	mode := cfg.draw(r.Key)
	done.Content = c.compose(r.Key, cfg)
	if mode != "" {
		spoil(mode, r, c, cfg, &done)
	}
	limit := cfg.MaxTokens
	if r.MaxTokens > 0 {
		limit = min(limit, r.MaxTokens)
	}
	if cut, truncated := chat.Truncate(done.Content, limit); truncated {
		done.Content, done.FinishReason = cut, "length"
	}
	done.CompletionTokens = chat.Tokens(done.Content) + chat.Tokens(done.Reasoning)
	return done, mode
}
