package schema

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const fullConfig = `temporal: {address: "127.0.0.1:7233", namespace: default, task_queue: retort}
store: {endpoint: "http://127.0.0.1:9000", region: us-east-1, bucket: retort, prefix: "sets/", path_style: true}
allow: {read: ["s3://corpus/", "s3://evals/"], paths: ["examples/"]}
teachers:
  - name: qwen-32b
    base_url: https://llm.example.net/v1/
    model: qwen3-32b
    revision: "2026-08"
    api_key_env: QWEN_API_KEY
    terms: {training: allowed, license: Apache-2.0, source: "model card", read_on: 2026-11-01, student_name_prefix: "", notice: ""}
    trained_on: [science-answers@3]
    limits: {rpm: 600, tpm: 400000, concurrency: 64}
    price: {input: 0.20, output: 0.60}
    batch: false
  - {name: forbidding, base_url: "http://10.0.0.1:8000", model: m, terms: {training: forbidden}}
  - {name: silent, base_url: "http://10.0.0.1:8000", model: m}
worker: {pages: 8, index_mb: 256, metrics: "127.0.0.1:9464"}
signing: {key_env: RETORT_SIGNING_KEY}
`

const shortConfig = "store: {bucket: retort}\nteachers: [{name: t, base_url: 'https://x.example/v1', model: m}]\n"

func TestParseConfigReadsEveryKey(t *testing.T) {
	c, err := ParseConfig("temporal.yaml", []byte(fullConfig))
	if err != nil {
		t.Fatal(err)
	}
	q := c.Teacher("qwen-32b")
	for _, p := range []struct{ got, want any }{
		{c.Store.Prefix, "sets"}, {q.BaseURL, "https://llm.example.net/v1"}, {q.Terms.ReadOn, "2026-11-01"}, {q.Price.Output, 0.6},
		{q.TrainedOn, []string{"science-answers@3"}}, {q.Timeout, Duration(10 * time.Minute)}, {c.Teacher("silent").Limits.Concurrency, 8},
	} {
		if diff := cmp.Diff(p.want, p.got); diff != "" {
			t.Error(diff)
		}
	}
}

func configWith(old, replacement string) string {
	if old == "" {
		return shortConfig + replacement
	}
	return strings.Replace(shortConfig, old, replacement, 1)
}

var brokenConfigs = []struct{ name, yaml string }{
	{"no store", "temporal: {address: 'localhost:7233'}\n"},
	{"a recipe", shortRecipe},
	{"key in the file", configWith("model: m", "model: m, api_key: sk-canary")},
	{"key as variable name", configWith("model: m", "model: m, api_key_env: sk-canary-123")},
	{"credentials in a URL", configWith("https://x", "https://user:canary@x")},
	{"scheme", configWith("https://x.example/v1", "ftp://x.example/v1")},
	{"no host", configWith("https://x.example/v1", "https:///v1")},
	{"query", configWith("/v1'", "/v1?key=canary'")},
	{"no URL", configWith("https://x.example/v1", "http://[::1")},
	{"teacher twice", configWith("[{", "[{name: t, base_url: 'http://a', model: n}, {")},
	{"teacher's name", configWith("name: t", "name: 'my teacher'")},
	{"terms", configWith("model: m", "model: m, terms: {training: yes, read_on: yesterday}")},
	{"limits and price", configWith("model: m", "model: m, limits: {rpm: -1, concurrency: 0}, price: {input: -0.1}, timeout: 10")},
	{"header", configWith("model: m", "model: m, contact: \"a@b.example\\r\\nX: y\"")},
	{"trained on", configWith("model: m", "model: m, trained_on: [science, science@0, '../x@1']")},
	{"bucket and prefix", "store: {bucket: My_Bucket, prefix: /a/../b, endpoint: 127.0.0.1:9000}\n"},
	{"allow", configWith("", "allow: {read: [corpus/, s3://], paths: ['s3://x', 'a/*'], datasets: ['../x', '*']}\n")},
	{"encryption", configWith("", "temporal: {encryption: {key_env: \"k1:canary+key=\", key_file: keys}}\n")},
	{"encryption of nothing", configWith("", "temporal: {encryption: {}}\n")},
	{"kms key", "store: {bucket: retort, kms_key: \"arn:aws:kms\\r\\nX-Evil: 1\"}\n"},
	{"allow teachers and budget", configWith("", "allow: {teachers: [tt, qwen], budget: {usd: 0, requests: -1, euro: 3}}\n")},
	{"addresses", configWith("", "temporal: {address: localhost}\nworker: {metrics: ':http', pages: 0, index_mb: 1}\n")},
	{"nearest key", configWith("", "temporl: {adress: x}\nsigning: {key: canary}\n")},
}

func TestBrokenConfigsSayWhereAndHow(t *testing.T) {
	var out strings.Builder
	for _, c := range brokenConfigs {
		_, err := ParseConfig("temporal.yaml", []byte(c.yaml))
		if err == nil || KindOf(err) != KindInvalid {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: the message shows a secret:\n%v", c.name, err)
		}
		out.WriteString("# " + c.name + "\n" + err.Error() + "\n\n")
	}
	golden(t, "config_faults.txt", []byte(out.String()))
}

func TestCheckTeachers(t *testing.T) {
	c, err := ParseConfig("temporal.yaml", []byte(fullConfig+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	c.Allow.Datasets = []string{"team/", "b"}
	r, err := ParseRecipe("recipe.yaml", []byte(with("[{name: t}]", "[{name: qwen32b}, {name: forbidding}, {name: silent}]")+"budget: {usd: 1}\n"))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "teacher_faults.txt", []byte(CheckTeachers(r, c).Error()+"\n"))

	r.Teachers = []TeacherUse{{Name: "qwen-32b", Weight: 1}}
	for dataset, ok := range map[string]bool{"b": true, "team/x": true, "teams": false, "bc": false, "b/c": true} {
		if r.Dataset = dataset; (len(CheckTeachers(r, c)) == 0) != ok {
			t.Errorf("%s: %v", dataset, CheckTeachers(r, c))
		}
	}
}

func TestLoadConfigKnowsItsFolder(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "temporal.yaml")
	if err := os.WriteFile(path, []byte(fullConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := LoadConfig(path)
	if err != nil || c.Dir != dir {
		t.Errorf("%v, %v", c, err)
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(fullConfig))
	for _, c := range brokenConfigs {
		f.Add([]byte(c.yaml))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseConfig("c.yaml", data)
		if (c == nil) == (err == nil) || err != nil && KindOf(err) != KindInvalid {
			t.Errorf("config %v, error %v", c, err)
		}
	})
}
