package sandbox

import (
	"io"
	"net/netip"
	"os"
	"time"
)

// A Config describes one confined process.
type Config struct {
	Args []string // the program and its arguments; a bare name is looked up in the PATH of Env
	Env  []string // the whole environment; nothing is added to it
	Dir  string   // working directory inside; empty means /

	Binds   []Bind   // what the program may read of the host
	Volumes []Volume // what is made for it
	Limits  Limits

	// Network lists the hosts that may be reached over TCP: a name or an
	// address, alone or with a port. Everything else is refused and recorded.
	Network []string

	// Stdout and Stderr receive the program's output; nil discards it. The
	// program writes to a pipe, never to a descriptor of the caller's.
	Stdout, Stderr io.Writer

	// Attempt, if not nil, is called once for every distinct attempt to reach
	// the network, while the program waits for its answer. Calls do not overlap.
	Attempt func(Attempt)
}

// A Bind shows a file or folder of the host inside: read-only with everything
// mounted below it, without set-user-ID programs and devices.
type Bind struct {
	Source string // path on the host; links in it are followed
	Target string // absolute path inside
}

// A Volume is memory that is made for one run and gone after it (tmpfs; never
// swapped out where Walls says so).
type Volume struct {
	Target   string // absolute path inside
	Writable bool
	File     bool  // Target is one file: Fill makes it under the base name of Target
	Size     int64 // bytes that it may hold; 0 means half of the machine's memory

	// Fill, if not nil, puts files in before the program starts. It sees folders
	// where other volumes lie inside this one. It must use the root on the
	// goroutine that it is called on: run by root, that one's files belong to
	// the program, those of others do not.
	Fill func(*os.Root) error

	// Collect, if not nil and Writable is set, takes files out when nothing
	// inside runs any more. What it finds was made by the program: links lead
	// nowhere outside the root, but a pipe would block whoever opens it, so look
	// at a file's mode before opening it. Collect is not called after an interruption.
	Collect func(*os.Root) error
}

// Limits bound what a program uses. Walls says what holds each of them.
type Limits struct {
	CPU       float64       // cores; 0 means all of them
	Memory    int64         // bytes, of all processes together; 0 means no limit but the machine's
	Time      time.Duration // wall time from the program's start; 0 means none
	Processes int           // processes and threads at one time; 0 means 4096
	FileSize  int64         // bytes in one file; 0 means the size of its volume
}

// A Reason says how a program came to its end.
type Reason string

// The reasons. Only Exited means that the program ended by its own decision.
const (
	Exited         Reason = "exited"
	Signalled      Reason = "signalled"
	NotStarted     Reason = "not started" // no such program inside, or not one that runs: exit 127 or 126, as a shell says it
	OutOfTime      Reason = "time"
	OutOfMemory    Reason = "memory"
	OutOfProcesses Reason = "processes" // it failed when a process was refused to it, or, without a cgroup to count them, when it was seen to have all that it may
	OutOfFileSize  Reason = "file size"
	Interrupted    Reason = "interrupted"
)

// A Result says what a program did.
type Result struct {
	Ended    Reason    `json:"ended"`
	Exit     int       `json:"exit"`             // exit code; 128 and the signal's number after a signal
	Signal   string    `json:"signal,omitempty"` // name of the signal, such as SIGKILL
	Usage    Usage     `json:"usage"`
	Attempts []Attempt `json:"attempts,omitempty"` // in order of first appearance
	Unlisted int       `json:"unlisted,omitempty"` // attempts beyond the thousand distinct ones that are kept
	Walls    Walls     `json:"walls"`
}

// Usage is what all processes inside used together.
type Usage struct {
	Wall    time.Duration `json:"wall"`
	User    time.Duration `json:"user"`
	System  time.Duration `json:"system"`
	Memory  int64         `json:"memory"`  // peak, bytes: the group's where a cgroup counts, otherwise the larger of the biggest process and the sampled sum
	Read    int64         `json:"read"`    // bytes read from files and pipes
	Written int64         `json:"written"` // bytes written to files and pipes
}

// An Attempt is something that tried to reach the network, or asked for a name.
//
// Host, Process and the choice of them are the program's: they are cut to
// printable ASCII, but may carry what the program has read.
type Attempt struct {
	Time     time.Time  `json:"time"`             // of the first
	Protocol string     `json:"protocol"`         // tcp, udp, dns, or unix for a socket file of the host's
	Host     string     `json:"host,omitempty"`   // the name, where the address was asked for by name
	Address  netip.Addr `json:"address,omitzero"` // 198.18.0.0/15 stands for a name
	Port     uint16     `json:"port,omitempty"`
	Process  string     `json:"process,omitempty"` // its name as the kernel has it, 15 bytes
	PID      int        `json:"pid,omitempty"`     // as seen inside
	Allowed  bool       `json:"allowed"`
	Count    int        `json:"count"` // how often the same was tried
}

// Walls says what confined a program, for its record.
type Walls struct {
	Namespaces []string `json:"namespaces"`
	Seccomp    bool     `json:"seccomp"`
	Landlock   int      `json:"landlock"`  // ABI in force; 0 where the kernel has none
	User       string   `json:"user"`      // "own": the caller's ID; "unprivileged": an ID that owns nothing
	Memory     string   `json:"memory"`    // "cgroup v1", "cgroup v2", "polled" or "none"
	CPU        string   `json:"cpu"`       // "cgroup v1", "cgroup v2", "affinity" or "none"
	Processes  string   `json:"processes"` // "cgroup v1", "cgroup v2" or "rlimit"
	Swap       string   `json:"swap"`      // "never", "off" on this machine, or "possible" for what volumes hold
}
