// Package godocs turns the documentation of Go's standard library into prompts
// with human answers: input of a useful size that every machine with Go has.
//
// A row is one documented symbol (or package): a question a person might ask
// about it, and the doc comment that people wrote as the answer. Source is
// GOROOT/src by go/parser and go/doc; packages under internal, vendor, testdata
// and cmd are left out. Files are chosen as for linux/amd64 whatever the
// machine, and rows come sorted by package and symbol, so one Go version gives
// the same bytes everywhere.
//
// The text is Copyright The Go Authors, licensed BSD-3-Clause (GOROOT/LICENSE).
package godocs

// License of the text that Read returns, as an SPDX identifier.
const License = "BSD-3-Clause"
