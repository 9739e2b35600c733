package main

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/retort-data/retort/activities"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// configuration reads temporal.yaml.
func (d *doctor) configuration() bool {
	c, err := d.loadConfig()
	if err != nil {
		d.bad("configuration", "", err)
		return false
	}
	d.ok("configuration", "%s: %d teachers, store s3://%s/%s", d.configPath(), len(c.Teachers), c.Store.Bucket, c.Store.Prefix)
	return true
}

// mostSkew is the difference of clocks from which it is said; S3 refuses requests from fifteen minutes on.
const mostSkew = time.Minute

// storage lists, puts, reads and deletes, puts on condition, and compares clocks.
func (d *doctor) storage() bool {
	s, err := d.store()
	if err != nil {
		d.bad("store", "", err)
		return false
	}
	for _, err := range s.List(d.ctx, store.NewDataset(s.Bucket(), d.config.Store.Prefix, "").Prefix, "") {
		if err != nil {
			d.bad("store", storeMend(err), err)
			return false
		}
		break
	}
	key := store.DoctorKey(d.config.Store.Prefix, activities.NewRunID(time.Now()))
	before := time.Now()
	if err := s.Put(d.ctx, key, []byte("Retort looked whether it may write here.\n")); err != nil {
		d.bad("store", storeMend(err), err)
		return false
	}
	info, err := s.Head(d.ctx, key)
	if err != nil {
		d.bad("store", storeMend(err), err)
		return false
	}
	d.ok("store", "s3://%s/%s can be listed, read and written", s.Bucket(), d.config.Store.Prefix)
	if err := s.Delete(d.ctx, key); err != nil {
		d.say(partNote, "store", "objects can't be deleted here: %s", "people need no delete; workers need it for journals (docs/security.md)", schema.KindOf(err))
	}
	d.clock(before, info.Modified)
	if err := store.CheckConditional(d.ctx, s, d.config.Store.Prefix); err != nil {
		d.bad("conditional put", "", err)
		return true
	}
	d.ok("conditional put", "the store refuses a second put with If-None-Match")
	return true
}

func (d *doctor) clock(before, stored time.Time) {
	skew := stored.Sub(before)
	if skew > -mostSkew && skew < mostSkew {
		d.ok("clock", "within a minute of the store's")
		return
	}
	ahead := "behind"
	if skew < 0 {
		ahead, skew = "ahead of", -skew
	}
	d.say(partBad, "clock", "this machine's clock is %s %s the store's", "set it by NTP (timedatectl set-ntp true): S3 refuses requests from a quarter of an hour on, and times in manifests would be wrong", skew.Round(time.Second), ahead)
}

// storeMend says how to mend what a store refuses.
func storeMend(err error) string {
	var e *schema.Error
	if !errors.As(err, &e) {
		return ""
	}
	switch e.Code {
	case "s3_nosuchbucket", "s3_notfound":
		return "make the bucket, or mend store.bucket in temporal.yaml"
	case "s3_invalidaccesskeyid", "s3_signaturedoesnotmatch":
		return "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or a profile, or a role) to keys of this store"
	case "s3_accessdenied", "s3_forbidden":
		return "give these credentials the policy in docs/security.md"
	case "s3_requesttimetooskewed":
		return "set this machine's clock by NTP"
	}
	return "check store.endpoint in temporal.yaml, and that the store can be reached from here"
}

// machine looks at what of this machine a worker would need: room on the disk, and the keys whose variables are named.
func (d *doctor) machine() {
	folder := d.config.Worker.Scratch
	switch {
	case folder == "":
		folder = os.TempDir()
	case !filepath.IsAbs(folder):
		folder = filepath.Join(d.config.Dir, folder)
	}
	d.disk(folder)
	rooms := &activities.Rooms{Config: d.config}
	switch err := rooms.ReadSigner(); {
	case d.config.Signing.KeyEnv == "":
		d.say(partNote, "signing key", "versions aren't signed", "retort keygen makes a key; signing.key_env names its variable")
	case os.Getenv(d.config.Signing.KeyEnv) == "":
		d.say(partNote, "signing key", "%s isn't set here", "right, unless a worker is to run here: it wouldn't start", d.config.Signing.KeyEnv)
	case err != nil:
		d.bad("signing key", "", err)
	default:
		d.ok("signing key", "%s holds a key", d.config.Signing.KeyEnv)
	}
}

// leastRoom is what a worker wants on its disk: a few shards and the index's runs.
const leastRoom = 2 << 30

func (d *doctor) disk(folder string) {
	const mend = "set worker.scratch to a folder with some GB that can be written"
	if err := os.MkdirAll(folder, 0o700); err != nil {
		d.say(partBad, "disk", "worker.scratch can't be made: %s", mend, err)
		return
	}
	f, err := os.CreateTemp(folder, "retort-doctor-*")
	if err != nil {
		d.say(partBad, "disk", "worker.scratch can't be written: %s", mend, err)
		return
	}
	f.Close()           //nolint:errcheck // nothing was written
	os.Remove(f.Name()) //nolint:errcheck // a file of no bytes
	free, ok := freeBytes(folder)
	switch {
	case !ok:
		d.ok("disk", "%s can be written", folder)
	case free < leastRoom:
		d.say(partBad, "disk", "%s has %.1f GB left", mend, folder, float64(free)/1e9)
	default:
		d.ok("disk", "%s can be written, and has %.0f GB left", folder, float64(free)/1e9)
	}
}

// datasetsAllowed says what recipes may do here.
func (d *doctor) datasetsAllowed() {
	a := d.config.Allow
	if len(a.Datasets) == 0 {
		d.say(partNote, "allow", "recipes may write every dataset under the store's prefix", "allow.datasets in temporal.yaml bounds it")
	}
	if a.Budget.USD == nil && a.Budget.Requests == nil {
		d.say(partNote, "allow", "a run may spend what its recipe says", "allow.budget in temporal.yaml bounds it")
	}
}
