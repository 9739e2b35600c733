package payload

import (
	"crypto/rand"
	"errors"
	"os"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/proto"

	"github.com/retort-data/retort/schema"
)

// Metadata of an encrypted payload, and how its encoding is called there.
const (
	metaEncoding = converter.MetadataEncoding
	metaKeyID    = "encryption-key-id"
	encrypted    = "binary/encrypted"
)

// Apply lets a client encrypt as the configuration says, and returns what reads payloads that the client doesn't read itself.
// Errors: KindInvalid where a key is missing or wrong.
func Apply(o *client.Options, c *schema.Config) (converter.DataConverter, error) {
	ring, err := readKeys(c, os.Getenv)
	if err != nil || ring == nil {
		return converter.GetDefaultDataConverter(), err
	}
	o.DataConverter = converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), &codec{ring})
	o.FailureConverter = temporal.NewDefaultFailureConverter(temporal.DefaultFailureConverterOptions{DataConverter: o.DataConverter})
	return o.DataConverter, nil
}

// codec is a converter.PayloadCodec.
type codec struct{ ring *keyring }

// Encode seals payloads with the first key. The key's id is authenticated with them.
func (c *codec) Encode(all []*commonpb.Payload) ([]*commonpb.Payload, error) {
	out := make([]*commonpb.Payload, len(all))
	key := c.ring.keys[c.ring.first]
	for i, p := range all {
		plain, err := proto.Marshal(p)
		if err != nil {
			return nil, err
		}
		nonce := make([]byte, key.NonceSize(), key.NonceSize()+len(plain)+key.Overhead())
		rand.Read(nonce) //nolint:errcheck // never fails since Go 1.24
		out[i] = &commonpb.Payload{Metadata: map[string][]byte{metaEncoding: []byte(encrypted), metaKeyID: []byte(c.ring.first)},
			Data: key.Seal(nonce, nonce, plain, []byte(c.ring.first))}
	}
	return out, nil
}

// Decode opens what is encrypted, and leaves the rest: it was written before encryption was turned on.
func (c *codec) Decode(all []*commonpb.Payload) ([]*commonpb.Payload, error) {
	out := make([]*commonpb.Payload, len(all))
	for i, p := range all {
		if string(p.GetMetadata()[metaEncoding]) != encrypted {
			out[i] = p
			continue
		}
		id := string(p.GetMetadata()[metaKeyID])
		key := c.ring.keys[id]
		if key == nil {
			return nil, openError(id, errors.New("this process lacks that key"))
		}
		n := key.NonceSize()
		if len(p.Data) < n {
			return nil, openError(id, errors.New("it is cut short"))
		}
		plain, err := key.Open(nil, p.Data[:n], p.Data[n:], []byte(id))
		if err != nil {
			return nil, openError(id, errors.New("it isn't what was written, or the key of that id is another one"))
		}
		out[i] = &commonpb.Payload{}
		if err := proto.Unmarshal(plain, out[i]); err != nil {
			return nil, openError(id, err)
		}
	}
	return out, nil
}

func openError(id string, cause error) error {
	if !keyID.MatchString(id) {
		id = "(no id)"
	}
	return &schema.Error{Kind: schema.KindFailed, Code: "payload_key", Op: "open a payload encrypted with key", Subject: id, Cause: cause, Hint: mendKeys}
}
