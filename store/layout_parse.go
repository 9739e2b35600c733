package store

import (
	"regexp"
	"strconv"
)

// What keys say: the other way round from Dataset and Run.

var (
	numbered = regexp.MustCompile(`/(\d{6,})\.json$`)
	reported = regexp.MustCompile(`/_versions/(\d{6,})-(.+)\.report\.html$`)
)

func number(key string) (int, bool) {
	got := numbered.FindStringSubmatch(key)
	if got == nil {
		return 0, false
	}
	n, err := strconv.Atoi(got[1])
	return n, err == nil
}

// VersionNumber is the version whose manifest has this key.
func VersionNumber(key string) (int, bool) { return number(key) }

// ClaimNumber is the version that a run's claim of this key is for.
func ClaimNumber(key string) (int, bool) { return number(key) }

// ReportOf is the version and run that a report of this key is about.
func ReportOf(key string) (n int, run string, ok bool) {
	got := reported.FindStringSubmatch(key)
	if got == nil {
		return 0, "", false
	}
	n, err := strconv.Atoi(got[1])
	return n, got[2], err == nil
}
