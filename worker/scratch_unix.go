//go:build unix

package worker

import (
	"os"
	"syscall"
)

// tryLock locks a file until it is closed or the process ends, however it ends.
func tryLock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) } //nolint:gosec // a descriptor
