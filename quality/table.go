package quality

import (
	"bufio"
	"embed"
	"fmt"
	"strings"
)

//go:embed data
var dataFiles embed.FS

// readTable reads tab-separated lines of n columns or more; blank lines and lines that begin with # are left out. It
// is used for embedded files and for files that users give, so a fault names the line.
func readTable(name, content string, n int) ([][]string, error) {
	var rows [][]string
	sc := bufio.NewScanner(strings.NewReader(content))
	sc.Buffer(nil, 1<<20)
	for no := 1; sc.Scan(); no++ {
		s := strings.TrimRight(sc.Text(), " \r")
		if s == "" || strings.HasPrefix(s, "#") {
			continue
		}
		cols := strings.Split(s, "\t")
		if len(cols) < n {
			return nil, fmt.Errorf("%s:%d: %d tab-separated columns, wanted %d", name, no, len(cols), n)
		}
		rows = append(rows, cols)
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return rows, nil
}

// embedded reads a table that comes with the package.
func embedded(name string, n int) ([][]string, error) {
	b, err := dataFiles.ReadFile("data/" + name)
	if err != nil {
		return nil, err
	}
	return readTable("data/"+name, string(b), n)
}
