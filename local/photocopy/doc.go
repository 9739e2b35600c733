// Package photocopy shows what Retort is for: a student trained on each version of a dataset answers for the next one, again and
// again, through the real pipeline on the local stack.
//
// Words:
//
//	generation  one turn: the student answers every question, the run is published or held, the next student is trained on the newest
//	            version. Generation 0 is human text; its student answers in generation 1.
//	regime      how versions are made: answers replace the version before; half of each version is human text; or that, with checks
//	            and gate
//	said        what the student answered, before any check
//	published   what the newest version holds and the next student is trained on
//
// The student is package ngram's. All figures are taken at an equal number of words. The teacher declares what it was trained on, so
// that the generation on the records grows.
package photocopy
