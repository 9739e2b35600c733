package schema

import (
	"sync"
	"unsafe"

	"github.com/apache/arrow/go/v17/arrow/memory"
)

// outsideFrom is the size from which a block of a page stands outside of the heap.
const outsideFrom = 128 << 10

// groupMemory is Arrow's memory for one writer. Each column keeps a page until it is whole, in blocks that grow by doubling: on the heap
// each doubling would leave garbage of its size behind, and the collector would keep half as much again in reserve. Large
// blocks are therefore mapped, grow in place, and only what is written to is resident. Where memory can't be mapped they stand on the heap.
type groupMemory struct {
	heap   memory.GoAllocator
	mu     sync.Mutex
	mapped map[*byte][]byte // first byte → the whole mapping
}

func newGroupMemory() *groupMemory { return &groupMemory{mapped: map[*byte][]byte{}} }

func (m *groupMemory) Allocate(size int) []byte {
	if size < outsideFrom {
		return m.heap.Allocate(size)
	}
	b, err := mapMemory(size)
	if err != nil {
		return m.heap.Allocate(size)
	}
	m.keep(b)
	return b
}

func (m *groupMemory) keep(b []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mapped[unsafe.SliceData(b)] = b
}

// take gives the mapping that b is, and forgets it; nil where b is on the heap.
func (m *groupMemory) take(b []byte) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	first := unsafe.SliceData(b)
	whole := m.mapped[first]
	delete(m.mapped, first)
	return whole
}

func (m *groupMemory) Reallocate(size int, b []byte) []byte {
	if cap(b) >= size {
		return b[:size]
	}
	whole := m.take(b)
	if whole == nil {
		grown := m.Allocate(size)
		copy(grown, b)
		return grown
	}
	if grown, err := growMemory(whole, size); err == nil {
		m.keep(grown)
		return grown
	}
	grown := m.heap.Allocate(size)
	copy(grown, whole)
	unmapMemory(whole)
	return grown
}

func (m *groupMemory) Free(b []byte) {
	if whole := m.take(b); whole != nil {
		unmapMemory(whole)
	}
}

// release unmaps what a writer that ended early has left.
func (m *groupMemory) release() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, b := range m.mapped {
		unmapMemory(b)
	}
	clear(m.mapped)
}
