package schema

import (
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ParseConfig reads a configuration, fills in its defaults and checks it; the error is Faults. TEMPORAL_* variables are applied
// by whoever connects, not here. Dir is left empty: LoadConfig sets it.
func ParseConfig(file string, data []byte) (*Config, error) {
	d, root := readYAML(file, data, configWords)
	if root == nil {
		return nil, d.faults
	}
	c := &Config{File: file, Places: d.places}
	d.structure(root, reflect.ValueOf(c).Elem(), "", "")
	c.fillDefaults()
	checkConfig(c, d)
	if faults := d.sorted(); len(faults) > 0 {
		return nil, faults
	}
	return c, nil
}

// LoadConfig reads the configuration at path and sets Dir to the absolute folder that its relative paths are relative to.
func LoadConfig(path string) (*Config, error) {
	data, err := readYAMLFile(path, "configuration (see temporal.yaml)")
	if err != nil {
		return nil, err
	}
	c, err := ParseConfig(path, data)
	if err != nil {
		return nil, err
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, unreadable(path, "configuration", err)
	}
	c.Dir = filepath.Dir(abs)
	return c, nil
}

var configWords = newKeyWords("configuration", reflect.TypeFor[Config](), []string{"store"}, foreignToConfig)

func foreignToConfig(key string) string {
	k := strings.ReplaceAll(strings.ToLower(key), "-", "_")
	switch {
	case k == "api_key" || k == "key" || k == "token" || strings.Contains(k, "secret") || strings.Contains(k, "password"):
		return "keys don't stand in this file: name the environment variable that holds it (`api_key_env` of a teacher, `key_env` of signing); if a real key stood here, replace it"
	case slices.Contains([]string{"access_key", "access_key_id", "profile", "aws_access_key_id"}, k):
		return "AWS credentials come from the SDK's default chain (environment, profile, role), not from this file"
	case slices.Contains([]string{"dataset", "prompts", "messages", "checks", "samples", "recipe"}, k):
		return "this belongs in a recipe"
	}
	return ""
}

// fillDefaults sets what the file doesn't give; the only place that does.
func (c *Config) fillDefaults() {
	preset(&c.Temporal.Address, "127.0.0.1:7233")
	preset(&c.Temporal.Namespace, "default")
	preset(&c.Temporal.TaskQueue, "retort")
	preset(&c.Store.Region, "us-east-1")
	c.Store.Prefix = strings.TrimSuffix(c.Store.Prefix, "/")
	preset(&c.Worker.Pages, 8)
	preset(&c.Worker.IndexMB, 256)
	for i := range c.Notify {
		preset(&c.Notify[i].Format, "json")
		if c.Notify[i].On == nil {
			c.Notify[i].On = Events
		}
	}
	for i := range c.Teachers {
		t := &c.Teachers[i]
		preset(&t.Limits.Concurrency, 8)
		preset(&t.Limits.BatchRequests, 50_000)
		preset(&t.Limits.BatchMB, 100)
		preset(&t.Timeout, Duration(10*time.Minute))
		t.BaseURL = strings.TrimRight(t.BaseURL, "/")
	}
}

func checkConfig(c *Config, d *document) {
	checkHostPort(d, "temporal.address", c.Temporal.Address)
	checkEnvName(d, "temporal.encryption.key_env", c.Temporal.Encryption.KeyEnv)
	if e := c.Temporal.Encryption; e.KeyEnv != "" && e.KeyFile != "" || d.has("temporal.encryption") && e == (Encryption{}) {
		d.add("temporal.encryption", "has not just one of key_env and key_file", "name the variable or the file that holds the keys: docs/security.md")
	}
	checkStore(&c.Store, d)
	checkAllow(c, d)
	first := map[string]int{}
	for i := range c.Teachers {
		checkTeacher(&c.Teachers[i], d, fmt.Sprintf("teachers[%d]", i), i, first)
	}
	if strings.ContainsAny(c.Worker.Deployment, ".:") {
		d.add("worker.deployment", "is "+quoteShort(c.Worker.Deployment), "give a name without . and :, such as retort")
	}
	if c.Worker.Metrics != "" {
		checkHostPort(d, "worker.metrics", c.Worker.Metrics)
	}
	checkEnvName(d, "signing.key_env", c.Signing.KeyEnv)
	for i, n := range c.Notify {
		checkEnvName(d, fmt.Sprintf("notify[%d].url_env", i), n.URLEnv)
		checkEnvName(d, fmt.Sprintf("notify[%d].secret_env", i), n.SecretEnv)
		for j, event := range n.On {
			if !slices.Contains(Events, event) {
				d.add(fmt.Sprintf("notify[%d].on[%d]", i, j), "is "+quoteShort(event), "there are: "+strings.Join(Events, ", "))
			}
		}
	}
}

func checkHostPort(d *document, path, s string) {
	host, port, err := net.SplitHostPort(s)
	n, numErr := strconv.Atoi(port)
	if err != nil || numErr != nil || n < 0 || n > 65535 || strings.ContainsAny(host, "/@ ") {
		d.add(path, "is "+quoteShort(s), "give HOST:PORT, such as 127.0.0.1:7233")
	}
}

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

func checkStore(s *StoreConfig, d *document) {
	if !bucketName.MatchString(s.Bucket) {
		d.add("store.bucket", "is "+quoteShort(s.Bucket), "give the name of a bucket: 3 to 63 lower-case letters, digits, . and -")
	}
	if s.Endpoint != "" {
		checkURL(d, "store.endpoint", s.Endpoint)
	}
	if s.KMSKey != "" && (!kmsKey.MatchString(s.KMSKey) || len(s.KMSKey) > 2048) {
		d.add("store.kms_key", "is "+quoteShort(s.KMSKey), "give the ARN, id or alias of a KMS key, such as alias/retort; it is sent with every put")
	}
	if s.Prefix == "" {
		return
	}
	for part := range strings.SplitSeq(s.Prefix, "/") {
		if part == "" || part == "." || part == ".." || strings.ContainsAny(part, "*?\\") {
			d.add("store.prefix", "is "+quoteShort(s.Prefix), "give a path without a slash at its start, empty parts, . or .., such as data/retort")
			return
		}
	}
}

var kmsKey = regexp.MustCompile(`^[A-Za-z0-9:/_-]+$`)

var teacherName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func checkTeacher(t *Teacher, d *document, path string, i int, first map[string]int) {
	if !teacherName.MatchString(t.Name) {
		d.add(path+".name", "is "+quoteShort(t.Name), "use letters, digits, . _ and -, at most 64, such as qwen-32b")
	}
	if j, twice := first[t.Name]; twice {
		d.add(path+".name", "is "+quoteShort(t.Name)+" again", fmt.Sprintf("each teacher has its own name; teachers[%d] has this one", j))
	} else {
		first[t.Name] = i
	}
	checkURL(d, path+".base_url", t.BaseURL)
	if t.Model == "" || strings.ContainsFunc(t.Model, isControl) {
		d.add(path+".model", "is "+quoteShort(t.Model), "give the model's name as the endpoint knows it")
	}
	checkEnvName(d, path+".api_key_env", t.APIKeyEnv)
	checkHeader(d, path+".user_agent", t.UserAgent)
	checkHeader(d, path+".contact", t.Contact)
	if t.Terms.ReadOn != "" {
		if _, err := time.Parse(time.DateOnly, t.Terms.ReadOn); err != nil {
			d.add(path+".terms.read_on", "is "+quoteShort(t.Terms.ReadOn), "give the day on which the terms were read, such as 2026-11-01")
		}
	}
	for j, s := range t.TrainedOn {
		if _, version, err := ParseDatasetVersion(s); err != nil || version == 0 {
			d.add(fmt.Sprintf("%s.trained_on[%d]", path, j), "is "+quoteShort(s), "give a dataset with its version, such as science-answers@3")
		}
	}
}

func isControl(r rune) bool { return r < 0x20 || r == 0x7f }

func checkHeader(d *document, path, s string) {
	if strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r >= 0x7f }) || len(s) > 200 {
		d.add(path, "is "+quoteShort(s), "it is sent as an HTTP header: plain ASCII in one line, at most 200 characters")
	}
}

// checkURL never shows what a URL holds before its host: it may be a password.
func checkURL(d *document, path, s string) {
	const mend = "give an http:// or https:// URL, such as https://llm.example.net/v1"
	u, err := url.Parse(s)
	switch {
	case err != nil:
		d.add(path, "is no URL", mend)
	case u.User != nil:
		d.add(path, "has credentials in it", "remove them (and replace them, now that they stood in a file): keys come from the environment, by api_key_env")
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Hostname() == "":
		d.add(path, "is "+quoteShort(s), mend)
	case u.RawQuery != "" || u.Fragment != "":
		d.add(path, "has a query or fragment", "remove what follows ? or #; "+mend)
	}
}

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// checkEnvName doesn't show the value: people paste keys here.
func checkEnvName(d *document, path, s string) {
	if s != "" && (!envName.MatchString(s) || len(s) > 100 || strings.HasPrefix(s, "sk_")) {
		d.add(path, "is not the name of an environment variable", "give a name such as QWEN_API_KEY, not the key itself; if a real key stood here, replace it")
	}
}

// SplitS3 cuts s3://BUCKET/KEY; the key may be empty.
func SplitS3(uri string) (bucket, key string, ok bool) {
	rest, ok := strings.CutPrefix(uri, "s3://")
	if !ok {
		return "", "", false
	}
	bucket, key, _ = strings.Cut(rest, "/")
	return bucket, key, bucket != ""
}
