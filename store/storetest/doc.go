// Package storetest is what every store has to keep: one suite, run against the store in memory, a local gateway and any S3.
package storetest
