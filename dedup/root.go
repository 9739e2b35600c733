package dedup

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

const rootFormat = 1

// rootList is the root object: the index after a page. Its key ends with the hash of its content.
type rootList struct {
	Format   int          `json:"format"`
	Params   Params       `json:"params"`
	Seq      int          `json:"seq"`
	Entries  int          `json:"entries"`
	Parent   string       `json:"parent"`
	Segments []segmentRef `json:"segments"`
}

func (o objects) readRoot(ctx context.Context, root string, p Params) (list rootList, err error) {
	body, err := o.get(ctx, root)
	if err != nil {
		return list, err
	}
	if !strings.HasSuffix(root, "-"+digest(body)[:32]) {
		return list, corrupt(root, fmt.Errorf("its content is not what its name says"))
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return list, corrupt(root, err)
	}
	if list.Format != rootFormat {
		return list, corrupt(root, fmt.Errorf("format %d; this program reads %d", list.Format, rootFormat))
	}
	if list.Params != p {
		return list, invalid("near", fmt.Sprintf("the index was made with %+v, not %+v", list.Params, p))
	}
	return list, nil
}

func (o objects) putRoot(ctx context.Context, list rootList) (string, error) {
	body, err := json.Marshal(list)
	if err != nil {
		return "", err
	}
	key := fmt.Sprintf("%sroots/%09d-%s", o.prefix, list.Seq, digest(body)[:32])
	return key, o.put(ctx, key, body)
}
