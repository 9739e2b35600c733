package chat

import (
	"io"
	"net/http"
	"strconv"
	"time"
)

// MaxBody bounds what a request may bring, in bytes.
const MaxBody = 8 << 20

// An Answerer is a model: it answers a request with a text and says whether it
// came to its end (stop) or to a limit (length).
type Answerer interface {
	Answer(r *Request) (text, finishReason string)
}

// Handler serves a at /v1/chat/completions and /v1/models under one model name.
func Handler(model, fingerprint string, a Answerer) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/models", func(w http.ResponseWriter, _ *http.Request) {
		WriteModels(w, "retort-local", model)
	})
	mux.HandleFunc("POST /v1/chat/completions", func(w http.ResponseWriter, hr *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, hr.Body, MaxBody))
		if err != nil {
			WriteError(w, http.StatusRequestEntityTooLarge, "invalid_request_error", "body", err.Error())
			return
		}
		r, err := ParseRequest(body, hr.Header)
		if err != nil {
			WriteError(w, http.StatusBadRequest, "invalid_request_error", "body", err.Error())
			return
		}
		text, reason := a.Answer(&r)
		WriteCompletion(w, &Completion{
			ID: "chatcmpl-" + strconv.FormatUint(r.Key, 16), Created: time.Now().Unix(),
			Model: model, Fingerprint: fingerprint, Content: text, FinishReason: reason,
			PromptTokens: r.PromptTokens(), CompletionTokens: Tokens(text),
		})
	})
	return mux
}
