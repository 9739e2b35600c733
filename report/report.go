package report

// Report is what the HTML report shows. Parts that are nil or empty were not there to be read; Missing says why.
type Report struct {
	*Papers
	Samples  *Samples
	Clusters []Cluster
	History  []Past   // earlier versions, oldest first
	Missing  []string // what isn't shown, and why
}

// Past is an earlier version with what was measured of its run.
type Past struct {
	Version int
	Rows    int64
	Summary *Summary // nil where nothing was measured
}
