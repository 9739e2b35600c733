package prompt

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// openRegular opens a file of this machine. A pipe or device is refused before it is opened: opening one may wait for ever.
func openRegular(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is not a regular file")
	}
	if err != nil {
		return nil, err
	}
	return os.Open(path)
}

// ReadLocal reads a file that LocalPath has resolved, of at most so many bytes.
func ReadLocal(path string, most int64) ([]byte, error) {
	file, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // only read
	data, err := io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("it has more than %d bytes", most)
	}
	return data, err
}
