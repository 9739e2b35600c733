package schema

import "golang.org/x/sys/unix"

// mapMemory returns zeroed memory outside of the heap.
func mapMemory(size int) ([]byte, error) {
	return unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
}

// growMemory makes a mapping larger, at another address where it must.
func growMemory(b []byte, size int) ([]byte, error) {
	return unix.Mremap(b, size, unix.MREMAP_MAYMOVE)
}

func unmapMemory(b []byte) { unix.Munmap(b) } //nolint:errcheck // it is a whole mapping
