package worker

import (
	"context"
	"slices"
	"testing"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/mocks"
	"google.golang.org/grpc"

	"github.com/retort-data/retort/workflows"
)

// described is a server whose namespace keeps search attributes under aliases, and whose operator service knows some.
type described struct {
	workflowservice.WorkflowServiceClient
	operatorservice.OperatorServiceClient
	aliases, listed []string
	asked           int // of the operator service
}

func (d *described) DescribeNamespace(context.Context, *workflowservice.DescribeNamespaceRequest, ...grpc.CallOption) (*workflowservice.DescribeNamespaceResponse, error) {
	config := &namespace.NamespaceConfig{CustomSearchAttributeAliases: map[string]string{}}
	for _, name := range d.aliases {
		config.CustomSearchAttributeAliases["field of "+name] = name
	}
	return &workflowservice.DescribeNamespaceResponse{Config: config}, nil
}

func (d *described) ListSearchAttributes(context.Context, *operatorservice.ListSearchAttributesRequest, ...grpc.CallOption) (*operatorservice.ListSearchAttributesResponse, error) {
	d.asked++
	got := &operatorservice.ListSearchAttributesResponse{CustomAttributes: map[string]enumspb.IndexedValueType{}}
	for _, name := range d.listed {
		got.CustomAttributes[name] = enumspb.INDEXED_VALUE_TYPE_KEYWORD
	}
	return got, nil
}

// The operator service is asked only for what the namespace doesn't name itself.
func TestSearchable(t *testing.T) {
	all := workflows.Searchable(func(string) bool { return true })
	for name, c := range map[string]struct {
		server described
		want   []string
		asked  int
	}{
		"all under aliases": {described{aliases: all}, all, 0},
		"some elsewhere":    {described{aliases: all[:2], listed: all[2:3]}, all[:3], 1},
		"none":              {described{}, nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			c := c
			got := Searchable(t.Context(), clientOf(&c.server), "default")
			if !slices.Equal(got, c.want) || c.server.asked != c.asked {
				t.Errorf("got %v after %d questions, want %v after %d", got, c.server.asked, c.want, c.asked)
			}
		})
	}
}

func clientOf(d *described) client.Client {
	m := &mocks.Client{}
	m.On("WorkflowService").Return(workflowservice.WorkflowServiceClient(d))
	m.On("OperatorService").Return(operatorservice.OperatorServiceClient(d))
	return m
}
