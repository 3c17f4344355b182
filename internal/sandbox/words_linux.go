//go:build amd64 || arm64

package sandbox

import (
	"errors"
	"syscall"
	"time"
)

// A plan is all that a keeper needs to know.
type plan struct {
	Args, Env []string
	Dir       string
	Mounts    []mount // sorted, so that what lies inside another comes after it
	Given     bool    // the mounts were made by the supervisor
	Fill      bool    // the supervisor has something to put in
	Hosts     bool    // some host is allowed
	Limits    resources
	Filter    string // see assemble
}

// resources are the limits that the keeper sets; 0 leaves one as it is.
type resources struct {
	FileSize, Data, Processes, Cores int64
}

// A word is what a keeper says, as one line of JSON; Built and Filter may come
// together. Descriptors in it are numbers of the keeper's; the supervisor takes
// copies before it answers, with one byte.
type word struct {
	Failed *failure  `json:",omitempty"`
	Built  *built    `json:",omitempty"`
	Filter *filtered `json:",omitempty"`
	Start  *started  `json:",omitempty"`
	Ended  *ended    `json:",omitempty"`
}

// A failure says what a keeper could not do.
type failure struct {
	Step  string
	Mount string `json:",omitempty"` // where something should have been put
	Errno syscall.Errno
}

func (f *failure) Error() string { return f.Step + ": " + f.Errno.Error() }

// failed wraps an error of a step of the keeper's.
func failed(step string, err error) error {
	f := &failure{Step: step}
	errors.As(err, &f.Errno)
	return f
}

// built says that all is in place, and may be filled where the plan says so.
type built struct {
	Volumes  []int // one for each mount that has no source, in the plan's order
	Proc     int
	Resolver [2]int // UDP and TCP, on port 53 of the loopback
	Door     int    // of the relay; -1 where there is none
}

// filtered says that nothing more can be taken from the thread that will start
// the program.
type filtered struct{ Listener, Landlock int }

// started says that the program runs, or why not.
type started struct {
	Process int // a pidfd
	Errno   syscall.Errno
}

// ended says how the program ended, and what it and all that it started used.
type ended struct {
	Status        syscall.WaitStatus
	User, System  time.Duration
	Largest       int64 // bytes of memory of the biggest process
	Read, Written int64
}
