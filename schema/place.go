package schema

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// faultAt finds the place of path, or of the nearest parent that stands in the file.
func faultAt(file string, places map[string]Place, path, what, mend string) Fault {
	p, at := path, Place{}
	for p != "" {
		if got, ok := places[p]; ok {
			at = got
			break
		}
		p = parentPath(p)
	}
	return Fault{File: file, Line: at.Line, Col: at.Col, Path: path, What: what, Mend: mend}
}

// parentPath cuts the last ".name" or "[i]" off.
func parentPath(p string) string {
	if i := strings.LastIndexAny(p, ".["); i > 0 {
		return p[:i]
	}
	return ""
}

// Duration is a time.Duration that also reads days, such as 7d.
type Duration time.Duration

// ParseDuration reads what time.ParseDuration reads, and whole or broken numbers of days ("7d", "0.5d").
func ParseDuration(s string) (Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseFloat(days, 64)
		if err != nil || n < 0 || n > 36500 {
			return 0, fmt.Errorf("%q is not a number of days", s)
		}
		return Duration(n * 24 * float64(time.Hour)), nil
	}
	d, err := time.ParseDuration(s)
	return Duration(d), err
}

func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText writes the form that ParseDuration reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the form of ParseDuration.
func (d *Duration) UnmarshalText(b []byte) error {
	got, err := ParseDuration(string(b))
	if err == nil {
		*d = got
	}
	return err
}
