package teacher

import "container/heap"

// waiter is a call that waits for its turn.
type waiter struct {
	flow   string
	tokens int64
	ready  chan turn // 1 deep
	finish float64   // virtual time at which its flow has had its share
	order  uint64
	index  int // in the heap; -1: out of it
}

// flows is a weighted fair queue (Demers, Keshav, Shenker 1989) of waiters by flow: a run with thousands waiting
// doesn't starve one with a few. Not for concurrent use.
type flows struct {
	waiting waiters
	last    map[string]float64 // finish of a flow's newest waiter
	now     float64            // virtual time: finish of the last one served
	order   uint64
}

func (q *flows) push(w *waiter, weight float64) {
	if q.last == nil {
		q.last = map[string]float64{}
	}
	if !(weight > 0) {
		weight = 1
	}
	w.finish = max(q.now, q.last[w.flow]) + 1/weight
	q.last[w.flow] = w.finish
	q.order++
	w.order = q.order
	heap.Push(&q.waiting, w)
}

func (q *flows) head() *waiter {
	if len(q.waiting) == 0 {
		return nil
	}
	return q.waiting[0]
}

func (q *flows) pop() *waiter {
	w := heap.Pop(&q.waiting).(*waiter)
	q.now = w.finish
	if len(q.waiting) == 0 { // nobody waits: nobody has a lead
		q.now, q.last = 0, nil
	}
	return w
}

// remove takes out a waiter that gave up; false if it had its turn already.
func (q *flows) remove(w *waiter) bool {
	if w.index < 0 {
		return false
	}
	heap.Remove(&q.waiting, w.index)
	return true
}

type waiters []*waiter

func (h waiters) Len() int { return len(h) }
func (h waiters) Less(i, j int) bool {
	if h[i].finish != h[j].finish {
		return h[i].finish < h[j].finish
	}
	return h[i].order < h[j].order
}
func (h waiters) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}
func (h *waiters) Push(x any) {
	w := x.(*waiter)
	w.index = len(*h)
	*h = append(*h, w)
}
func (h *waiters) Pop() any {
	old := *h
	w := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	w.index = -1
	return w
}
