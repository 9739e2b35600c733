package prompt

import "strings"

// shardLicense is the column of a Retort shard with the licence of each record's source.
const shardLicense = "source_license"

// mostLicense bounds what a row may give as its licence, in bytes: an identifier, no text.
const mostLicense = 200

// licenseColumns are those that a source's rows must have for their licences.
func licenseColumns(source Source) []string {
	if source.Column == "" {
		return nil
	}
	return []string{source.Column}
}

// licenseOf is a row's licence: a Retort shard's own, else that of the column which the recipe names, else the source's.
func licenseOf(source Source, row Row) string {
	for _, c := range []struct {
		name string
		use  bool
	}{{shardLicense, row.Lineage.Retort}, {source.Column, source.Column != ""}} {
		if text, ok := row.Columns[c.name].(string); ok && c.use {
			if text = strings.TrimSpace(text); text != "" && len(text) <= mostLicense {
				return text
			}
		}
	}
	return source.License
}
