package worker

import (
	"context"
	"errors"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/retort-data/retort/workflows"
)

// scheduler asks Temporal what nights need to know of it.
type scheduler struct {
	client    client.Client
	namespace string
}

func (s scheduler) Searchable(ctx context.Context) []string {
	return Searchable(ctx, s.client, s.namespace)
}

// Searchable are the search attributes of a run that a namespace has; none where that can't be found out. The namespace itself names those
// that it keeps under aliases. Only where some are missing the operator service is asked: in Temporal 1.32 each of its answers keeps
// a connection of the server to itself open for half an hour.
func Searchable(ctx context.Context, t client.Client, namespace string) []string {
	has := map[string]bool{}
	if w := t.WorkflowService(); w != nil {
		if got, err := w.DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: namespace}); err == nil {
			for _, alias := range got.GetConfig().GetCustomSearchAttributeAliases() {
				has[alias] = true
			}
		}
	}
	there := func(name string) bool { return has[name] }
	if names := workflows.Searchable(there); len(names) == len(workflows.SearchAttributes) {
		return names
	}
	if o := t.OperatorService(); o != nil {
		if got, err := o.ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace}); err == nil {
			for name := range got.GetCustomAttributes() {
				has[name] = true
			}
		}
	}
	return workflows.Searchable(there)
}

func (s scheduler) Alive(ctx context.Context, workflowID string) (bool, error) {
	got, err := s.client.DescribeWorkflowExecution(ctx, workflowID, "")
	if isNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return got.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, nil
}

func (s scheduler) Pause(ctx context.Context, scheduleID, note string) error {
	err := s.client.ScheduleClient().GetHandle(ctx, scheduleID).Pause(ctx, client.SchedulePauseOptions{Note: note})
	if isNotFound(err) {
		return nil
	}
	return err
}

func isNotFound(err error) bool {
	var gone *serviceerror.NotFound
	return errors.As(err, &gone)
}
