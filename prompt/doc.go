// Package prompt turns a recipe's sources into prompts: it finds the files, pins them, streams their rows, renders the
// templates, and assigns each prompt to a teacher. The same recipe, pinned files and seed give the same prompts in the same
// order, byte for byte; memory doesn't grow with their number.
//
//	source    the files of one entry of the recipe's `prompts`
//	pinned    a file with the ETag (object) or digest (local) at which it was first seen; read later, it must still be that
//	row       named values: strings, numbers as they stand in the file, booleans, null, lists, objects
//	vary      lists of values by name; each combination renders a row once more
//
// Recipes come from people who may not read everything that a worker can: local folders and buckets are closed unless the
// configuration's allow-lists open them (see Access), and templates are bounded in output and work (see Renderer).
package prompt
