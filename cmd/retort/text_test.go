package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"

	"github.com/retort-data/retort/schema"
)

func TestNumber(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 7: "7", 999: "999", 1000: "1,000", 12345: "12,345", 1234567: "1,234,567", -1: "-1", -123: "-123", -1234: "-1,234", -123456: "-123,456"} {
		if got := number(n); got != want {
			t.Errorf("%d is written %s, want %s", n, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64().Draw(t, "n")
		var back int64
		for _, c := range strings.TrimPrefix(strings.ReplaceAll(number(n), ",", ""), "-") {
			back = back*10 - int64(c-'0') // downwards: the smallest number has no positive twin
		}
		if n > 0 {
			back = -back
		}
		if back != n {
			t.Fatalf("%d is written %s", n, number(n))
		}
	})
}

func TestDollars(t *testing.T) {
	for micros, want := range map[int64]string{0: "$0.00", 1: "$0.0000", 123: "$0.0001", 9_900: "$0.0099", 10_000: "$0.01", 1_500_000: "$1.50", 1_234_567_890: "$1234.57"} {
		if got := dollars(micros); got != want {
			t.Errorf("%d micro-dollars are written %s, want %s", micros, got, want)
		}
	}
}

func TestSpanAndSize(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0s", 59 * time.Second: "59s", 61 * time.Second: "1m01s", 59*time.Minute + 59*time.Second: "59m59s",
		time.Hour: "1h00m", 25*time.Hour + 3*time.Minute: "1d01h", 50 * time.Hour: "2d02h"} {
		if got := span(d); got != want {
			t.Errorf("%v is written %s, want %s", d, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 1_500_000: "1.5 MB", 2_000_000_000: "2.0 GB"} {
		if got := size(n); got != want {
			t.Errorf("%d bytes are written %s, want %s", n, got, want)
		}
	}
}

// steers says whether a terminal may take a character as an order: control characters, and those that turn the direction of text.
func steers(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\t' || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// Nothing that a model wrote steers the terminal, whatever it is made of; plain text of any language stays as it is.
func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"\x1b[2J\x1b]0;title\a":  "\uFFFD[2J\uFFFD]0;title\uFFFD",
		"over\rwritten":          "over\uFFFDwritten",
		"a\u009b31mred":          "a\uFFFD31mred",
		"evil\u202egnp.exe":      "evil\uFFFDgnp.exe",
		"zwei\nZeilen\tund Tabs": "zwei\nZeilen\tund Tabs",
		"日本語 ünïcode 👩‍🔬 العربية": "日本語 ünïcode 👩‍🔬 العربية",
		"\xff\xfe": "\uFFFD\uFFFD",
	} {
		if got := printable(in); got != want {
			t.Errorf("%q is printed as %q, want %q", in, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		var out bytes.Buffer
		a := &app{stdout: &out}
		a.printf("%s|%v\n", rapid.String().Draw(t, "text"), errors.New(rapid.String().Draw(t, "error")))
		if i := strings.IndexFunc(out.String(), steers); i >= 0 {
			t.Fatalf("%q has an order at %d", out.String(), i)
		}
	})
}

func TestCostText(t *testing.T) {
	for want, c := range map[string]schema.Cost{
		"$0.00":                                {},
		"$1.50":                                {Micros: 1_500_000},
		"unknown":                              {Unknown: 3},
		"$1.50 and 3 answers of unknown price": {Micros: 1_500_000, Unknown: 3},
	} {
		if got := costText(c); got != want {
			t.Errorf("%+v is written %q, want %q", c, got, want)
		}
	}
}

// A bar is as wide as it should be, whatever the counts say.
func TestBar(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		done, total := rapid.Int64Range(0, 1e9).Draw(t, "done"), rapid.Int64Range(0, 1e9).Draw(t, "total")
		if got := (paint{ascii: true}).bar(done, total, 24, paint{}.good); len(got) != 24 {
			t.Fatalf("%d of %d: %s", done, total, got)
		}
	})
}

func TestReasonsAreInOrderOfCount(t *testing.T) {
	if got := reasons(map[string]int64{"near": 5, "exact": 5, "language": 1200}); got != "language 1,200, exact 5, near 5" {
		t.Error(got)
	}
}
