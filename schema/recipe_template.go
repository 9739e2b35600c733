package schema

func checkTemplate(d *document, r *Recipe, path, content string) {}
