package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/retort-data/retort/local/stack"
)

// environment is what a shell, and the worker in this process, need to reach s.
func environment(s *stack.Stack, config string) [][2]string {
	return [][2]string{
		{"RETORT_CONFIG", config},
		{"AWS_ACCESS_KEY_ID", s.AccessKey},
		{"AWS_SECRET_ACCESS_KEY", s.SecretKey},
		{"AWS_REGION", s.Region},
		{"AWS_ENDPOINT_URL_S3", s.S3Endpoint},
		{"TEMPORAL_ADDRESS", s.TemporalAddress},
		{"TEMPORAL_NAMESPACE", s.Namespace},
	}
}

// writeEnv writes shell exports; the file holds the secret key.
func writeEnv(path string, variables [][2]string) error {
	var b strings.Builder
	b.WriteString("# Made by `retort-local up`. Use: source " + shellWord(path) + "\n")
	for _, v := range variables {
		fmt.Fprintf(&b, "export %s=%s\n", v[0], shellWord(v[1]))
	}
	// Left over from another session they would win over the keys above.
	b.WriteString("unset AWS_SESSION_TOKEN AWS_PROFILE\n")
	if program, err := os.Executable(); err == nil {
		fmt.Fprintf(&b, "export PATH=%s:\"$PATH\"\n", shellWord(filepath.Dir(program)))
	}
	return writeWhole(path, []byte(b.String()), 0o600)
}

// shellWord quotes s for a POSIX shell.
func shellWord(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// adopt puts the variables into this process's environment.
func adopt(variables [][2]string) error {
	for _, v := range variables {
		if err := os.Setenv(v[0], v[1]); err != nil {
			return err
		}
	}
	for _, name := range []string{"AWS_SESSION_TOKEN", "AWS_PROFILE"} {
		if err := os.Unsetenv(name); err != nil {
			return err
		}
	}
	return nil
}
