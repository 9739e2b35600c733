// Package schema holds the nouns of Retort and their files: recipe, configuration, prompt, response,
// record, reject, decision and manifest. It imports nothing of the project, so that every other package
// can speak these words.
//
//	recipe      a YAML file: where prompts come from, which teachers answer, what is checked
//	prompt      one rendered conversation; its id is a hash of its messages
//	request     a prompt sent to one teacher as one sample
//	page        requests to one teacher that travel together: the unit of retry
//	response    what a teacher sent back for one request
//	record      a prompt with its response, as a student is to see it
//	reject      a record that a check turned away, kept with its reason
//	run         one execution of a recipe
//	version     a manifest that lists immutable Parquet shards
//	generation  lineage depth: human text is 0, an answer is 1 + the deepest it came from
//
// Money is in integer micro-dollars (1 USD = 1,000,000). An unknown price is unknown, not zero.
package schema
