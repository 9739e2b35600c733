package schema

// What a check does with a record that breaks its limit.
const (
	DoOff  = "off"  // not looked at
	DoTag  = "tag"  // kept, with the signal and a tag
	DoDrop = "drop" // rejected with the check's name as its reason
)

// Scopes of duplicates.
const (
	ScopePrompt  = "prompt"  // among answers to the same prompt, whichever teacher
	ScopeDataset = "dataset" // among all records of the dataset
)

// Checks are the checks of a recipe. In YAML each is `off`, `tag` or `drop`, or a mapping with `do:` and
// thresholds. The field name in YAML is the reason in rejects and manifests.
type Checks struct {
	Empty         Check         `yaml:"empty" json:"empty" doc:"no text, or nothing but white space and punctuation (default drop)"`
	Truncated     Check         `yaml:"truncated" json:"truncated" doc:"finish reason length or content_filter (default drop)"`
	Refusal       Check         `yaml:"refusal" json:"refusal" doc:"the teacher declines to answer (default drop)"`
	Identity      Check         `yaml:"identity" json:"identity" doc:"an assistant says in the first person which model or company it is (default drop)"`
	Repetition    LimitsCheck   `yaml:"repetition" json:"repetition" doc:"repeated lines and n-grams (Rae et al. 2021), limits by language (default drop)"`
	Quality       LimitsCheck   `yaml:"quality" json:"quality" doc:"word lengths, symbols, bullets, stop words (Rae et al. 2021; FineWeb) (default tag)"`
	Language      LanguageCheck `yaml:"language" json:"language" doc:"the language of the answer (default off; drop where want is given)"`
	Length        LengthCheck   `yaml:"length" json:"length" doc:"words of the answer (default drop where a bound is given)"`
	Echo          Check         `yaml:"echo" json:"echo" doc:"the answer repeats the prompt (default tag)"`
	Template      Check         `yaml:"template" json:"template" doc:"left-overs of chat templates and placeholders (default drop)"`
	Reasoning     Check         `yaml:"reasoning" json:"reasoning" doc:"reasoning tags leaked into the answer (default drop)"`
	Schema        Check         `yaml:"schema" json:"schema" doc:"the answer breaks response.schema (default drop where there is one)"`
	Secrets       Check         `yaml:"secrets" json:"secrets" doc:"keys, tokens and passwords in the answer, by gitleaks' rules (default tag)"`
	Personal      Check         `yaml:"personal" json:"personal" doc:"e-mail addresses, phone, card and account numbers in the answer (default tag)"`
	Exact         ExactCheck    `yaml:"exact" json:"exact" doc:"the same normalized text again (default drop, scope prompt)"`
	Near          NearCheck     `yaml:"near" json:"near" doc:"near-duplicates by MinHash and exact Jaccard (default drop, scope prompt)"`
	Contamination Contamination `yaml:"contamination" json:"contamination" doc:"overlap with evaluation sets (default drop where against is given)"`
}

// Check is a check without thresholds.
type Check struct {
	Do string `yaml:"do" json:"do" enum:"off tag drop" doc:"off | tag | drop"`
}

// LimitsCheck overrides limits of signals by name, such as {dup_line_fraction: 0.4}.
type LimitsCheck struct {
	Do     string             `yaml:"do" json:"do" enum:"off tag drop" doc:"off | tag | drop"`
	Limits map[string]float64 `yaml:"limits" json:"limits,omitempty" doc:"limit by signal name, in place of the language's own"`
}

// LanguageCheck wants answers in one of some languages.
type LanguageCheck struct {
	Do   string   `yaml:"do" json:"do" enum:"off tag drop" doc:"off | tag | drop"`
	Want []string `yaml:"want" json:"want,omitempty" doc:"ISO 639-1 codes"`
}

// LengthCheck bounds the words of an answer (characters where the language has no spaces); 0 is no bound.
type LengthCheck struct {
	Do  string `yaml:"do" json:"do" enum:"off tag drop" doc:"off | tag | drop"`
	Min int    `yaml:"min" json:"min,omitempty" min:"0" max:"1000000" doc:"fewest words"`
	Max int    `yaml:"max" json:"max,omitempty" min:"1" max:"10000000" doc:"most words"`
}

// ExactCheck finds the same normalized text.
type ExactCheck struct {
	Do    string `yaml:"do" json:"do" enum:"off tag drop" doc:"off | tag | drop"`
	Scope string `yaml:"scope" json:"scope" enum:"prompt dataset" doc:"prompt | dataset"`
}

// AgainstAnchor is what checks.near.against calls the recipe's own anchor.
const AgainstAnchor = "anchor"

// NearCheck finds near-duplicates. A hit of the other scope is flagged, never dropped.
type NearCheck struct {
	Do         string   `yaml:"do" json:"do" enum:"off tag drop" doc:"off | tag | drop"`
	Scope      string   `yaml:"scope" json:"scope" enum:"prompt dataset" doc:"prompt | dataset"`
	Jaccard    float64  `yaml:"jaccard" json:"jaccard" min:"0.3" max:"1" doc:"similarity of word shingles from which two texts are near-duplicates (default 0.8)"`
	Shingle    int      `yaml:"shingle" json:"shingle" min:"1" max:"50" doc:"words of a shingle (default 5)"`
	Bands      int      `yaml:"bands" json:"bands" min:"1" max:"128" doc:"LSH bands (default 16)"`
	Rows       int      `yaml:"rows" json:"rows" min:"1" max:"64" doc:"rows of a band (default 8)"`
	MostShare  float64  `yaml:"most_share" json:"most_share" above:"0" max:"1" doc:"a run of which a larger share are duplicates is held (default 0.3)"`
	Against    []string `yaml:"against" json:"against,omitempty" doc:"other datasets (NAME or NAME@N), files, or anchor for the recipe's own human text: their texts must not come again, whatever the prompt"`
	NearPrompt float64  `yaml:"near_prompt" json:"near_prompt,omitempty" min:"0.3" max:"1" doc:"prompts whose similarity (Jaccard index of three-word shingles) to an earlier one of the run reaches this are not asked; variants by vary count too (default off)"`
}

// Contamination compares answers and prompts with evaluation sets.
type Contamination struct {
	Do      string   `yaml:"do" json:"do" enum:"off tag drop" doc:"off | tag | drop"`
	Against []string `yaml:"against" json:"against,omitempty" doc:"s3:// URIs or paths of evaluation sets"`
	NGram   int      `yaml:"ngram" json:"ngram,omitempty" min:"3" max:"50" doc:"words of an n-gram (default 8)"`
	Share   float64  `yaml:"share" json:"share,omitempty" above:"0" max:"1" doc:"share of an item's tokens that must be covered (default 0.5; Tülu 3)"`
}

// Signal is one measured property of a record.
type Signal struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}
