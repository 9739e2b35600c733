package worker

import (
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/retort-data/retort/workflows"
)

// deployment opts in to Worker Versioning where the configuration names a deployment.
func (o Options) deployment() worker.DeploymentOptions {
	name := o.Config.Worker.Deployment
	if name == "" {
		return worker.DeploymentOptions{}
	}
	build := o.Build
	if build == "" {
		build = o.Program
	}
	return worker.DeploymentOptions{UseVersioning: true, Version: worker.WorkerDeploymentVersion{DeploymentName: name, BuildID: build}}
}

// registerWorkflows says of each what Worker Versioning does with one that is under way when a new build becomes the current one. What
// makes a version stays with the build that began it. What is long and small, or waits for days, moves on: its build would have to be kept.
func registerWorkflows(w worker.Worker) {
	pinned, moves := workflow.VersioningBehaviorPinned, workflow.VersioningBehaviorAutoUpgrade
	for _, r := range []struct {
		name string
		run  any
		how  workflow.VersioningBehavior
	}{
		{workflows.GenerateName, workflows.Generate, pinned},
		{workflows.RetractName, workflows.Retract, pinned},
		{workflows.PingName, workflows.Ping, pinned},
		{workflows.NightlyName, workflows.Nightly, moves},
		{workflows.NotifyName, workflows.Notify, moves},
		{workflows.ExpireName, workflows.Expire, moves},
		{workflows.TeacherName, workflows.Teacher, moves},
	} {
		w.RegisterWorkflowWithOptions(r.run, workflow.RegisterOptions{Name: r.name, VersioningBehavior: r.how})
	}
}
