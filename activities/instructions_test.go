package activities

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var updateInstructions = flag.Bool("update-instructions", false, "record anew how many instructions the parts of the flow execute")

const (
	instructionsFile = "testdata/instructions.json"
	// instructionsOf names, in a process under valgrind, the part that does its records after all parts have done their first ones.
	instructionsOf = "RETORT_INSTRUCTIONS_OF"
	// instructionsMargin is what a part may execute more than was recorded: twice of what five runs of one binary differed by, lowest to
	// highest (2.1%, bench/RESULTS.md), which is from the seeds of maps and the runtime's own threads.
	instructionsMargin = 1.05
)

// recordedInstructions is what stands in testdata: instructions for a record, by part.
type recordedInstructions struct {
	Arch  string             `json:"arch"`
	Go    string             `json:"go"` // another compiler makes other code of the same source
	Parts map[string]float64 `json:"instructions_per_record"`
}

// No part of the flow executes more instructions for a record than was recorded, by a margin. Valgrind counts them, in one process for
// each part; what a process executes that does none of any part's further records is taken off. So it depends neither on how fast the
// machine is nor on what else it does.
func TestInstructionsOfARecord(t *testing.T) {
	pages := &instructionPages{t: t}
	parts := pages.parts()
	if part, ok := os.LookupEnv(instructionsOf); ok {
		pages.prepare()
		runInstructionParts(t, parts, part)
		return
	}
	valgrind := findValgrind(t)
	was, file := recordedInstructions{}, instructionsFile
	if body, err := os.ReadFile(file); err == nil {
		if err := json.Unmarshal(body, &was); err != nil {
			t.Fatal(err)
		}
	}
	if was.Arch != "" && was.Arch != runtime.GOARCH && !*updateInstructions {
		notCounted(t, fmt.Sprintf("instructions are recorded for %s, and this is %s", was.Arch, runtime.GOARCH))
	}
	got := recordedInstructions{Arch: runtime.GOARCH, Go: runtime.Version(), Parts: map[string]float64{}}
	first := countInstructions(t, valgrind, "")
	for _, p := range parts {
		got.Parts[p.name] = float64(countInstructions(t, valgrind, p.name)-first) / float64(instructionRecords*p.times)
	}
	if *updateInstructions {
		body, err := json.MarshalIndent(got, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, append(body, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
		was = got
	}
	for _, name := range slices.Sorted(maps.Keys(got.Parts)) {
		t.Logf("%-12s %9.0f instructions a record (recorded: %.0f)", name, got.Parts[name], was.Parts[name])
	}
	for _, fault := range tooManyInstructions(was, got) {
		t.Error(fault)
	}
}

// tooManyInstructions says what isn't as it was recorded.
func tooManyInstructions(was, got recordedInstructions) (faults []string) {
	another := ""
	if was.Go != got.Go {
		another = fmt.Sprintf(" (recorded with %s, this is %s)", was.Go, got.Go)
	}
	for _, name := range slices.Sorted(maps.Keys(got.Parts)) {
		is, recorded := got.Parts[name], was.Parts[name]
		switch {
		case is < 1000:
			faults = append(faults, fmt.Sprintf("%s: %.0f instructions a record: it wasn't measured", name, is))
		case is > recorded*instructionsMargin:
			faults = append(faults, fmt.Sprintf("%s: %.0f instructions a record; recorded are %.0f, and %.0f%% more are let through%s. Profile it, or record it "+
				"anew if it is worth it: go test ./activities -run InstructionsOfARecord -update-instructions", name, is, recorded, 100*(instructionsMargin-1), another))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(was.Parts)) {
		if _, ok := got.Parts[name]; !ok {
			faults = append(faults, name+" is recorded, and isn't measured")
		}
	}
	return faults
}

func TestTooManyInstructionsAreFaults(t *testing.T) {
	was := recordedInstructions{Parts: map[string]float64{"a": 10_000, "b": 10_000}}
	for name, c := range map[string]struct {
		got    map[string]float64
		faults int
	}{
		"as recorded":     {map[string]float64{"a": 10_000, "b": 10_000}, 0},
		"fewer":           {map[string]float64{"a": 5_000, "b": 10_000}, 0},
		"within":          {map[string]float64{"a": 10_400, "b": 10_000}, 0},
		"more":            {map[string]float64{"a": 10_600, "b": 20_000}, 2},
		"none":            {map[string]float64{"a": 0, "b": 10_000}, 1},
		"a part is gone":  {map[string]float64{"a": 10_000}, 1},
		"never recorded":  {map[string]float64{"a": 10_000, "b": 10_000, "c": 10_000}, 1},
		"nothing at all":  {nil, 2},
		"less than empty": {map[string]float64{"a": -10_000, "b": 10_000}, 1},
	} {
		if got := tooManyInstructions(was, recordedInstructions{Parts: c.got}); len(got) != c.faults {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// findValgrind returns valgrind's path. CI, which installs it, fails without it.
func findValgrind(t *testing.T) string {
	t.Helper()
	if raceDetector {
		t.Skip("NOT RUN: the race detector executes instructions on its own account")
	}
	path, err := exec.LookPath(cmp.Or(os.Getenv("VALGRIND"), "valgrind"))
	if err != nil {
		notCounted(t, "there is no valgrind (VALGRIND names one; on Debian: apt-get install valgrind)")
	}
	return path
}

func notCounted(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s, so instructions can't be counted, and CI must count them", why)
	}
	t.Skipf("NOT RUN: %s. What a request allocates is held without it by TestCostOfARequest.", why)
}

var executed = regexp.MustCompile(`I\s+refs:\s+([\d,]+)`)

// quietRuntime takes out of a process what depends on time or chance: the garbage collector, preemption by signals, samples of the heap.
var quietRuntime = []string{"GOGC=off", "GOMAXPROCS=1", "GODEBUG=asyncpreemptoff=1,memprofilerate=0"}

// countInstructions runs this test's own binary under valgrind.
func countInstructions(t *testing.T, valgrind, part string) int64 {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), valgrind, "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null",
		self, "-test.run=^TestInstructionsOfARecord$", "-test.count=1")
	cmd.Env = append(os.Environ(), append(quietRuntime, instructionsOf+"="+part)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s under valgrind: %v\n%s", cmp.Or(part, "no part"), err, out.String())
	}
	m := executed.FindStringSubmatch(out.String())
	if m == nil || !strings.Contains(out.String(), "PASS") {
		t.Fatalf("valgrind counted nothing:\n%s", out.String())
	}
	n, err := strconv.ParseInt(strings.ReplaceAll(m[1], ",", ""), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
