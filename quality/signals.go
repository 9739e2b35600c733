package quality

// Names of signals, in the order in which they are written.
const (
	SignalWords            = "words" // characters count as words in Chinese and Japanese
	SignalCharacters       = "characters"
	SignalMeanWordLength   = "mean_word_length"
	SignalSymbolRatio      = "symbol_word_ratio"
	SignalEllipsisRatio    = "ellipsis_word_ratio"
	SignalBulletLines      = "bullet_lines"
	SignalEllipsisLines    = "ellipsis_lines"
	SignalAlphaWords       = "alpha_words"
	SignalStopWords        = "stop_words"
	SignalNewlineRatio     = "newline_ratio"
	SignalPunctLines       = "punct_lines"
	SignalShortLines       = "short_lines"
	SignalDupLineFraction  = "dup_line_fraction"
	SignalDupLineChars     = "dup_line_chars"
	SignalDupCharLines     = "dup_char_lines" // FineWeb's: characters without newlines
	SignalTop2             = "top_2gram_chars"
	SignalTop3             = "top_3gram_chars"
	SignalTop4             = "top_4gram_chars"
	SignalDup5             = "dup_5gram_chars"
	SignalDup6             = "dup_6gram_chars"
	SignalDup7             = "dup_7gram_chars"
	SignalDup8             = "dup_8gram_chars"
	SignalDup9             = "dup_9gram_chars"
	SignalDup10            = "dup_10gram_chars"
	SignalRep4             = "rep4"
	SignalEntropy          = "entropy"  // bits, of the first 64 words
	SignalDistinct         = "distinct" // share of different words among the first 64
	SignalEcho             = "echo"     // share of words in 8-grams of the prompt
	SignalLanguageShare    = "language_share"
	SignalContamination    = "contamination" // highest share of an evaluation item that is covered
	budgetWords            = 64
	minWords               = 50 // below it ratios of words and n-grams mislead: Gopher never saw such texts
	minWordsRep4           = 16
	minLines               = 5 // below it one repeated line breaks the limits
	minWordsEcho           = 20
	minWordsLanguage       = 5
	minCharactersIdeograph = 4
)

// family says which check judges a signal.
var family = map[string]string{
	SignalMeanWordLength: "quality", SignalSymbolRatio: "quality", SignalEllipsisRatio: "quality",
	SignalBulletLines: "quality", SignalEllipsisLines: "quality", SignalAlphaWords: "quality",
	SignalStopWords: "quality", SignalNewlineRatio: "quality", SignalDupCharLines: "quality",
	SignalPunctLines: "quality", SignalShortLines: "quality", SignalEntropy: "quality", SignalDistinct: "quality",
	SignalDupLineFraction: "repetition", SignalDupLineChars: "repetition", SignalTop2: "repetition",
	SignalTop3: "repetition", SignalTop4: "repetition", SignalDup5: "repetition", SignalDup6: "repetition",
	SignalDup7: "repetition", SignalDup8: "repetition", SignalDup9: "repetition", SignalDup10: "repetition",
	SignalRep4: "repetition",
}

// lowBound are the signals of which a recipe's limit is the least allowed value; of the others it is the most.
var lowBound = map[string]bool{SignalAlphaWords: true, SignalStopWords: true, SignalPunctLines: true,
	SignalEntropy: true, SignalDistinct: true}

// enough says whether the text is long enough for a signal's limits to be judged.
func (w *work) enough(signal string) bool {
	switch signal {
	case SignalRep4:
		return len(w.folded) >= minWordsRep4
	case SignalDupLineFraction, SignalDupLineChars, SignalDupCharLines, SignalBulletLines, SignalEllipsisLines,
		SignalPunctLines, SignalShortLines:
		return w.filledLines >= minLines
	}
	return w.text.words >= minWords
}
