package site

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Process is one that runs, or has run.
type Process struct {
	Name string
	cmd  *exec.Cmd
	gone chan struct{}
}

// launch starts a program whose output goes to NAME.log in the site's folder.
func (s *Site) launch(name string, env []string, program string, args ...string) (*Process, error) {
	log, err := os.OpenFile(s.log(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(program, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, log, log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &Process{Name: name, cmd: cmd, gone: make(chan struct{})}
	s.mu.Lock()
	s.running[name] = p
	s.all = append(s.all, p)
	s.mu.Unlock()
	go func() {
		cmd.Wait() //nolint:errcheck // kills are meant
		close(p.gone)
	}()
	return p, nil
}

func (s *Site) log(name string) string { return filepath.Join(s.Dir, name+".log") }

// part starts a part of the local stack and waits until it answers.
func (s *Site) part(ctx context.Context, name string, args ...string) error {
	file := filepath.Join(s.Dir, name+".ready")
	os.Remove(file) //nolint:errcheck // that of the process before, if there was one
	p, err := s.launch(name, nil, s.Local, append([]string{name, "--ready-file", file}, args...)...)
	if err != nil {
		return err
	}
	for {
		body, err := os.ReadFile(file)
		if err == nil && json.Valid(body) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.gone:
			log, err := os.ReadFile(s.log(name))
			return errors.Join(fmt.Errorf("%s ended:\n%s", name, log), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Kill ends the process with SIGKILL and returns when it is gone.
func (p *Process) Kill() {
	p.cmd.Process.Kill() //nolint:errcheck // may be gone
	<-p.gone
}

// Drain asks the process to end with SIGTERM.
func (p *Process) Drain() error { return p.cmd.Process.Signal(syscall.SIGTERM) }

// Gone is closed when the process has ended.
func (p *Process) Gone() <-chan struct{} { return p.gone }

func (p *Process) ended() bool {
	select {
	case <-p.gone:
		return true
	default:
		return false
	}
}

// clockTicks of /proc are hundredths of a second on Linux.
const clockTicks = 100

// CPUSeconds is what the process has used so far, or did until it ended.
func (p *Process) CPUSeconds() float64 {
	if p.ended() {
		return (p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()).Seconds()
	}
	body, err := os.ReadFile(p.proc("stat"))
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(body), ") ")
	fields := strings.Fields(after)
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	return (user + system) / clockTicks
}

// PeakMB is the most memory that was resident; ResidentMB what is now.
func (p *Process) PeakMB() float64 {
	if p.ended() {
		usage, _ := p.cmd.ProcessState.SysUsage().(*syscall.Rusage)
		return float64(usage.Maxrss) / 1024
	}
	return p.statusMB("VmHWM:")
}

func (p *Process) ResidentMB() float64 { return p.statusMB("VmRSS:") }

// Files is the number of open file descriptors, sockets among them.
func (p *Process) Files() int {
	entries, err := os.ReadDir(p.proc("fd"))
	if err != nil {
		return 0
	}
	return len(entries)
}

func (p *Process) proc(file string) string {
	return fmt.Sprintf("/proc/%d/%s", p.cmd.Process.Pid, file)
}

func (p *Process) statusMB(key string) float64 {
	body, err := os.ReadFile(p.proc("status"))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(body)) {
		if kb, ok := strings.CutPrefix(line, key); ok {
			n, _ := strconv.ParseFloat(strings.Fields(kb)[0], 64)
			return n / 1024
		}
	}
	return 0
}
