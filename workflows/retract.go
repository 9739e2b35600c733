package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/retort-data/retort/schema"
)

// RetractName is the registered name of Retract.
const RetractName = "Retract"

// RetractID is the workflow id of a dataset's retraction: one at a time, beside the dataset's runs, as the commit settles which comes first.
func RetractID(bucket, prefix, dataset string) string {
	return GenerateID(bucket, prefix, dataset) + "/retract"
}

// Retract publishes a version without some records, on a worker, as the signing key is there alone. What is taken out, and why, stands on S3.
func Retract(ctx workflow.Context, ref schema.RunRef) (schema.PublishResult, error) {
	var got schema.PublishResult
	err := workflow.ExecuteActivity(long(ctx), schema.StepRetract, ref).Get(ctx, &got)
	return got, err
}
