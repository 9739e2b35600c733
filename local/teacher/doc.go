// Package teacher is an honest test teacher: a server of OpenAI's chat
// completions whose every behaviour is chosen by its configuration, and which
// counts what it was asked, so that claims about durability and politeness can
// be checked on the side of the one who would send the bill.
//
// Words:
//
//	prompt     a request's messages with its seed, known by a key (package chat)
//	fault      a failure of the service: rate limit, server error, reset
//	           connection, garbage body, hang. Drawn anew for each attempt at a
//	           prompt, so a retry may succeed
//	mode       a way for an answer to be bad: echo, refuse, identity, ... Drawn
//	           once for a prompt, so a retry gets the same answer
//	answered   a complete answer was handed to the network; it is billed
//	abandoned  the asker left before its answer was ready; it is not billed
//	repeat     a request for a prompt that had been answered before: what a
//	           durable asker avoids
//
// Endpoints beside /v1/chat/completions and /v1/models:
//
//	GET  /stats    Stats as JSON
//	POST /reset    forgets all counts (not the journal)
//	GET  /config   the configuration in force
//	POST /config   changes the fields given, for requests that come after it
//
// and OpenAI's Batch API under /v1/files and /v1/batches.
//
// Answers follow from the prompt alone: sentences drawn from the doc comments
// of Go's standard library. Two answers share hardly a sentence, so they are
// no near-duplicates unless a mode asks for that.
//
// Measured with BenchmarkTeacher, 64 connections, no latency, two cores of a
// shared AMD EPYC: 34 µs of CPU a request, the client's share included, which is
// 29,800 requests for a second of CPU. Composing an answer takes 1.4 µs of it.
package teacher
