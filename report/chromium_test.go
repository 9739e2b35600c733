package report

import (
	"context"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// visit is what a real browser made of a page.
type visit struct {
	dom     string
	console []string        // messages, errors of scripts and of what the policy refused among them
	asked   map[string]bool // hosts that anything was asked of
}

var (
	consoleLine = regexp.MustCompile(`CONSOLE[:(]\d+\)?\] (.*)`)
	askedFor    = regexp.MustCompile(`"url":("(?:[^"\\]|\\.)*")`)
)

// chromium finds the browser; a test without one says so.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	t.Skip("NOT RUN: there is no Chromium (CHROMIUM names one; on Debian: apt-get install chromium). That texts are escaped is held without it by TestReportHoldsHostileAnswers.")
	return ""
}

// open has the browser load a page, let it work for two seconds of its own time, and tell what happened. No name resolves.
func open(t *testing.T, browser, name string, page []byte) visit {
	t.Helper()
	dir := t.TempDir()
	file, log := filepath.Join(dir, name+".html"), filepath.Join(dir, "net.json")
	if err := os.WriteFile(file, page, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND",
		"--user-data-dir="+filepath.Join(dir, "profile"), "--enable-logging=stderr", "--virtual-time-budget=2000", "--log-net-log="+log, "--dump-dom", "file://"+file)
	var dom, said strings.Builder
	cmd.Stdout, cmd.Stderr = &dom, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", browser, err, said.String())
	}
	v := visit{dom: dom.String(), asked: map[string]bool{}}
	for _, m := range consoleLine.FindAllStringSubmatch(said.String(), -1) {
		v.console = append(v.console, m[1])
	}
	net, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range askedFor.FindAllSubmatch(net, -1) {
		var address string
		if err := json.Unmarshal(m[1], &address); err != nil {
			t.Fatal(err)
		}
		if u, err := url.Parse(address); err == nil && u.Scheme != "file" && u.Scheme != "data" {
			v.asked[u.Host] = true
		}
	}
	return v
}

// own are the hosts that the browser asks by itself, with an empty page.
func own(t *testing.T, browser string) map[string]bool {
	return open(t, browser, "blank", []byte("<!doctype html><title>blank</title>")).asked
}

// In a real browser a report of 100,000 answers, and one of answers that attack, run nothing, ask for nothing and have no error. A page
// that does all of it shows that the test can see it.
func TestReportInChromium(t *testing.T) {
	browser := chromium(t)
	before := own(t, browser)
	attacked := open(t, browser, "control", []byte(`<!doctype html><title>t</title><img src="http://evil.example/p.png"><script>document.title='owned';console.error('seen')</script>`))
	if !strings.Contains(attacked.dom, "<title>owned</title>") || !attacked.asked["evil.example"] || len(attacked.console) == 0 {
		t.Fatalf("the test sees nothing: %d bytes of DOM, asked %v, console %q", len(attacked.dom), attacked.asked, attacked.console)
	}
	for name, made := range map[string][]byte{"many": manyAnswers(), "hostile": page(t, hostileReport())} {
		t.Run(name, func(t *testing.T) {
			v := open(t, browser, name, made)
			for _, line := range v.console {
				t.Errorf("the console says: %s", line)
			}
			for host := range v.asked {
				if !before[host] {
					t.Errorf("it asked %s", host)
				}
			}
			if strings.Contains(v.dom, "<title>owned</title>") || !strings.Contains(v.dom, "<title>science/answers, version 3") {
				t.Errorf("its title: %.300s", v.dom[strings.Index(v.dom, "<title>"):])
			}
			if !strings.Contains(v.dom, "This page has no script and asks for nothing.") {
				t.Error("the page was cut off")
			}
			for _, tag := range []string{"<script", "<img", "<iframe", "<link", "<base", "<form", "<object"} {
				if strings.Contains(v.dom, tag) {
					t.Errorf("the browser has an element %s", tag)
				}
			}
		})
	}
}
