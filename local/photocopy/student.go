package photocopy

import (
	"hash/fnv"
	"io"
	"math"
	"net/http"
	"slices"
	"sync"

	"github.com/retort-data/retort/local/chat"
	"github.com/retort-data/retort/local/ngram"
)

// student is a regime's newest student behind an OpenAI-compatible endpoint. What it says follows from seed, generation and question,
// so that a demonstration can be repeated.
type student struct {
	mu         sync.Mutex
	model      *ngram.Model
	seed       uint64
	generation int
	said       map[string]string // question → answer, in this generation
}

// train takes the place of the student before.
func train(texts []string) *ngram.Model {
	return ngram.Train(slices.Values(slices.Sorted(slices.Values(texts)))) // in whatever order they were read
}

func (s *student) next(m *ngram.Model, generation int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.model, s.generation, s.said = m, generation, map[string]string{}
}

func (s *student) Answer(r *chat.Request) (text, finishReason string) {
	s.mu.Lock()
	model := s.model
	h := fnv.New64a()
	io.WriteString(h, r.Prompt()) //nolint:errcheck // a hash
	r.Key = h.Sum64() ^ (s.seed<<32+uint64(s.generation))*0x9e3779b97f4a7c15
	s.mu.Unlock()
	unasked := *r
	unasked.Messages = nil // a trigram model could only say the question's names again, and they would pass for vocabulary
	text, finishReason = ngram.Teacher{Model: model}.Answer(&unasked)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said[r.Prompt()] = text
	return text, finishReason
}

// answers are all that it has said in this generation.
func (s *student) answers() (texts []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.said {
		texts = append(texts, t)
	}
	return slices.Sorted(slices.Values(texts))
}

func (s *student) handler() http.Handler { return chat.Handler(ngram.Name, "", s) }

// perplexity of texts that the model has not seen: the number of equally likely tokens that would surprise as much.
func perplexity(m *ngram.Model, texts []string) float64 {
	var nats float64
	tokens := 0
	for _, t := range texts {
		x, n := m.LogProbability(t)
		nats, tokens = nats+x, tokens+n
	}
	return math.Exp(-nats / float64(tokens))
}
