package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/term"

	"github.com/retort-data/retort/schema"
)

// live is the view on a terminal: a bubbletea model around a screen. It looks, draws, and leaves; it never steers the run.
type live struct {
	screen
	look     looker
	ended    <-chan struct{} // closed once the workflow has ended, or nobody can tell
	now      func() time.Time
	asked    time.Time // when the look that is out began
	heard    time.Time // of the last look that came back whole
	trouble  error     // of the last look
	looks    int       // that have come back
	hurry    bool      // look once more at once: the workflow has ended
	left     bool      // a person left
	finished bool      // the run has ended
}

type (
	looked struct {
		snap *snapshot
		err  error
	}
	lookAgain struct{ after int } // so many looks; others have come since: nothing is to be done
	ran       struct{}            // the workflow has ended
	second    struct{}            // clocks on the screen go on
)

// patience is how long a look may take before the screen says that it waits.
const patience = lookFor + 2*time.Second

func newLive(look looker, ended <-chan struct{}, now func() time.Time, p paint) *live {
	return &live{look: look, ended: ended, now: now, heard: now(), screen: screen{snapshot: &snapshot{}, trail: &trail{}, now: now(), paint: p, width: 80, height: 24, link: "looking for the run"}}
}

// Init looks at once.
func (l *live) Init() tea.Cmd {
	return tea.Batch(l.lookNow(), eachSecond(), func() tea.Msg { <-l.ended; return ran{} })
}

func (l *live) lookNow() tea.Cmd {
	l.asked = l.now()
	return func() tea.Msg {
		snap, err := l.look()
		return looked{snap, err}
	}
}

func eachSecond() tea.Cmd { return tea.Tick(time.Second, func(time.Time) tea.Msg { return second{} }) }

// Update takes what was seen, a key or the time.
func (l *live) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	l.screen.now = l.now()
	defer l.connection()
	switch msg := msg.(type) {
	case looked:
		return l, l.took(msg)
	case lookAgain:
		if msg.after == l.looks && l.asked.IsZero() {
			return l, l.lookNow()
		}
	case ran:
		if l.asked.IsZero() {
			return l, l.lookNow()
		}
		l.hurry = true
	case second:
		return l, eachSecond()
	case tea.WindowSizeMsg:
		l.width, l.height = max(20, msg.Width), max(3, msg.Height)
		l.move(0)
	case tea.KeyPressMsg:
		return l, l.key(msg.String())
	}
	return l, nil
}

func (l *live) took(got looked) tea.Cmd {
	l.asked, l.trouble, l.looks = time.Time{}, got.err, l.looks+1
	if got.err == nil && got.snap != nil {
		l.heard = l.screen.now
		l.snapshot = got.snap
		l.trail.add(got.snap, l.screen.now)
		l.move(0)
		if got.snap.Ended() {
			l.finished = true
			return tea.Quit
		}
	}
	if l.hurry {
		l.hurry = false
		return l.lookNow()
	}
	after := l.looks
	return tea.Tick(followEvery, func(time.Time) tea.Msg { return lookAgain{after} })
}

// connection says what keeps the view from hearing of the run.
func (l *live) connection() {
	since := span(max(0, l.screen.now.Sub(l.heard)))
	switch {
	case l.trouble != nil:
		l.link = fmt.Sprintf("connection lost, last heard %s ago; trying again, and the run goes on without this view (%s)", since, clean(firstLine(l.trouble.Error())))
	case l.Run == "":
		l.link = "looking for the run"
	case !l.asked.IsZero() && l.screen.now.Sub(l.asked) > patience:
		l.link = fmt.Sprintf("no answer for %s; waiting, and the run goes on without this view", since)
	default:
		l.link = ""
	}
}

func (l *live) key(key string) tea.Cmd {
	switch key {
	case "q", "ctrl+c", "ctrl+d":
		l.left = true
		return tea.Quit
	case "ctrl+z":
		return tea.Suspend
	case "down", "j":
		l.move(1)
	case "up", "k":
		l.move(-1)
	case "pgdown", "space", " ":
		l.move(l.height / 2)
	case "pgup", "b":
		l.move(-l.height / 2)
	case "home", "g":
		l.move(-l.scroll)
	}
	return nil
}

func (l *live) move(by int) { l.scroll = max(0, min(l.scroll+by, l.maxScroll())) }

// View draws the whole window.
func (l *live) View() tea.View {
	v := tea.NewView(l.String())
	v.AltScreen = true
	v.WindowTitle = clean(fmt.Sprintf("%s %s", l.Dataset, l.State))
	return v
}

// terminal is stdout where it is one that can be drawn on.
func (a *app) terminal() (*os.File, bool) {
	f, ok := a.stdout.(*os.File)
	return f, ok && !a.json && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}

// framesPerSecond bounds what is sent over a slow line.
const framesPerSecond = 10

// followLive draws until the run ends (its last status), or a person leaves (nil).
func (a *app) followLive(out *os.File, look looker, ended <-chan struct{}) (*schema.Status, error) {
	var in io.Reader
	if term.IsTerminal(int(os.Stdin.Fd())) {
		in = os.Stdin
	}
	l := newLive(look, ended, time.Now, terminalPaint())
	_, err := tea.NewProgram(l, tea.WithContext(a.ctx), tea.WithoutSignalHandler(), tea.WithInput(in), tea.WithOutput(out), tea.WithFPS(framesPerSecond)).Run()
	if err != nil && a.ctx.Err() == nil && !errors.Is(err, tea.ErrInterrupted) {
		return nil, fmt.Errorf("draw the view: %w", err)
	}
	last := l.screen
	last.height, last.link = 0, ""
	if last.Run != "" {
		fmt.Fprintln(out, last.String()) // the window is gone; what it showed last stays
	}
	if !l.finished {
		return nil, nil
	}
	return &l.Status, nil
}
