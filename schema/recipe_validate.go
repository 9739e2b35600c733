package schema

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // time zones where the system has none, as in a container from scratch

	"github.com/robfig/cron"
)

// checkRecipe finds what types and ranges alone don't show.
func checkRecipe(r *Recipe, d *document) {
	if what, mend := datasetFault(r.Dataset); what != "" {
		d.add("dataset", what, mend)
	}
	checkLicense(d, "license", r.License, false)
	checkLicenses(r, d)
	checkPromptSources(r, d)
	checkVary(r, d)
	checkMessages(r, d)
	checkTeacherUses(r, d)
	checkSampling(d, "sampling", &r.Sampling)
	checkResponse(r, d)
	checkChecks(&r.Checks, d)
	checkAnchorAndMix(r, d)
	checkGate(r, d)
	checkSplits(r, d)
	checkSchedule(r, d)
}

var datasetPart = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]*$`)

// CheckDataset says what is wrong with the name of a dataset, or nil. The name becomes part of S3 keys and of a workflow's id.
func CheckDataset(name string) error {
	if what, mend := datasetFault(name); what != "" {
		return &Error{Kind: KindInvalid, Code: "dataset_name", Op: "dataset", Subject: quoteShort(name), Cause: fmt.Errorf("%s", what), Hint: mend}
	}
	return nil
}

func datasetFault(name string) (what, mend string) {
	const form = "use lower-case letters, digits, - _ . and /, such as science-answers or team/science-answers"
	switch {
	case name == "":
		return "is empty", form
	case len(name) > 100:
		return fmt.Sprintf("has %d characters", len(name)), "at most 100 are allowed"
	case strings.HasPrefix(name, "/"), strings.HasSuffix(name, "/"):
		return "is " + quoteShort(name), "remove the slash at its start or end; " + form
	}
	for part := range strings.SplitSeq(name, "/") {
		switch {
		case part == "." || part == "..":
			return "is " + quoteShort(name), "a part . or .. would leave the store's prefix; " + form
		case strings.HasPrefix(part, "_"):
			return "is " + quoteShort(name), "no part may begin with an underscore: Retort keeps its own files there; " + form
		case !datasetPart.MatchString(part) || strings.Contains(part, ".."):
			return "is " + quoteShort(name), form
		case part == "data" || part == "croissant.json":
			return "is " + quoteShort(name), "no part may be `" + part + "`: a dataset keeps its own files there; " + form
		}
	}
	return "", ""
}

func checkLicenses(r *Recipe, d *document) {
	for i, x := range r.Licenses.Exclude {
		checkLicense(d, fmt.Sprintf("licenses.exclude[%d]", i), x, true)
	}
	if a := r.Anchor; a != nil && r.Mix.Human > 0 && r.Licenses.Excluded(a.License) {
		d.add("mix.human", "would publish text under "+quoteShort(a.License)+", which licenses.exclude leaves out", "set mix.human to 0, or take human text with another licence")
	}
}

var licenseForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.+_() -]{0,99}$`)

func checkLicense(d *document, path, license string, required bool) {
	if license == "" && !required {
		return
	}
	if !licenseForm.MatchString(license) {
		d.add(path, "is "+quoteShort(license), "give an SPDX or Hugging Face identifier, such as cc-by-4.0 or Apache-2.0; `unknown` is honest where nobody knows")
	}
}

func checkPromptSources(r *Recipe, d *document) {
	if len(r.Prompts) == 0 {
		d.add("prompts", "has no source", "give at least one, such as `- {from: questions.jsonl, license: cc-by-4.0}`")
	}
	for i, s := range r.Prompts {
		path := fmt.Sprintf("prompts[%d]", i)
		checkFrom(d, path+".from", s.From)
		checkLicense(d, path+".license", s.License, true)
	}
}

// SourceExtensions are the forms of a source, each also with .gz and .zst.
var SourceExtensions = []string{".parquet", ".jsonl", ".csv", ".txt"}

// SourceFormat returns the extension that decides how a file is read, and its compression (.gz, .zst or "").
func SourceFormat(name string) (format, compression string, ok bool) {
	for _, c := range []string{".gz", ".zst"} {
		if bare, cut := strings.CutSuffix(name, c); cut {
			name, compression = bare, c
			break
		}
	}
	for _, f := range SourceExtensions {
		if strings.HasSuffix(name, f) {
			return f, compression, true
		}
	}
	return "", "", false
}

func checkFrom(d *document, path, from string) {
	const forms = "name files that end in .parquet, .jsonl, .csv or .txt, or one of these with .gz or .zst"
	if from == "" {
		d.add(path, "is empty", forms)
		return
	}
	if scheme, _, ok := strings.Cut(from, "://"); ok && scheme != "s3" {
		d.add(path, "is "+quoteShort(from), "sources are s3://BUCKET/KEY or local paths")
		return
	}
	if rest, ok := strings.CutPrefix(from, "s3://"); ok {
		bucket, key, _ := strings.Cut(rest, "/")
		if bucket == "" || key == "" || strings.ContainsAny(bucket, "*?[") {
			d.add(path, "is "+quoteShort(from), "write s3://BUCKET/KEY; only the key may have * and ?")
			return
		}
	}
	if _, _, ok := SourceFormat(from); !ok {
		d.add(path, "is "+quoteShort(from), forms)
	}
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// maxCombinations bounds what vary multiplies a row by.
const maxCombinations = 100_000

func checkVary(r *Recipe, d *document) {
	combinations := 1
	for name, values := range r.Vary.Values {
		path := "vary." + name
		if !identifier.MatchString(name) {
			d.add(path, "the name is "+quoteShort(name), "use letters, digits and _, so that templates can say {{.name}}")
		}
		if len(values) == 0 {
			d.add(path, "has no values", "give a list, such as [plain, formal]")
		}
		combinations = min(combinations*max(len(values), 1), maxCombinations+1)
	}
	if combinations > maxCombinations {
		d.add("vary", fmt.Sprintf("has more than %d combinations for each row", maxCombinations), "remove values; `sample: N` draws from the combinations, it doesn't raise this limit")
	}
	if r.Vary.Sample > 0 && len(r.Vary.Values) == 0 {
		d.add("vary.sample", "has nothing to draw from", "give lists of values by name beside it")
	}
}

func checkMessages(r *Recipe, d *document) {
	if len(r.Messages) == 0 {
		d.add("messages", "has no message", "give at least one of role user")
		return
	}
	for i, m := range r.Messages {
		path := fmt.Sprintf("messages[%d]", i)
		if m.Role == "system" && i > 0 {
			d.add(path+".role", "is a system message after another message", "only the first message may be of role system")
		}
		if i > 0 && m.Role != "system" && m.Role == r.Messages[i-1].Role {
			d.add(path+".role", "follows another message of role "+m.Role, "let user and assistant take turns")
		}
		if strings.TrimSpace(m.Content) == "" {
			d.add(path+".content", "is empty", "write the text of the message")
		}
		checkTemplate(d, r, path+".content", m.Content)
	}
	if last := len(r.Messages) - 1; r.Messages[last].Role != "user" {
		d.add(fmt.Sprintf("messages[%d].role", last), "the last message is of role "+quoteShort(r.Messages[last].Role), "the last one must be of role user: it is what the teacher answers")
	}
	if first := r.Messages[0].Role; first == "assistant" {
		d.add("messages[0].role", "the first message is of role assistant", "begin with system or user")
	}
}

func checkTeacherUses(r *Recipe, d *document) {
	if len(r.Teachers) == 0 {
		d.add("teachers", "has no teacher", "name at least one of temporal.yaml, such as `- {name: qwen-32b}`")
	}
	first := map[string]int{}
	for i := range r.Teachers {
		t, path := &r.Teachers[i], fmt.Sprintf("teachers[%d]", i)
		if j, twice := first[t.Name]; twice && t.Name != "" {
			d.add(path+".name", "names "+quoteShort(t.Name)+" again", fmt.Sprintf("name a teacher once; teachers[%d] does already", j))
		}
		first[t.Name] = i
		if t.Name == "" {
			d.add(path+".name", "is empty", "give the name of a teacher of temporal.yaml")
		}
		if t.Sampling != nil {
			checkSampling(d, path+".sampling", t.Sampling)
		}
	}
}

func checkSampling(d *document, path string, s *Sampling) {
	if len(s.Stop) > 4 {
		d.add(path+".stop", fmt.Sprintf("has %d strings", len(s.Stop)), "at most 4 are sent")
	}
	if slices.Contains(s.Stop, "") {
		d.add(path+".stop", "has an empty string", "remove it")
	}
}

func checkResponse(r *Recipe, d *document) {
	if strings.Contains(r.Response.Schema, "://") {
		d.add("response.schema", "is "+quoteShort(r.Response.Schema), "give a path relative to the recipe; schemas are not fetched")
	}
	if r.Checks.Schema.Do != DoOff && r.Response.Schema == "" && r.has("checks.schema") {
		d.add("checks.schema", "has no schema to check against", "give response.schema, or remove this check")
	}
	for _, reason := range slices.Sorted(maps.Keys(r.Response.Finish)) {
		if !finishReason.MatchString(reason) {
			d.add("response.finish", "names the reason "+quoteShort(reason), "name it as the teacher does, such as length or content_filter")
		}
	}
	if d.has("response.repair") && r.Response.Schema == "" && r.Response.Repair > 0 {
		d.add("response.repair", "has no schema that an answer could break", "give response.schema, or remove this key")
	}
}

func (d *document) has(path string) bool { _, ok := d.places[path]; return ok }

var finishReason = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

var languageCode = regexp.MustCompile(`^[a-z]{2,3}$`)

func checkChecks(c *Checks, d *document) {
	for i, l := range c.Language.Want {
		if !languageCode.MatchString(l) {
			d.add(fmt.Sprintf("checks.language.want[%d]", i), "is "+quoteShort(l), "give ISO 639-1 codes, such as en or de")
		}
	}
	if c.Language.Do != DoOff && len(c.Language.Want) == 0 {
		d.add("checks.language", "names no language", "give them, such as {want: [en], do: drop}")
	}
	if c.Length.Max > 0 && c.Length.Min > c.Length.Max {
		d.add("checks.length", fmt.Sprintf("min %d is above max %d", c.Length.Min, c.Length.Max), "no answer could pass; make min the smaller one")
	}
	if c.Length.Do != DoOff && c.Length.Min == 0 && c.Length.Max == 0 {
		d.add("checks.length", "has no bound", "give min, max or both")
	}
	if n := c.Near.Bands * c.Near.Rows; n > 1024 {
		d.add("checks.near", fmt.Sprintf("bands × rows is %d", n), "at most 1024 hashes are taken of a text; 16 × 8 is the default")
	}
	for i, a := range c.Near.Against {
		checkAgainst(d, fmt.Sprintf("checks.near.against[%d]", i), a, true)
	}
	if c.Contamination.Do != DoOff && len(c.Contamination.Against) == 0 {
		d.add("checks.contamination", "names nothing to compare with", "give evaluation sets, such as {against: [s3://evals/*.jsonl]}")
	}
	for i, a := range c.Contamination.Against {
		checkAgainst(d, fmt.Sprintf("checks.contamination.against[%d]", i), a, false)
	}
}

// checkAgainst accepts files, and datasets (NAME or NAME@N) where those may be named.
func checkAgainst(d *document, path, against string, datasets bool) {
	if _, _, isFile := SourceFormat(against); isFile || strings.Contains(against, "://") {
		checkFrom(d, path, against)
		return
	}
	if !datasets {
		checkFrom(d, path, against)
		return
	}
	if _, _, err := ParseDatasetVersion(against); err != nil {
		d.add(path, "is "+quoteShort(against), "give files, or a dataset as NAME or NAME@VERSION")
	}
}

var versionNumber = regexp.MustCompile(`^[1-9][0-9]{0,5}$`)

// ParseDatasetVersion reads NAME (version 0: the newest) or NAME@N.
func ParseDatasetVersion(s string) (dataset string, version int, err error) {
	dataset, number, given := strings.Cut(s, "@")
	if given {
		if !versionNumber.MatchString(number) {
			return "", 0, &Error{Kind: KindInvalid, Code: "dataset_version", Op: "dataset", Subject: quoteShort(s), Hint: "give NAME@N, N a whole number from 1"}
		}
		fmt.Sscan(number, &version) //nolint:errcheck // six digits at most
	}
	return dataset, version, CheckDataset(dataset)
}

func checkAnchorAndMix(r *Recipe, d *document) {
	if a := r.Anchor; a != nil {
		if a.From == "" && a.Version == 0 {
			d.add("anchor", "has neither from nor version", "give `from:` with human text, or the `version:` to be measured against")
		}
		if a.From != "" {
			checkFrom(d, "anchor.from", a.From)
		}
		checkLicense(d, "anchor.license", a.License, false)
	}
	if r.Mix.Human == 0 {
		return
	}
	if r.Anchor == nil || r.Anchor.From == "" {
		d.add("mix.human", "has no human text to mix in", "give anchor.from: human rows are taken from the anchor's holdout")
	}
}

var splitName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)

func checkSplits(r *Recipe, d *document) {
	sum := 0.0
	for _, name := range slices.Sorted(maps.Keys(r.Output.Splits)) {
		path := "output.splits." + name
		if !splitName.MatchString(name) {
			d.add(path, "the name is "+quoteShort(name), "use lower-case letters, digits and _, such as test or validation")
		}
		if name == "train" {
			d.add(path, "train can't be given", "train is what the other splits leave")
		}
		sum += r.Output.Splits[name]
	}
	if sum >= 0.5 {
		d.add("output.splits", fmt.Sprintf("take %.4g of the records together", sum), "leave more than half for train")
	}
}

func checkSchedule(r *Recipe, d *document) {
	s := r.Schedule
	if s == nil {
		return
	}
	if err := checkCron(s.Cron); err != "" {
		d.add("schedule.cron", "is "+quoteShort(s.Cron)+err, `give five fields: minute hour day month weekday, such as "0 2 * * *" for two at night`)
	}
	if _, err := time.LoadLocation(s.Timezone); err != nil || s.Timezone == "Local" {
		d.add("schedule.timezone", "is "+quoteShort(s.Timezone), "give an IANA name such as Europe/Berlin or UTC")
	}
}

var cronField = regexp.MustCompile(`^[0-9A-Za-z*/,?-]+$`)

// checkCron returns what is wrong, as an addition to a sentence, or "".
func checkCron(spec string) string {
	fields := strings.Fields(spec)
	if len(fields) != 5 {
		return fmt.Sprintf(", with %d fields", len(fields))
	}
	for _, f := range fields {
		if !cronField.MatchString(f) {
			return ": " + quoteShort(f) + " is no field"
		}
	}
	if _, err := cron.ParseStandard(strings.Join(fields, " ")); err != nil {
		return ": " + firstLine(err.Error())
	}
	return ""
}
