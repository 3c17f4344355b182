//go:build amd64 || arm64

package sandbox

import (
	"path"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// A mount is something that is put at a place inside: a piece of the host's
// files where Source is set, a tmpfs of its own otherwise.
type mount struct {
	Target   string
	Source   string
	Device   bool // Source is a device that works, not a file that is read
	Writable bool
	File     bool  // the tmpfs stays out of sight, its file called base(Target) is at Target
	Mode     int64 // of the tmpfs's root
	Size     int64
	Inodes   int64
}

// detach makes the mount, not yet attached anywhere. It works for root in its
// own namespaces as well as for the keeper in fresh ones: root can reach paths
// that the keeper's ID cannot, and can make a tmpfs that is never swapped out.
// owner is the ID that owns a tmpfs, or -1 for who makes it.
func (m mount) detach(owner int) (fd int, err error) {
	if m.Source == "" {
		return m.tmpfs(owner)
	}
	flags := uint(unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC)
	// What is mounted in the host later on must not appear inside: private.
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NOEXEC, Propagation: unix.MS_PRIVATE}
	if !m.Device {
		attr.Attr_set = unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV
		flags |= unix.AT_RECURSIVE
	}
	fd, err = unix.OpenTree(unix.AT_FDCWD, m.Source, flags)
	if err != nil {
		return -1, err
	}
	if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH|flags&unix.AT_RECURSIVE, &attr); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func (m mount) tmpfs(owner int) (int, error) {
	options := map[string]string{"mode": strconv.FormatInt(m.Mode, 8)}
	if m.Size > 0 {
		options["size"] = strconv.FormatInt(m.Size, 10)
	}
	if m.Inodes > 0 {
		options["nr_inodes"] = strconv.FormatInt(m.Inodes, 10)
	}
	if owner >= 0 {
		options["uid"], options["gid"] = strconv.Itoa(owner), strconv.Itoa(owner)
	}
	return filesystem("tmpfs", unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV, options)
}

// noSwap reports whether a tmpfs made by this process can be kept out of swap,
// which takes Linux 6.4 and root outside of any user namespace.
func noSwap() bool {
	fd, err := unix.Fsopen("tmpfs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	return unix.FsconfigSetFlag(fd, "noswap") == nil
}

// filesystem makes a file system that is not attached anywhere.
func filesystem(kind string, attributes int, options map[string]string) (int, error) {
	fs, err := unix.Fsopen(kind, unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, err
	}
	defer unix.Close(fs)
	for key, value := range options {
		if err := unix.FsconfigSetString(fs, key, value); err != nil {
			return -1, err
		}
	}
	if kind == "tmpfs" {
		_ = unix.FsconfigSetFlag(fs, "noswap") // refused where it cannot be had; Walls says so
	}
	if err := unix.FsconfigCreate(fs); err != nil {
		return -1, err
	}
	return unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, attributes)
}

// attach puts a detached mount at target, making the place for it.
func attach(fd int, target string) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if err := makePlace(target, st.Mode&unix.S_IFMT == unix.S_IFDIR); err != nil {
		return err
	}
	return unix.MoveMount(fd, "", unix.AT_FDCWD, target, unix.MOVE_MOUNT_F_EMPTY_PATH)
}

// makePlace makes target a folder or a file, unless there is one.
func makePlace(target string, folder bool) error {
	var st unix.Stat_t
	if unix.Lstat(target, &st) == nil {
		return nil // a wrong kind shows when something is mounted there
	}
	if err := makePlace(path.Dir(target), true); err != nil {
		return err
	}
	if folder {
		return unix.Mkdir(target, 0o755)
	}
	fd, err := unix.Open(target, unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o444)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

// readOnly makes the mount at target, and nothing below it, read-only.
//
// A volume is busy while somebody has a file in it open for writing. Whoever
// filled it has closed theirs, but a process that another goroutine of theirs
// forked meanwhile holds a copy until it executes its own program: a moment.
func readOnly(target string) error {
	const moments, moment = 200, 5 * time.Millisecond
	for n := 0; ; n++ {
		err := unix.MountSetattr(unix.AT_FDCWD, target, 0, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY})
		if err != unix.EBUSY || n == moments {
			return err
		}
		time.Sleep(moment)
	}
}
