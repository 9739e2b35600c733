package schema

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// columnKind is the type of a shard's column.
type columnKind int

const (
	textColumn     columnKind = iota // string; "" is written as null
	int32Column                      // null where the value is the column's null value
	int64Column                      // 0 is written as null
	doubleColumn                     // null where not a finite number
	messagesColumn                   // list<struct<role: string, content: string>>
	signalsColumn                    // list<struct<name: string, value: double>>
)

// column says how one column of a shard is taken out of a row and put back. A record is a row too: a reject
// without its last columns.
type column struct {
	name string
	kind columnKind
	few  bool // few distinct values: dictionary encoding pays

	text    func(*Reject) string
	setText func(*Reject, string)
	int32   func(*Reject) *int32
	null    int32 // value of an int32Column that is written as null
	int64   func(*Reject) *int64
	double  func(*Reject) *float64

	// messages returns nil where the column is null; an empty list is not null.
	messages    func(*Reject) []Message
	addMessages func(*Reject, []Message)
}

// Layouts of the conversation. Every shard of a dataset has one of them.
//
//   - messages: the whole conversation, the answer as its last message.
//   - prompt-completion: TRL's conversational form, both columns lists of messages. TRL also knows plain
//     strings for prompts of one user message; one type for every prompt keeps one schema for all shards.
//   - text: the contents of all messages in order, a blank line between two, no roles and no template.
var layoutColumns = map[string][]column{
	FormatMessages: {{
		name: "messages", kind: messagesColumn,
		messages:    func(r *Reject) []Message { return nilIfEmpty(r.Messages) },
		addMessages: appendMessages,
	}},
	FormatPromptCompletion: {{
		name: "prompt", kind: messagesColumn, messages: promptOf, addMessages: appendMessages,
	}, {
		name: "completion", kind: messagesColumn, messages: completionOf, addMessages: appendMessages,
	}},
	FormatText: {{
		name: "text", kind: textColumn, text: joinedText,
		setText: func(r *Reject, s string) { r.Messages = []Message{{Content: s}} },
	}},
}

var recordColumns = []column{
	textAt("reasoning", false, func(r *Reject) *string { return &r.Reasoning }),
	textAt("teacher", true, func(r *Reject) *string { return &r.Teacher }),
	textAt("model", true, func(r *Reject) *string { return &r.Model }),
	textAt("revision", true, func(r *Reject) *string { return &r.Revision }),
	{name: "generation", kind: int32Column, null: UnknownGeneration, int32: func(r *Reject) *int32 { return &r.Generation }},
	textAt("origin", true, func(r *Reject) *string { return &r.Origin }),
	textAt("source", true, func(r *Reject) *string { return &r.Source }),
	textAt("source_license", true, func(r *Reject) *string { return &r.SourceLicense }),
	textAt("prompt_id", false, func(r *Reject) *string { return &r.PromptID }),
	textAt("request_id", false, func(r *Reject) *string { return &r.RequestID }),
	textAt("finish_reason", true, func(r *Reject) *string { return &r.FinishReason }),
	{name: "input_tokens", kind: int64Column, int64: func(r *Reject) *int64 { return &r.InputTokens }},
	{name: "output_tokens", kind: int64Column, int64: func(r *Reject) *int64 { return &r.OutputTokens }},
	{name: "signals", kind: signalsColumn},
	{name: "cluster_size", kind: int32Column, int32: func(r *Reject) *int32 { return &r.ClusterSize }},
	textAt("run", true, func(r *Reject) *string { return &r.Run }),
}

var rejectColumns = []column{
	textAt("reason", true, func(r *Reject) *string { return &r.Reason }),
	textAt("signal", true, func(r *Reject) *string { return &r.Signal }),
	{name: "value", kind: doubleColumn, double: func(r *Reject) *float64 { return &r.Value }},
	{name: "limit", kind: doubleColumn, double: func(r *Reject) *float64 { return &r.Limit }},
	textAt("of", false, func(r *Reject) *string { return &r.Of }),
	textAt("match", false, func(r *Reject) *string { return &r.Text }),
}

// shardLayout is a format's columns, in their order in the file and by name.
type shardLayout struct{ columns, sorted []column }

// shardLayouts has two for each format: of records, and of rejects.
var shardLayouts = func() map[string][2]shardLayout {
	all := map[string][2]shardLayout{}
	for format, conversation := range layoutColumns {
		records := slices.Concat([]column{textAt("id", false, func(r *Reject) *string { return &r.ID })}, conversation, recordColumns)
		rejects := slices.Concat(records, rejectColumns)
		all[format] = [2]shardLayout{{records, byName(records)}, {rejects, byName(rejects)}}
	}
	return all
}()

func layoutFor(format string, rejects bool) (shardLayout, error) {
	layouts, ok := shardLayouts[format]
	if !ok {
		return shardLayout{}, &Error{
			Kind: KindInvalid, Code: "format", Op: "choose the columns of a shard", Cause: fmt.Errorf("unknown format %q", format),
			Hint: "formats are " + strings.Join([]string{FormatMessages, FormatPromptCompletion, FormatText}, ", "),
		}
	}
	if rejects {
		return layouts[1], nil
	}
	return layouts[0], nil
}

func textAt(name string, few bool, at func(*Reject) *string) column {
	return column{
		name: name, kind: textColumn, few: few,
		text:    func(r *Reject) string { return *at(r) },
		setText: func(r *Reject, s string) { *at(r) = s },
	}
}

func appendMessages(r *Reject, m []Message) { r.Messages = append(r.Messages, m...) }

func nilIfEmpty(m []Message) []Message {
	if len(m) == 0 {
		return nil
	}
	return m
}

// promptOf is an empty list, not null, where an answer has no prompt: prompt + completion always works.
func promptOf(r *Reject) []Message {
	if len(r.Messages) == 0 {
		return nil
	}
	return r.Messages[:len(r.Messages)-1]
}

func completionOf(r *Reject) []Message {
	if len(r.Messages) == 0 {
		return nil
	}
	return r.Messages[len(r.Messages)-1:]
}

func joinedText(r *Reject) string {
	if len(r.Messages) == 1 {
		return r.Messages[0].Content
	}
	parts := make([]string, len(r.Messages))
	for i, m := range r.Messages {
		parts[i] = m.Content
	}
	return strings.Join(parts, "\n\n")
}

// cleaned returns the row as a shard can hold it: invalid UTF-8 as U+FFFD (what encoding/json makes of it,
// but one for a run of bytes), and without signals that aren't finite numbers. It copies what it changes.
func cleaned(r Reject, columns []column) Reject {
	for i := range columns {
		c := &columns[i]
		if c.kind == textColumn && c.name != FormatText {
			if s := c.text(&r); !utf8.ValidString(s) {
				c.setText(&r, validText(s))
			}
		}
	}
	r.Messages = validMessages(r.Messages)
	r.Signals = finiteSignals(r.Signals)
	return r
}

func validText(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func validMessages(messages []Message) []Message {
	for i, m := range messages {
		if !utf8.ValidString(m.Role) || !utf8.ValidString(m.Content) {
			valid := append([]Message(nil), messages...)
			for j := i; j < len(valid); j++ {
				valid[j] = Message{Role: validText(valid[j].Role), Content: validText(valid[j].Content)}
			}
			return valid
		}
	}
	return messages
}

func finiteSignals(signals []Signal) []Signal {
	for i, s := range signals {
		if !finite(s.Value) || !utf8.ValidString(s.Name) {
			kept := append([]Signal(nil), signals[:i]...)
			for _, s := range signals[i:] {
				if finite(s.Value) {
					kept = append(kept, Signal{Name: validText(s.Name), Value: s.Value})
				}
			}
			return kept
		}
	}
	return signals
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }
