package activities

import (
	"errors"
	"regexp"

	"github.com/retort-data/retort/schema"
)

var runID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$`)

// checkRef refuses an activity whose input names a dataset or run that can't be one: names become parts of keys, and whoever reaches the
// namespace can start a workflow with any.
func checkRef(args []any) error {
	if len(args) == 0 {
		return nil
	}
	of, ok := args[0].(interface{ Ref() schema.RunRef })
	if !ok {
		return nil
	}
	ref := of.Ref()
	err := schema.CheckDataset(ref.Dataset)
	if err == nil && !runID.MatchString(ref.Run) {
		err = errors.New("it is no id of a run")
	}
	if err != nil {
		return &schema.Error{Kind: schema.KindFailed, Code: "reference", Op: "read", Subject: "the activity's input", Cause: err}
	}
	return nil
}
