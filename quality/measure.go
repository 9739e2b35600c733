package quality

// What benchmarks and reports read of an anchor besides the gate's verdicts.

// ProfileOnly freezes a profile of texts and leaves twins and holdout empty.
func ProfileOnly(texts []string, seed uint64) *Anchor {
	return &Anchor{Seed: seed, Profile: newProfile(texts, seed)}
}

// SignalsFor returns a text's mean log-probability of its five rarest words, mean log-probability, entropy and 4-gram repetition, as
// the gate measures them against the anchor's profile.
func SignalsFor(a *Anchor, f Features) [4]float64 {
	var v [numSignals]float64
	if len(f.words) == 0 {
		return v
	}
	var seen counter
	return gateSignals(f.words, a.Profile.Vocab.logsOf(f.words, nil), len(f.words), &seen)
}

// TopicOf returns a text's topic in the anchor's profile.
func TopicOf(a *Anchor, f Features) int { return a.Profile.Topics.of(f.words) }
