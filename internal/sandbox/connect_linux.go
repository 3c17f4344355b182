//go:build amd64 || arm64

package sandbox

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path"
	"unsafe"

	"golang.org/x/sys/unix"
)

// connect makes the connection that the thread of n asked for, or refuses it.
//
// The program may have put another socket under the same number by now; then
// that one is connected, which the program could have asked for.
func (b *broker) connect(n notification) unix.Errno {
	d, raw, errno := b.destination(n, n.args[1], n.args[2])
	if errno != 0 {
		return errno
	}
	socket, errno := b.borrow(n, int(int32(n.args[0])))
	if errno != 0 {
		return errno
	}
	defer unix.Close(socket)
	kind, err := unix.GetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return unix.ENOTSOCK
	}
	protocol := "tcp"
	if kind == unix.SOCK_DGRAM {
		protocol = "udp"
	}
	switch d.family {
	case unix.AF_UNSPEC: // dissolves a connection
		return connectRaw(socket, raw)
	case unix.AF_UNIX:
		return b.connectUnix(n, socket, d, raw)
	}
	name := b.names.nameOf(d.address.Addr())
	ok, literal := b.hosts.allow(name, d.address.Addr(), d.address.Port())
	switch {
	case ok && protocol == "tcp":
		p := processOf(int(n.pid))
		b.record.add(attempt{protocol: protocol, host: name, address: d.address.Addr(), port: d.address.Port(),
			process: p.name, allowed: true}, p.pid)
		return b.relay.connect(b.ctx, socket, name, d.address, literal)
	case d.inside() && b.relay != nil && d.address.Port() == b.relay.port:
		return unix.ECONNREFUSED // only the broker goes through the relay's door
	case d.inside():
		errno := connectRaw(socket, raw)
		if d.address.Port() == 53 {
			b.resolve()
			if from, err := localPort(socket); err == nil {
				b.asksFrom(from, processOf(int(n.pid)))
			}
		}
		return errno
	}
	b.refuse(n, protocol, d.address)
	return unix.ECONNREFUSED
}

// borrow returns a descriptor of this process's own for one of the thread of n.
func (b *broker) borrow(n notification, number int) (int, unix.Errno) {
	pidfd, err := unix.PidfdOpen(int(n.pid), 0)
	if err != nil { // not the first thread of its process
		pidfd, err = unix.PidfdOpen(processOf(int(n.pid)).group, 0)
	}
	if err != nil {
		return -1, unix.EPERM
	}
	defer unix.Close(pidfd)
	if !b.waits(n) {
		return -1, unix.EPERM
	}
	fd, err := unix.PidfdGetfd(pidfd, number, 0)
	if errors.Is(err, unix.EBADF) {
		return -1, unix.EBADF
	}
	if err != nil {
		return -1, unix.EPERM
	}
	return fd, 0
}

func connectRaw(socket int, address []byte) unix.Errno {
	for {
		_, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(socket), uintptr(unsafe.Pointer(&address[0])), uintptr(len(address)))
		if errno != unix.EINTR {
			return errno
		}
	}
}

func localPort(socket int) (uint16, error) {
	a, err := unix.Getsockname(socket)
	if err != nil {
		return 0, err
	}
	switch a := a.(type) {
	case *unix.SockaddrInet4:
		return uint16(a.Port), nil
	case *unix.SockaddrInet6:
		return uint16(a.Port), nil
	}
	return 0, unix.EAFNOSUPPORT
}

// connectUnix connects to a socket of the sandbox's own. An abstract name means
// one in the socket's network namespace, whoever connects. A path is found as
// the program would find it, and must lie where something can be written:
// everything of the host is bound read-only, which does not keep anybody from
// connecting to a daemon's socket there.
func (b *broker) connectUnix(n notification, socket int, d destination, raw []byte) unix.Errno {
	if d.path == "" {
		return connectRaw(socket, raw)
	}
	proc := fmt.Sprintf("/proc/%d/", n.pid)
	root, err := unix.Open(proc+"root", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return unix.EACCES
	}
	defer unix.Close(root)
	name := d.path
	if !path.IsAbs(name) {
		dir, err := os.Readlink(proc + "cwd")
		if err != nil {
			return unix.EACCES
		}
		name = dir + "/" + name
	}
	if !b.waits(n) {
		return unix.EACCES
	}
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS}
	file, err := unix.Openat2(root, name, &how)
	if err != nil {
		var errno unix.Errno
		errors.As(err, &errno)
		return errno
	}
	defer unix.Close(file)
	var fs unix.Statfs_t
	if err := unix.Fstatfs(file, &fs); err != nil || fs.Flags&unix.ST_RDONLY != 0 {
		p := processOf(int(n.pid))
		b.record.add(attempt{protocol: "unix", host: d.path, process: p.name}, p.pid)
		return unix.EACCES
	}
	address := binary.NativeEndian.AppendUint16(nil, unix.AF_UNIX)
	return connectRaw(socket, append(fmt.Appendf(address, "/proc/self/fd/%d", file), 0))
}
