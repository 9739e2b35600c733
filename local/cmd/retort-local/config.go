package main

import (
	"time"

	"github.com/goccy/go-yaml"

	"github.com/retort-data/retort/local/stack"
)

// configuration is temporal.yaml as far as the local stack fills it in.
type configuration struct {
	Temporal struct {
		Address   string `yaml:"address"`
		Namespace string `yaml:"namespace"`
		TaskQueue string `yaml:"task_queue"`
	} `yaml:"temporal"`
	Store struct {
		Endpoint  string `yaml:"endpoint"`
		Region    string `yaml:"region"`
		Bucket    string `yaml:"bucket"`
		Prefix    string `yaml:"prefix"`
		PathStyle bool   `yaml:"path_style"`
	} `yaml:"store"`
	Allow struct {
		Read  []string `yaml:"read,omitempty"`
		Paths []string `yaml:"paths"`
	} `yaml:"allow"`
	Teachers []teacherEntry `yaml:"teachers"`
	Signing  struct {
		KeyEnv string `yaml:"key_env"`
	} `yaml:"signing"`
}

type teacherEntry struct {
	Name      string      `yaml:"name"`
	BaseURL   string      `yaml:"base_url"`
	Model     string      `yaml:"model"`
	Revision  string      `yaml:"revision,omitempty"`
	APIKeyEnv string      `yaml:"api_key_env,omitempty"`
	Terms     termsEntry  `yaml:"terms"`
	Limits    limitsEntry `yaml:"limits"`
	Price     *priceEntry `yaml:"price,omitempty"`
}

type termsEntry struct {
	Training string `yaml:"training"`
	License  string `yaml:"license,omitempty"`
	Source   string `yaml:"source,omitempty"`
	ReadOn   string `yaml:"read_on,omitempty"`
	Notice   string `yaml:"notice,omitempty"`
}

type limitsEntry struct {
	RPM         int `yaml:"rpm,omitempty"`
	Concurrency int `yaml:"concurrency"`
}

type priceEntry struct {
	Input  float64 `yaml:"input"`
	Output float64 `yaml:"output"`
}

const configHeader = `# Made by "retort-local up" anew each time it starts: what runs on this machine.
# A configuration of yours belongs elsewhere; name it with --config or RETORT_CONFIG.
`

// writeConfig writes the configuration of s with its teachers. Paths are
// absolute, as the process of the local S3 gateway works in another directory.
func writeConfig(path string, s *stack.Stack, teachers []teacherEntry, allow []string) error {
	var c configuration
	c.Temporal.Address, c.Temporal.Namespace, c.Temporal.TaskQueue = s.TemporalAddress, s.Namespace, "retort"
	c.Store.Endpoint, c.Store.Region, c.Store.Bucket, c.Store.PathStyle = s.S3Endpoint, s.Region, s.Bucket, true
	for _, b := range s.Buckets[1:] {
		c.Allow.Read = append(c.Allow.Read, "s3://"+b+"/")
	}
	c.Allow.Paths = allow
	c.Teachers = teachers
	c.Signing.KeyEnv = signingEnv
	text, err := yaml.Marshal(c)
	if err != nil {
		return err
	}
	return writeWhole(path, append([]byte(configHeader), text...), 0o644)
}

// today is when someone who names an endpoint vouches for its terms.
func today() string { return time.Now().UTC().Format(time.DateOnly) }
