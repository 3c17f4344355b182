//go:build amd64 || arm64

package sandbox

import (
	"errors"
	"net/netip"
	"os"
	"path"
	"strconv"

	"golang.org/x/sys/unix"
)

// build makes the world inside. The host's files are in sight only until the
// root is changed; nothing that comes after can follow a link out.
func (k *keeper) build() (*built, error) {
	p := &k.plan
	// Nothing mounted from here on shows outside, nor the other way round.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return nil, failed("make the mounts private", err)
	}
	trees := make([]int, len(p.Mounts))
	for i, m := range p.Mounts {
		trees[i] = firstTree + i
		if p.Given {
			continue
		}
		var err error
		if trees[i], err = m.detach(-1); err != nil {
			return nil, &failure{"make the mount", m.Target, errnoOf(err)}
		}
	}
	// A new proc may only be mounted where an old one is in full sight. It is
	// read-only: what is written there changes the machine, or undoes a limit.
	proc, err := filesystem("proc", unix.MOUNT_ATTR_RDONLY|unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC, nil)
	if err != nil {
		return nil, failed("mount /proc", err)
	}
	if err := enterRoot(); err != nil {
		return nil, err
	}
	if err := writeEtc(); err != nil {
		return nil, failed("write /etc", err)
	}
	b := built{Proc: proc, Door: -1}
	for i, m := range p.Mounts {
		if err := attach(trees[i], m.place(i)); err != nil {
			return nil, &failure{"attach the mount", m.Target, errnoOf(err)}
		}
		if m.Source == "" {
			b.Volumes = append(b.Volumes, trees[i])
		}
	}
	if err := attach(proc, "/proc"); err != nil {
		return nil, failed("attach /proc", err)
	}
	if err := maskProc(); err != nil {
		return nil, failed("mask /proc", err)
	}
	for _, link := range [][2]string{{"/proc/self/fd", "/dev/fd"}, {"fd/0", "/dev/stdin"}, {"fd/1", "/dev/stdout"}, {"fd/2", "/dev/stderr"}} {
		if err := unix.Symlink(link[0], link[1]); err != nil && !errors.Is(err, unix.EEXIST) {
			return nil, failed("link "+link[1], err)
		}
	}
	if err := unix.Sethostname([]byte("sallyport")); err != nil {
		return nil, failed("set the host name", err)
	}
	if err := b.openNetwork(p.Hosts); err != nil {
		return nil, failed("open the network inside", err)
	}
	return &b, nil
}

func errnoOf(err error) (e unix.Errno) {
	errors.As(err, &e)
	return e
}

// place is where the i-th mount is attached first: a volume of one file stays
// out of sight until the file exists.
func (m mount) place(i int) string {
	if m.File {
		return path.Join(hidden, strconv.Itoa(i))
	}
	return m.Target
}

const hidden = "/.volumes"

// enterRoot changes the root to a new and empty one, and lets go of the old.
func enterRoot() error {
	root, err := filesystem("tmpfs", unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV, map[string]string{"mode": "755", "size": "16m", "nr_inodes": "65536"})
	if err != nil {
		return failed("make the root", err)
	}
	// Any folder would do for a moment; this one every Linux has.
	if err := unix.MoveMount(root, "", unix.AT_FDCWD, "/proc", unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return failed("attach the root", err)
	}
	if err := unix.Fchdir(root); err != nil {
		return failed("enter the root", err)
	}
	links := readLinks() // while the old root is in sight
	// The old root comes to lie on top of the new one, where it can be let go of
	// (pivot_root(2), "pivot_root(\".\", \".\")").
	if err := unix.PivotRoot(".", "."); err != nil {
		return failed("change the root", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return failed("let go of the host's root", err)
	}
	if err := unix.Chdir("/"); err != nil {
		return failed("enter the root", err)
	}
	for name, to := range links {
		if err := unix.Symlink(to, name); err != nil {
			return failed("link "+name, err)
		}
	}
	return nil
}

// merged are the folders that most systems have made links into /usr.
var merged = []string{"/bin", "/lib", "/lib32", "/lib64", "/libx32", "/sbin"}

// readLinks returns those of the merged folders that are links.
func readLinks() map[string]string {
	links := make(map[string]string)
	for _, name := range merged {
		if to, err := os.Readlink(name); err == nil {
			links[name] = to
		}
	}
	return links
}

// etc is what programs expect to find of the machine that they run on.
var etc = map[string]string{
	"passwd":        "root:x:0:0::/:/sbin/nologin\nsallyport:x:1000:1000::/tmp:/bin/sh\nnobody:x:65534:65534::/:/sbin/nologin\n",
	"group":         "root:x:0:\nsallyport:x:1000:\nnogroup:x:65534:\n",
	"hosts":         "127.0.0.1 localhost sallyport\n::1 localhost\n",
	"nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
	"resolv.conf":   "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
}

func writeEtc() error {
	if err := unix.Mkdir("/etc", 0o755); err != nil {
		return err
	}
	for name, text := range etc {
		if err := os.WriteFile("/etc/"+name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// maskedFiles are the files of proc that tell what else the same user has on
// this machine. What tells about the machine itself and is not for everybody is
// root's, whom nobody is inside.
var maskedFiles = []string{"key-users", "keys"}

func maskProc() error {
	for _, name := range maskedFiles {
		err := unix.Mount("/dev/null", "/proc/"+name, "", unix.MS_BIND, "")
		if err != nil && !errors.Is(err, unix.ENOENT) {
			return err
		}
	}
	return nil
}

// openNetwork brings up the loopback and makes the sockets that the supervisor
// serves.
func (b *built) openNetwork(relayed bool) error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	b.Resolver[0] = s
	loopback, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	loopback.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, loopback); err != nil {
		return err
	}
	here := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	if err := unix.Bind(s, &unix.SockaddrInet4{Port: 53, Addr: here.As4()}); err != nil {
		return err
	}
	if b.Resolver[1], err = listen(here, 53); err != nil || !relayed {
		return err
	}
	b.Door, err = listen(here, 0)
	return err
}

func listen(a netip.Addr, port int) (int, error) {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	if err := unix.Bind(s, &unix.SockaddrInet4{Port: port, Addr: a.As4()}); err != nil {
		return -1, err
	}
	return s, unix.Listen(s, 64)
}

// finish closes what was open for filling.
func (k *keeper) finish() error {
	for i, m := range k.plan.Mounts {
		if !m.File {
			continue
		}
		if err := showFile(path.Join(m.place(i), path.Base(m.Target)), m.Target); err != nil {
			return &failure{"bind the file", m.Target, errnoOf(err)}
		}
		if err := unix.Unmount(m.place(i), unix.MNT_DETACH); err != nil {
			return &failure{"hide the file's volume", m.Target, errnoOf(err)}
		}
		_ = unix.Rmdir(m.place(i)) // only for the looks of it
	}
	_ = unix.Rmdir(hidden)
	for _, m := range k.plan.Mounts {
		if m.Source == "" && !m.Writable {
			if err := readOnly(m.Target); err != nil {
				return &failure{"make read-only", m.Target, errnoOf(err)}
			}
		}
	}
	if err := readOnly("/"); err != nil {
		return failed("make the root read-only", err)
	}
	return nil
}

// showFile binds a file of a hidden volume to its place. The program must not
// choose what is bound, so no link is followed.
func showFile(file, target string) error {
	fd, err := unix.OpenTree(unix.AT_FDCWD, file, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_SYMLINK_NOFOLLOW)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return attach(fd, target)
}
