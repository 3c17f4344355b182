//go:build amd64 || arm64

package sandbox

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Landlock repeats what the mounts say, in case one of them is wrong: read and
// run everywhere, write only below the writable volumes. It is a second wall;
// nothing stands on it alone, so that a kernel without it will do.

// ruleset is a set of Landlock rules that are not yet in force; the zero value
// is none.
type ruleset struct{ fd, abi int }

// reading are the rights that hold everywhere.
const reading = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR

// rightsOf returns all rights to files that an ABI knows, those of the later
// ones being in single steps (landlock(7)).
func rightsOf(abi int) uint64 {
	rights := uint64(unix.LANDLOCK_ACCESS_FS_MAKE_SYM)<<1 - 1
	for since, right := range map[int]uint64{
		2: unix.LANDLOCK_ACCESS_FS_REFER, 3: unix.LANDLOCK_ACCESS_FS_TRUNCATE, 5: unix.LANDLOCK_ACCESS_FS_IOCTL_DEV,
	} {
		if abi >= since {
			rights |= right
		}
	}
	return rights
}

// onFile are the rights that a rule for something that is no folder may hold.
const onFile = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_READ_FILE |
	unix.LANDLOCK_ACCESS_FS_TRUNCATE | unix.LANDLOCK_ACCESS_FS_IOCTL_DEV

// landlockRules makes the rules for p, or none where the kernel has no Landlock.
func landlockRules(p *plan) (ruleset, error) {
	v, _, errno := unix.RawSyscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return ruleset{}, nil
	}
	abi := int(v)
	attr := unix.LandlockRulesetAttr{Handled_access_fs: rightsOf(abi)}
	if abi >= 6 {
		attr.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
	}
	// An older kernel knows less of the structure and takes the rest if it is zero.
	fd, _, errno := unix.RawSyscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if errno != 0 {
		return ruleset{}, errno
	}
	r := ruleset{int(fd), abi}
	if err := r.allow("/", reading); err != nil {
		return r, err
	}
	for _, m := range p.Mounts {
		if m.Writable || m.Device {
			if err := r.allow(m.Target, attr.Handled_access_fs); err != nil {
				return r, err
			}
		}
	}
	return r, nil
}

func (r ruleset) allow(place string, rights uint64) error {
	fd, err := unix.Open(place, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		rights &= onFile
	}
	rule := unix.LandlockPathBeneathAttr{Allowed_access: rights, Parent_fd: int32(fd)}
	_, _, errno := unix.RawSyscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(r.fd), unix.LANDLOCK_RULE_PATH_BENEATH,
		uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// restrict puts the rules in force for the calling thread and returns their ABI.
func (r ruleset) restrict() (abi int, err error) {
	if r.abi == 0 {
		return 0, nil
	}
	defer unix.Close(r.fd)
	if _, _, errno := unix.RawSyscall(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(r.fd), 0, 0); errno != 0 {
		return 0, errno
	}
	return r.abi, nil
}
