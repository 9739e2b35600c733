package site

import (
	"context"
	"io/fs"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
)

// OpenWorkflows are the ids of workflows that run, by type; Temporal's own are left out.
func (s *Site) OpenWorkflows(ctx context.Context) (map[string][]string, error) {
	c, err := client.DialContext(ctx, client.Options{HostPort: s.TemporalAddress, Logger: quiet{}})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	open := map[string][]string{}
	var page []byte
	for {
		list, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{NextPageToken: page, Query: `ExecutionStatus = "Running"`})
		if err != nil {
			return nil, err
		}
		for _, e := range list.Executions {
			if name := e.Type.Name; len(name) < 13 || name[:13] != "temporal-sys-" {
				open[name] = append(open[name], e.Execution.WorkflowId)
			}
		}
		if page = list.NextPageToken; len(page) == 0 {
			return open, nil
		}
	}
}

// Uploads are the keys of multipart uploads that were begun and neither completed nor aborted.
func (s *Site) Uploads(ctx context.Context) (keys []string, err error) {
	c := s3.New(s3.Options{BaseEndpoint: &s.S3Endpoint, Region: "us-east-1", UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(accessKey, secretKey, "")})
	out, err := c.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: aws.String(Bucket)})
	if err != nil {
		return nil, err
	}
	for _, u := range out.Uploads {
		keys = append(keys, aws.ToString(u.Key))
	}
	return keys, nil
}

// ScratchFiles are the workers' temporary files, without the lock and the name of each worker that lives.
func (s *Site) ScratchFiles() (files []string) {
	filepath.WalkDir(s.Scratch(), func(path string, d fs.DirEntry, err error) error { //nolint:errcheck // it returns none
		if err == nil && !d.IsDir() && d.Name() != "in-use" && d.Name() != "worker.json" {
			files = append(files, path[len(s.Scratch())+1:])
		}
		return nil
	})
	return files
}
