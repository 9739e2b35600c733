package activities

import (
	"context"
	"fmt"

	"github.com/retort-data/retort/store"
)

// CheckGateLog reads a run's gate log again and says what doesn't hold, "" where all of it gives the digest that the manifest has. Each
// page's log names the digest before it, so that the object which was changed is named.
func CheckGateLog(ctx context.Context, s store.Store, run store.Run, want string) (wrong string, err error) {
	before, last := "", ""
	for seq := 0; ; seq++ {
		key := run.GateLog(seq)
		body, err := s.Get(ctx, key)
		if notFound(err) {
			switch {
			case seq == 0:
				return fmt.Sprintf("the gate's log, %s and those behind it, is gone", key), nil
			case before != want:
				return fmt.Sprintf("the gate's log up to %s isn't the one that the manifest names: that object was changed, or what followed it is gone", last), nil
			}
			return "", nil
		}
		if err != nil {
			return "", err
		}
		if before == want && seq > 0 {
			return fmt.Sprintf("the gate's log ends before %s: that object was added", key), nil
		}
		var head gateLogHeader
		rows, err := unpack(key, body)
		if err == nil {
			err = decode(key, rows[0], &head)
		}
		switch {
		case err != nil || head.Seq != seq:
			return fmt.Sprintf("the gate's log %s was changed: it can't be read, or is another page's", key), nil
		case head.Before != before && seq == 0:
			return fmt.Sprintf("the gate's log %s was changed: it is no log's beginning", key), nil
		case head.Before != before:
			return fmt.Sprintf("the gate's log %s was changed, or %s behind it", last, key), nil
		}
		before, last = digest([]byte(before+digest(body))), key
	}
}
