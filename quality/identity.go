package quality

// identity returns the words by which the assistant says which model it is or who made it, or "". Code, quotations and
// texts without a word of the first person near one that
// speaks of models are not looked at.
func (w *work) identity(all map[string]*patterns, order []string) string {
	if !w.speaksOfSelf {
		return ""
	}
	found := ""
	s := withoutQuotes(w.prose())
	sentences(s, func(start, end int) bool {
		f := foldText(s[start:end])
		for _, lang := range order {
			if found = all[lang].find(f); found != "" {
				return false
			}
		}
		return true
	})
	return shorten(found)
}
