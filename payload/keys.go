package payload

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/retort-data/retort/schema"
)

// keyring are the keys by their ids; the first encrypts, all decrypt.
type keyring struct {
	first string
	keys  map[string]cipher.AEAD
}

var keyID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// keyBytes is the size of an AES-256 key.
const keyBytes = 32

// mostKeyFile bounds a file of keys.
const mostKeyFile = 64 << 10

// parseKeys reads ID:KEY by line or comma, KEY of 32 bytes in base64. No error shows a key.
func parseKeys(text string) (*keyring, error) {
	r := &keyring{keys: map[string]cipher.AEAD{}}
	fields := strings.FieldsFunc(text, func(c rune) bool { return c == ',' || c == '\n' || c == '\r' })
	n := 0
	for _, field := range fields {
		if field = strings.TrimSpace(field); field == "" {
			continue
		}
		n++
		id, encoded, ok := strings.Cut(field, ":")
		if id = strings.TrimSpace(id); !ok || !keyID.MatchString(id) {
			return nil, fmt.Errorf("key %d isn't written ID:KEY with an id of letters, digits, . _ and -", n)
		}
		raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
		if err != nil || len(raw) != keyBytes {
			return nil, fmt.Errorf("key %d (%s) isn't %d bytes in base64", n, id, keyBytes)
		}
		if r.keys[id] != nil {
			return nil, fmt.Errorf("the id %s stands twice", id)
		}
		block, err := aes.NewCipher(raw)
		if err != nil {
			return nil, err
		}
		if r.keys[id], err = cipher.NewGCM(block); err != nil {
			return nil, err
		}
		if r.first == "" {
			r.first = id
		}
	}
	if n == 0 {
		return nil, errors.New("there is no key")
	}
	return r, nil
}

const mendKeys = "Give it as ID:KEY, such as \"2026-11:$(openssl rand -base64 32)\"; when keys change write the new one first and keep the old ones behind it, separated by commas or lines. Whoever starts, watches or works needs the same keys."

// readKeys reads the keys that a configuration names; nil where it names none.
func readKeys(c *schema.Config, env func(string) string) (*keyring, error) {
	e := c.Temporal.Encryption
	var text, where string
	switch {
	case e.KeyEnv != "":
		where = "variable " + e.KeyEnv
		if text = env(e.KeyEnv); strings.TrimSpace(text) == "" {
			return nil, keyError(where, errors.New("temporal.encryption names it, and it isn't set here"))
		}
	case e.KeyFile != "":
		path := e.KeyFile
		if !filepath.IsAbs(path) {
			path = filepath.Join(c.Dir, path)
		}
		where = path
		file, err := os.Open(path)
		if err != nil {
			var p *os.PathError
			if errors.As(err, &p) {
				err = p.Err
			}
			return nil, keyError(where, fmt.Errorf("temporal.encryption names it, and it can't be read: %w", err))
		}
		defer file.Close() //nolint:errcheck // only read
		b, err := io.ReadAll(io.LimitReader(file, mostKeyFile))
		if err != nil {
			return nil, keyError(where, err)
		}
		text = string(b)
	default:
		return nil, nil
	}
	ring, err := parseKeys(text)
	if err != nil {
		return nil, keyError(where, err)
	}
	return ring, nil
}

func keyError(where string, cause error) error {
	return &schema.Error{Kind: schema.KindInvalid, Code: "payload_key", Op: "read the keys of payloads from", Subject: where, Cause: cause, Hint: mendKeys}
}
