package dedup

// Jaccard is the exact Jaccard index of two sorted sets of distinct shingles; of two empty sets it is 0.
func Jaccard(a, b []uint32) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	common := intersection(a, b)
	return float64(common) / float64(len(a)+len(b)-common)
}

// intersection counts the common elements of two sorted sets. The steps are free of branches that hashes would make
// unpredictable.
func intersection(a, b []uint32) int {
	i, j, n := 0, 0, 0
	for i < len(a) && j < len(b) {
		x, y := a[i], b[j]
		n += asInt(x == y)
		i += asInt(x <= y)
		j += asInt(y <= x)
	}
	return n
}

func asInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// canReach says whether sets of n and m elements can have a Jaccard index of at least t.
func canReach(n, m int, t float64) bool {
	if n > m {
		n, m = m, n
	}
	return float64(n) >= t*float64(m)
}
