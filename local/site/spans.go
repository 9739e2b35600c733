package site

import (
	"context"
	"slices"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
)

// Step is what a run's activities of one name took, in seconds since the run began.
type Step struct {
	Name   string  `json:"name"`
	Times  int     `json:"times"`
	FirstS float64 `json:"first_s"` // when the first was started
	LastS  float64 `json:"last_s"`  // when the last had ended
	WaitS  float64 `json:"wait_s"`  // from schedule to start, in sum
	TookS  float64 `json:"took_s"`  // from start to end, in sum
}

// Steps reads the history of a run that has ended; of one that continued as new, its last part.
func (s *Site) Steps(ctx context.Context, workflow string) ([]Step, error) {
	c, err := client.DialContext(ctx, client.Options{HostPort: s.TemporalAddress, Logger: quiet{}})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	var began time.Time
	steps := map[string]*Step{}
	names, scheduled, started := map[int64]string{}, map[int64]time.Time{}, map[int64]time.Time{}
	for history := c.GetWorkflowHistory(ctx, workflow, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); history.HasNext(); {
		e, err := history.Next()
		if err != nil {
			return nil, err
		}
		at := e.GetEventTime().AsTime()
		if began.IsZero() {
			began = at
		}
		if a := e.GetActivityTaskScheduledEventAttributes(); a != nil {
			names[e.EventId], scheduled[e.EventId] = a.ActivityType.GetName(), at
		}
		if a := e.GetActivityTaskStartedEventAttributes(); a != nil {
			started[a.ScheduledEventId] = at
		}
		if a := e.GetActivityTaskCompletedEventAttributes(); a != nil {
			id, name := a.ScheduledEventId, names[a.ScheduledEventId]
			if steps[name] == nil {
				steps[name] = &Step{Name: name, FirstS: started[id].Sub(began).Seconds()}
			}
			st := steps[name]
			st.Times++
			st.FirstS = min(st.FirstS, started[id].Sub(began).Seconds())
			st.LastS = at.Sub(began).Seconds()
			st.WaitS += started[id].Sub(scheduled[id]).Seconds()
			st.TookS += at.Sub(started[id]).Seconds()
		}
	}
	var all []Step
	for _, st := range steps {
		all = append(all, *st)
	}
	slices.SortFunc(all, func(a, b Step) int {
		if a.FirstS < b.FirstS {
			return -1
		}
		return 1
	})
	return all, nil
}
