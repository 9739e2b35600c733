package store

// Summary is what was measured of the run when it was published.
func (r Run) Summary() string { return r.Home() + "summary.json" }
