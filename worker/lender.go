package worker

import (
	"context"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/workflows"
)

// lender asks the workflows teacher/NAME for parts of teachers' limits.
type lender struct {
	client client.Client
	queue  string
}

// lendWithin bounds a workflow task of a teacher's workflow: one that a killed worker took with it is given to another after that.
const lendWithin = 3 * time.Second

// Lend asks by update, and starts the workflow where it doesn't run.
func (l lender) Lend(ctx context.Context, teacher string, a schema.LeaseAsk) (lease schema.Lease, err error) {
	id := schema.TeacherWorkflow(teacher)
	start := l.client.NewWithStartWorkflowOperation(client.StartWorkflowOptions{ID: id, TaskQueue: l.queue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING, WorkflowTaskTimeout: lendWithin},
		workflows.TeacherName, workflows.TeacherInput{})
	handle, err := l.client.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{StartWorkflowOperation: start,
		UpdateOptions: client.UpdateWorkflowOptions{WorkflowID: id, UpdateName: schema.UpdateLease, Args: []any{a}, WaitForStage: client.WorkflowUpdateStageCompleted}})
	if err == nil {
		err = handle.Get(ctx, &lease)
	}
	return lease, err
}

// Stands asks by query: it leaves no event.
func (l lender) Stands(ctx context.Context, teacher, worker string, number int64) (stands bool, err error) {
	got, err := l.client.QueryWorkflow(ctx, schema.TeacherWorkflow(teacher), "", schema.QueryLease, worker, number)
	if err == nil {
		err = got.Get(&stands)
	}
	return stands, err
}

// peersSince is how long a process counts that hasn't asked for work: one that waits for it asks about once a minute.
const peersSince = 70 * time.Second

// Peers counts the processes that have lately asked for pages; 1 where that can't be known.
func (l lender) Peers(ctx context.Context) (n int) {
	got, err := l.client.DescribeTaskQueue(ctx, AskQueue(l.queue), enumspb.TASK_QUEUE_TYPE_ACTIVITY)
	if err == nil {
		for _, p := range got.Pollers {
			if time.Since(p.LastAccessTime.AsTime()) < peersSince {
				n++
			}
		}
	}
	return max(1, n)
}

// announce makes those who hold a lease of any of the teachers say that they are there: a process that has just started may stand in
// for one that has died. What processes had that are known to be gone is free at once.
func (l lender) announce(ctx context.Context, teachers []schema.Teacher, namespace string, gone []string) {
	for _, t := range teachers {
		within, cancel := context.WithTimeout(ctx, lendWithin)
		id := schema.TeacherWorkflow(t.Name)
		if len(gone) > 0 {
			unstick(within, l.client, namespace, id)
		}
		// Where the workflow doesn't run, nobody holds anything.
		_, _ = l.client.UpdateWorkflow(within, client.UpdateWorkflowOptions{WorkflowID: id, UpdateName: schema.UpdateLease,
			Args: []any{schema.LeaseAsk{Suspect: true, Limits: t.Limits, Gone: gone}}, WaitForStage: client.WorkflowUpdateStageAccepted})
		cancel()
	}
}
