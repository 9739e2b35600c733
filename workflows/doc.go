// Package workflows holds order and time: which step follows which, what is in flight, and what a person's pause, resume or
// cancel does to it. It touches nothing of the world: activities do, and are named here by schema's step names alone.
//
// Generate is one workflow for each dataset, so that two runs of a dataset can't overlap. It keeps a sliding window of pages in
// flight; a page is three activities (Ask, Inspect, Admit), not a child workflow, which costs the server a third. Pages of
// one teacher are asked beside those of another, and decided one at a time, in the order in which the history recorded that
// they were ready. What travels are references, digests, counts and codes.
package workflows
