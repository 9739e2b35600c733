package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/retort-data/retort/local/verdict"
)

// The trial in small, with the real processes: each is killed at least once.
func TestKills(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	for program, where := range map[string]string{"retort": "../../..", "retort-local": "../.."} {
		build := exec.Command("go", "build", "-o", filepath.Join(dir, program), "./cmd/"+program)
		build.Dir = where
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", program, err, out)
		}
	}
	var out bytes.Buffer
	status := run([]string{"--retort", filepath.Join(dir, "retort"), "--local", filepath.Join(dir, "retort-local"), "--seed", "3",
		"kills", "--prompts", "400", "--kills", "4", "--no-calm"}, &out, os.Stderr)
	t.Log(out.String())
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if last := lines[len(lines)-1]; status != 0 || !strings.HasPrefix(last, "HOLDS: 400 prompts, 4 kills, seed 3") {
		t.Errorf("status %d, verdict %q", status, last)
	}
	for _, name := range killable {
		if !strings.Contains(out.String(), fmt.Sprintf("  %-9s  ", name)) {
			t.Errorf("%s wasn't killed", name)
		}
	}
}

// What doesn't hold is said, and the status says it too.
func TestVerdict(t *testing.T) {
	var out bytes.Buffer
	tr := &trial{commands: &commands{}, Table: verdict.Table{Out: &out, Began: time.Now()}}
	tr.Hold(true, "this", "1 of 1")
	if err := tr.verdict("one thing"); err != nil || !strings.Contains(out.String(), "\nHOLDS: one thing") {
		t.Errorf("%v: %s", err, &out)
	}
	tr.Hold(false, "that", "1 of 2")
	if err := tr.verdict("two things"); err != verdict.ErrFails || !strings.Contains(out.String(), "  FAILS  that ") || !strings.Contains(out.String(), "\nFAILS: 1 of what must hold doesn't; two things") {
		t.Errorf("%v: %s", err, &out)
	}
	if status := run([]string{"--retort", "none", "kills"}, &out, &out); status != 1 || !strings.Contains(out.String(), "make build") {
		t.Errorf("status %d: %s", status, &out)
	}
}
