package teacher

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"
)

func (s *service) get(path string) reply {
	resp, err := http.Get(s.url + path)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return reply{status: resp.StatusCode, body: text, err: err}
}

func (s *service) upload(content string) string {
	s.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	_ = form.WriteField("purpose", "batch")
	file, _ := form.CreateFormFile("file", "in.jsonl")
	_, _ = io.WriteString(file, content)
	form.Close()
	resp, err := http.Post(s.url+"/v1/files", form.FormDataContentType(), &body)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	var made struct{ ID string }
	if err := json.NewDecoder(resp.Body).Decode(&made); err != nil || made.ID == "" {
		s.t.Fatalf("upload: %s %v", resp.Status, err)
	}
	return made.ID
}

func lines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"custom_id":"r%d","method":"POST","url":"/v1/chat/completions","body":{"model":"m","seed":%d,"messages":[{"role":"user","content":"q"}]}}`+"\n", i, i)
	}
	return b.String()
}

// done polls until the batch has come to its end.
func (s *service) done(id string) batch {
	s.t.Helper()
	for {
		var b batch
		r := s.get("/v1/batches/" + id)
		if err := json.Unmarshal(r.body, &b); err != nil {
			s.t.Fatalf("%d %s: %v", r.status, r.body, err)
		}
		switch b.Status {
		case "completed", "failed", "expired", "cancelled":
			return b
		}
		time.Sleep(time.Millisecond)
	}
}

func (s *service) createBatch(file, metadata string) string {
	s.t.Helper()
	r := s.post("/v1/batches", fmt.Sprintf(`{"input_file_id":%q,"endpoint":"/v1/chat/completions","completion_window":"24h","metadata":%s}`, file, metadata))
	var made batch
	if err := json.Unmarshal(r.body, &made); err != nil {
		s.t.Fatalf("%d %s: %v", r.status, r.body, err)
	}
	return made.ID
}

func TestBatchIsAnsweredAndBilledAtItsPrice(t *testing.T) {
	s := serve(t, nil, "")
	id := s.createBatch(s.upload(lines(50)), `{"run":"a"}`)
	b := s.done(id)
	if b.Status != "completed" || b.Counts.Completed != 50 || b.Output == nil || b.Metadata["run"] != "a" {
		t.Fatalf("%+v", b)
	}
	direct := s.ask("q", 7)
	found, inOrder := false, true
	for i, line := range strings.Split(strings.TrimSpace(string(s.get("/v1/files/"+*b.Output+"/content").body)), "\n") {
		var got struct {
			CustomID string `json:"custom_id"`
			Response struct {
				Body struct {
					Choices []struct{ Message struct{ Content string } }
				}
			}
		}
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatal(err)
		}
		inOrder = inOrder && got.CustomID == fmt.Sprint("r", i)
		if got.CustomID == "r7" {
			text, _ := json.Marshal(got.Response.Body.Choices[0].Message.Content)
			found = bytes.Contains(direct.body, text)
		}
	}
	if !found {
		t.Error("a batch answers otherwise than a direct request")
	}
	if inOrder {
		t.Error("the lines come in the order of the requests: nobody may rely on that")
	}
	got := s.Stats()
	if got.Batches != 1 || got.BatchRequests != 50 || got.Total != 51 || got.Repeats != 1 || got.MaxInMinute != 1 {
		t.Errorf("%+v", got)
	}
}

func TestBatchesAreListedNewestFirst(t *testing.T) {
	s := serve(t, nil, "")
	file := s.upload(lines(1))
	for range 5 {
		s.createBatch(file, "{}")
	}
	var ids []string
	for after := ""; ; {
		var page struct {
			Data    []batch
			HasMore bool `json:"has_more"`
		}
		if err := json.Unmarshal(s.get("/v1/batches?limit=2&after="+after).body, &page); err != nil {
			t.Fatal(err)
		}
		for _, b := range page.Data {
			ids = append(ids, b.ID)
		}
		if !page.HasMore {
			break
		}
		after = ids[len(ids)-1]
	}
	if want := "[batch_000005 batch_000004 batch_000003 batch_000002 batch_000001]"; fmt.Sprint(ids) != want {
		t.Errorf("%v, want %s", ids, want)
	}
}

func TestBatchFates(t *testing.T) {
	s := serve(t, func(c *Config) { c.BatchMS = 3_600_000 }, "")
	id := s.createBatch(s.upload(lines(3)), "{}")
	s.post("/v1/batches/"+id+"/cancel", "")
	if b := s.done(id); b.Status != "cancelled" {
		t.Errorf("%+v", b)
	}
	s.post("/config", `{"batch_ms":0,"batch_expired":0.5}`)
	if b := s.done(s.createBatch(s.upload(lines(40)), "{}")); b.Status != "expired" || b.Counts.Completed == 0 || b.Counts.Completed == 40 {
		t.Errorf("%+v", b)
	}
	s.post("/config", `{"batch_expired":0,"server_error":1}`)
	if b := s.done(s.createBatch(s.upload(lines(4)), "{}")); b.Counts.Failed != 4 || b.ErrorFile == nil || b.Output != nil {
		t.Errorf("%+v", b)
	}
	if b := s.done(s.createBatch(s.upload("{}\n"), "{}")); b.Status != "failed" || b.Errors == nil {
		t.Errorf("%+v", b)
	}
	s.post("/config", `{"batch_lost":1}`)
	before := s.Stats().Batches
	if r := s.post("/v1/batches", `{"input_file_id":"file-000001"}`); r.err == nil {
		t.Errorf("a creation that should be lost answered %d", r.status)
	}
	if s.Stats().Batches != before+1 {
		t.Error("the lost batch does not exist")
	}
	if r := s.get("/v1/batches/batch_999999"); r.status != 404 {
		t.Errorf("a batch that is not there: %d", r.status)
	}
}
