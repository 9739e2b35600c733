// Package site is an installation of Retort in which Temporal, the S3 gateway, the test teacher and every worker is a process of its own,
// so that each can be measured and killed. Benchmarks, chaos and soak runs work on one.
package site
