// Package e2e holds tests of the whole: the real command and workers against a real Temporal server, a real S3 gateway and the test
// teacher that counts what it is asked. Nothing of it is part of the product.
package e2e
