package payload

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"

	"github.com/retort-data/retort/schema"
)

func key(fill byte) string {
	return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{fill}, keyBytes))
}

func codecOf(t testing.TB, text string) *codec {
	t.Helper()
	ring, err := parseKeys(text)
	if err != nil {
		t.Fatal(err)
	}
	return &codec{ring}
}

func payloadOf(text string) *commonpb.Payload {
	return &commonpb.Payload{Metadata: map[string][]byte{metaEncoding: []byte("json/plain")}, Data: []byte(text)}
}

// What is encrypted has no plain text in it, is never the same twice, and comes back as it was; what is plain is left.
func TestPayloadsAreSealed(t *testing.T) {
	c := codecOf(t, "k1:"+key(1))
	plain := payloadOf(`{"dataset":"canary-of-a-payload","prompts":12345}`)
	one, err := c.Encode([]*commonpb.Payload{plain, plain})
	if err != nil {
		t.Fatal(err)
	}
	wire, err := proto.Marshal(one[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"canary", "dataset", "json/plain"} {
		if bytes.Contains(wire, []byte(text)) {
			t.Errorf("%q stands in %q", text, wire)
		}
	}
	if bytes.Equal(one[0].Data, one[1].Data) || string(one[0].Metadata[metaKeyID]) != "k1" || string(one[0].Metadata[metaEncoding]) != encrypted {
		t.Errorf("%v and %v", one[0], one[1])
	}
	back, err := c.Decode(append(one, plain))
	if err != nil || len(back) != 3 {
		t.Fatal(err)
	}
	for _, got := range back {
		if !proto.Equal(got, plain) {
			t.Errorf("%v", got)
		}
	}
}

// Keys change: the new one encrypts, both decrypt, and without the old one it is said which is missing.
func TestKeysRotate(t *testing.T) {
	before, both, after := codecOf(t, "old:"+key(1)), codecOf(t, "new:"+key(2)+", old:"+key(1)), codecOf(t, "new:"+key(2))
	plain := []*commonpb.Payload{payloadOf("x")}
	old, err := before.Encode(plain)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := both.Decode(old); err != nil || !proto.Equal(got[0], plain[0]) {
		t.Errorf("%v, %v", got, err)
	}
	fresh, err := both.Encode(plain)
	if err != nil || string(fresh[0].Metadata[metaKeyID]) != "new" {
		t.Errorf("%v, %v", fresh, err)
	}
	if _, err := after.Decode(old); err == nil || !strings.Contains(err.Error(), "key old: this process lacks that key") || schema.KindOf(err) != schema.KindFailed {
		t.Error(err)
	}
	if _, err := codecOf(t, "old:"+key(9)).Decode(old); err == nil || !strings.Contains(err.Error(), "the key of that id is another one") {
		t.Error(err)
	}
}

// A payload of which any part was changed isn't taken.
func TestTamperedPayloadsAreRefused(t *testing.T) {
	c := codecOf(t, "k1:"+key(1)+"\nk2:"+key(1))
	sealed, err := c.Encode([]*commonpb.Payload{payloadOf("a text")})
	if err != nil {
		t.Fatal(err)
	}
	for i := range sealed[0].Data {
		bad := proto.Clone(sealed[0]).(*commonpb.Payload)
		bad.Data[i] ^= 1
		if _, err := c.Decode([]*commonpb.Payload{bad}); err == nil {
			t.Errorf("byte %d was changed, and it was taken", i)
		}
	}
	other := proto.Clone(sealed[0]).(*commonpb.Payload)
	other.Metadata[metaKeyID] = []byte("k2") // of the same bytes
	short := proto.Clone(sealed[0]).(*commonpb.Payload)
	short.Data = short.Data[:5]
	nameless := proto.Clone(sealed[0]).(*commonpb.Payload)
	nameless.Metadata[metaKeyID] = []byte("\x1b[2J")
	for _, bad := range []*commonpb.Payload{other, short, nameless} {
		if _, err := c.Decode([]*commonpb.Payload{bad}); err == nil || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

// Keys that are missing or wrong are said so, with the place and the mend, and never shown; without encryption nothing changes.
func TestKeysThatAreNone(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "keys"), []byte("a:"+key(1)+"\n\nb:"+key(2)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, env, file, says string }{
		{"not set", "", "", "variable PAYLOAD_KEYS: temporal.encryption names it, and it isn't set here"},
		{"no id", key(7), "", "key 1 isn't written ID:KEY"},
		{"too short", "a:" + base64.StdEncoding.EncodeToString([]byte("canary")), "", "key 1 (a) isn't 32 bytes in base64"},
		{"no base64", "a:canary-canary!", "", "key 1 (a) isn't 32 bytes"},
		{"twice", "a:" + key(1) + ",a:" + key(2), "", "the id a stands twice"},
		{"commas alone", ", ,", "", "there is no key"},
		{"no file", "", "nothing", "can't be read: no such file"},
		{"a folder", "", ".", ""},
		{"a file", "", "keys", "-"},
		{"a variable", "x:" + key(3), "", "-"},
	} {
		config := &schema.Config{Dir: dir}
		config.Temporal.Encryption.KeyEnv, config.Temporal.Encryption.KeyFile = "PAYLOAD_KEYS", c.file
		if c.file != "" {
			config.Temporal.Encryption.KeyEnv = ""
		}
		t.Setenv("PAYLOAD_KEYS", c.env)
		var o client.Options
		_, err := Apply(&o, config)
		if c.says == "-" {
			if err != nil || o.DataConverter == nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if err == nil || schema.KindOf(err) != schema.KindInvalid || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "openssl rand") || strings.Contains(err.Error(), key(7)) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	var o client.Options
	if dc, err := Apply(&o, &schema.Config{}); err != nil || o.DataConverter != nil || dc != converter.GetDefaultDataConverter() {
		t.Errorf("without encryption: %v, %v", o.DataConverter, err)
	}
}

func FuzzDecode(f *testing.F) {
	c := codecOf(f, "k1:"+key(1))
	f.Add([]byte("binary/encrypted"), []byte("k1"), []byte("twelve bytes and more"))
	f.Fuzz(func(t *testing.T, encoding, id, data []byte) {
		p := &commonpb.Payload{Metadata: map[string][]byte{metaEncoding: encoding, metaKeyID: id}, Data: data}
		if got, err := c.Decode([]*commonpb.Payload{p}); err == nil && string(encoding) == encrypted {
			t.Errorf("%v was opened: %v", p, got)
		}
	})
}
