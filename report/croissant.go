package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/retort-data/retort/schema"
)

// croissantContext is the JSON-LD context of Croissant 1.1.
var croissantContext = json.RawMessage(`{"@language":"en","@vocab":"https://schema.org/","arrayShape":"cr:arrayShape","citeAs":"cr:citeAs",
"column":"cr:column","conformsTo":"dct:conformsTo","containedIn":"cr:containedIn","cr":"http://mlcommons.org/croissant/",
"rai":"http://mlcommons.org/croissant/RAI/","data":{"@id":"cr:data","@type":"@json"},"dataType":{"@id":"cr:dataType","@type":"@vocab"},
"dct":"http://purl.org/dc/terms/","description":{"@container":"@language"},"equivalentProperty":"cr:equivalentProperty",
"examples":{"@id":"cr:examples","@type":"@json"},"extract":"cr:extract","field":"cr:field","fileProperty":"cr:fileProperty",
"fileObject":"cr:fileObject","fileSet":"cr:fileSet","format":"cr:format","includes":"cr:includes","isArray":"cr:isArray",
"isLiveDataset":"cr:isLiveDataset","jsonPath":"cr:jsonPath","key":"cr:key","md5":"cr:md5","name":{"@container":"@language"},
"parentField":"cr:parentField","path":"cr:path","recordSet":"cr:recordSet","references":"cr:references","regex":"cr:regex",
"repeated":"cr:repeated","replace":"cr:replace","samplingRate":"cr:samplingRate","sc":"https://schema.org/","separator":"cr:separator",
"source":"cr:source","subField":"cr:subField","transform":"cr:transform"}`)

// CroissantVersion is what croissant.json conforms to.
const CroissantVersion = "http://mlcommons.org/croissant/1.1"

// parquetType is what mlcroissant knows Parquet by.
const parquetType = "application/x-parquet"

type croissant struct {
	Context      json.RawMessage `json:"@context"`
	Type         string          `json:"@type"`
	Name         string          `json:"name"`
	Description  string          `json:"description"`
	ConformsTo   string          `json:"conformsTo"`
	License      string          `json:"license"`
	URL          string          `json:"url"`
	Version      string          `json:"version"`
	Published    string          `json:"datePublished"`
	Creator      any             `json:"creator"`
	Keywords     []string        `json:"keywords"`
	Languages    []string        `json:"inLanguage,omitempty"`
	CiteAs       string          `json:"citeAs"`
	Collection   string          `json:"rai:dataCollection"`
	Limits       []string        `json:"rai:dataLimitations"`
	Distribution []any           `json:"distribution"`
	RecordSets   []recordSet     `json:"recordSet"`
}

type fileObject struct {
	Type        string `json:"@type"`
	ID          string `json:"@id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	ContentURL  string `json:"contentUrl"`
	Size        string `json:"contentSize"`
	Encoding    string `json:"encodingFormat"`
	SHA256      string `json:"sha256"`
}

type fileSet struct {
	Type        string   `json:"@type"`
	ID          string   `json:"@id"`
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Encoding    string   `json:"encodingFormat"`
	Includes    []string `json:"includes"`
}

type recordSet struct {
	Type        string  `json:"@type"`
	ID          string  `json:"@id"`
	Name        string  `json:"name"`
	Description string  `json:"description"`
	Key         *ref    `json:"key,omitempty"`
	Fields      []field `json:"field"`
}

type ref struct {
	ID string `json:"@id"`
}

type field struct {
	Type        string  `json:"@type"`
	ID          string  `json:"@id"`
	Name        string  `json:"name"`
	Description string  `json:"description"`
	DataType    string  `json:"dataType,omitempty"`
	IsArray     bool    `json:"isArray,omitempty"`
	Shape       string  `json:"arrayShape,omitempty"`
	Source      *source `json:"source,omitempty"`
	SubFields   []field `json:"subField,omitempty"`
}

type source struct {
	FileSet   ref       `json:"fileSet"`
	Extract   extract   `json:"extract"`
	Transform *jsonPath `json:"transform,omitempty"`
}

type extract struct {
	Column string `json:"column"`
}

type jsonPath struct {
	Path string `json:"jsonPath"`
}

// Croissant is croissant.json of the dataset's folder: Croissant 1.1, files relative to it.
func (p *Papers) Croissant() ([]byte, error) {
	m := p.Manifest
	c := croissant{Context: croissantContext, Type: "sc:Dataset", Name: m.Dataset, ConformsTo: CroissantVersion, URL: p.Home,
		Description: m.Description, License: licenseURL(m.License), Version: fmt.Sprintf("%d.0.0", m.Version), Published: m.Created.UTC().Format(time.RFC3339),
		Keywords: []string{"synthetic", "text", "language model", "retort"}, Limits: p.Limits(),
		Creator:    map[string]string{"@type": "Organization", "name": "Retort " + m.Program},
		CiteAs:     fmt.Sprintf("%s, version %d, manifest sha256 %s", m.Dataset, m.Version, p.Digest),
		Collection: "Generated: language models were asked for answers to prompts. " + p.modelsText()}
	if c.Description == "" {
		c.Description = "Answers of language models to prompts."
	}
	if c.License == "" {
		c.License = orElse(m.License, "not declared")
	}
	if p.Summary != nil {
		for _, l := range p.Summary.mostLanguages() {
			c.Languages = append(c.Languages, l.Name)
		}
	}
	columns, err := schema.Columns(m.Layout)
	if err != nil {
		return nil, err
	}
	names, shards := p.Splits()
	for _, split := range names {
		c.add(m.Dataset, split, shards[split], columns)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err = enc.Encode(c)
	return b.Bytes(), err
}

// add describes a split: its files, the set of them, and its records.
func (c *croissant) add(dataset, split string, shards []schema.Shard, columns []schema.ColumnOf) {
	set := fileSet{Type: "cr:FileSet", ID: split + "-files", Name: split + "-files", Description: "The shards of split " + split + ", exactly these.", Encoding: parquetType}
	var rows int64
	for _, s := range shards {
		path := RelativePath(dataset, s)
		set.Includes = append(set.Includes, path)
		rows += s.Rows
		c.Distribution = append(c.Distribution, fileObject{Type: "cr:FileObject", ID: path, Name: path[strings.LastIndex(path, "/")+1:],
			Description: fmt.Sprintf("%d records of split %s, written by run %s", s.Rows, split, s.Run), ContentURL: path,
			Size: fmt.Sprintf("%d B", s.Bytes), Encoding: parquetType, SHA256: s.SHA256})
	}
	c.Distribution = append(c.Distribution, set)
	records := recordSet{Type: "cr:RecordSet", ID: split, Name: split, Description: fmt.Sprintf("%d records", rows), Key: &ref{split + "/id"}}
	for _, col := range columns {
		records.Fields = append(records.Fields, fieldOf(split, set.ID, col))
	}
	c.RecordSets = append(c.RecordSets, records)
}

// fieldOf describes a column; a list of structs has a field for each part of the struct.
func fieldOf(split, files string, col schema.ColumnOf) field {
	from := func(path string) *source {
		s := &source{FileSet: ref{files}, Extract: extract{col.Name}}
		if path != "" {
			s.Transform = &jsonPath{path}
		}
		return s
	}
	f := field{Type: "cr:Field", ID: split + "/" + col.Name, Name: col.Name, Description: columnText[col.Name]}
	part := func(name, dataType, text string) field {
		return field{Type: "cr:Field", ID: f.ID + "/" + name, Name: name, Description: text, DataType: dataType, IsArray: true, Shape: "-1", Source: from("[*]." + name)}
	}
	switch col.Type {
	case schema.ColumnMessages:
		f.IsArray, f.Shape = true, "-1"
		f.SubFields = []field{part("role", "sc:Text", "system, user or assistant"), part("content", "sc:Text", "the message")}
	case schema.ColumnSignals:
		f.IsArray, f.Shape = true, "-1"
		f.SubFields = []field{part("name", "sc:Text", "name of the signal"), part("value", "sc:Float", "its value")}
	case schema.ColumnInt32, schema.ColumnInt64:
		f.DataType, f.Source = "sc:Integer", from("")
	case schema.ColumnDouble:
		f.DataType, f.Source = "sc:Float", from("")
	default:
		f.DataType, f.Source = "sc:Text", from("")
	}
	return f
}

// columnText says what a column holds.
var columnText = map[string]string{
	"id": "hash of run and request; of human rows, of source and text", "messages": "the conversation, the answer as its last message",
	"prompt": "the prompt's messages", "completion": "the answer, as a list of one message", "text": "the contents of all messages, a blank line between two",
	"reasoning": "the teacher's reasoning, where it sent some", "teacher": "name of the teacher that answered", "model": "the model asked for",
	"revision": "which weights, as declared", "generation": "0 is human text; an answer is one step deeper than its sources and its teacher's training data; null is unknown",
	"origin": "human or generated", "source": "where the prompt came from", "source_license": "licence of that source",
	"prompt_id": "hash of the prompt's messages", "request_id": "hash of prompt, teacher, parameters and sample number",
	"finish_reason": "why the teacher ended", "input_tokens": "as the teacher counted", "output_tokens": "as the teacher counted",
	"signals": "what the checks measured of the record", "cluster_size": "how many near-duplicates the record stands for, itself included",
	"run": "the run that made the record",
}

func (p *Papers) modelsText() string {
	var all []string
	for _, t := range p.Teachers() {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s (licence %s; training on its outputs: %s)", t.Model, t.Revision, orElse(t.Terms.License, "not declared"), orElse(t.Terms.Training, "not declared"))))
	}
	return "Models: " + strings.Join(all, "; ") + "."
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
