package report

import (
	"fmt"
	"strconv"
	"strings"
)

// number groups digits by threes with commas.
func number(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	for at := len(s) - 3; at > 0; at -= 3 {
		s = s[:at] + "," + s[at:]
	}
	return sign + s
}

// byteSize in decimal units.
func byteSize(n int64) string {
	units := []string{"bytes", "kB", "MB", "GB", "TB", "PB"}
	x, at := float64(n), 0
	for x >= 999.5 && at < len(units)-1 {
		x, at = x/1000, at+1
	}
	if at == 0 || x >= 100 {
		return fmt.Sprintf("%.0f %s", x, units[at])
	}
	return fmt.Sprintf("%.3g %s", x, units[at])
}

// dollars writes micro-dollars; small sums keep the digits that say something.
func dollars(micros int64) string {
	switch x := float64(micros) / 1e6; {
	case micros != 0 && x < 0.01 && x > -0.01:
		return fmt.Sprintf("$%.2g", x)
	case x >= 1000:
		return "$" + number(int64(x+0.5))
	default:
		return fmt.Sprintf("$%.2f", x)
	}
}

// percent of a share; what isn't 0 or 1 isn't written as if it were.
func percent(share float64) string {
	switch p := share * 100; {
	case p == 0:
		return "0%"
	case p > 0 && p < 0.1:
		return "<0.1%"
	case p > 99.9 && p < 100:
		return ">99.9%"
	case p < 10:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", p), ".0") + "%"
	default:
		return fmt.Sprintf("%.0f%%", p)
	}
}

// share is n of all; 0 of nothing.
func share(n, all int64) float64 {
	if all == 0 {
		return 0
	}
	return float64(n) / float64(all)
}

func shortDigest(s string) string { return s[:min(12, len(s))] }
