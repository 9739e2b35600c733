package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/retort-data/retort/activities"
	"github.com/retort-data/retort/payload"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/worker"
	"github.com/retort-data/retort/workflows"
)

// encryption reads the keys of payloads, and seals and opens one with each. Without them nothing can be asked of Temporal.
func (d *doctor) encryption() bool {
	ids, err := payload.Trial(d.config)
	switch {
	case err != nil:
		d.bad("encryption", "", err)
		return false
	case ids == nil:
		d.ok("encryption", "off: what Temporal holds (references, counts, codes) stands there in clear")
	case len(ids) == 1:
		d.ok("encryption", "payloads are sealed with key %s, and open again", ids[0])
	default:
		d.ok("encryption", "payloads are sealed with key %s, and open again; older keys: %s", ids[0], strings.Join(ids[1:], ", "))
	}
	return true
}

// temporalServer connects, and looks at namespace, rights and search attributes.
func (d *doctor) temporalServer() bool {
	t, err := d.client(d.quiet())
	if err != nil {
		d.bad("temporal", "", err)
		return false
	}
	c := d.config.Temporal
	_, err = t.WorkflowService().DescribeNamespace(d.ctx, &workflowservice.DescribeNamespaceRequest{Namespace: c.Namespace})
	var none *serviceerror.NamespaceNotFound
	var denied *serviceerror.PermissionDenied
	switch {
	case errors.As(err, &none):
		d.say(partBad, "namespace", "%s has no namespace %q", "make it (temporal operator namespace create), or mend temporal.namespace", c.Address, c.Namespace)
		return false
	case errors.As(err, &denied):
		d.say(partBad, "namespace", "we may not look at namespace %q", "give these credentials read and write rights in it", c.Namespace)
		return false
	case err != nil:
		d.bad("namespace", "check temporal.address, TEMPORAL_* variables and certificates", err)
		return false
	}
	d.ok("temporal", "%s, namespace %s", c.Address, c.Namespace)
	if _, err := t.ListWorkflow(d.ctx, &workflowservice.ListWorkflowExecutionsRequest{Namespace: c.Namespace, PageSize: 1}); err != nil {
		d.bad("temporal", "give these credentials the right to list workflows", err)
	}
	d.searchAttributes(t)
	return true
}

// searchAttributes are what Temporal's UI could find runs by.
func (d *doctor) searchAttributes(t client.Client) {
	got, err := t.OperatorService().ListSearchAttributes(d.ctx, searchAttributesOf(d.config.Temporal.Namespace))
	if err != nil {
		d.say(partNote, "search attrs", "can't be listed: %s", "all else works; Temporal's UI finds runs by the workflow's id", schema.KindOf(err))
		return
	}
	var missing []string
	for name, kind := range workflows.SearchAttributes {
		if _, ok := got.GetCustomAttributes()[name]; !ok {
			missing = append(missing, fmt.Sprintf("--name %s --type %s", name, kind))
		}
	}
	if len(missing) == 0 {
		d.ok("search attrs", "Temporal's UI finds runs by dataset, run, state and cost")
		return
	}
	slices.Sort(missing)
	d.say(partNote, "search attrs", "%d aren't in the namespace: runs can't be found by them in Temporal's UI; all else works", "temporal operator search-attribute create "+strings.Join(missing, " "), len(missing))
}

// workers looks who polls, and asks every teacher through them.
func (d *doctor) workers() {
	queue := d.config.Temporal.TaskQueue
	for _, q := range []string{queue, worker.AskQueue(queue)} {
		got, err := d.temporal.DescribeTaskQueue(d.ctx, q, enumspb.TASK_QUEUE_TYPE_ACTIVITY)
		if err != nil {
			d.bad("workers", "give these credentials the right to describe task queues", err)
			return
		}
		if len(got.GetPollers()) == 0 {
			d.say(partBad, "workers", "no worker polls %s", "start one: retort worker; its temporal.task_queue must be the same as here", q)
			return
		}
	}
	d.ok("workers", "they poll %s", queue)
	d.pingTeachers()
}

func (d *doctor) pingTeachers() {
	names := make([]string, len(d.config.Teachers))
	for i := range d.config.Teachers {
		names[i] = d.config.Teachers[i].Name
	}
	ctx, cancel := context.WithTimeout(d.ctx, time.Minute)
	defer cancel()
	w, err := d.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: "retort/ping/" + activities.NewRunID(time.Now()), TaskQueue: d.config.Temporal.TaskQueue,
		WorkflowExecutionTimeout: time.Minute}, workflows.PingName, worker.AskQueue(d.config.Temporal.TaskQueue), names)
	var got []schema.PingResult
	if err == nil {
		err = w.Get(ctx, &got)
	}
	if err != nil {
		mend := "look at the workers' logs"
		if e := d.config.Temporal.Encryption; e != (schema.Encryption{}) {
			mend += "; they need the same keys of temporal.encryption as here"
		}
		d.bad("teachers", mend, err)
		return
	}
	for i, p := range got {
		if t := &d.config.Teachers[i]; t.Terms.Training != "allowed" {
			d.say(partBad, "teacher "+p.Name, "its terms are %s for training", "recipes can't use it; read its terms, and declare them in temporal.yaml", t.Terms.Training)
			continue
		}
		if p.Code == "" {
			d.ok("teacher "+p.Name, "answers in %d ms", p.Millis)
			continue
		}
		d.say(partBad, "teacher "+p.Name, "doesn't answer: %s", pingMend(p.Code, &d.config.Teachers[i]), p.Code)
	}
}

// pingMend says how to mend a teacher that doesn't answer.
func pingMend(code string, t *schema.Teacher) string {
	switch code {
	case "teacher_key":
		return "set " + t.APIKeyEnv + " where workers run, and restart them"
	case "teacher_unknown":
		return "give the workers the same temporal.yaml, and restart them"
	case "unauthorized", "payment_required", "forbidden", "suspended":
		return "mend the key or the account that " + orElse(t.APIKeyEnv, "the teacher's base_url") + " stands for"
	case "model_not_found":
		return "mend model in temporal.yaml: the endpoint doesn't know " + t.Model
	}
	return "check base_url, and that workers can reach it"
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func searchAttributesOf(namespace string) *operatorservice.ListSearchAttributesRequest {
	return &operatorservice.ListSearchAttributesRequest{Namespace: namespace}
}
