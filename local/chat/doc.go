// Package chat is the part of OpenAI's chat completions protocol that the local
// teachers speak: it reads requests, writes completions and errors, and gives
// each question a key. It is made for speed, as test teachers share a machine
// with what they measure: no reflection, one pass over the body, and answers
// appended to a buffer.
//
// Words:
//
//	request     messages, a sample's seed and sampling parameters
//	key         a stable hash of messages and seed: the same question asked
//	            again has the same key, in any process and on any machine
//	completion  what is sent back, with usage and finish reason
//	token       four bytes of text, rounded up; the local teachers' own measure
package chat
