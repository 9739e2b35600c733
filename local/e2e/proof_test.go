package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/retort-data/retort/local/teacher"
	"github.com/retort-data/retort/schema"
)

// A version is signed by the worker that publishes it; a record is proved to somebody without the store; a trainer attests; a source record is
// retracted, and the student is named.
func TestSignProveAttestRetract(t *testing.T) {
	l := newLab(t, teacher.DefaultConfig())
	key := filepath.Join(l.dir, "team")
	l.ok("keygen", "-o", key)
	private, err := os.ReadFile(key + ".pem")
	l.must(err)
	l.extra = "signing: {key_env: RETORT_E2E_SIGNING_KEY}\n"
	l.configure(64, "")
	l.env = []string{"RETORT_E2E_SIGNING_KEY=" + string(private)}
	l.startWorker()
	l.ok("run", l.questions("proved", 120, ""))
	if out := l.ok("verify", "proved", "--key", key+".pub.pem"); !strings.Contains(out, "by the given key") {
		t.Error(out)
	}
	var shown []schema.Record
	l.must(json.Unmarshal([]byte(l.ok("--json", "show", "proved", "-n", "2")), &shown))
	gone, proof := shown[0].ID, filepath.Join(l.dir, "proof.json")
	l.ok("prove", "proved@1", gone, "-o", proof)
	l.ok("attest", "proved@1", "--student", "tiny", "--key", key+".pem", "-o", filepath.Join(l.dir, "tiny.json"))
	if out := l.ok("retract", "proved", "--record", gone, "--why", "asked for"); !strings.Contains(out, "Student tiny") || !strings.Contains(out, "1 records less") {
		t.Error(out)
	}
	l.ok("verify", "proved@2", "--key", key+".pub.pem")
	two := l.manifest("proved", 2)
	if two.Retraction.Removed != 1 || two.Retraction.Why != "asked for" {
		t.Errorf("%+v", two.Retraction)
	}
	if got := l.retort("prove", "proved@2", gone); got.status != 2 || !strings.Contains(got.stderr, "no record") {
		t.Errorf("exit %d: %s", got.status, got.stderr)
	}
	l.ok("prove", "proved@2", shown[1].ID)
	if got := l.retort("retract", "proved", "--record", "none", "--why", "x"); got.status != 2 || !strings.Contains(got.stderr, "no version has such a record") {
		t.Errorf("exit %d: %s", got.status, got.stderr)
	}
	l.config = filepath.Join(l.dir, "nowhere.yaml")
	l.ok("verify", "--proof", proof, "--key", key+".pub.pem")
	body, err := os.ReadFile(proof)
	l.must(err)
	if strings.Contains(string(body), "PRIVATE KEY") {
		t.Error("the proof holds the key")
	}
}
