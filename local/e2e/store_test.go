package e2e

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/retort-data/retort/local/teacher"
	"github.com/retort-data/retort/store"
	"github.com/retort-data/retort/store/storetest"
)

// The local gateway passes the suite that every store has to pass.
func TestGatewayIsAStore(t *testing.T) {
	l := newLab(t, teacher.DefaultConfig())
	var n atomic.Int64
	storetest.Run(t, func(*testing.T) store.Store { return storetest.Under(l.store, fmt.Sprintf("suite-%d/", n.Add(1))) })
}
