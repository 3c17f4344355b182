//go:build amd64 || arm64

package sandbox

import (
	"bufio"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// describe notes what confines the program.
func (s *supervisor) describe(landlock int) {
	w := Walls{
		Namespaces: []string{"cgroup", "ipc", "mount", "network", "pid", "user", "uts"},
		Seccomp:    true, Landlock: landlock, User: "own",
		Memory: "none", CPU: "none", Processes: s.group.holds("pids", "rlimit"), Swap: "possible",
	}
	if s.id.root {
		w.User = "unprivileged"
	}
	if s.config.Limits.Memory > 0 {
		w.Memory = s.group.holds("memory", "polled")
	}
	if s.plan.Limits.Cores > 0 {
		w.CPU = "affinity"
	}
	w.CPU = s.group.holds("cpu", w.CPU)
	switch {
	case s.id.root && noSwap():
		w.Swap = "never"
	case !swapping():
		w.Swap = "off"
	}
	s.walls = w
}

// swapping reports whether this machine swaps, or does not say.
func swapping() bool {
	f, err := os.Open("/proc/swaps")
	if err != nil {
		return true
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Scan() // a head, then a line for each
	return lines.Scan()
}

// result says how it all ended.
func (s *supervisor) result() *Result {
	r := &Result{Walls: s.walls, Attempts: s.record.list, Unlisted: s.record.unlisted} // nobody adds to it any more
	reason := s.stopped()
	if s.begun == nil { // stopped before there was a program
		r.Ended, r.Exit, r.Signal = reason, 128+int(syscall.SIGKILL), unix.SignalName(syscall.SIGKILL)
		return r
	}
	if s.begun.Errno != 0 {
		r.Ended, r.Exit = NotStarted, 126
		if s.begun.Errno == syscall.ENOENT {
			r.Exit = 127
		}
		return r
	}
	status := syscall.WaitStatus(syscall.SIGKILL) // of a program whose keeper was ended
	if s.ended != nil {
		status = s.ended.Status
	}
	if status.Exited() {
		r.Ended, r.Exit = Exited, status.ExitStatus()
	} else {
		r.Ended, r.Exit, r.Signal = Signalled, 128+int(status.Signal()), unix.SignalName(status.Signal())
	}
	switch failed := r.Ended != Exited || r.Exit != 0; {
	case s.group.killed() > 0:
		r.Ended = OutOfMemory
	case reason != "" && status.Signal() == syscall.SIGKILL:
		r.Ended = reason
	case status.Signal() == syscall.SIGXFSZ:
		r.Ended = OutOfFileSize
	case failed && (s.group.refused() > 0 || s.watch.crowded):
		r.Ended = OutOfProcesses
	}
	r.Usage = s.usage()
	return r
}

func (s *supervisor) usage() Usage {
	u := Usage{Wall: s.wall, Memory: s.group.peak()}
	if e := s.ended; e != nil {
		u.User, u.System, u.Read, u.Written = e.User, e.System, e.Read, e.Written
		if u.Memory == 0 {
			u.Memory = max(s.watch.peak, e.Largest)
		}
		return u
	}
	// The keeper did not come to say it: what is known of it stands in.
	if s.state != nil {
		u.User, u.System = s.state.UserTime(), s.state.SystemTime()
	}
	if u.Memory == 0 {
		u.Memory = s.watch.peak
	}
	u.Wall = max(u.Wall, time.Duration(0))
	return u
}
