package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/retort-data/retort/schema"
)

// asked notes what goes to the store, as actions of S3's policies: "s3:PutObject KEY".
type asked struct {
	mu  sync.Mutex
	all map[string]bool
}

func (a *asked) note(r *http.Request) {
	_, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	action := ""
	switch q := r.URL.Query(); {
	case r.Method == http.MethodPut, r.Method == http.MethodPost && (q.Has("uploads") || q.Has("uploadId")):
		action = "s3:PutObject"
	case r.Method == http.MethodDelete && q.Has("uploadId"):
		action = "s3:AbortMultipartUpload"
	case r.Method == http.MethodDelete, r.Method == http.MethodPost && q.Has("delete"):
		action = "s3:DeleteObject"
	case key == "":
		action = "s3:ListBucket"
	default:
		action = "s3:GetObject"
	}
	if action == "s3:DeleteObject" && key == "" {
		return // of many: the keys are in the body; what is gone afterwards says them
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all[action+" "+key] = true
}

// policy is an IAM policy of deploy/iam.
type policy struct {
	Statement []struct {
		Effect           string
		Action, Resource any
	}
}

func words(v any) (all []string) {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		for _, s := range v {
			all = append(all, s.(string))
		}
	}
	return all
}

func readPolicies(t *testing.T, names ...string) (all []policy) {
	t.Helper()
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join(source, "deploy", "iam", name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var p policy
		if err := json.Unmarshal(b, &p); err != nil {
			t.Fatal(name, err)
		}
		all = append(all, p)
	}
	return all
}

// allows says whether policies let somebody do a thing; prefix "" as in this test.
func allows(all []policy, request, bucket string) bool {
	action, key, _ := strings.Cut(request, " ")
	for _, p := range all {
		for _, s := range p.Statement {
			for _, a := range words(s.Action) {
				for _, r := range words(s.Resource) {
					r = strings.NewReplacer("arn:aws:s3:::", "", "BUCKET", bucket, "PREFIX/", "").Replace(r)
					pattern := "^" + strings.ReplaceAll(regexp.QuoteMeta(r), `\*`, ".*") + "$"
					if s.Effect == "Allow" && a == action && regexp.MustCompile(pattern).MatchString(strings.TrimSuffix(bucket+"/"+key, "/")) {
						return true
					}
				}
			}
		}
	}
	return false
}

// Everything that a worker and the command line ask of the store for runs that are published, cancelled and scheduled is what the policies in
// deploy/iam allow; who starts runs can't write what is published, and a worker can't delete it.
func TestPoliciesAllowWhatIsAsked(t *testing.T) {
	l := newLab(t, slow())
	worker, command := &asked{all: map[string]bool{}}, &asked{all: map[string]bool{}}
	direct, err := os.ReadFile(l.config)
	l.must(err)
	through := func(a *asked) {
		l.must(os.WriteFile(l.config, []byte(strings.ReplaceAll(string(direct), l.stack.S3Endpoint, l.before(a.note, func(*http.Response) {}))), 0o644))
	}
	through(worker)
	w := l.startWorker()
	l.wait("the worker to begin", func() bool { worker.mu.Lock(); defer worker.mu.Unlock(); return len(worker.all) > 0 })
	through(command)
	l.ok("run", l.questions("published", 300, "output: {splits: {test: 0.1}, shard_mb: 1}\n"))
	l.ok("run", "--detach", l.questions("cancelled", 900, ""))
	l.wait("answers", func() bool { return l.teacher.Stats().Answered >= 350 })
	l.ok("cancel", "cancelled")
	l.finished("cancelled", schema.StateCancelled)
	l.ok("preview", l.questions("previewed", 10, ""), "-n", "2")
	l.ok("schedule", "set", l.questions("nights", 20, "schedule: {cron: \"0 2 * * *\"}\n"), "--every", nightEvery.String())
	l.wait("a night", func() bool { return len(l.keys("nights/_versions/")) > 0 })
	l.ok("schedule", "remove", "nights")
	for _, args := range [][]string{{"status"}, {"versions", "published"}, {"files", "published"}, {"verify", "published"}, {"gc", "published"}} {
		l.ok(args...)
	}
	w.stop()
	for name, c := range map[string]struct {
		asked    *asked
		policies []string
	}{"worker": {worker, []string{"read", "worker"}}, "command": {command, []string{"read", "start"}}} {
		allowed := readPolicies(t, c.policies...)
		var refused []string
		for request := range c.asked.all {
			if !allows(allowed, request, l.stack.Bucket) {
				refused = append(refused, request)
			}
		}
		sort.Strings(refused)
		if len(refused) > 0 {
			t.Errorf("the %s asks for what its policies don't allow:\n%s", name, strings.Join(refused[:min(20, len(refused))], "\n"))
		}
		if len(c.asked.all) < 10 {
			t.Errorf("only %d requests of the %s were seen", len(c.asked.all), name)
		}
	}
	for _, forbidden := range []string{"s3:PutObject published/data/x.parquet", "s3:PutObject published/_versions/000001.json", "s3:DeleteObject published/data/x.parquet"} {
		if allows(readPolicies(t, "read", "start"), forbidden, l.stack.Bucket) {
			t.Errorf("who starts runs may %s", forbidden)
		}
	}
	if allows(readPolicies(t, "read", "worker"), "s3:DeleteObject "+path.Join("published", "data", "x.parquet"), l.stack.Bucket) {
		t.Error("a worker may delete shards")
	}
}
