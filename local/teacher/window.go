package teacher

// window counts events in the last minute. Times must not decrease.
type window struct {
	times []int64 // Unix nanoseconds; a ring
	head  int
	n     int
	most  int // the largest n ever
}

const minute = int64(60e9)

// add counts an event at now.
func (w *window) add(now int64) {
	w.expire(now)
	if w.n == len(w.times) {
		w.grow()
	}
	w.times[(w.head+w.n)%len(w.times)] = now
	w.n++
	w.most = max(w.most, w.n)
}

func (w *window) expire(now int64) {
	for w.n > 0 && w.times[w.head] <= now-minute {
		w.head = (w.head + 1) % len(w.times)
		w.n--
	}
}

// free returns 0 if fewer than limit events are in the minute up to now, else
// the nanoseconds until the oldest leaves it.
func (w *window) free(now int64, limit int) int64 {
	w.expire(now)
	if w.n < limit {
		return 0
	}
	return w.times[w.head] + minute - now
}

func (w *window) grow() {
	larger := make([]int64, max(1024, 2*len(w.times)))
	for i := range w.n {
		larger[i] = w.times[(w.head+i)%len(w.times)]
	}
	w.times, w.head = larger, 0
}
