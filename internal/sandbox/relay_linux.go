//go:build amd64 || arm64

package sandbox

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A relay carries connections to allowed hosts. The program's socket is
// connected to a door inside, on a port of the loopback, and what comes through
// it is copied to and from a connection that the supervisor made. The program
// never holds a socket of the host's network: it could dissolve the connection
// of such a one and go elsewhere.
type relay struct {
	door *net.TCPListener
	port uint16

	mu   sync.Mutex // one comes through the door at a time, so that it is known who
	open chan struct{}
}

// maxRelayed bounds the connections to allowed hosts at one time.
const maxRelayed = 256

func newRelay(door *net.TCPListener) *relay {
	return &relay{door: door, port: uint16(door.Addr().(*net.TCPAddr).Port), open: make(chan struct{}, maxRelayed)}
}

// dialHost is replaced by tests that have no network.
var dialHost = func(ctx context.Context, address string, literal bool) (net.Conn, error) {
	d := net.Dialer{Timeout: 30 * time.Second}
	if !literal {
		d.Control = checkReachable
	}
	return d.DialContext(ctx, "tcp", address)
}

// checkReachable refuses an address that an allowed name must not lead to. It
// runs for each address that the dialer tries, after the name was resolved.
func checkReachable(_, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil || !reachable(a.Addr().WithZone("")) || ours(a.Addr()) {
		return unix.EACCES
	}
	return nil
}

// ours reports whether an address is this machine's, where services listen that
// are not meant for the network.
func ours(a netip.Addr) bool {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return true
	}
	for _, i := range all {
		if p, err := netip.ParsePrefix(i.String()); err == nil && p.Addr() == a.Unmap().WithZone("") {
			return true
		}
	}
	return false
}

// connect connects socket, one of the program's, with an allowed host.
func (r *relay) connect(ctx context.Context, socket int, name string, to netip.AddrPort, literal bool) unix.Errno {
	select {
	case r.open <- struct{}{}:
	default:
		return unix.EAGAIN
	}
	address := to.String()
	if name != "" {
		address = net.JoinHostPort(name, strconv.Itoa(int(to.Port())))
	}
	outer, err := dialHost(ctx, address, literal)
	if err != nil {
		<-r.open
		var errno unix.Errno
		if errors.As(err, &errno) {
			return errno
		}
		return unix.EHOSTUNREACH
	}
	inner, errno := r.enter(socket)
	if errno != 0 {
		_ = outer.Close()
		<-r.open
		return errno
	}
	go func() {
		defer func() { <-r.open }()
		exchange(ctx, inner, outer)
	}()
	return 0
}

// enter connects socket to the door and returns the door's side of it.
func (r *relay) enter(socket int) (*net.TCPConn, unix.Errno) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if errno := connectDoor(socket, r.port); errno != 0 {
		return nil, errno
	}
	port, err := localPort(socket)
	if err != nil {
		return nil, unix.ECONNREFUSED
	}
	_ = r.door.SetDeadline(time.Now().Add(time.Second)) // the connection stands; this is for one that was reset
	for {
		c, err := r.door.AcceptTCP()
		if err != nil {
			return nil, unix.ECONNREFUSED
		}
		if uint16(c.RemoteAddr().(*net.TCPAddr).Port) == port {
			return c, 0
		}
		_ = c.Close() // came by itself
	}
}

// connectDoor connects socket to a port of the loopback and waits until the
// connection stands, whether the socket blocks or not.
func connectDoor(socket int, port uint16) unix.Errno {
	var to unix.Sockaddr = &unix.SockaddrInet4{Port: int(port), Addr: [4]byte{127, 0, 0, 1}}
	if family, err := unix.GetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_DOMAIN); err == nil && family == unix.AF_INET6 {
		to = &unix.SockaddrInet6{Port: int(port), Addr: netip.MustParseAddr("::ffff:127.0.0.1").As16()}
	}
	err := unix.Connect(socket, to)
	if errors.Is(err, unix.EINPROGRESS) {
		if _, err = unix.Poll([]unix.PollFd{{Fd: int32(socket), Events: unix.POLLOUT}}, 1000); err == nil {
			var pending int
			if pending, err = unix.GetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_ERROR); err == nil && pending != 0 {
				err = unix.Errno(pending)
			}
		}
	}
	var errno unix.Errno
	if err != nil && !errors.As(err, &errno) {
		errno = unix.ECONNREFUSED
	}
	return errno
}

// exchange copies both ways until both sides have ended, or ctx has.
func exchange(ctx context.Context, inner *net.TCPConn, outer net.Conn) {
	stop := context.AfterFunc(ctx, func() { _, _ = inner.Close(), outer.Close() })
	defer stop()
	defer inner.Close()
	defer outer.Close()
	var wg sync.WaitGroup
	wg.Go(func() { pass(outer, inner) })
	wg.Go(func() { pass(inner, outer) })
	wg.Wait()
}

// pass copies one way and then says that no more will come.
func pass(to, from net.Conn) {
	_, _ = io.Copy(to, from) // an error of either side is for the program to see, as an end
	if c, ok := to.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite()
	}
}
