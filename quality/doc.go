// Package quality measures what teachers said: signals of single records, the anchor that they are compared
// with, and the gate that holds a run whose answers degrade.
//
// Vocabulary:
//
//   - A token is a word (letters, digits, inner apostrophes and hyphens), a run of one punctuation mark, or one
//     character of Chinese or Japanese.
//   - A signal is a number measured on one record, such as dup_line_fraction. Its limits come from data files, by
//     language, each with its source; a recipe may give others.
//   - A check turns signals or matched words into a finding: the record is tagged or dropped, and the finding
//     names the signal, its value and the limit that decided.
//
// Inspector is safe for concurrent use and pure: the same input gives the same inspection on every machine.
package quality
