package teacher

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
)

// journal appends a line for each answered request before the answer is sent:
// what a teacher that is killed has said remains known. It is not synced to
// disk; a kill -9 loses nothing, a power cut may.
type journal struct {
	mu   sync.Mutex
	file *os.File
	line []byte
}

// openJournal reads the lines there and opens the file to append more.
func openJournal(path string, read func(bill)) (*journal, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("teacher's journal: %w", err)
	}
	whole, err := readJournal(f, read)
	if err == nil {
		err = f.Truncate(whole) // drop a line cut short
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("teacher's journal %s: %w", path, err)
	}
	return &journal{file: f}, nil
}

// readJournal returns the length of the complete lines.
func readJournal(f io.Reader, read func(bill)) (whole int64, err error) {
	r := bufio.NewReader(f)
	for number := 1; ; number++ {
		line, err := r.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return whole, nil
		}
		if err != nil {
			return whole, err
		}
		b, err := parseBill(line)
		if err != nil {
			return whole, fmt.Errorf("line %d: %w", number, err)
		}
		read(b)
		whole += int64(len(line))
	}
}

func (j *journal) append(b bill) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.line = fmt.Appendf(j.line[:0], "%016x\t%d\t%d\t%d\t%s\n",
		b.key, b.promptTokens, b.completionTokens, b.microUSD, b.mode)
	_, err := j.file.Write(j.line)
	return err
}

func (j *journal) close() error { return j.file.Close() }

func parseBill(line string) (b bill, err error) {
	fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
	if len(fields) != 5 {
		return b, fmt.Errorf("%d fields, want 5", len(fields))
	}
	var faults [4]error
	b.key, faults[0] = strconv.ParseUint(fields[0], 16, 64)
	b.promptTokens, faults[1] = strconv.Atoi(fields[1])
	b.completionTokens, faults[2] = strconv.Atoi(fields[2])
	b.microUSD, faults[3] = strconv.ParseInt(fields[3], 10, 64)
	b.mode = fields[4]
	return b, errors.Join(faults[:]...)
}
