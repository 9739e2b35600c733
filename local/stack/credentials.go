package stack

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// accountOf returns the gateway's account: as given, as kept, or made now.
// Every user of the machine reaches 127.0.0.1, so it is no fixed password.
func accountOf(o Options) (access, secret string, err error) {
	if o.AccessKey != "" {
		return o.AccessKey, o.SecretKey, nil
	}
	path := filepath.Join(o.Dir, "s3.credentials")
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		text = fmt.Appendf(nil, "retort-%s\n%s%s\n", rand.Text()[:8], rand.Text(), rand.Text())
		err = writeNew(path, text)
	}
	if err != nil {
		return "", "", fmt.Errorf("s3 credentials: %w", err)
	}
	words := strings.Fields(string(text))
	if len(words) != 2 {
		return "", "", fmt.Errorf("s3 credentials: %s should hold an access key and a secret key, a line each: delete it to get new ones", path)
	}
	return words[0], words[1], nil
}

// writeNew writes a private file whole or not at all.
func writeNew(path string, text []byte) error {
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
