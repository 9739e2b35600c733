package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// result is what one program found.
type result struct {
	name         string
	cpu, elapsed float64
	pairs        [][2]int
}

// printTable compares what was found with the truth. Recall is the share of the true pairs with J ≥ t that were found;
// precision is the share of found pairs whose true J is at least .7 (pairs of one text and itself don't count).
func printTable(args []string) error {
	path := args[0]
	texts, err := load(path)
	if err != nil {
		return err
	}
	truth, err := readTruth(path + ".truth")
	if err != nil {
		return err
	}
	files, err := filepath.Glob(path + ".found.*")
	if err != nil {
		return err
	}
	var results []result
	for _, f := range files {
		r, err := readFound(f)
		if err != nil {
			return err
		}
		r.name = strings.TrimPrefix(f, path+".found.")
		results = append(results, r)
	}
	slices.SortFunc(results, func(a, b result) int { return int((a.cpu - b.cpu) * 1e6) })
	fmt.Printf("%d texts; true pairs with J ≥ .8: %d, J ≥ .7: %d\n\n", len(texts), count(truth, .8), count(truth, .7))
	fmt.Println("| | documents/CPU s | documents/s | pairs | recall J ≥ .8 | recall J ≥ .7 | precision J ≥ .7 |")
	fmt.Println("| --- | --- | --- | --- | --- | --- | --- |")
	for _, r := range results {
		n := float64(len(texts))
		fmt.Printf("| %s | %.0f | %.0f | %d | %.4f | %.4f | %.5f |\n", r.name, n/r.cpu, n/r.elapsed, len(r.pairs),
			recall(truth, r.pairs, .8), recall(truth, r.pairs, .7), precision(truth, r.pairs))
	}
	return nil
}

func count(truth map[[2]int]float64, least float64) (n int) {
	for _, j := range truth {
		if j >= least {
			n++
		}
	}
	return n
}

func recall(truth map[[2]int]float64, pairs [][2]int, least float64) float64 {
	hit := 0
	for _, p := range pairs {
		if truth[p] >= least {
			hit++
		}
	}
	return float64(hit) / float64(count(truth, least))
}

func precision(truth map[[2]int]float64, pairs [][2]int) float64 {
	hit := 0
	for _, p := range pairs {
		if truth[p] >= .7 {
			hit++
		}
	}
	return float64(hit) / float64(max(len(pairs), 1))
}

func readTruth(path string) (map[[2]int]float64, error) {
	out := map[[2]int]float64{}
	return out, eachLine(path, func(line string) error {
		var p [2]int
		var j float64
		_, err := fmt.Sscan(line, &p[0], &p[1], &j)
		out[p] = j
		return err
	})
}

func readFound(path string) (r result, err error) {
	seen := map[[2]int]bool{}
	err = eachLine(path, func(line string) error {
		if rest, ok := strings.CutPrefix(line, "# "); ok {
			_, err := fmt.Sscan(rest, &r.cpu, &r.elapsed)
			return err
		}
		var p [2]int
		if _, err := fmt.Sscan(line, &p[0], &p[1]); err != nil {
			return err
		}
		if p[0] > p[1] {
			p[0], p[1] = p[1], p[0]
		}
		if !seen[p] && p[0] != p[1] {
			seen[p] = true
			r.pairs = append(r.pairs, p)
		}
		return nil
	})
	return r, err
}

func eachLine(path string, do func(string) error) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		if err := do(lines.Text()); err != nil {
			return fmt.Errorf("%s: %q: %w", path, lines.Text(), err)
		}
	}
	return lines.Err()
}
