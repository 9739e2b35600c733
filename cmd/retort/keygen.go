package main

import (
	"errors"
	"io/fs"
	"os"

	"github.com/retort-data/retort/provenance"
	"github.com/retort-data/retort/schema"
)

// KeygenCmd makes a pair of ed25519 keys.
type KeygenCmd struct {
	Output string `short:"o" default:"retort-signing" help:"Name of the files: NAME.pem (private, mode 0600) and NAME.pub.pem." placeholder:"NAME"`
}

// Run writes both files and overwrites neither: a key that was lost can't be made again.
func (c *KeygenCmd) Run(a *app) error {
	private, public, err := provenance.NewKey()
	if err != nil {
		return err
	}
	privateFile, publicFile := c.Output+".pem", c.Output+".pub.pem"
	if err := writeNew(publicFile, public, 0o644); err != nil {
		return err
	}
	if err := writeNew(privateFile, private, 0o600); err != nil {
		return errors.Join(err, os.Remove(publicFile))
	}
	pub, err := provenance.ParsePublicKey(publicFile, public)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(map[string]string{"private": privateFile, "public": publicFile, "key_id": provenance.KeyID(pub)})
	}
	a.printf(`Wrote %s (private, keep it where workers run and in a vault) and %s (public, give it to whoever checks). Key %.16s…

Workers sign with it when temporal.yaml has
  signing: {key_env: RETORT_SIGNING_KEY}
and each worker is started with
  export RETORT_SIGNING_KEY="$(cat %s)"
Anybody checks with
  retort verify DATASET --key %s
`, privateFile, publicFile, provenance.KeyID(pub), privateFile, publicFile)
	return nil
}

// writeNew writes a file that must not be there yet.
func writeNew(path string, body []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return &schema.Error{Kind: schema.KindInvalid, Code: "exists", Op: "write", Subject: path, Cause: errors.New("the file exists already; keys are never overwritten"), Hint: "Name another with -o NAME."}
	}
	if err != nil {
		return unwritable(path, err)
	}
	_, err = f.Write(body)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

func unwritable(path string, err error) error {
	return &schema.Error{Kind: schema.KindInvalid, Code: "file", Op: "write", Subject: path, Cause: err, Hint: "Name a file in a folder that can be written, with -o."}
}

func unreadable(path string, err error) error {
	return &schema.Error{Kind: schema.KindInvalid, Code: "file", Op: "read", Subject: path, Cause: err}
}
