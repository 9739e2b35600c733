package store

import "time"

// What a dataset's schedule keeps stands beside its runs.

func (d Dataset) schedule() string { return d.root() + "_schedule/" }

// Setting is a schedule as it was set: the recipe and what it reads of the machine where it was set, by content.
func (d Dataset) Setting(digest string) string { return d.schedule() + "settings/" + digest + ".json" }

// SettingFile is a local file that was sent when a schedule was set.
func (d Dataset) SettingFile(s string) string { return d.schedule() + "files/" + s }

// Probe is what a teacher said when it was last probed.
func (d Dataset) Probe(teacher string) string { return d.schedule() + "probes/" + teacher + ".json" }

// Nights are the outcomes of a schedule's times.
func (d Dataset) Nights() string { return d.schedule() + "nights/" }

// Night is what became of the time at; keys are in order of time.
func (d Dataset) Night(at time.Time) string {
	return d.Nights() + at.UTC().Format("20060102T150405Z") + ".json"
}
