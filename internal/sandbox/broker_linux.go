//go:build amd64 || arm64

package sandbox

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A broker answers the system calls that the filter sends it: those that can
// name a destination. It decides on a copy of what the program passed, which
// the program can change in the meantime, so what it does with the original
// matters:
//
// connect is never let through. The broker makes the connection itself, on its
// own descriptor of the program's socket and to the address that it judged.
//
// A send is let through when the copy names nothing, or a place inside. A
// program that changes the address at the right moment has then sent to another
// address from a socket of a network namespace that leads nowhere, since no
// other socket ever comes inside; and a unix socket that takes an address in a
// send cannot be made there. It has falsified the record and nothing else.
type broker struct {
	ctx      context.Context // ends with the sandbox
	listener int
	hosts    hosts
	names    *names
	record   *recorder
	relay    *relay        // nil where no host is allowed
	resolve  func()        // sees to it that questions for names are answered
	slots    chan struct{} // one for each answer that is being worked on
	working  sync.WaitGroup

	mu     sync.Mutex
	askers map[uint16]process // who sends from a port of the loopback to the resolver
	last   process            // who was the last to do so without a port of its own
}

// maxWorking bounds the answers that are worked on at one time, since each may
// hold a thread: a program can make as many as it has threads.
const maxWorking = 64

func newBroker(ctx context.Context, h hosts, r *recorder) *broker {
	return &broker{ctx: ctx, hosts: h, names: newNames(h), record: r,
		slots: make(chan struct{}, maxWorking), askers: make(map[uint16]process)}
}

// notification and response are struct seccomp_notif and struct
// seccomp_notif_resp (linux/seccomp.h).
type notification struct {
	id         uint64
	pid, flags uint32 // pid is the thread's, as this process sees it
	call       int32
	arch       uint32
	ip         uint64
	args       [6]uint64
}

type response struct {
	id    uint64
	value int64
	err   int32
	flags uint32
}

const notifIDValid = 0x40082102 // SECCOMP_IOCTL_NOTIF_ID_VALID

func (b *broker) ioctl(request uintptr, arg unsafe.Pointer) unix.Errno {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(b.listener), request, uintptr(arg))
	return errno
}

// serve answers until no process with the filter is left and nothing is worked
// on any more. Connections that were being made end with both of their ends.
func (b *broker) serve() {
	defer unix.Close(b.listener)
	defer b.working.Wait()
	for {
		poll := []unix.PollFd{{Fd: int32(b.listener), Events: unix.POLLIN}}
		if _, err := unix.Poll(poll, -1); err != nil && !errors.Is(err, unix.EINTR) {
			return
		}
		if poll[0].Revents&unix.POLLIN == 0 {
			if poll[0].Revents != 0 {
				return
			}
			continue
		}
		var n struct {
			notification
			room [128]byte // a later kernel may write more
		}
		switch b.ioctl(unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&n)) {
		case 0:
			b.handle(n.notification)
		case unix.EINTR, unix.ENOENT: // who asked was killed
		default:
			return
		}
	}
}

func (b *broker) handle(n notification) {
	switch n.call {
	case unix.SYS_CONNECT:
		b.later(n, b.connect)
	case unix.SYS_SENDTO:
		b.reply(n, b.sendto(n))
	case unix.SYS_SENDMSG:
		b.reply(n, b.sendmsg(n, n.args[1], 1, int(n.args[2])))
	case unix.SYS_SENDMMSG:
		b.reply(n, b.sendmsg(n, n.args[1], uint32(n.args[2]), int(n.args[3])))
	default:
		b.reply(n, unix.EPERM)
	}
}

// proceed says that the kernel may go on with a call itself.
const proceed = unix.Errno(1 << 16)

func (b *broker) reply(n notification, errno unix.Errno) {
	r := response{id: n.id, err: -int32(errno)}
	if errno == proceed {
		r.err, r.flags = 0, unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE
	}
	b.ioctl(unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&r)) // an error says that nobody waits any more
}

// later answers from another goroutine, since answering may take as long as the
// destination likes. Beyond the slots it is not answered by waiting: that would
// let a few connections hold up every send.
func (b *broker) later(n notification, f func(notification) unix.Errno) {
	select {
	case b.slots <- struct{}{}:
		b.working.Go(func() {
			b.reply(n, f(n))
			<-b.slots
		})
	default:
		b.reply(n, unix.EAGAIN)
	}
}

// waits reports whether the thread of n still waits for this answer. Only then
// was what has been read under its number read of it, and not of a later thread
// that was given the same number.
func (b *broker) waits(n notification) bool {
	return b.ioctl(notifIDValid, unsafe.Pointer(&n.id)) == 0
}

// peek copies memory of the thread of n.
func (b *broker) peek(n notification, address uint64, size int) ([]byte, unix.Errno) {
	if size == 0 {
		return nil, 0
	}
	buf := make([]byte, size)
	local := []unix.Iovec{{Base: &buf[0], Len: uint64(size)}}
	got, err := unix.ProcessVMReadv(int(n.pid), local, []unix.RemoteIovec{{Base: uintptr(address), Len: size}}, 0)
	if err != nil || got != size || !b.waits(n) {
		return nil, unix.EFAULT
	}
	return buf, 0
}

// destination copies and reads a socket address of the thread of n.
func (b *broker) destination(n notification, address, size uint64) (destination, []byte, unix.Errno) {
	if size = uint64(uint32(size)); size > maxSockaddr { // the kernel takes an int
		return destination{}, nil, unix.EINVAL
	}
	raw, errno := b.peek(n, address, int(size))
	if errno != 0 {
		return destination{}, nil, errno
	}
	d, errno := parseDestination(raw)
	return d, raw, errno
}

func (b *broker) sendto(n notification) unix.Errno {
	d, _, errno := b.destination(n, n.args[4], n.args[5])
	if errno != 0 {
		return errno
	}
	return b.send(n, d, int(n.args[3]))
}

// sendmsg judges count messages: struct msghdr for one, of struct mmsghdr for more.
func (b *broker) sendmsg(n notification, headers uint64, count uint32, flags int) unix.Errno {
	const stride = 64                         // struct mmsghdr; struct msghdr is 56 bytes of it
	for i := range uint64(min(count, 1024)) { // UIO_MAXIOV, the kernel stops there too
		h, errno := b.peek(n, headers+i*stride, 12)
		if errno != 0 {
			return errno
		}
		name, size := binary.NativeEndian.Uint64(h), binary.NativeEndian.Uint32(h[8:])
		if name == 0 || size == 0 {
			continue
		}
		d, _, errno := b.destination(n, name, uint64(size))
		if errno == 0 {
			errno = b.send(n, d, flags)
		}
		if errno != proceed {
			return errno
		}
	}
	return proceed
}

// send judges one message to d.
func (b *broker) send(n notification, d destination, flags int) unix.Errno {
	switch {
	case flags&unix.MSG_FASTOPEN != 0: // a connect in other clothes; its users fall back to connect
		return unix.EOPNOTSUPP
	case d.family == unix.AF_UNIX: // those that there are ignore it or fail
		return proceed
	case d.family == unix.AF_UNSPEC: // means one thing here and another there
		return unix.EINVAL
	case d.inside():
		if d.address.Port() == 53 {
			b.resolve()
			b.mu.Lock()
			b.last = processOf(int(n.pid))
			b.mu.Unlock()
		}
		return proceed
	}
	b.refuse(n, "udp", d.address)
	return unix.ECONNREFUSED
}

// refuse records an attempt that is not allowed.
func (b *broker) refuse(n notification, protocol string, to netip.AddrPort) {
	p := processOf(int(n.pid))
	b.record.add(attempt{protocol: protocol, host: b.names.nameOf(to.Addr()), address: to.Addr(), port: to.Port(),
		process: p.name}, p.pid)
}

// asked records that a name was asked for, and by whom as well as it is known.
func (b *broker) asked(name string, from net.Addr) {
	b.mu.Lock()
	who := b.last
	if a, err := netip.ParseAddrPort(from.String()); err == nil {
		if p, ok := b.askers[a.Port()]; ok {
			who = p
		}
	}
	b.mu.Unlock()
	b.record.add(attempt{protocol: "dns", host: name, process: who.name, allowed: b.hosts.names(name)}, who.pid)
}

// asksFrom remembers who connected to the resolver from a port.
func (b *broker) asksFrom(port uint16, p process) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.askers) >= maxAttempts {
		clear(b.askers)
	}
	b.askers[port] = p
}
