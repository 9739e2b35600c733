package schema

import (
	"slices"
	"strings"
)

// Recipe is what a person writes to have a dataset generated. ParseRecipe reads it strictly and fills in
// the defaults; the field comments are what `retort check --schema` and docs/recipes.md say.
type Recipe struct {
	Dataset       string        `yaml:"dataset" json:"dataset" required:"yes" doc:"name of the dataset: lower-case letters, digits, - _ . and /, without . or .. as a part"`
	Description   string        `yaml:"description" json:"description,omitempty" doc:"one or two sentences for the dataset card"`
	License       string        `yaml:"license" json:"license,omitempty" doc:"licence of the dataset to be published, as an SPDX or Hugging Face identifier"`
	Prompts       []Source      `yaml:"prompts" json:"prompts" required:"yes" doc:"where the columns of the prompts come from"`
	Licenses      Licenses      `yaml:"licenses" json:"licenses,omitzero" doc:"licences that nothing published may have of its sources"`
	Vary          Vary          `yaml:"vary" json:"vary,omitzero" doc:"lists of values; every combination is asked, or 'sample: N' of them, drawn by seed"`
	Messages      []Template    `yaml:"messages" json:"messages" required:"yes" doc:"the conversation to be sent: Go text/template over the source's columns and vary"`
	Samples       int           `yaml:"samples" json:"samples" min:"1" max:"1000" doc:"answers asked for each prompt (default 1)"`
	Rows          int64         `yaml:"rows" json:"rows,omitempty" min:"1" doc:"stop when this many records are admitted (default: no limit)"`
	Seed          uint64        `yaml:"seed" json:"seed" doc:"seed of every random choice (default 1)"`
	Teachers      []TeacherUse  `yaml:"teachers" json:"teachers" required:"yes" doc:"names of teachers in temporal.yaml, with the share of the prompts that each gets"`
	Sampling      Sampling      `yaml:"sampling" json:"sampling" doc:"parameters sent to every teacher"`
	Response      ResponseShape `yaml:"response" json:"response" doc:"the shape of an answer"`
	Checks        Checks        `yaml:"checks" json:"checks" doc:"what is checked; each is off, tag or drop, with thresholds"`
	MaxGeneration *int          `yaml:"max_generation" json:"max_generation,omitempty" min:"0" doc:"deepest generation allowed; deeper is refused where known (default: no limit)"`
	Anchor        *Anchor       `yaml:"anchor" json:"anchor,omitempty" doc:"human text that degradation is measured against"`
	Gate          Gate          `yaml:"gate" json:"gate" doc:"the test that holds a run whose answers degrade"`
	Mix           Mix           `yaml:"mix" json:"mix" doc:"human rows mixed into what is published"`
	Budget        Budget        `yaml:"budget" json:"budget" doc:"what a run may spend"`
	Failed        float64       `yaml:"failed" json:"failed" min:"0" max:"1" doc:"a run of which a larger share failed is held (default 0.05)"`
	Rejected      float64       `yaml:"rejected" json:"rejected" above:"0" max:"1" doc:"a run is held when checks turn away a larger share of its answers, duplicates aside, once 30 are decided (default 0.9); 1 never holds"`
	Reuse         string        `yaml:"reuse" json:"reuse" enum:"never failed-run always" doc:"take answers to the same request from earlier runs of the dataset: never | failed-run | always (default failed-run)"`
	Output        Output        `yaml:"output" json:"output" doc:"what is published"`
	Schedule      *Schedule     `yaml:"schedule" json:"schedule,omitempty" doc:"when it runs by itself"`

	// Places gives the position in the file of each key path, such as "teachers[0].weight", so that faults
	// found later (a missing column, an unknown teacher) can name it.
	Places map[string]Place `yaml:"-" json:"-"`
	File   string           `yaml:"-" json:"-"`

	blocks map[string]Place // first character of texts written as blocks (content: |), by key path
}

// Place is a position in a file; Line and Col count from 1.
type Place struct{ Line, Col int }

// At returns a fault at the place of path, or of its nearest parent that has one.
func (r *Recipe) At(path, what, mend string) Fault {
	return faultAt(r.File, r.Places, path, what, mend)
}

// Source is a set of files with one licence. From is a path or an s3:// URI, either with glob characters.
type Source struct {
	From    string `yaml:"from" json:"from" required:"yes" doc:"s3://BUCKET/KEY or a path relative to the recipe; * and ? match within a name; .parquet .jsonl .csv .txt, also .gz and .zst"`
	License string `yaml:"license" json:"license" required:"yes" doc:"licence of the source; required"`
	Column  string `yaml:"license_column" json:"license_column,omitempty" doc:"column with the licence of each row, where they differ; an empty one has the source's. A Retort shard's own source_license wins over both"`
	Origin  string `yaml:"origin" json:"origin" enum:"human generated unknown" doc:"human | generated | unknown (default unknown); a Retort shard's own lineage wins over it"`
	Limit   int64  `yaml:"limit" json:"limit,omitempty" min:"1" doc:"read at most this many rows"`
	Key     string `yaml:"key" json:"key,omitempty" doc:"column that names a row, for matching with the anchor (default: the anchor's key)"`
}

// Licenses leaves rows out by their licence.
type Licenses struct {
	Exclude []string `yaml:"exclude" json:"exclude,omitempty" doc:"rows of sources with one of these licences are left out, whatever the case of its letters; check says how many"`
}

// Excluded says whether a licence is left out.
func (l Licenses) Excluded(license string) bool {
	return slices.ContainsFunc(l.Exclude, func(x string) bool { return strings.EqualFold(strings.TrimSpace(x), strings.TrimSpace(license)) })
}

// Vary lists values by name. Names are used in order of the alphabet.
type Vary struct {
	Values map[string][]any `yaml:",inline" json:"values,omitempty"`
	Sample int              `yaml:"sample" json:"sample,omitempty" min:"1" doc:"ask only this many of the combinations for each row, drawn by seed"`
}

// Template is one message of the conversation, its content a Go text/template.
type Template struct {
	Role    string `yaml:"role" json:"role" enum:"system user assistant" required:"yes" doc:"system | user | assistant"`
	Content string `yaml:"content" json:"content" required:"yes" doc:"Go text/template over the source's columns and vary; a missing or null value is an error"`
}

// TeacherUse names a teacher and its share.
type TeacherUse struct {
	Name     string    `yaml:"name" json:"name" required:"yes" doc:"a teacher of temporal.yaml"`
	Weight   float64   `yaml:"weight" json:"weight" above:"0" max:"1000000" doc:"share of the prompts, relative to the other weights (default 1)"`
	Sampling *Sampling `yaml:"sampling" json:"sampling,omitempty" doc:"parameters that differ for this teacher"`
}

// Sampling holds the parameters of a request; nil fields are not sent.
type Sampling struct {
	Temperature      *float64 `yaml:"temperature" json:"temperature,omitempty" min:"0" max:"2" doc:"0 to 2"`
	TopP             *float64 `yaml:"top_p" json:"top_p,omitempty" above:"0" max:"1" doc:"above 0, up to 1"`
	MaxTokens        *int     `yaml:"max_tokens" json:"max_tokens,omitempty" min:"1" max:"1000000" doc:"most tokens of an answer (default 1024)"`
	FrequencyPenalty *float64 `yaml:"frequency_penalty" json:"frequency_penalty,omitempty" min:"-2" max:"2" doc:"-2 to 2"`
	PresencePenalty  *float64 `yaml:"presence_penalty" json:"presence_penalty,omitempty" min:"-2" max:"2" doc:"-2 to 2"`
	Stop             []string `yaml:"stop" json:"stop,omitempty" doc:"up to 4 strings that end an answer"`
}

// Over returns s with the fields that o sets replaced.
func (s Sampling) Over(o *Sampling) Sampling {
	if o == nil {
		return s
	}
	pick(&s.Temperature, o.Temperature)
	pick(&s.TopP, o.TopP)
	pick(&s.MaxTokens, o.MaxTokens)
	pick(&s.FrequencyPenalty, o.FrequencyPenalty)
	pick(&s.PresencePenalty, o.PresencePenalty)
	if o.Stop != nil {
		s.Stop = o.Stop
	}
	return s
}

func pick[T any](to **T, from *T) {
	if from != nil {
		*to = from
	}
}

// ResponseShape says what an answer must look like and what is kept of it.
type ResponseShape struct {
	Schema    string `yaml:"schema" json:"schema,omitempty" doc:"path of a JSON Schema that every answer must satisfy; no remote or file references"`
	Reasoning string `yaml:"reasoning" json:"reasoning" enum:"keep drop" doc:"keep | drop the teacher's reasoning text (default keep: its own column)"`
	Repair    int    `yaml:"repair" json:"repair,omitempty" min:"0" max:"3" doc:"times a teacher is asked again for an answer that breaks the schema, 0 to 3 (default 1)"`

	Finish map[string]string `yaml:"finish" json:"finish,omitempty" enum:"keep tag drop fail" doc:"what becomes of answers by the reason why the teacher ended them, such as {length: tag, content_filter: fail}: keep | tag | drop | fail (default: checks.truncated for length and content_filter, keep for others)"`
}

// Anchor is human text in files.
type Anchor struct {
	From    string  `yaml:"from" json:"from" doc:"s3://BUCKET/KEY or a path relative to the recipe"`
	Text    string  `yaml:"text" json:"text" doc:"column with the text (default text)"`
	Key     string  `yaml:"key" json:"key,omitempty" doc:"column that matches a text to the prompt of the same key"`
	License string  `yaml:"license" json:"license,omitempty" doc:"licence of the text, which mix publishes with every human row (default unknown)"`
	Holdout float64 `yaml:"holdout" json:"holdout" above:"0" below:"0.9" doc:"share of the texts that is kept apart from the measuring, for mix to publish (default 0.1); it and the seed say which texts, so keep both from version to version"`
	Version int     `yaml:"version" json:"version,omitempty" min:"1" doc:"pinned earlier version of this dataset, once there is one: the trend is measured against what its teachers said"`
}

// Gate is the false-alarm budget of a run and what happens to a held one.
type Gate struct {
	FalseAlarm float64            `yaml:"false_alarm" json:"false_alarm" above:"0" max:"0.5" doc:"probability that a healthy run is held (default 0.01)"`
	Tolerance  string             `yaml:"tolerance" json:"tolerance" enum:"wide 0" doc:"wide | 0: how far answers may stand from the pinned version, where there is one, else from the human text (default 0 for a version, wide for human text)"`
	Ceilings   map[string]float64 `yaml:"ceilings" json:"ceilings,omitempty" above:"0" below:"1" doc:"highest healthy share of answers on which a check finds something, such as {refusal: 0.02, truncated: 0.1}; duplicate stands for both kinds of duplicates. A rate that is proven to be above it holds the run"`
	Expires    Duration           `yaml:"expires" json:"expires" doc:"a held run is cancelled after this long, such as 7d (default 7d)"`
	Off        bool               `yaml:"off" json:"off,omitempty" doc:"true publishes without the gate, and the manifest says so"`
}

// Mix is the share of human rows.
type Mix struct {
	Human float64 `yaml:"human" json:"human" min:"0" max:"0.95" doc:"share of human rows in what is published, from the anchor's holdout, 0 to 0.95"`
}

// Budget bounds a run; nil means unbounded.
type Budget struct {
	USD      *float64 `yaml:"usd" json:"usd,omitempty" above:"0" max:"1000000000" doc:"most US dollars to be spent; needs a known price of every teacher"`
	Requests *int64   `yaml:"requests" json:"requests,omitempty" min:"1" doc:"most requests to be sent"`
}

// Micros returns the budget in micro-dollars, or -1 where there is none.
func (b Budget) Micros() int64 {
	if b.USD == nil {
		return -1
	}
	return int64(*b.USD*1e6 + 0.5)
}

// Output says what is published.
type Output struct {
	Format   string             `yaml:"format" json:"format" enum:"messages prompt-completion text" doc:"messages | prompt-completion | text (default messages)"`
	Previous string             `yaml:"previous" json:"previous" enum:"keep supersede" doc:"keep | supersede the shards of earlier versions (default keep)"`
	ShardMB  int                `yaml:"shard_mb" json:"shard_mb" min:"1" max:"4096" doc:"size of a shard in MB, compressed, 1 to 4096 (default 256)"`
	Splits   map[string]float64 `yaml:"splits" json:"splits,omitempty" above:"0" below:"0.5" doc:"share of each split besides train, such as {test: 0.01}"`
	OnBudget string             `yaml:"on_budget" json:"on_budget" enum:"hold publish" doc:"hold | publish when the budget is reached (default hold)"`
}

// Schedule is when a recipe runs by itself.
type Schedule struct {
	Cron     string `yaml:"cron" json:"cron" required:"yes" doc:"five fields: minute hour day month weekday"`
	Timezone string `yaml:"timezone" json:"timezone" doc:"IANA name (default UTC)"`
	Overlap  string `yaml:"overlap" json:"overlap" enum:"skip buffer" doc:"skip | buffer when a run is still under way (default skip)"`
	Probe    string `yaml:"probe" json:"probe" enum:"report skip off" doc:"report | skip | off: before each run the teachers are asked six fixed prompts, for cents; one that answers otherwise than the time before, or under another name, is reported, or the night skipped (default report)"`
	New      bool   `yaml:"new" json:"new,omitempty" doc:"ask only for prompts that the dataset has no answer to yet"`
}
