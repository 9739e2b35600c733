package schema

// ClusterFormat names the form of a ClusterReport.
const ClusterFormat = "retort/clusters/1"

// ClusterReport is what a run's clusters.json says of its near-duplicates, for reports: answers are alike directly or over others, of
// the run, of earlier versions and of other texts. Samples are texts that a model wrote.
type ClusterReport struct {
	Format   string    `json:"format"`
	Answers  int64     `json:"answers"`  // that were decided, failed requests left out
	Alike    int64     `json:"alike"`    // of them, those in a cluster
	Clusters int64     `json:"clusters"` // of two and more
	Largest  []Cluster `json:"largest"`  // at most MostClusters, largest first
}

// Bounds of a ClusterReport.
const (
	MostClusters       = 20
	MostClusterMembers = 50
	MostClusterSamples = 3
	MostSampleRunes    = 400
)

// Cluster is a set of answers that are alike.
type Cluster struct {
	Size     int             `json:"size"`
	Admitted int             `json:"admitted"`
	Rejected int             `json:"rejected"`
	Earlier  int             `json:"earlier"` // members of earlier versions, other datasets or files
	Members  []ClusterMember `json:"members"` // the first, at most MostClusterMembers
	Samples  []ClusterSample `json:"samples"` // at most MostClusterSamples, of different members
}

// ClusterMember is an answer of the run, or, without an outcome, a record or text from elsewhere.
type ClusterMember struct {
	ID       string `json:"id"` // of the record; FILE:LINE of a text
	PromptID string `json:"prompt_id,omitempty"`
	Outcome  string `json:"outcome,omitempty"`
	Reason   string `json:"reason,omitempty"`
}

// ClusterSample is the text of an answer, shortened.
type ClusterSample struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}
