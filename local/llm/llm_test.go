package llm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// modelDir keeps the installation between runs of the tests.
func modelDir(t testing.TB) string {
	if dir := os.Getenv("RETORT_MODEL_DIR"); dir != "" {
		return dir
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skip("no cache directory for the model: ", err)
	}
	return filepath.Join(cache, "retort", "model")
}

func started(t testing.TB, m Model, o Options) *Server {
	t.Helper()
	if os.Getenv("RETORT_TEST_MODEL") == "" {
		t.Skip("set RETORT_TEST_MODEL=1 to install and run a real model (130 MB the first time)")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	in, err := Install(ctx, modelDir(t), m, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	o.LogPath = filepath.Join(t.TempDir(), "log")
	s, err := in.Start(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

type answer struct {
	Model   string
	Choices []struct {
		FinishReason string `json:"finish_reason"`
		Message      struct{ Content string }
	}
	Usage struct {
		CompletionTokens int `json:"completion_tokens"`
	}
}

func ask(t testing.TB, s *Server, prompt string, maxTokens int, seed int64) answer {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"model": s.Model, "max_tokens": maxTokens, "temperature": 0.7, "seed": seed,
		"messages": []map[string]string{{"role": "user", "content": prompt}},
	})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post(s.URL+"/chat/completions", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s %v", resp.Status, text, err)
	}
	var a answer
	if err := json.Unmarshal(text, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestModelsAnswer(t *testing.T) {
	for _, m := range Models {
		t.Run(m.Name, func(t *testing.T) {
			s := started(t, m, Options{})
			a := ask(t, s, "What is a buffer in programming?", 60, 1)
			t.Logf("%s: %s", a.Model, a.Choices[0].Message.Content)
			if a.Model != m.Name || a.Usage.CompletionTokens == 0 || strings.TrimSpace(a.Choices[0].Message.Content) == "" {
				t.Errorf("%+v", a)
			}
			s.Stop()
			if _, err := http.Get(s.URL + "/models"); err == nil {
				t.Error("it answers after Stop")
			}
		})
	}
}

// Without Python there is a message that helps, and nothing is left behind.
func TestWithoutPython(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	dir := t.TempDir()
	_, err := Install(context.Background(), dir, SmolLM2, io.Discard)
	var unavailable *UnavailableError
	if !errors.As(err, &unavailable) || !strings.Contains(err.Error(), "python3-venv") {
		t.Fatalf("%v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A Python that is too old, or a package index that can't be reached.
func TestInstallFails(t *testing.T) {
	bin := t.TempDir()
	script := "#!/bin/sh\necho nothing works here >&2\nexit 1\n"
	if err := os.WriteFile(filepath.Join(bin, "python3"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	_, err := Install(context.Background(), t.TempDir(), SmolLM2, io.Discard)
	var unavailable *UnavailableError
	if !errors.As(err, &unavailable) || !strings.Contains(err.Error(), "nothing works here") {
		t.Fatalf("%v", err)
	}
}

// A model that dies while it loads is reported, not waited for.
func TestStartFails(t *testing.T) {
	dir := t.TempDir()
	python := filepath.Join(dir, "python")
	if err := os.WriteFile(python, []byte("#!/bin/sh\necho 'no such module' >&2\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(dir, "log")
	_, err := (&Installed{Model: SmolLM2, python: python}).Start(context.Background(), Options{LogPath: log})
	var unavailable *UnavailableError
	if !errors.As(err, &unavailable) || !strings.Contains(err.Error(), log) {
		t.Fatalf("%v", err)
	}
	if text, _ := os.ReadFile(log); !strings.Contains(string(text), "no such module") {
		t.Errorf("the log says %q", text)
	}
}
