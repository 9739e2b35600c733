package report

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"
)

//go:embed report.html.tmpl
var reportText string

//go:embed report.css
var reportStyle string

// contentPolicy lets nothing in but the page's own stylesheet: no script runs and nothing is fetched, whatever a text says.
var contentPolicy = func() string {
	sum := sha256.Sum256([]byte(reportStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
}()

var reportPage = template.Must(template.New("report").Funcs(template.FuncMap{
	"style": func() template.CSS { return template.CSS(reportStyle) }, "policy": func() string { return contentPolicy }, //nolint:gosec // our own
	"number": number, "size": byteSize, "dollars": dollars, "percent": percent, "value": value, "share": share, "visible": visible,
	"bar": bar, "histogram": histogram, "wealthChart": wealthChart, "paceChart": paceChart, "trendChart": trendChart, "keyMark": keyMark,
	"reasons": reasons, "binding": binding, "generationText": generationText, "signalTitle": signalTitle, "signalText": signalText,
	"accountText": accountText, "reasonText": reasonText, "join": func(all []string) string { return visible(strings.Join(all, ", ")) },
	"date": func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }, "seconds": seconds, "inc": func(i int) int { return i + 1 },
	"licenseURL": licenseURL, "float": func(n int64) float64 { return float64(n) },
}).Parse(reportText))

// HTML writes the report: one file that needs nothing else.
func (r *Report) HTML(w io.Writer) error { return reportPage.Execute(w, r) }

// seconds writes milliseconds.
func seconds(ms float64) string {
	switch {
	case ms < 1000:
		return fmt.Sprintf("%.0f ms", ms)
	case ms < 100_000:
		return fmt.Sprintf("%.1f s", ms/1000)
	case ms < 7_200_000:
		return fmt.Sprintf("%.0f min", ms/60_000)
	}
	return fmt.Sprintf("%.1f h", ms/3_600_000)
}
