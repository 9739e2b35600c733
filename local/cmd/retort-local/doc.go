// Command retort-local is everything that Retort needs on one machine: a
// Temporal server with its UI, an S3 gateway, teachers, and a worker. `up` runs
// them in one process; each has a command of its own as well, so that tests can
// kill them apart.
package main
