// Package report makes the papers of a version: the dataset card (README.md) with the YAML that the Hugging Face hub reads,
// croissant.json, and the HTML report that people look at. It is given what it shows, and fetches nothing.
//
// A manifest, the manifests of earlier versions whose shards are kept, and a Summary of what was measured are all that card and
// croissant.json are made from, so that anybody can make them again. What teachers and people wrote is text in all of them: it can
// neither end the YAML, nor become markup, nor run.
package report
