package provenance

import (
	"regexp"
	"strings"
)

// shardKey is what keys of shards look like: FOLDER/data/SPLIT-RUN-00000.parquet.
var shardKey = regexp.MustCompile(`^(.+)/data/([^/]+)-(\d{5,})\.parquet$`)

// DatasetOf returns the folder of the dataset whose shard has this key (or URI), prefix included.
func DatasetOf(key string) (folder string, ok bool) {
	got := shardKey.FindStringSubmatch(key)
	if got == nil {
		return "", false
	}
	return got[1], true
}

// runOf is what a shard's name has before its number: split and run.
func runOf(key string) string {
	got := shardKey.FindStringSubmatch(key)
	if got == nil {
		return ""
	}
	_, run, _ := strings.Cut(got[2], "-")
	return run
}
