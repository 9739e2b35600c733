package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/retort-data/retort/schema"
)

func newTestLive(at *time.Time) *live {
	return newLive(func() (*snapshot, error) { return asking(), nil }, nil, func() time.Time { return *at }, paint{})
}

// A lost connection is said, with when the run was last heard of, over what was last seen; when it is back the line goes.
func TestLiveSurvivesDisconnects(t *testing.T) {
	at := atNight
	l := newTestLive(&at)
	if !strings.Contains(l.String(), "looking for the run") {
		t.Error(l.String())
	}
	l.Update(looked{asking(), nil})
	if got := l.String(); !strings.Contains(got, "14,323 of 40,000") || strings.Contains(got, "connection") {
		t.Error(got)
	}
	at = at.Add(42 * time.Second)
	_, next := l.Update(looked{nil, errors.New("dial tcp: refused\x1b[2J")})
	if got := l.String(); !strings.Contains(got, "connection lost, last heard 42s ago") || !strings.Contains(got, "14,323 of 40,000") || strings.Contains(got, "\x1b") {
		t.Error(got)
	}
	if next == nil {
		t.Fatal("it doesn't look again")
	}
	l.Update(looked{asking(), nil})
	if got := l.String(); strings.Contains(got, "connection") {
		t.Error(got)
	}
	l.Update(lookAgain{l.looks})
	at = at.Add(patience + time.Second)
	l.Update(second{})
	if got := l.String(); !strings.Contains(got, "no answer for") {
		t.Error("a look that hangs isn't said:\n" + got)
	}
}

// q and ctrl-c leave and end nothing; a run that has ended ends the view.
func TestLiveLeaves(t *testing.T) {
	at := atNight
	for _, key := range []tea.KeyPressMsg{{Code: 'q', Text: "q"}, {Code: 'c', Mod: tea.ModCtrl}} {
		l := newTestLive(&at)
		_, cmd := l.Update(key)
		if cmd == nil || !l.left || l.finished {
			t.Fatalf("%s: left %v, finished %v", key, l.left, l.finished)
		}
		if _, quits := cmd().(tea.QuitMsg); !quits {
			t.Errorf("%s doesn't leave", key)
		}
	}
	l := newTestLive(&at)
	_, cmd := l.Update(looked{published(), nil})
	if _, quits := cmd().(tea.QuitMsg); !quits || !l.finished || l.State != schema.StatePublished {
		t.Error("a published run doesn't end the view")
	}
}

// The window's size is what is drawn in, and a scroll never leaves the body.
func TestLiveFitsItsWindow(t *testing.T) {
	at := atNight
	l := newTestLive(&at)
	l.Update(looked{asking(), nil})
	for _, size := range []tea.WindowSizeMsg{{Width: 80, Height: 24}, {Width: 40, Height: 10}, {Width: 300, Height: 90}, {Width: 1, Height: 1}} {
		l.Update(size)
		for range 40 {
			l.Update(tea.KeyPressMsg{Code: tea.KeyDown})
		}
		v := l.View()
		if n := strings.Count(v.Content, "\n") + 1; n > max(3, size.Height) && size.Height > 6 {
			t.Errorf("%d lines in a window of %d", n, size.Height)
		}
		if !v.AltScreen {
			t.Error("what stood on the terminal is overwritten")
		}
	}
}

// A rate is that of the last minute, and only the last minute is kept.
func TestTrail(t *testing.T) {
	var tr trail
	s := asking()
	s.flying.Done = 0
	for i := range 300 {
		s.Asked = int64(100 * i)
		s.Gate.Gates[0].Wealth = float64(i)
		tr.add(s, atNight.Add(time.Duration(i)*time.Second))
	}
	if len(tr.asked) > 65 || len(tr.wealth["human"]) != mostWealth {
		t.Errorf("%d marks, %d of wealth", len(tr.asked), len(tr.wealth["human"]))
	}
	if rate, known := tr.rate(s, atNight.Add(300*time.Second)); !known || rate < 99 || rate > 101 {
		t.Error(rate, known)
	}
}

// When the workflow has ended it is looked at once more at once, also where a look is out; there is never more than one.
func TestLiveLooksWhenTheRunEnds(t *testing.T) {
	at := atNight
	l := newTestLive(&at)
	l.Init()
	if _, cmd := l.Update(ran{}); cmd != nil {
		t.Error("two looks are out")
	}
	_, cmd := l.Update(looked{asking(), nil})
	if cmd == nil || l.asked.IsZero() {
		t.Error("it doesn't look at once")
	}
	if _, cmd := l.Update(lookAgain{0}); cmd != nil {
		t.Error("a late tick looks too")
	}
}
