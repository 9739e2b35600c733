package schema

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash"
	"io"
)

// Message is one turn of a conversation.
type Message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// Origins of text.
const (
	OriginHuman     = "human"
	OriginGenerated = "generated"
	OriginUnknown   = "unknown"
)

// UnknownGeneration stands for a lineage that nobody declared.
const UnknownGeneration int32 = -1

// Prompt is one rendered conversation with where it came from.
type Prompt struct {
	ID         string    `json:"prompt_id"` // 32 hex digits: PromptID(Messages)
	Messages   []Message `json:"messages"`
	Source     string    `json:"source"`         // URI or file name of the source, as the recipe gives it
	License    string    `json:"source_license"` // of that source
	Origin     string    `json:"origin"`         // of that source
	Generation int32     `json:"generation"`     // of the source: 0 human, UnknownGeneration unknown
	Key        string    `json:"key,omitempty"`  // for matching with the anchor
}

// Request is a prompt to be sent to one teacher as one sample: a line of a page.
type Request struct {
	Prompt
	RequestID string `json:"request_id"` // 32 hex digits: RequestID(...)
	Sample    int    `json:"sample"`     // 0 to samples-1
}

// PageHeader is the first line of a page on S3; requests follow, a JSON document a line.
type PageHeader struct {
	Page     int      `json:"page"`
	Teacher  string   `json:"teacher"`
	Sampling Sampling `json:"sampling"`
	Requests int      `json:"requests"`
}

// PromptID hashes the messages of a conversation; it is the same for every teacher and sample.
func PromptID(messages []Message) string {
	h := sha256.New()
	writePart(h, "retort/prompt/1")
	for _, m := range messages {
		writePart(h, m.Role)
		writePart(h, m.Content)
	}
	return digest16(h)
}

// RequestID adds teacher, model and revision, parameters and sample number to a prompt's id.
func RequestID(promptID string, t *Teacher, s Sampling, sample int) string {
	params, err := json.Marshal(s)
	if err != nil { // a struct of numbers and strings; NaN is refused when the recipe is read
		params = []byte(err.Error())
	}
	h := sha256.New()
	writePart(h, "retort/request/1")
	for _, part := range []string{promptID, t.Name, t.Model, t.Revision, string(params)} {
		writePart(h, part)
	}
	writeUint(h, uint64(sample))
	return digest16(h)
}

// RecordID is the id column of a shard: a hash of run and request.
func RecordID(run, requestID string) string {
	h := sha256.New()
	writePart(h, "retort/record/1")
	writePart(h, run)
	writePart(h, requestID)
	return digest16(h)
}

// HumanID is the id column of a human row: a hash of source and text.
func HumanID(source, text string) string {
	h := sha256.New()
	writePart(h, "retort/human/1")
	writePart(h, source)
	writePart(h, text)
	return digest16(h)
}

// SamplingSeed is the seed sent to a teacher: it differs from run to run, so that a second run's answers are new.
func SamplingSeed(run, requestID string) int {
	sum := sha256.Sum256([]byte(run + "/" + requestID))
	return int(binary.BigEndian.Uint32(sum[:4]) & 0x7fffffff)
}

// writePart writes a length before the text, so that no two lists of parts hash alike.
func writePart(w io.Writer, s string) {
	writeUint(w, uint64(len(s)))
	io.WriteString(w, s) //nolint:errcheck // a hash never fails
}

func writeUint(w io.Writer, n uint64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n)
	w.Write(b[:]) //nolint:errcheck // a hash never fails
}

func digest16(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)[:16]) }
