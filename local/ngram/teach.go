package ngram

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"net/http"
	"strings"

	"github.com/retort-data/retort/local/chat"
	"github.com/retort-data/retort/local/godocs"
)

// Teacher answers chat completions with samples of a model.
type Teacher struct{ Model *Model }

// Answer samples at the request's temperature, seeded by its key: the same
// question gets the same answer.
func (t Teacher) Answer(r *chat.Request) (text, finishReason string) {
	limit := r.MaxTokens
	if limit <= 0 {
		limit = 600
	}
	rng := rand.New(rand.NewPCG(r.Key, 0))
	// A word is a token of four bytes and more; Truncate sees to the rest.
	text, ended := t.Model.sample(rng, r.Prompt(), r.Temperature, limit)
	text, truncated := chat.Truncate(text, limit)
	if truncated || !ended {
		return text, "length"
	}
	return text, "stop"
}

// Name that the n-gram teacher serves under.
const Name = "ngram-3"

// Handler serves the model as an OpenAI-compatible endpoint under Name.
func (t Teacher) Handler() http.Handler {
	fingerprint := fmt.Sprintf("fp_%d_%d", t.Model.Tokens(), t.Model.Vocabulary())
	return chat.Handler(Name, fingerprint, t)
}

// GoDocs yields the prose of Go's standard library for Train: the comments
// without their code, of eight words and more.
func GoDocs() (iter.Seq[string], error) {
	rows, err := godocs.Read("", 8)
	if err != nil {
		return nil, err
	}
	return func(yield func(string) bool) {
		for _, r := range rows {
			if text := prose(r.Doc); text != "" && !yield(text) {
				return
			}
		}
	}, nil
}

// prose drops indented lines, which are code.
func prose(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if line[0] != '\t' && line[0] != ' ' {
			b.WriteString(line)
		}
	}
	return strings.TrimSpace(b.String())
}
