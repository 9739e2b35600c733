package stack_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.temporal.io/api/workflowservice/v1"

	enumspb "go.temporal.io/api/enums/v1"

	"github.com/retort-data/retort/local/stack"
)

func TestStartReportsEveryFault(t *testing.T) {
	_, err := stack.Start(context.Background(), stack.Options{
		Only:    []stack.Service{stack.UI, "postgres"},
		Buckets: []string{"Not A Bucket"}, AccessKey: "only-half",
	})
	if err == nil {
		t.Fatal("started with impossible options")
	}
	for _, want := range []string{"Dir", "postgres", "TemporalAddress", "Not A Bucket", "SecretKey"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not mention %s: %v", want, err)
		}
	}
}

func TestTakenPortIsReplacedAndNamed(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	s := start(t, stack.Options{Only: []stack.Service{stack.S3}, S3Port: port})
	if strings.HasSuffix(s.S3Endpoint, taken.Addr().String()) {
		t.Errorf("uses the taken port: %s", s.S3Endpoint)
	}
	if len(s.Notices) != 1 || !strings.Contains(s.Notices[0], "is taken") {
		t.Errorf("notices: %q", s.Notices)
	}
	put(t, s, "k", "v")
}

func TestOneProcessADirectory(t *testing.T) {
	dir := t.TempDir()
	startChild(t, stack.Options{Dir: dir, Only: []stack.Service{stack.S3}})
	_, err := stack.Start(context.Background(), stack.Options{Dir: dir, Only: []stack.Service{stack.S3}})
	if err == nil || !strings.Contains(err.Error(), "held by process") {
		t.Errorf("a second stack on the directory: %v", err)
	}
}

func TestStopGivesTheWorkingDirectoryBack(t *testing.T) {
	before, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // and a process may start again what it stopped
		s := start(t, stack.Options{Only: []stack.Service{stack.S3}})
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	if after, _ := os.Getwd(); after != before {
		t.Errorf("working directory %s, was %s", after, before)
	}
}

func TestOddDirectoryNames(t *testing.T) {
	s := start(t, stack.Options{Dir: filepath.Join(t.TempDir(), "50% of? my#data ü")})
	startWorkflow(t, s)
	put(t, s, "k", "v")
	if _, err := os.Stat(filepath.Join(s.Dir, "temporal.sqlite")); err != nil {
		t.Errorf("the database is elsewhere: %v", err)
	}
	if _, err := os.Stat(filepath.Join(s.Dir, "s3", s.Bucket, "k")); err != nil {
		t.Errorf("the object is no plain file: %v", err)
	}
}

// An older directory gets the search attributes that a newer program asks for.
func TestSearchAttributesAreAdded(t *testing.T) {
	o := stack.Options{Dir: t.TempDir(), Only: []stack.Service{stack.Temporal}}
	older := o
	older.SearchAttributes = map[string]enumspb.IndexedValueType{"Old": enumspb.INDEXED_VALUE_TYPE_INT}
	startChild(t, older).end(t)
	s := start(t, o)
	startWorkflow(t, s) // refused if its attribute were unknown
	_, err := dial(t, s).ListWorkflow(context.Background(), &workflowservice.ListWorkflowExecutionsRequest{
		Query: "RetortDataset = 'd' AND Old IS NULL", // refused if either were unknown
	})
	if err != nil {
		t.Fatal(err)
	}
}
