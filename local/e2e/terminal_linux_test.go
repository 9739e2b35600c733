package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/retort-data/retort/local/teacher"
	"github.com/retort-data/retort/schema"
)

// Whatever ends the view on a terminal, the terminal is as it was before, the exit status is 130, a person reads how to rejoin, and the
// run goes on.
func TestViewLeavesTheTerminalAsItWas(t *testing.T) {
	cfg := teacher.DefaultConfig()
	cfg.LatencyMS = 300
	l := newLab(t, cfg)
	l.configure(2, "") // the run outlasts the views
	l.startWorker()
	recipe := l.questions("seen", 4000, "")
	for i, c := range []struct {
		name  string
		args  []string
		leave func(*terminal)
	}{
		{"SIGTERM", []string{"run", recipe}, func(v *terminal) { v.signal(syscall.SIGTERM) }},
		{"SIGTERM to watch", []string{"watch", "seen"}, func(v *terminal) { v.signal(syscall.SIGTERM) }},
		{"SIGINT", []string{"watch", "seen"}, func(v *terminal) { v.signal(syscall.SIGINT) }},
		{"Ctrl-C", []string{"watch", "seen"}, func(v *terminal) { v.press("\x03") }},
		{"q", []string{"watch", "seen"}, func(v *terminal) { v.press("q") }},
	} {
		v := l.onTerminal(c.args...)
		v.until("asking")
		if raw := v.settings(); i == 0 && raw.Lflag&unix.ICANON != 0 {
			t.Fatalf("%s: the view doesn't read single keys", c.name)
		}
		c.leave(v)
		if code := v.end(); code != 130 {
			t.Errorf("%s: exit status %d, not 130; the terminal has\n%q", c.name, code, v.text())
		}
		if now := v.settings(); now != v.before {
			t.Errorf("%s: the terminal's settings were\n%+v, and are now\n%+v", c.name, v.before, now)
		}
		text := v.text()
		for on, off := range map[string]string{"\x1b[?1049h": "\x1b[?1049l", "\x1b[?25l": "\x1b[?25h", "\x1b[?2004h": "\x1b[?2004l"} {
			if strings.LastIndex(text, on) >= 0 && strings.LastIndex(text, off) < strings.LastIndex(text, on) {
				t.Errorf("%s: %q is never undone by %q", c.name, on, off)
			}
		}
		if !strings.Contains(text, "\x1b[?1049h") {
			t.Errorf("%s: no window was drawn", c.name)
		}
		after := text[strings.LastIndex(text, "\x1b[?1049l")+1:]
		if !strings.Contains(after, "retort watch seen") {
			t.Errorf("%s: what is left on the terminal doesn't say how to rejoin: %q", c.name, after)
		}
		if s := l.status("seen"); schema.Ended(s.State) || s.State == schema.StateHeld {
			t.Fatalf("%s: the run is %s", c.name, s.State)
		}
	}
	l.ok("cancel", "seen")
	l.wait("the run's end", func() bool { return schema.Ended(l.status("seen").State) })
}

// terminal is a pseudo-terminal with a command on it.
type terminal struct {
	t      *testing.T
	ours   *os.File
	theirs *os.File // kept open, so that its settings can be read once the command has ended
	cmd    *exec.Cmd
	before unix.Termios

	mu  sync.Mutex
	out bytes.Buffer
}

func (l *lab) onTerminal(args ...string) *terminal {
	l.t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	l.must(err)
	fd := int(ours.Fd())
	l.must(unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	l.must(err)
	theirs, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	l.must(err)
	l.must(unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80}))
	v := &terminal{t: l.t, ours: ours, theirs: theirs}
	v.before = v.settings()
	v.cmd = exec.Command(binary, append(args, "--config", l.config)...)
	v.cmd.Dir, v.cmd.Env = l.dir, append(append(os.Environ(), l.env...), "TERM=xterm-256color")
	v.cmd.Stdin, v.cmd.Stdout, v.cmd.Stderr = theirs, theirs, theirs
	v.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	l.must(v.cmd.Start())
	go v.read()
	l.t.Cleanup(func() {
		v.cmd.Process.Kill() //nolint:errcheck // it has ended, or is to
		theirs.Close()
		ours.Close()
	})
	return v
}

func (v *terminal) read() {
	b := make([]byte, 1<<14)
	for {
		n, err := v.ours.Read(b)
		v.mu.Lock()
		v.out.Write(b[:n])
		v.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (v *terminal) text() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.out.String()
}

// settings are the terminal's, as tcgetattr gives them.
func (v *terminal) settings() unix.Termios {
	v.t.Helper()
	got, err := unix.IoctlGetTermios(int(v.theirs.Fd()), unix.TCGETS)
	if err != nil {
		v.t.Fatal(err)
	}
	return *got
}

func (v *terminal) until(text string) {
	v.t.Helper()
	for deadline := time.Now().Add(time.Minute); !strings.Contains(v.text(), text); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			v.t.Fatalf("%q never came; the terminal has\n%q", text, v.text())
		}
	}
}

func (v *terminal) signal(s os.Signal) {
	if err := v.cmd.Process.Signal(s); err != nil {
		v.t.Fatal(err)
	}
}

func (v *terminal) press(keys string) {
	if _, err := v.ours.WriteString(keys); err != nil {
		v.t.Fatal(err)
	}
}

// end waits for the command and returns its exit status.
func (v *terminal) end() int {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.t.Context(), time.Minute)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { v.cmd.Process.Kill() }) //nolint:errcheck // what it ended as says it
	defer stop()
	v.cmd.Wait() //nolint:errcheck // the exit status is what is asked
	const mark = "<the command has ended>"
	if _, err := v.theirs.WriteString(mark); err != nil { // what it wrote before comes before
		v.t.Fatal(err)
	}
	v.until(mark)
	return v.cmd.ProcessState.ExitCode()
}
