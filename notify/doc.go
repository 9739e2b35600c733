// Package notify tells the outside what became of a run: webhooks in JSON, or as Slack and what speaks like it takes them.
//
// A receiver checks a message by its headers: Retort-Timestamp is when it was sent, in seconds since 1970; Retort-Signature is "v1=" and the
// HMAC-SHA256, in hex, of the timestamp, a dot and the body, under the secret that both know. It refuses what is older than some
// minutes. Retort-Event is the same for every try of a message, so that one that comes twice counts once.
//
// Messages hold names, counts and codes: no prompt, no answer, no provider's text.
package notify
