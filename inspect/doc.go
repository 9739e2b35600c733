// Package inspect runs the checks, the search for duplicates and the gate of a run over files that exist already: no Temporal, no
// teacher, no configuration.
//
//	row       one row of a file: the text to be judged, and what else its columns say of it
//	columns   the names under which a row's text, prompt, key and stratum stand
//	page      rows that are measured at once, on all cores, and then decided in order
//	anchor    files of text that the rows are compared with by the gate
//	report    what was found: counts, duplicates, signals beside the anchor's, the gate's verdict
//
// Memory is bounded by a few pages, the index's bound and the anchor's; only Pairs holds all sketches.
package inspect
