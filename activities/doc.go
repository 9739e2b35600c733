// Package activities holds the doors to the world, a file each for Plan, Ask, Inspect, Admit, Layout, Write and Publish. Any of
// them may run twice, on two machines, at once, or have succeeded without anyone hearing of it; the outcome is the
// same: every object has a key that follows from run, page and attempt, and is put if absent. Who loses such a race reads what
// stands there and returns the winner's counts.
//
// What a person or a model wrote stays on S3. What goes back to Temporal are references, digests, counts and codes.
package activities
