// Package payload encrypts what workflows and activities are given and return, before it goes to Temporal. Without temporal.encryption in the
// configuration it does nothing.
//
// Each payload is sealed by AES-256-GCM with a nonce of its own. Its metadata say that it is encrypted and by which key, in the way of
// Temporal's own samples: encoding "binary/encrypted", encryption-key-id. What was written before encryption was turned on stays readable.
//
// Names aren't payloads: workflow ids (with bucket and dataset), task queues, search attributes, activity types and the codes of errors
// stay as they are, so that Temporal's UI can show a run. Who reaches the namespace can put payloads of his own there in clear, and they
// are taken: encryption keeps secrets, it doesn't say who may start runs.
package payload
