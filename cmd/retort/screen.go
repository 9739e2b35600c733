package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/retort-data/retort/schema"
)

// screen is all that a picture of a run is drawn from: the same screen gives the same text.
type screen struct {
	*snapshot
	trail *trail
	now   time.Time
	link  string // what keeps the view from hearing of the run; "": nothing
	paint paint

	width, height int // cells; a height of 0 has no bound
	scroll        int // lines of the body that are above the window
}

// twoColumnsFrom is the width from which a second column spares scrolling.
const twoColumnsFrom = 132

// foot says what the keys do.
const foot = "q leaves, the run goes on"

// String draws the screen: a head, as much of the body as fits, and a foot where there is a window.
func (s *screen) String() string {
	head, body := s.head(), s.body()
	if s.height <= 0 {
		return strings.Join(append(head, body...), "\n")
	}
	room := max(1, s.height-len(head)-1)
	above, below := 0, 0
	if len(body) > room {
		above = min(s.scroll, len(body)-room)
		below = len(body) - room - above
		body = body[above : above+room]
	}
	lines := append(head, body...)
	for len(lines) < s.height-1 {
		lines = append(lines, "")
	}
	keys := foot
	if s.width < 60 {
		keys = "q leaves"
	}
	switch {
	case above > 0 && below > 0:
		keys += fmt.Sprintf("   ↑↓ %d more above, %d below", above, below)
	case above > 0:
		keys += fmt.Sprintf("   ↑ %d more above", above)
	case below > 0:
		keys += fmt.Sprintf("   ↓ %d more below", below)
	}
	return strings.Join(append(lines, s.paint.dim(ansi.Truncate(s.paint.chars(keys), s.width, ""))), "\n")
}

// maxScroll is how far a body can be moved.
func (s *screen) maxScroll() int {
	if s.height <= 0 {
		return 0
	}
	return max(0, len(s.body())-max(1, s.height-len(s.head())-1))
}

func (s *screen) body() []string {
	if s.Counts.Planned == 0 {
		return s.inWidth(s.width, func(c *column) { s.work(c) })
	}
	if s.width < twoColumnsFrom {
		return s.inWidth(s.width, func(c *column) { s.progress(c); s.work(c); s.teachers(c); s.gates(c); s.rejected(c) })
	}
	progress := func(c *column) { s.progress(c); s.work(c); s.rejected(c) }
	behind := func(c *column) { s.teachers(c); s.gates(c) }
	const between = 4
	w := (s.width - between) / 2
	left, right := s.inWidth(w, progress), s.inWidth(w, behind)
	lines := make([]string, max(len(left), len(right)))
	for i := range lines {
		l, r := "", ""
		if i < len(left) {
			l = left[i]
		}
		if i < len(right) {
			r = right[i]
		}
		lines[i] = strings.TrimRight(l+strings.Repeat(" ", max(0, w+between-ansi.StringWidth(l)))+r, " ")
	}
	return lines
}

func (s *screen) inWidth(width int, draw func(*column)) []string {
	c := &column{width: width, paint: s.paint}
	draw(c)
	return c.lines
}

// head names the run, its stage, and what stands in the way of it or of the view.
func (s *screen) head() []string {
	c := &column{width: s.width, paint: s.paint}
	p := s.paint
	id, since := "run "+clean(s.Run), ""
	if !s.Started.IsZero() {
		end := s.now
		if s.Ended() {
			end = s.Updated
		}
		since = span(max(0, end.Sub(s.Started)))
	}
	name := p.bold(clean(s.Dataset)) + "  " + s.stateWord()
	if gap := s.width - ansi.StringWidth(name) - ansi.StringWidth(id) - ansi.StringWidth(since) - 2; gap > 1 {
		c.line(name + strings.Repeat(" ", gap) + p.dim(id+"  "+since))
	} else {
		c.text("", name)
		c.text("", p.dim(strings.TrimSpace(id+"  "+since)))
	}
	if s.Reason != "" {
		c.text("", p.state(s.State, clean(reasonText(&s.Status))))
	}
	switch {
	case s.link != "":
		c.text("", p.warn(s.link))
	case s.lost != nil:
		c.text("", p.warn("Temporal doesn't answer: "+clean(firstLine(s.lost.Error()))+". What stands here is from S3"+s.ago()+"; trying again"))
	case s.stale && s.State != stateWaiting && !s.Ended():
		c.text("", p.warn("no worker answers; what stands here is from S3"+s.ago()+". Start one with: retort worker"))
	case s.State == stateWaiting:
		c.text("", p.warn("no worker has begun it. Start one with: retort worker"))
	}
	c.line(s.stages())
	c.line("")
	return c.lines
}

func (s *screen) ago() string {
	if s.Updated.IsZero() {
		return ""
	}
	return fmt.Sprintf(", %s old", span(max(0, s.now.Sub(s.Updated))))
}

func (s *screen) stateWord() string { return s.paint.state(s.State, clean(s.State)) }

// The stages of a run, as people speak of them.
var stageNames = []string{"plan", "ask", "write", "publish"}

// stages shows how far a run has come.
func (s *screen) stages() string {
	at, p := s.stage(), s.paint
	var parts []string
	for i, name := range stageNames {
		switch {
		case i < at:
			parts = append(parts, p.good(p.mark("✓"))+" "+name)
		case i == at:
			parts = append(parts, p.state(s.State, p.mark("●")+" "+name))
		default:
			parts = append(parts, p.dim(p.mark("○")+" "+name))
		}
	}
	between := "  ─  "
	if s.width < 44 {
		between = " "
	}
	return strings.Join(parts, p.dim(p.chars(between)))
}

// stage is the index of the stage in which a run is, or ended.
func (s *screen) stage() int {
	switch {
	case s.State == schema.StatePublished, s.State == schema.StateNothingNew && s.Counts.Planned > 0:
		return len(stageNames)
	case s.State == schema.StatePublishing:
		return 3
	case s.State == schema.StateWriting || s.Files.Total > 0:
		if s.Files.Total > 0 && s.Files.Done == s.Files.Total {
			return 3
		}
		return 2
	case s.Counts.Planned > 0:
		return 1
	}
	return 0
}

// column collects lines of a width; long text is wrapped under its first word.
type column struct {
	width int
	lines []string
	paint paint
}

func (c *column) line(s string) { c.lines = append(c.lines, ansi.Truncate(s, c.width, "")) }

// labels are this wide, so that what they name stands in one column.
const labelWidth = 10

// field is a line that begins with a label.
func (c *column) field(label, text string) {
	c.text(c.paint.dim(label)+strings.Repeat(" ", max(1, labelWidth-ansi.StringWidth(label))), text)
}

// under is text that belongs to the field before.
func (c *column) under(text string) { c.text(strings.Repeat(" ", labelWidth), text) }

// text wraps text after a lead; the lead stands before the first line.
func (c *column) text(lead, text string) {
	indent := ansi.StringWidth(lead)
	if indent > c.width/2 { // no room to hang it
		indent = 2
		text = lead + text
		lead = ""
	}
	wrapped := strings.Split(ansi.Wrap(text, max(8, c.width-indent), " "), "\n")
	for i, l := range wrapped {
		l = strings.TrimRight(l, " ")
		if i == 0 {
			c.line(lead + l)
			continue
		}
		c.line(strings.Repeat(" ", indent) + strings.TrimLeft(l, " "))
	}
}

// clean makes a word of another's safe on a terminal, and one line.
func clean(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(printable(s), "\n", " "), "\t", " ")
}

// stillWidth is how wide a status is printed that nobody watches.
const stillWidth = 110

// still is a status as lines without control sequences.
func still(s *schema.Status, now time.Time) string {
	sc := screen{snapshot: &snapshot{Status: *s}, now: now, width: stillWidth}
	return strings.TrimRight(sc.String(), "\n") + "\n"
}
