package inspect

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/retort-data/retort/prompt"
	"github.com/retort-data/retort/schema"
)

// textColumns are where a text is looked for when no column is named, in this order. A list of messages stands for the content of
// its last assistant message.
var textColumns = []string{"text", "completion", "answer", "response", "messages"}

// Columns name what is read of each row; what is "" isn't read, but for Text, whose default is the first of text, completion, answer,
// response and messages that the row has.
type Columns struct {
	Text, Prompt, Key, Stratum string

	lenient bool // rows may lack the prompt
}

// row is one row as it is judged.
type row struct {
	id           string
	text         string
	promptID     string
	prompt       []schema.Message
	key, stratum string
	finishReason string
	source       prompt.Row
}

// wanted says which columns of a file are read.
func (c Columns) wanted(all bool) prompt.Columns {
	if all {
		return prompt.Columns{All: true}
	}
	want := append([]string{"id", "finish_reason"}, textColumns...)
	for _, name := range []string{c.Text, c.Prompt, c.Key, c.Stratum} {
		if name != "" {
			want = append(want, name)
		}
	}
	return prompt.Columns{Want: want}
}

// read takes a row apart; number counts the rows of all files from 0 and is the id of a row without one. Errors are schema.Faults
// with file and line.
func (c Columns) read(source prompt.Row, number int64) (row, error) {
	r := row{id: strconv.FormatInt(number, 10), source: source}
	if id, ok := scalar(source.Columns["id"]); ok && id != "" {
		r.id = id
	}
	r.finishReason, _ = scalar(source.Columns["finish_reason"])
	if err := c.readText(&r); err != nil {
		return r, err
	}
	for _, named := range []struct {
		column string
		to     *string
	}{{c.Key, &r.key}, {c.Stratum, &r.stratum}} {
		if named.column == "" {
			continue
		}
		value, err := column(source, named.column)
		if err != nil {
			return r, err
		}
		var ok bool
		if *named.to, ok = scalar(value); !ok {
			return r, fault(source, fmt.Sprintf("column %q holds a list or an object", named.column), "name a column of strings or numbers")
		}
	}
	return r, c.readPrompt(&r)
}

func (c Columns) readText(r *row) error {
	names := textColumns
	if c.Text != "" {
		names = []string{c.Text}
	}
	for _, name := range names {
		value, there := r.source.Columns[name]
		if !there {
			continue
		}
		switch v := value.(type) {
		case nil:
			return nil // no text: the check `empty` says so
		case string:
			r.text = v
			return nil
		case []any:
			return r.readMessages(name, v)
		}
		return fault(r.source, fmt.Sprintf("column %q holds no text", name), "name a column of strings or of messages by --text")
	}
	return fault(r.source, fmt.Sprintf("has no column %s; it has %s", strings.Join(names, ", "), columnNames(r.source)), "name the column with the text by --text")
}

// readMessages takes the last assistant message for the text and those before it for the prompt.
func (r *row) readMessages(name string, list []any) error {
	messages, ok := messagesOf(list)
	if !ok {
		return fault(r.source, fmt.Sprintf("column %q holds a list, but not of messages", name), `a message is {"role": …, "content": …}, both strings`)
	}
	for i, m := range slices.Backward(messages) {
		if m.Role == "assistant" {
			r.text, r.prompt = m.Content, messages[:i]
			return nil
		}
	}
	return nil // nobody answered: empty
}

// asked is the last message of the prompt by a user.
func (r *row) asked() string {
	for _, m := range slices.Backward(r.prompt) {
		if m.Role == "user" {
			return m.Content
		}
	}
	return ""
}

// readPrompt sets the prompt that scopes duplicates; where the text stood among messages, those before it are what it may echo.
func (c Columns) readPrompt(r *row) error {
	if c.Prompt == "" {
		return nil
	}
	value, err := column(r.source, c.Prompt)
	if err != nil && c.lenient {
		return nil
	}
	if err != nil {
		return err
	}
	if text, ok := scalar(value); ok {
		r.promptID = text
		if r.prompt == nil {
			r.prompt = []schema.Message{{Role: "user", Content: text}}
		}
		return nil
	}
	list, _ := value.([]any)
	messages, ok := messagesOf(list)
	if !ok {
		return fault(r.source, fmt.Sprintf("column %q holds neither text nor messages", c.Prompt), "name the column with the prompt, or with its id, by --prompt")
	}
	if c.Prompt == "messages" { // the answer at the end is no part of the prompt
		messages = r.prompt
	}
	r.prompt, r.promptID = messages, schema.PromptID(messages)
	return nil
}

// Wanted are the columns that TextOf may read.
func Wanted(column string) prompt.Columns { return Columns{Text: column}.wanted(false) }

// TextOf returns the text of a row, and the messages before it where it is the last assistant message of a list. Without a column it
// is the first of text, completion, answer, response and messages that the row has. Errors are schema.Faults with file and line.
func TextOf(source prompt.Row, column string) (text string, before []schema.Message, err error) {
	r := row{source: source}
	err = Columns{Text: column}.readText(&r)
	return r.text, r.prompt, sayColumns(err)
}

func messagesOf(list []any) ([]schema.Message, bool) {
	if len(list) == 0 {
		return nil, list != nil
	}
	messages := make([]schema.Message, len(list))
	for i, v := range list {
		m, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		role, isRole := m["role"].(string)
		content, isText := m["content"].(string)
		if !isRole || !isText && m["content"] != nil {
			return nil, false
		}
		messages[i] = schema.Message{Role: role, Content: content}
	}
	return messages, true
}

// scalar is a value as text; false for lists and objects.
func scalar(value any) (string, bool) {
	switch v := value.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

func column(source prompt.Row, name string) (any, error) {
	value, ok := source.Columns[name]
	if !ok {
		return nil, fault(source, fmt.Sprintf("has no column %q; it has %s", name, columnNames(source)), "check the name; upper and lower case count")
	}
	return value, nil
}

func columnNames(source prompt.Row) string {
	names := slices.Sorted(maps.Keys(source.Columns))
	if len(names) > 20 {
		names = append(names[:20], "…")
	}
	return strings.Join(names, ", ")
}

func fault(source prompt.Row, what, mend string) error {
	return schema.Faults{{File: source.File, Line: int(source.Line), Col: 1, What: what, Mend: mend}}
}
