package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/goccy/go-yaml"

	"github.com/retort-data/retort/schema"
)

// cardHeader is the YAML that the Hugging Face hub reads (its page "Dataset card metadata"), and which version the card is of.
type cardHeader struct {
	License     string       `yaml:"license"`
	LicenseName string       `yaml:"license_name,omitempty"`
	LicenseLink string       `yaml:"license_link,omitempty"`
	Language    []string     `yaml:"language,omitempty"`
	PrettyName  string       `yaml:"pretty_name"`
	Sizes       []string     `yaml:"size_categories"`
	Tasks       []string     `yaml:"task_categories"`
	Creators    []string     `yaml:"language_creators"`
	Sources     []string     `yaml:"source_datasets"`
	Tags        []string     `yaml:"tags"`
	Configs     []cardConfig `yaml:"configs"`
	Retort      cardVersion  `yaml:"retort"`
}

type cardConfig struct {
	Name  string     `yaml:"config_name"`
	Files []cardFile `yaml:"data_files"`
}

type cardFile struct {
	Split string   `yaml:"split"`
	Path  []string `yaml:"path"`
}

type cardVersion struct {
	Version  int    `yaml:"version"`
	Run      string `yaml:"run"`
	Manifest string `yaml:"manifest_sha256"`
}

// Card is the dataset card: README.md of the dataset's folder.
func (p *Papers) Card() ([]byte, error) {
	header, err := yaml.MarshalWithOptions(p.cardHeader(), yaml.IndentSequence(true))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "---\n%s---\n\n", header)
	if err := cardBody.Execute(&b, p); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func (p *Papers) cardHeader() cardHeader {
	m := p.Manifest
	h := cardHeader{License: hubLicense(m.License), PrettyName: visible(m.Dataset), Sizes: []string{sizeCategory(p.Rows())}, Tasks: []string{"text-generation"},
		Creators: []string{"machine-generated"}, Sources: []string{"original"}, Tags: []string{"synthetic", "retort", "parquet"},
		Retort: cardVersion{m.Version, m.Run, p.Digest}}
	if h.License == "other" {
		h.LicenseName, h.LicenseLink = visible(m.License), licenseURL(m.License)
	}
	if p.Summary != nil {
		for _, l := range p.Summary.mostLanguages() {
			h.Language = append(h.Language, l.Name)
		}
	}
	if m.HumanShare > 0 {
		h.Creators = append(h.Creators, "found")
	}
	config := cardConfig{Name: "default"}
	names, shards := p.Splits()
	for _, split := range names {
		f := cardFile{Split: split}
		for _, s := range shards[split] {
			f.Path = append(f.Path, RelativePath(m.Dataset, s))
		}
		config.Files = append(config.Files, f)
	}
	h.Configs = []cardConfig{config}
	return h
}

// RelativePath is a shard's place within the dataset's folder.
func RelativePath(dataset string, s schema.Shard) string {
	if i := strings.LastIndex(s.Key, dataset+"/data/"); i >= 0 {
		return s.Key[i+len(dataset)+1:]
	}
	return s.Key
}

// leastShare is what a language must have of the records to be named: below it most are errors of recognition.
const leastShare = 0.01

// mostLanguages are the languages of one record in a hundred or more.
func (s *Summary) mostLanguages() (named []Count) {
	var all int64
	for _, l := range s.Languages {
		all += l.N
	}
	for _, l := range s.Languages {
		if l.Name != "" && float64(l.N) >= leastShare*float64(all) {
			named = append(named, l)
		}
	}
	return named
}

// sizeCategory is the hub's name for a number of records.
func sizeCategory(rows int64) string {
	names := []string{"n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B", "1B<n<10B", "10B<n<100B", "100B<n<1T"}
	at := 0
	for limit := int64(1000); rows >= limit && at < len(names)-1; limit *= 10 {
		at++
	}
	return names[at]
}

var cardVersionLine = regexp.MustCompile(`(?m)\Aretort:\n  version: (\d+)$`)

// CardVersion is the version that a card is of; 0 where it doesn't say.
func CardVersion(card []byte) int {
	header, _, ok := bytes.Cut(bytes.TrimPrefix(card, []byte("---\n")), []byte("\n---\n"))
	if at := bytes.LastIndex(header, []byte("\nretort:\n")); ok && at >= 0 {
		if m := cardVersionLine.FindSubmatch(header[at+1:]); m != nil {
			n, _ := strconv.Atoi(string(m[1])) //nolint:errcheck // digits; too many give no version
			return n
		}
	}
	return 0
}

//go:embed card.md.tmpl
var cardText string

var cardBody = template.Must(template.New("card").Funcs(template.FuncMap{
	"md": markdown, "code": code, "number": number, "size": byteSize, "dollars": dollars, "percent": percent, "short": shortDigest,
	"reasons": reasons, "binding": binding, "join": joinMarkdown, "formatText": formatText, "generationText": generationText,
}).Parse(cardText))

// Row is a name with a number, for tables.
type Row struct {
	Name string
	N    int64
}

// reasons lists counts by name, largest first.
func reasons(counts map[string]int64) (rows []Row) {
	for name, n := range counts {
		rows = append(rows, Row{name, n})
	}
	slices.SortFunc(rows, func(a, b Row) int {
		if a.N != b.N {
			return int(min(1, max(-1, b.N-a.N)))
		}
		return strings.Compare(a.Name, b.Name)
	})
	return rows
}

// GenerationRows are the records by generation, human text first, the unknown last.
func (p *Papers) GenerationRows() (rows []Row) {
	for name, n := range p.Manifest.Generations {
		rows = append(rows, Row{name, n})
	}
	depth := func(name string) int {
		n, err := strconv.Atoi(name)
		if err != nil {
			return 1 << 30
		}
		return n
	}
	slices.SortFunc(rows, func(a, b Row) int { return depth(a.Name) - depth(b.Name) })
	return rows
}

func generationText(name string) string {
	switch name {
	case "0":
		return "human text"
	case "1":
		return "answers to prompts of human origin, by teachers that are declared to be trained on no Retort dataset"
	case "unknown":
		return "the origin of the source, or of the teacher's training data, was not declared"
	}
	return "answers of which a prompt or a teacher is " + name + " steps from human text"
}

// Binding is what a teacher's terms ask of a student and of who passes the dataset on.
type Binding struct{ Teacher, What, Text string }

// binding lists the terms that bind.
func binding(teachers []schema.ManifestTeacher) (all []Binding) {
	for _, t := range teachers {
		for _, b := range t.Terms.Binding() {
			all = append(all, Binding{t.Name, b[0], b[1]})
		}
	}
	return all
}

func joinMarkdown(all []string) string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = code(s)
	}
	return strings.Join(out, ", ")
}

func formatText(layout string) string {
	switch layout {
	case schema.FormatMessages:
		return "`messages`: the whole conversation, the answer as its last message"
	case schema.FormatPromptCompletion:
		return "`prompt` and `completion`: lists of messages, the conversational form of TRL"
	}
	return "`text`: the contents of all messages, a blank line between two"
}
