package e2e

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/proxy"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	enumspb "go.temporal.io/api/enums/v1"
)

// search looks for secrets in whatever it is given, within compressed parts too, and for controls that must be found.
type search struct {
	t        *testing.T
	needles  map[string]string // what it is → the secret
	controls map[string]bool   // text → found
	places   int
	seen     string // what commands, logs and histories say
}

// look searches bytes, and within them whatever is compressed by zstd (as the pages of Parquet files are) or gzip.
func (s *search) look(where string, b []byte) {
	s.t.Helper()
	s.places++
	if len(s.seen) < 8<<20 {
		s.seen += string(b)
	}
	s.within(where, b, 0)
}

func (s *search) within(where string, b []byte, depth int) {
	s.t.Helper()
	for what, secret := range s.needles {
		for _, form := range forms(secret) {
			if i := bytes.Index(b, form); i >= 0 {
				s.t.Errorf("%s holds the %s: %.160q", where, what, b[max(0, i-60):])
				break
			}
		}
	}
	for text := range s.controls {
		if bytes.Contains(b, []byte(text)) {
			s.controls[text] = true
		}
	}
	if depth == 3 {
		return
	}
	for _, c := range []struct {
		magic []byte
		open  func(io.Reader) (io.Reader, error)
	}{
		{[]byte{0x28, 0xb5, 0x2f, 0xfd}, func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r, zstd.WithDecoderConcurrency(1)) }},
		{[]byte{0x1f, 0x8b, 0x08}, func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
	} {
		for from := 0; ; {
			i := bytes.Index(b[from:], c.magic)
			if i < 0 {
				break
			}
			if r, err := c.open(bytes.NewReader(b[from+i:])); err == nil {
				part, _ := io.ReadAll(io.LimitReader(r, 64<<20)) // what follows the frame is no frame: an error, after the whole of it
				if d, ok := r.(*zstd.Decoder); ok {
					d.Close()
				}
				if len(part) > 0 {
					s.within(where+" (decompressed)", part, depth+1)
				}
			}
			from += i + len(c.magic)
		}
	}
}

// objects searches every object of the store.
func (s *search) objects(l *lab) {
	s.t.Helper()
	before := s.places
	for _, key := range l.keys("") {
		body, err := l.store.Get(l.t.Context(), key)
		l.must(err)
		s.within(key, append([]byte(key+"\n"), body...), 0)
		s.places++
	}
	if s.places-before < 20 {
		s.t.Errorf("only %d objects were searched", s.places-before)
	}
}

// database searches the files of the Temporal server. The stack's own credentials aren't among them.
func (s *search) database(l *lab) {
	s.t.Helper()
	if !databaseHas(s.t, l.stack.Dir, []byte("parrots")) {
		s.t.Error("the server's database lacks even the dataset's name: this isn't it")
	}
	l.must(filepath.WalkDir(l.stack.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || underS3(l.stack.Dir, path) || !strings.HasPrefix(d.Name(), "temporal.sqlite") {
			return err
		}
		b, err := os.ReadFile(path)
		s.places++
		s.within(path, b, 3) // its pages are compressed nowhere
		return err
	}))
}

// histories searches the payloads of all workflows, decoded.
func (s *search) histories(l *lab) {
	s.t.Helper()
	ctx := l.t.Context()
	c, err := client.DialContext(ctx, client.Options{HostPort: l.temporalAddress})
	l.must(err)
	defer c.Close()
	list, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{PageSize: 1000})
	l.must(err)
	payloads := 0
	for _, w := range list.Executions {
		iter := c.GetWorkflowHistory(ctx, w.Execution.WorkflowId, w.Execution.RunId, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for iter.HasNext() {
			event, err := iter.Next()
			l.must(err)
			s.look("a history of "+w.Execution.WorkflowId, []byte(event.String()))
			l.must(proxy.VisitPayloads(ctx, event, proxy.VisitPayloadsOptions{Visitor: func(_ *proxy.VisitPayloadsContext, all []*commonpb.Payload) ([]*commonpb.Payload, error) {
				for _, p := range all {
					payloads++
					s.look("a payload of "+w.Execution.WorkflowId, p.Data)
				}
				return all, nil
			}}))
		}
	}
	if payloads < 20 {
		s.t.Errorf("only %d payloads were searched", payloads)
	}
}

// done holds that the search finds what is there.
func (s *search) done() {
	s.t.Helper()
	for text, found := range s.controls {
		if !found {
			s.t.Errorf("the search doesn't find %q: it looks in the wrong place", text)
		}
	}
	s.t.Logf("searched %d places", s.places)
}
