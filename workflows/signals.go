package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/retort-data/retort/schema"
)

// signals holds what a person asked for. A signal waits for no worker, so it is never lost while none runs.
type signals struct {
	pause, resume, cancel workflow.ReceiveChannel
	killed                workflow.Channel // Temporal's own cancel
	outer                 workflow.Context
	waits                 workflow.ReceiveChannel
	wait                  func(schema.TeacherWait)
	paused, cancelled     bool
}

func (s *signals) init(outer, ctx workflow.Context) {
	s.outer = outer
	s.killed = workflow.NewBufferedChannel(ctx, 1)
	workflow.Go(ctx, func(ctx workflow.Context) { // a closed channel would wake the selector for ever
		outer.Done().Receive(ctx, nil)
		s.killed.Send(ctx, true)
	})
	s.pause = workflow.GetSignalChannel(ctx, schema.SignalPause)
	s.resume = workflow.GetSignalChannel(ctx, schema.SignalResume)
	s.cancel = workflow.GetSignalChannel(ctx, schema.SignalCancel)
	s.waits = workflow.GetSignalChannel(ctx, schema.SignalWaits)
}

// drain takes all signals that have come; the last of pause and resume in a history wins by order of kind: resume after pause.
func (s *signals) drain() {
	for s.pause.ReceiveAsync(nil) {
		s.paused = true
	}
	for s.resume.ReceiveAsync(nil) {
		s.paused = false
	}
	for s.cancel.ReceiveAsync(nil) {
		s.cancelled = true
	}
	s.cancelled = s.cancelled || s.outer.Err() != nil
	for s.hear(s.waits) {
	}
}

// hear takes what a worker says that it waits for.
func (s *signals) hear(c workflow.ReceiveChannel) bool {
	var w schema.TeacherWait
	ok := c.ReceiveAsync(&w)
	if ok {
		s.wait(w)
	}
	return ok
}

// listen wakes the selector at a signal.
func (s *signals) listen(sel workflow.Selector) {
	sel.AddReceive(s.pause, func(c workflow.ReceiveChannel, _ bool) { c.ReceiveAsync(nil); s.paused = true })
	sel.AddReceive(s.resume, func(c workflow.ReceiveChannel, _ bool) { c.ReceiveAsync(nil); s.paused = false })
	sel.AddReceive(s.killed, func(c workflow.ReceiveChannel, _ bool) { c.ReceiveAsync(nil); s.cancelled = true })
	sel.AddReceive(s.waits, func(c workflow.ReceiveChannel, _ bool) { s.hear(c) })
	sel.AddReceive(s.cancel, func(c workflow.ReceiveChannel, _ bool) { c.ReceiveAsync(nil); s.cancelled = true })
}
