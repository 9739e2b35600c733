package report

import "github.com/retort-data/retort/quality"

// signalWords say what a signal is: a title, and what it means.
var signalWords = map[string][2]string{
	quality.SignalWords: {"Length in words", ""}, quality.SignalCharacters: {"Length in characters", ""},
	quality.SignalMeanWordLength:  {"Letters a word", ""},
	quality.SignalEntropy:         {"Entropy", "bits a word, of the first 64 words: lower is more monotonous"},
	quality.SignalDistinct:        {"Different words", "share of the first 64 words"},
	quality.SignalRep4:            {"Repetition", "share of four words in a row that come again"},
	quality.SignalStopWords:       {"Stop words", "of the language's commonest, how many it has"},
	quality.SignalAlphaWords:      {"Words with a letter", "share of all"},
	quality.SignalEcho:            {"Echo of the prompt", "share of words that the prompt has in the same order"},
	quality.SignalLanguageShare:   {"Certainty of the language", ""},
	quality.SignalPunctLines:      {"Lines that end a sentence", "share of lines"},
	quality.SignalShortLines:      {"Short lines", "share of lines"},
	quality.SignalNewlineRatio:    {"Line breaks a word", ""},
	quality.SignalBulletLines:     {"Bullet lines", "share of lines"},
	quality.SignalSymbolRatio:     {"Symbols a word", "# and ellipses"},
	quality.SignalDupLineFraction: {"Repeated lines", "share of lines"},
	quality.SignalDupLineChars:    {"Characters in repeated lines", "share"},
	quality.SignalTop2:            {"Commonest pair of words", "share of characters"},
	quality.SignalTop3:            {"Commonest three words in a row", "share of characters"},
	quality.SignalTop4:            {"Commonest four words in a row", "share of characters"},
	quality.SignalDup5:            {"Repeated five words in a row", "share of characters"},
	quality.SignalDup10:           {"Repeated ten words in a row", "share of characters"},
	quality.SignalContamination:   {"Overlap with evaluation items", "highest share of an item"},
}

func signalTitle(name string) string {
	if w, ok := signalWords[name]; ok {
		return w[0]
	}
	return name
}

func signalText(name string) string { return signalWords[name][1] }

// accountWords say what an account of the gate bets on.
var accountWords = map[string]string{
	quality.AccountMaxRar: "the rarest words are less rare", quality.AccountUniLP: "words are commoner", quality.AccountUni1: "words come again",
	quality.AccountUni2: "pairs of words come again", quality.AccountNov6Rep: "six words in a row come again and again",
	quality.AccountHrec: "an answer has fewer different words", quality.AccountRep4: "answers repeat themselves", quality.AccountTopic: "topics vanish",
	quality.AccountLength: "answers get shorter", quality.AccountAsked: "answers say less of what was asked",
}

func accountText(name string) string { return accountWords[name] }

// reasonWords say why a record was turned away.
var reasonWords = map[string]string{
	"exact": "the same answer, word for word, was there already", "near": "nearly the same words were there already", "refusal": "the teacher refused",
	"identity": "it says which model it is", "truncated": "the answer was cut off", "repetition": "it repeats itself", "quality": "a measure of form is out of bounds",
	"language": "it isn't in the language wanted", "length": "too short or too long", "echo": "it says the prompt again", "template": "parts of a template are left in it",
	"reasoning": "reasoning leaked into the answer", "schema": "it breaks the schema of answers", "empty": "there is no text", "surplus": "the rows asked for were reached",
	"secrets": "there are keys or passwords in it", "personal": "there are addresses or numbers of people in it",
	"contamination": "it overlaps with an evaluation item",
}

func reasonText(reason string) string { return reasonWords[reason] }
