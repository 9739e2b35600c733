// Package stack runs what Retort needs on one machine inside the calling
// process: a Temporal server on a SQLite file, Temporal's web UI, and an S3
// gateway whose objects are plain files. It is for development, tests and the
// demonstration; a deployment brings its own Temporal and its own S3.
//
// Words:
//
//	stack     the services started by one call of Start
//	service   one of Temporal, UI, S3; Options.Only chooses among them, so that
//	          a test can run each in a process of its own and kill them apart
//	data      Options.Dir: temporal.sqlite with its WAL, s3/BUCKET/KEY, logs.
//	          It survives Stop, kill -9 and the next Start
//
// Rules for callers:
//
//   - While an S3 gateway runs, the working directory of the process is the
//     gateway's root: its backend opens objects by relative path. Make every
//     path of yours absolute before Start; Stop changes back. Tests that read
//     relative files must read them first.
//   - One S3 gateway a process (its router has package-level state). Start says
//     so when a second is asked for.
//   - One process a directory: a lock file names the one that holds it.
//   - Everything listens on 127.0.0.1 alone.
//
// Measured on two cores: up in 0.34 s from nothing and 0.07 s over data that is
// there; down in 1.1 s, of which Temporal's frontend waits one for its clients.
package stack
