package payload

import (
	"errors"
	"maps"
	"os"
	"slices"

	commonpb "go.temporal.io/api/common/v1"
	"google.golang.org/protobuf/proto"

	"github.com/retort-data/retort/schema"
)

// Trial seals a payload with every key that the configuration names and opens it again. It returns the ids of the keys, that of the one
// which encrypts first; none where encryption is off. Errors: KindInvalid where a key is missing or wrong.
func Trial(c *schema.Config) (ids []string, err error) {
	ring, err := readKeys(c, os.Getenv)
	if err != nil || ring == nil {
		return nil, err
	}
	ids = slices.Sorted(maps.Keys(ring.keys))
	slices.SortStableFunc(ids, func(a, b string) int {
		switch ring.first {
		case a:
			return -1
		case b:
			return 1
		}
		return 0
	})
	plain := &commonpb.Payload{Metadata: map[string][]byte{metaEncoding: []byte("json/plain")}, Data: []byte(`"retort"`)}
	for _, id := range ids {
		sealed, err := (&codec{&keyring{id, ring.keys}}).Encode([]*commonpb.Payload{plain})
		if err != nil {
			return ids, openError(id, err)
		}
		opened, err := (&codec{ring}).Decode(sealed)
		if err != nil {
			return ids, err
		}
		if proto.Equal(sealed[0], plain) || !proto.Equal(opened[0], plain) {
			return ids, openError(id, errors.New("a payload doesn't come back as it was"))
		}
	}
	return ids, nil
}
