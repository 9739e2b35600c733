package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/klauspost/compress/zstd"

	"github.com/retort-data/retort/local/site"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// complete holds what a run published against what it planned: every planned request stands once, in a shard or among the rejects.
func (s *ground) complete(dataset string, st *schema.Status, prompts int) error {
	d := store.NewDataset(site.Bucket, "", dataset)
	t := s.t
	t.Hold(st.State == schema.StatePublished, "complete", "the run ended as %s%s", st.State, reason(st))
	if st.State != schema.StatePublished {
		return nil
	}
	body, err := s.objects.Get(t.ctx, d.Manifest(st.Version))
	if err != nil {
		return err
	}
	var m schema.Manifest
	if err := json.Unmarshal(body, &m); err != nil {
		return err
	}
	c := m.Counts
	t.Hold(c.Reconciled() && c.Planned == int64(prompts) && c.Unasked == 0, "counts reconcile",
		"planned %d = admitted %d + rejected %d + failed %d + unasked %d", c.Planned, c.Admitted, c.RejectedTotal(), c.Failed, c.Unasked)
	planned, err := s.planned(d.Run(st.Run))
	if err != nil {
		return err
	}
	ids, requests, rows := map[string]bool{}, map[string]bool{}, 0
	note := func(id, request string) {
		rows++
		ids[id], requests[request] = true, true
		if !planned[request] {
			delete(requests, request)
		}
	}
	if err := s.rows(&m, note); err != nil {
		return err
	}
	lost, doubled := len(planned)-len(requests), rows-len(requests)
	t.Hold((lost == 0 || lost == int(c.Failed)) && doubled == 0 && len(ids) == rows, "no row lost or doubled",
		"%d planned requests, %d rows with %d distinct ids; %d lost, %d doubled or unknown", len(planned), rows, len(ids), max(0, lost-int(c.Failed)), doubled)
	err = s.retort("verify", dataset)
	t.Hold(err == nil, "verify", "every shard and reject read again: %s", ok(err))
	return nil
}

func ok(err error) string {
	if err != nil {
		return err.Error()
	}
	return "hashes, counts and Merkle roots hold"
}

func reason(st *schema.Status) string {
	if st.Reason == "" {
		return ""
	}
	return " (" + st.Reason + ")"
}

// rows reads every row of a version: records and rejects.
func (s *ground) rows(m *schema.Manifest, note func(id, request string)) error {
	for _, shard := range m.Shards {
		body, err := s.objects.Get(s.t.ctx, shard.Key)
		if err != nil {
			return err
		}
		for rec, err := range schema.ReadRecords(bytes.NewReader(body), int64(len(body))) {
			if err != nil {
				return err
			}
			note(rec.ID, rec.RequestID)
		}
	}
	for _, shard := range m.Rejects {
		body, err := s.objects.Get(s.t.ctx, shard.Key)
		if err != nil {
			return err
		}
		for rec, err := range schema.ReadRejects(bytes.NewReader(body), int64(len(body))) {
			if err != nil {
				return err
			}
			note(rec.ID, rec.RequestID)
		}
	}
	return nil
}

// planned are the ids of a run's planned requests.
func (s *ground) planned(run store.Run) (map[string]bool, error) {
	unzip, err := zstd.NewReader(nil)
	if err != nil {
		return nil, err
	}
	defer unzip.Close()
	ids := map[string]bool{}
	for in, err := range s.objects.List(s.t.ctx, run.Home()+"plan/", "") {
		if err != nil {
			return nil, err
		}
		body, err := s.objects.Get(s.t.ctx, in.Key)
		if err != nil {
			return nil, err
		}
		if body, err = unzip.DecodeAll(body, nil); err != nil {
			return nil, err
		}
		for i, line := range bytes.Split(bytes.TrimSpace(body), []byte("\n")) {
			var req schema.Request
			if i == 0 { // the page's header
				continue
			}
			if err := json.Unmarshal(line, &req); err != nil {
				return nil, fmt.Errorf("%s: %w", in.Key, err)
			}
			ids[req.RequestID] = true
		}
	}
	return ids, nil
}
