//go:build unix

package main

import "syscall"

// freeBytes is what an ordinary user may still write to a folder's disk.
func freeBytes(folder string) (uint64, bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(folder, &s); err != nil {
		return 0, false
	}
	return uint64(s.Bavail) * uint64(s.Bsize), true //nolint:unconvert // types differ among systems
}
