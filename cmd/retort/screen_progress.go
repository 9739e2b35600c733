package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/retort-data/retort/schema"
)

// progress shows how much is asked, decided, written and spent.
func (s *screen) progress(c *column) {
	n, p := s.Counts, s.paint
	width := max(8, min(40, c.width-labelWidth-44))
	asked := s.asked()
	c.field("asked", p.bar(asked, n.Planned, width, p.good)+" "+fmt.Sprintf("%s of %s", number(asked), number(n.Planned))+s.pace())
	decided := n.Planned - n.Unasked
	text := p.bar(decided, n.Planned, width, p.good) + " " + number(decided)
	if s.Rows > 0 {
		text += fmt.Sprintf(", %s admitted of %s wanted", number(n.Admitted), number(s.Rows))
	}
	c.field("decided", text)
	c.under(fmt.Sprintf("admitted %s%s, rejected %s, failed %s", number(n.Admitted), shareOf(n.Admitted, decided), number(n.RejectedTotal()), number(n.Failed)))
	if s.Files.Total > 0 {
		c.field("files", p.bar(int64(s.Files.Done), int64(s.Files.Total), width, p.good)+fmt.Sprintf(" %d of %d", s.Files.Done, s.Files.Total))
	}
	s.money(c, width)
	if text := reuseText(&s.Status); text != "" {
		c.field("reused", text)
	}
}

// money shows cost against budget.
func (s *screen) money(c *column, width int) {
	p := s.paint
	text := costText(s.Cost)
	if s.Budget > 0 {
		fill := p.good
		switch spent := float64(s.Cost.Micros) / float64(s.Budget); {
		case spent >= .95:
			fill = p.bad
		case spent >= .8:
			fill = p.warn
		}
		text = p.bar(s.Cost.Micros, s.Budget, width, fill) + " " + text + " of " + dollars(s.Budget)
	}
	c.field("cost", text+figuresText(s.Figures, s.Ended()))
}

// shareOf is a share in brackets.
func shareOf(part, whole int64) string {
	if whole == 0 {
		return ""
	}
	return fmt.Sprintf(" (%.0f%%)", 100*float64(part)/float64(whole))
}

// pace is the rate and the time that the rest takes at it.
func (s *screen) pace() string {
	left := s.Counts.Planned - s.asked()
	rate, known := s.trail.rate(s.snapshot, s.now)
	switch {
	case s.State != schema.StateAsking || s.stale || !known || left <= 0:
		return ""
	case rate == 0:
		return ", none in the last minute"
	}
	return fmt.Sprintf(", %.1f/s, %s left", rate, span(time.Duration(float64(left)/rate*float64(time.Second))))
}

// rejected shows why answers were turned away, the most frequent reason first.
func (s *screen) rejected(c *column) {
	if len(s.Counts.Rejected) == 0 {
		return
	}
	order := byCount(s.Counts.Rejected)
	if low := s.height > 0 && s.height < roomyHeight && s.width < twoColumnsFrom; low || len(order) <= 2 || c.width < 60 {
		c.field("rejected", clean(reasons(s.Counts.Rejected)))
		return
	}
	most, names := s.Counts.Rejected[order[0]], 0
	for _, r := range order {
		names = max(names, ansi.StringWidth(clean(r)))
	}
	names = min(names, 24)
	width := max(8, min(24, c.width-labelWidth-names-14))
	for i, r := range order {
		if i == mostReasons && len(order) > mostReasons+1 {
			var rest int64
			for _, r := range order[i:] {
				rest += s.Counts.Rejected[r]
			}
			c.under(fmt.Sprintf("%d other reasons %s", len(order)-i, number(rest)))
			return
		}
		n := s.Counts.Rejected[r]
		bar := strings.Repeat(s.paint.chars("━"), max(1, int(n*int64(width)/max(1, most))))
		line := fmt.Sprintf("%-*s %9s %s", names, ansi.Truncate(clean(r), names, ""), number(n), s.paint.warn(bar))
		if i == 0 {
			c.field("rejected", line)
		} else {
			c.under(line)
		}
	}
}

// roomyHeight is the height from which each reason has a line of its own.
const roomyHeight = 32

// mostReasons bounds the reasons that have a line of their own.
const mostReasons = 6

// byCount lists a count's names, the largest first.
func byCount(m map[string]int64) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int {
		if m[a] != m[b] {
			return int(max(-1, min(1, m[b]-m[a])))
		}
		return strings.Compare(a, b)
	})
	return keys
}

// work shows what waits for a worker, and what is tried again and why.
func (s *screen) work(c *column) {
	type kind struct {
		started, waiting, again int
		code                    string
		next                    time.Time
	}
	kinds := map[string]*kind{}
	var order []string
	for _, at := range s.steps {
		k := kinds[at.Name]
		if k == nil {
			k = &kind{}
			kinds[at.Name] = k
			order = append(order, at.Name)
		}
		switch {
		case at.Started:
			k.started++
		case at.Code == "":
			k.waiting++
		}
		if at.Code != "" {
			k.again, k.code = max(k.again, at.Attempt), at.Code
			if at.Next.After(k.next) {
				k.next = at.Next
			}
		}
	}
	slices.Sort(order)
	label := "now"
	for _, name := range order {
		k := kinds[name]
		var parts []string
		if k.started > 0 {
			parts = append(parts, fmt.Sprintf("%d under way", k.started))
		}
		if k.waiting > 0 {
			parts = append(parts, s.paint.warn(fmt.Sprintf("%d wait for a worker", k.waiting)))
		}
		if k.code != "" {
			text := fmt.Sprintf("attempt %d after %s", k.again, clean(k.code))
			if k.next.After(s.now) {
				text += ", in " + span(k.next.Sub(s.now)+time.Second)
			}
			parts = append(parts, s.paint.warn(text))
		}
		c.field(label, stepText(name)+": "+strings.Join(parts, ", "))
		label = ""
	}
}

// stepText says what an activity does.
func stepText(name string) string {
	if text, ok := stepTexts[name]; ok {
		return text
	}
	return clean(name)
}

var stepTexts = map[string]string{
	schema.StepPlan: "planning", schema.StepAsk: "pages being asked", schema.StepInspect: "pages being measured", schema.StepAdmit: "pages being decided",
	schema.StepLayout: "laying out files", schema.StepWrite: "files being written", schema.StepPublish: "reading back and publishing",
	schema.StepStatus: "saving the status", schema.StepTidy: "tidying", schema.StepHold: "saving the hold", schema.StepLoad: "loading the hold",
}
