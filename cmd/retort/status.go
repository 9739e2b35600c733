package main

import (
	"fmt"
	"time"

	"github.com/retort-data/retort/activities"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// StatusCmd shows runs.
type StatusCmd struct {
	Dataset string `arg:"" optional:"" help:"Dataset; all of them where it is left out." placeholder:"DATASET"`
	All     bool   `help:"All runs of the dataset, not the newest alone."`
}

// Run reads the status objects on S3: no worker and no Temporal is needed.
func (c *StatusCmd) Run(a *app) error {
	s, err := a.store()
	if err != nil {
		return err
	}
	names := []string{c.Dataset}
	if c.Dataset == "" {
		if names, err = a.datasets(); err != nil {
			return err
		}
	}
	all := []schema.Status{}
	for _, name := range names {
		d, err := a.dataset(name)
		if err != nil {
			return err
		}
		got, err := activities.Statuses(a.ctx, s, d, c.All)
		if err != nil {
			return err
		}
		all = append(all, got...)
	}
	if c.Dataset != "" && len(all) == 0 {
		d, _ := a.dataset(c.Dataset)
		return noRuns(d)
	}
	if a.json {
		return a.printJSON(all)
	}
	for i := range all {
		a.printf("%s\n", still(&all[i], time.Now()))
		if c.Dataset != "" && all[i].State == schema.StateHeld {
			d, err := a.dataset(c.Dataset)
			if err != nil {
				return err
			}
			a.concludeText(d.Run(all[i].Run), &all[i])
		}
	}
	if len(all) == 0 {
		a.printf("No runs yet. Start one with: retort run RECIPE\n")
	}
	return nil
}

// datasets lists the names under the store's prefix that have runs; a name may have parts.
func (a *app) datasets() ([]string, error) {
	c, err := a.loadConfig()
	if err != nil {
		return nil, err
	}
	prefix := store.NewDataset(c.Store.Bucket, c.Store.Prefix, "").Prefix
	return a.datasetsUnder(prefix, "", 4)
}

func (a *app) datasetsUnder(prefix, name string, depth int) (names []string, err error) {
	folders, err := a.objects.Folders(a.ctx, prefix+name)
	if err != nil {
		return nil, err
	}
	for _, f := range folders {
		switch {
		case f == "_runs" && name != "":
			return []string{name[:len(name)-1]}, nil
		case f == "" || f[0] == '_' || f == "data" || depth == 0:
			continue
		}
		under, err := a.datasetsUnder(prefix, name+f+"/", depth-1)
		if err != nil {
			return nil, err
		}
		names = append(names, under...)
	}
	return names, nil
}

// reasonText says what a reason's code means.
func reasonText(s *schema.Status) string {
	subject := s.Subject
	if subject != "" {
		subject = " " + subject
	}
	if text, ok := reasonTexts[s.Reason]; ok {
		return fmt.Sprintf(text, subject)
	}
	return s.Reason + subject
}

// reasonTexts explain codes; the subject fills %s.
var reasonTexts = map[string]string{
	"teacher_blocked":     "the teacher%s refused us (key, account or model); it isn't asked any more",
	"teacher_unavailable": "the teacher%s was unavailable for too long",
	"teacher_key":         "the worker lacks the key of teacher%s",
	"teacher_unknown":     "the worker's configuration lacks teacher%s",
	"source_changed":      "a source changed after the run was started%s",
	"failed":              "more requests failed than the recipe's `failed` allows%s",
	"rejected":            "the checks turn away more answers than the recipe's `rejected` allows: teacher, prompts or checks don't fit together%s",
	"batch_failed":        "the provider fails its batches as a whole, again and again%s",
	"duplicates":          "more answers are duplicates than checks.near.most_share allows%s",
	"budget":              "the budget is used up%s",
	"gate":                "the gate: answers degrade against the anchor%s",
	"format_differs":      "the dataset's earlier versions have another format%s",
	"cancelled":           "a person ended it%s",
	"expired":             "nobody decided about the hold before it expired (gate.expires)%s",
	"terminated":          "somebody terminated its workflow%s",
	"not_allowed":         "the workers' configuration (allow:) doesn't let the recipe do this%s",
	"reference":           "what started it names no dataset or run as Retort does%s",
	"key":                 "something was to be written outside of the store's prefix%s",
	"recipe":              "the recipe or a source is wrong%s",
	"no_prompts":          "the sources gave no prompts%s",
	"max_generation":      "answers would be deeper than max_generation%s",
	"panic":               "a bug in Retort; the worker's log has the place%s",
	"internal":            "an error that nothing expected; the worker's log has it whole%s",
	"timed_out":           "a step took longer than any should; see the workers' logs, and whether they run%s",
	"counts":              "the counts don't add up, which is a bug in Retort; nothing was published%s",
	"object_broken":       "an object in the run's folder is damaged%s",
	"store_state":         "an object in the run's folder is missing, or stands where none should%s",
	"shard_differs":       "a shard isn't what was written%s",
	"unconditional":       "the store doesn't honour If-None-Match on puts%s",
	"shard_missing":       "a shard is gone%s",
	"collected":           "the run had ended and its files were collected%s",
	"signing_key":         "the worker lacks the key that versions are signed with%s",
	"attestation_differs": "another signature stands where this version's belongs%s",
	"nothing_to_retract":  "no version has what was to be retracted%s",
	"retracted":           "the run has what was retracted from the dataset%s",
	"manifest":            "a version's manifest can't be read%s",
	"status":              "a run's status can't be read%s",
	"index_corrupt":       "the index of near-duplicates is damaged%s",
	"index_lost":          "the index of near-duplicates is damaged, and what it was made of is gone%s",
	"index_scratch":       "the worker's scratch folder can't be written%s",
	"anchor-small":        "the anchor has too little text%s",
	"other-anchor":        "the anchor isn't the one that the run began with%s",

	"s3_nosuchbucket":          "the bucket isn't there%s",
	"s3_accessdenied":          "the store denies access%s",
	"s3_forbidden":             "the store denies access%s",
	"s3_invalidaccesskeyid":    "the store doesn't know the access key%s",
	"s3_signaturedoesnotmatch": "the store refuses the secret key%s",
	"s3_invalidbucketname":     "the bucket's name is none%s",
	"s3_notimplemented":        "the store lacks what Retort needs to publish safely%s",
}
