package quality

import "github.com/retort-data/retort/schema"

// echoGram is the words of an n-gram by which an answer is found to repeat its prompt: shorter ones are quotes.
const echoGram = 8

// echoLimit is the share of an answer's words within the prompt's n-grams from which it is an echo: an answer may quote.
const echoLimit = 0.5

// echo returns the share of the answer's words that lie in n-grams of the prompt or of the template's own text.
func (w *work) echo(prompt []schema.Message, template []string) float64 {
	if len(w.folded) < minWordsEcho {
		return 0
	}
	size := 0
	for _, m := range prompt {
		size += len(m.Content)
	}
	for _, s := range template {
		size += len(s)
	}
	w.seen.reset(size/2 + 1)
	for _, m := range prompt {
		w.addGrams(m.Content)
	}
	for _, s := range template {
		w.addGrams(s)
	}
	if w.seen.used == 0 {
		return 0
	}
	covered, until := 0, 0
	rollGrams(w.folded, echoGram, func(i int, h uint64) {
		if w.seen.has(h) {
			covered += i + echoGram - max(i, until)
			until = i + echoGram
		}
	})
	return share(covered, len(w.folded))
}

func (w *work) addGrams(s string) {
	w.prompt.reset(s)
	w.promptFolded = fold(w.promptFolded[:0], &w.prompt)
	rollGrams(w.promptFolded, echoGram, func(_ int, h uint64) { w.seen.add(h) })
}

// fold appends the folded hashes of t's words, without punctuation.
func fold(to []uint64, t *text) []uint64 {
	for _, k := range t.tokens {
		if k.flags&isPunct == 0 {
			to = append(to, k.fold)
		}
	}
	return to
}

// rollGrams calls do with the position and hash of each n-gram.
func rollGrams(words []uint64, n int, do func(i int, h uint64)) {
	for i := 0; i+n <= len(words); i++ {
		h := uint64(n)
		for _, x := range words[i : i+n] {
			h = (h ^ x) * ngramPrime
		}
		do(i, h)
	}
}
