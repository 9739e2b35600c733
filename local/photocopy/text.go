package photocopy

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/retort-data/retort/local/godocs"
)

// Text is the human text of a demonstration: Go's documentation, which every machine with Go has.
type Text struct {
	Rows []godocs.Row // asked about, anchored to, and trained on at first
	Held []string     // trained on by nobody: students' perplexity is taken on it
}

// heldShare is the share of human texts that no student sees.
const heldShare = 0.12

// leastWords is the length of a comment from which it is used: the gate compares texts of 8 words and more.
const leastWords = 8

// ReadText divides Go's documentation by seed.
func ReadText(seed uint64) (*Text, error) {
	rows, err := godocs.Read("", leastWords)
	if err != nil {
		return nil, err
	}
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	held := int(heldShare * float64(len(rows)))
	t := &Text{Rows: rows[held:]}
	for _, r := range rows[:held] {
		t.Held = append(t.Held, r.Doc)
	}
	return t, nil
}

// Human are the texts that the first student is trained on.
func (t *Text) Human() []string {
	texts := make([]string, len(t.Rows))
	for i, r := range t.Rows {
		texts[i] = r.Doc
	}
	return texts
}

// files that recipes read, in the site's folder.
const (
	humanFile     = "human.jsonl"
	questionsFile = "questions.jsonl"
)

// write puts the files that recipes read: all human texts, and n questions without the answers that people gave.
func (t *Text) write(dir string, n int) error {
	if n > len(t.Rows) {
		return fmt.Errorf("%d answers a generation are asked for; there are %d questions: ask for fewer", n, len(t.Rows))
	}
	human, err := os.Create(filepath.Join(dir, humanFile))
	if err != nil {
		return err
	}
	defer human.Close()
	if err := godocs.Write(human, t.Rows); err != nil {
		return err
	}
	questions, err := os.Create(filepath.Join(dir, questionsFile))
	if err != nil {
		return err
	}
	defer questions.Close()
	lines := json.NewEncoder(questions)
	for _, r := range t.Rows[:n] {
		if err := lines.Encode(map[string]string{"key": r.Key, "question": r.Question}); err != nil {
			return err
		}
	}
	return nil
}
