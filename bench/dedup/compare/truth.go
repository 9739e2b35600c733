package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"unicode"
)

// leastTruth is the Jaccard index from which pairs are written: below it no measure looks.
const leastTruth = 0.5

// writeTruth compares all texts with all, by an inverted index from every 5-gram of words to every text that has it: two
// texts that it doesn't bring together have nothing in common. It cuts words by itself (runs of letters, digits and
// underscores, lower case) and compares the 5-grams as strings, so that it shares nothing with what is measured.
func writeTruth(args []string) error {
	path := args[0]
	texts, err := load(path)
	if err != nil {
		return err
	}
	out, err := os.Create(path + ".truth")
	if err != nil {
		return err
	}
	defer out.Close()
	w := bufio.NewWriter(out)
	holders := map[string]int{} // 5-gram → its number
	var index [][]int32         // number → texts
	sizes := make([]int, len(texts))
	common := make([]int32, len(texts))
	for b, text := range texts {
		var touched []int32
		seen := map[int]bool{}
		for _, gram := range grams(text, 5) {
			n, ok := holders[gram]
			if !ok {
				n = len(index)
				holders[strings.Clone(gram)] = n
				index = append(index, nil)
			}
			if seen[n] {
				continue
			}
			seen[n] = true
			for _, a := range index[n] {
				if common[a] == 0 {
					touched = append(touched, a)
				}
				common[a]++
			}
			index[n] = append(index[n], int32(b))
		}
		sizes[b] = len(seen)
		for _, a := range touched {
			if j := float64(common[a]) / float64(sizes[a]+sizes[b]-int(common[a])); j >= leastTruth {
				fmt.Fprintf(w, "%d\t%d\t%.6f\n", a, b, j)
			}
			common[a] = 0
		}
	}
	return w.Flush()
}

func grams(text string, n int) []string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	if len(words) < n {
		return []string{strings.Join(words, " ")}
	}
	out := make([]string, 0, len(words)-n+1)
	for i := range len(words) - n + 1 {
		out = append(out, strings.Join(words[i:i+n], " "))
	}
	return out
}
