package activities

import "github.com/retort-data/retort/schema"

// finish applies response.finish: an answer that ended for a reason which the recipe calls a failure is one. It was paid for, and its
// text is kept.
func (r *Recipe) finish(a *schema.Response) {
	if !a.Failed() && r.Response.Finish[a.FinishReason] == schema.FinishFail {
		a.FailCode = "finish_" + a.FinishReason
	}
}
