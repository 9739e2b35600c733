// Package dedup finds exact duplicates and near-duplicates, and decides them once, in one order, for good.
//
//	token        a word (letters, digits and underscores, case folded, NFKC), in a line of code with the marks after
//	             it; or one character of a script without spaces (Chinese, Japanese, Thai, ...)
//	shingle      a run of Params.Shingle tokens, hashed to 32 bits
//	set          the sorted, distinct shingles of a text; similarity is the Jaccard index of two sets
//	sketch       exact hash, LSH bands, bits and set of one text: all that deciding needs of it
//	band         a hash of Params.Rows of the MinHash values; texts that share a band are candidates
//	candidate    an earlier entry that may be a near-duplicate; it counts only when the exact Jaccard index of
//	             the two sets says so
//	entry        a kept text in the index, numbered in order of decision
//	page         items that are decided together, with a sequence number; pages are decided in its order
//	segment      the entries of one page or of several compacted ones: an immutable object
//	root         an immutable list of segments: the whole index after a page
//	layer        entries of another dataset or an earlier version, read only, before all pages
//
// A Sketcher turns text into a Sketch; Inspect calls it. An Index decides pages; Admit calls it. What an Index
// holds in memory and on local disk is a cache of what its root names: Open builds it again from there.
//
// The decisions about a page follow from the root before it and from the page alone. They are the same after any
// retry, on any machine, in memory or on disk, whatever was compacted. Of several alike texts the first in order
// of pages, and within a page in order of items, is kept.
package dedup
