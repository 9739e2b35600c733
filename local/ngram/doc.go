// Package ngram is a trigram language model with interpolated Kneser-Ney
// smoothing: the smallest student that can be trained, sampled and measured in
// seconds. It teaches where no real model can be installed, and it is the
// student that shows what training on one's own output does.
//
// Words:
//
//	token         a word, a mark of punctuation at its edge, or a paragraph break
//	continuation  how many different tokens were seen before an n-gram; lower
//	              orders count these instead of occurrences
//	discount      what is taken from each count and given to the lower order;
//	              per order, n1 / (n1 + 2 n2)
//
// After Kneser and Ney, Improved backing-off for m-gram language modeling,
// ICASSP 1995, in the interpolated form of Chen and Goodman, An empirical study
// of smoothing techniques for language modeling, 1998. Sampling at a temperature
// is exact: the whole distribution is raised to 1/T, not a short list of
// candidates.
//
// Everything follows from the texts and the seed; no clock, no map order.
package ngram
