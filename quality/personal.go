package quality

import (
	"math/big"
	"regexp"
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Kinds of personal data.
const (
	KindEmail = "email"
	KindPhone = "phone"
	KindCard  = "payment-card"
	KindIBAN  = "iban"
	KindSSN   = "us-ssn"
)

var (
	emailForm = regexp.MustCompile(`[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b`)
	// phoneAbroad is a number with its country, phoneUS one as it is written in North America.
	phoneAbroad = regexp.MustCompile(`(?:^|[^\w+])(\+[1-9][0-9](?:[ ().\x{a0}/-]{0,2}[0-9]){6,13})(?:$|[^\w])`)
	phoneUS     = regexp.MustCompile(`(?:^|[^\w.+-])(\([2-9][0-9]{2}\) ?[2-9][0-9]{2}-[0-9]{4}|[2-9][0-9]{2}[.-][2-9][0-9]{2}[.-][0-9]{4})(?:$|[^\w-])`)
	cardForm    = regexp.MustCompile(`(?:^|[^\w.-])([2-6](?:[ -]?[0-9]){12,18})(?:$|[^\w-])`)
	ibanForm    = regexp.MustCompile(`\b([A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?)\b`)
	ssnForm     = regexp.MustCompile(`(?:^|[^\w-])([0-9]{3}-[0-9]{2}-[0-9]{4})(?:$|[^\w-])`)
)

// findPersonal returns the personal data of a text that forms and check digits tell: no names, no streets. What stands for examples
// (RFC 2606 domains, numbers of films, test cards) is none.
func findPersonal(text string) (hits []Hit) {
	if strings.IndexByte(text, '@') >= 0 {
		hits = findForm(hits, text, KindEmail, emailForm, isAddress)
	}
	if digitsIn(text) < 9 {
		return hits
	}
	if strings.IndexByte(text, '+') >= 0 {
		hits = findForm(hits, text, KindPhone, phoneAbroad, isPhoneOf("ZZ"))
	}
	if strings.IndexByte(text, '-') >= 0 || strings.IndexByte(text, '.') >= 0 {
		hits = findForm(hits, text, KindPhone, phoneUS, isPhoneOf("US"))
	}
	if strings.IndexByte(text, '-') >= 0 {
		hits = findForm(hits, text, KindSSN, ssnForm, isSSN)
	}
	if digitsIn(text) >= 12 {
		hits = findForm(hits, text, KindIBAN, ibanForm, isIBAN)
		hits = append(hits, cards(text)...)
	}
	return hits
}

// cards leaves out what is part of something that has the form of an account number.
func cards(text string) []Hit {
	accounts := ibanForm.FindAllStringIndex(text, mostHits)
	return slices.DeleteFunc(findForm(nil, text, KindCard, cardForm, isCard), func(h Hit) bool {
		return slices.ContainsFunc(accounts, func(a []int) bool { return h.Start < a[1] && a[0] < h.End })
	})
}

// digitsIn counts the digits of stretches that may be a number: separated by one or two other characters at most. It returns the most
// of one stretch.
func digitsIn(text string) (most int) {
	n, gap := 0, 0
	for i := range len(text) {
		switch c := text[i]; {
		case '0' <= c && c <= '9':
			n, gap = n+1, 0
			most = max(most, n)
		case c == '\n' || gap == 4:
			n, gap = 0, 0
		default:
			gap++
		}
	}
	return most
}

func findForm(hits []Hit, text, kind string, form *regexp.Regexp, is func(string) bool) []Hit {
	for from, tried, found := 0, 0, 0; from < len(text) && found < mostHits && tried < 10*mostHits; tried++ {
		m := form.FindStringSubmatchIndex(text[from:])
		if m == nil {
			return hits
		}
		start, end := secretOf(m)
		if is(text[from+start : from+end]) {
			hits = append(hits, Hit{kind, from + start, from + end})
			found++
		}
		from += max(end, 1) // what ends a match may begin the next
	}
	return hits
}

// exampleDomains are those that stand for any (RFC 2606 and RFC 6761), and what models write in their place.
var exampleDomains = regexp.MustCompile(`(?i)(?:^|[.@])(?:(?:example|test|invalid|localhost|local)|example\.(?:com|org|net|edu)|(?:my|your|some)?-?(?:domain|company|email|mail|site|website|organization|host|server)\.(?:com|org|net|edu|io))$`)

// nobody are local parts that reach no person.
var nobody = regexp.MustCompile(`(?i)^(?:git|hg|svn|root|noreply|no-reply|donotreply|user|username|name|your[._-]?name|you|me|someone|somebody|example|test|foo|bar|first\.last)$`)

func isAddress(s string) bool {
	at := strings.LastIndexByte(s, '@')
	return !exampleDomains.MatchString(s[at:]) && !nobody.MatchString(s[:at])
}

// isPhoneOf says whether a number may exist by libphonenumber's tables; numbers kept for films (555-01xx) are nobody's.
func isPhoneOf(region string) func(string) bool {
	return func(s string) bool {
		n, err := phonenumbers.Parse(s, region)
		if err != nil || !phonenumbers.IsValidNumber(n) {
			return false
		}
		national := n.GetNationalNumber()
		return n.GetCountryCode() != 1 || national/100%100000 != 55501
	}
}

// testCards are those of payment providers' documentation.
var testCards = regexp.MustCompile(`^(?:4242424242424242|4111111111111111|4012888888881881|4000056655665556|4000000000000\d{3}|5555555555554444|5105105105105100|5200828282828210|2223003122003222|378282246310005|371449635398431|6011111111111117|6011000990139424|3530111333300000|3566002020360505|30569309025904)$`)

func isCard(s string) bool {
	d := digits(s)
	return !testCards.MatchString(d) && luhn(d) && strings.Trim(d, d[:1]) != ""
}

// luhn holds for the digits of payment cards (ISO/IEC 7812-1).
func luhn(d string) bool {
	sum := 0
	for i := range len(d) {
		v := int(d[len(d)-1-i] - '0')
		if i%2 == 1 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return sum%10 == 0
}

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// testIBANs are those of the standard's own examples.
var testIBANs = map[string]bool{"GB82WEST12345698765432": true, "GB29NWBK60161331926819": true, "DE89370400440532013000": true, "FR1420041010050500013M02606": true,
	"NL91ABNA0417164300": true, "BE68539007547034": true, "CH9300762011623852957": true, "ES9121000418450200051332": true, "IT60X0542811101000000123456": true}

// isIBAN checks the two check digits (ISO 13616): as a number, letters as 10 to 35, it leaves 1 when divided by 97.
func isIBAN(s string) bool {
	s = strings.ReplaceAll(s, " ", "")
	if len(s) < 15 || len(s) > 34 || testIBANs[s] {
		return false
	}
	var b strings.Builder
	for _, c := range s[4:] + s[:4] {
		if c >= 'A' {
			b.WriteString(big.NewInt(int64(c-'A') + 10).String())
		} else {
			b.WriteRune(c)
		}
	}
	n, ok := new(big.Int).SetString(b.String(), 10)
	return ok && n.Mod(n, big.NewInt(97)).Int64() == 1
}

// isSSN knows which numbers are never given out, and those of adverts.
func isSSN(s string) bool {
	area, group, serial := s[:3], s[4:6], s[7:]
	return area != "000" && area != "666" && area[0] != '9' && group != "00" && serial != "0000" && s != "123-45-6789" && s != "078-05-1120" && s != "219-09-9999"
}
