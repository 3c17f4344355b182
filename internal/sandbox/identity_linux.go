//go:build amd64 || arm64

package sandbox

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// insideID is the user and group that the program sees itself as.
const insideID = 1000

// An identity is what that is on the host.
type identity struct {
	uid, gid int
	root     bool // the supervisor is root, and the ID is one that owns nothing
}

// spareIDs begin the 2^24 IDs from which root takes one for each run: beyond
// those that users, containers and service managers are given, and below 2^31,
// where some programs stop counting.
const spareIDs = 0x70000000

// chooseIdentity returns who the program will be. Root is not mapped into the
// sandbox at all: without a capability it would still own the host's files.
func chooseIdentity() identity {
	own := identity{uid: os.Geteuid(), gid: os.Getegid()}
	if own.uid != 0 {
		return own
	}
	id := spareIDs + rand.IntN(1<<24)
	uid, ok := mappable("/proc/self/uid_map", id)
	gid, ok2 := mappable("/proc/self/gid_map", id)
	if !ok || !ok2 { // root of a container that has no other ID is somebody's ordinary user
		return own
	}
	return identity{uid: uid, gid: gid, root: true}
}

// mappable returns id if this process's user namespace has it, and otherwise the
// last one that it has, unless that is root.
func mappable(file string, id int) (int, bool) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	last := 0
	for line := range strings.Lines(string(text)) {
		var inside, outside, count int
		if n, _ := fmt.Sscan(line, &inside, &outside, &count); n != 3 {
			return 0, false
		}
		if inside <= id && id-inside < count {
			return id, true
		}
		last = max(last, inside+count-1)
	}
	return last, last > 0
}

// give maps the only ID of a process's user namespace (user_namespaces(7)). The
// process must not do anything before.
func (id identity) give(pid int) error {
	setgroups := "deny" // an ordinary user may not give up groups, since a group can be kept out of something
	if id.root {
		setgroups = "allow"
	}
	for _, f := range [][2]string{
		{"setgroups", setgroups},
		{"gid_map", fmt.Sprint(insideID, id.gid, 1)},
		{"uid_map", fmt.Sprint(insideID, id.uid, 1)},
	} {
		if err := os.WriteFile(fmt.Sprintf("/proc/%d/%s", pid, f[0]), []byte(f[1]), 0); err != nil {
			return err
		}
	}
	return nil
}

// become takes the mapped ID, in the keeper. For root's keeper, whose ID is not
// mapped, that is a change, and takes root's groups away.
func (id identity) become() error {
	if !id.root {
		return nil
	}
	for _, err := range []error{syscall.Setgroups(nil), syscall.Setresgid(insideID, insideID, insideID), syscall.Setresuid(insideID, insideID, insideID)} {
		if err != nil {
			return err
		}
	}
	// The kernel forgets this when an ID changes. Should the supervisor have ended
	// meanwhile, the keeper finds out when it next asks it something.
	return unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0)
}

// asProgram calls f so that the files it makes belong to the program. For root
// that is a matter of the calling thread alone, which keeps its right to read
// what it likes.
func (id identity) asProgram(f func() error) error {
	if !id.root {
		return f()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer func() {
		if unix.Setfsuid(0) != nil || unix.Setfsgid(0) != nil {
			runtime.LockOSThread() // never to be unlocked: the thread ends with its goroutine
		}
	}()
	if err := unix.Setfsgid(id.gid); err != nil {
		return err
	}
	if err := unix.Setfsuid(id.uid); err != nil {
		return err
	}
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	if err := unix.Capget(&head, &caps[0]); err != nil {
		return err
	}
	for i := range caps { // leaving root's ID has put those for files aside
		caps[i].Effective = caps[i].Permitted
	}
	if err := unix.Capset(&head, &caps[0]); err != nil {
		return err
	}
	return f()
}
