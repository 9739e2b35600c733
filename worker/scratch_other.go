//go:build !unix

package worker

import (
	"errors"
	"os"
)

func tryLock(*os.File) error { return errors.ErrUnsupported }
