package quality

// identity returns the sentence in which the assistant says which model it is or who made it, or "". Code, quotations and
// sentences without a word of the first person and one that speaks of models are not looked at.
func (w *work) identity(in *Inspector) string {
	if w.claims[claimIdentity] == 0 {
		return ""
	}
	found := ""
	s := withoutQuotes(w.prose())
	sentences(s, func(start, end int) bool {
		if w.findClaim(in.lexicon, in.identities, claimIdentity, s[start:end], in.aliases.mark) {
			found = s[start:end]
		}
		return found == ""
	})
	return shorten(found)
}
