//go:build !linux

package schema

import "errors"

func mapMemory(int) ([]byte, error) { return nil, errors.ErrUnsupported }

func growMemory([]byte, int) ([]byte, error) { return nil, errors.ErrUnsupported }

func unmapMemory([]byte) {}
