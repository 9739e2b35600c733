package store

import "fmt"

// Reuse says which answers of earlier runs were taken, and why not more.
func (r Run) Reuse() string { return r.Home() + "reuse.json" }

// AllAnswers is the prefix of the pages' final answers.
func (r Run) AllAnswers() string { return r.Home() + "answers/" }

// AllServed is the prefix of the names under which teachers answered.
func (r Run) AllServed() string { return r.Home() + "served/" }

// Served is a name under which a teacher answered, by its digest.
func (r Run) Served(teacher int, digest string) string {
	return fmt.Sprintf("%s%02d-%s.json", r.AllServed(), teacher, digest)
}
