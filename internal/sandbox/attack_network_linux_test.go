//go:build amd64 || arm64

package sandbox

import (
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// connectUnixSocket connects to sockets of the host's.
func connectUnixSocket(addresses []string) error {
	for _, a := range addresses {
		c, err := net.Dial("unix", a)
		if err == nil {
			c.Close()
			return fmt.Errorf("reached %s", a)
		}
	}
	return nil
}

// dissolveConnection takes its socket to an allowed host, dissolves the
// connection, and tries to go on to a neighbour of that host.
func dissolveConnection(args []string) error {
	allowed, forbidden := args[0], args[1]
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	if err := unix.Connect(s, inet(allowed)); err != nil {
		return fmt.Errorf("the allowed host was refused: %w", err)
	}
	unspecified := [16]byte{}
	if _, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(s), uintptr(unsafe.Pointer(&unspecified)), 16); errno != 0 {
		return fmt.Errorf("the connection stays: %w", errno)
	}
	if unix.Connect(s, inet(forbidden)) == nil {
		return errors.New("reached the neighbour")
	}
	return nil
}

func inet(address string) *unix.SockaddrInet4 {
	a, err := net.ResolveTCPAddr("tcp4", address)
	if err != nil {
		panic(err)
	}
	return &unix.SockaddrInet4{Port: a.Port, Addr: [4]byte(a.IP.To4())}
}

// raceConnect changes the address while it is looked at.
func raceConnect(args []string) error {
	good, bad := inet("127.0.0.1:9"), inet(args[0])
	raw := func(a *unix.SockaddrInet4) uint64 { // family, port and address in one word
		b := [8]byte{unix.AF_INET, 0, byte(a.Port >> 8), byte(a.Port)}
		copy(b[4:], a.Addr[:])
		return *(*uint64)(unsafe.Pointer(&b))
	}
	var address [2]atomic.Uint64
	address[0].Store(raw(good))
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for {
			select {
			case <-stop:
				return
			default:
				address[0].Store(raw(good))
				address[0].Store(raw(bad))
			}
		}
	}()
	for range 1500 {
		s, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		_, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(s), uintptr(unsafe.Pointer(&address)), 16)
		reached := errno == 0 && !metItself(s)
		unix.Close(s)
		if reached {
			return errors.New("reached it")
		}
	}
	return nil
}

// metItself reports whether a socket is connected to itself, which happens on a
// loopback when the port that it is given is the one that it asks for.
func metItself(s int) bool {
	from, err := unix.Getsockname(s)
	to, err2 := unix.Getpeername(s)
	return err == nil && err2 == nil && *from.(*unix.SockaddrInet4) == *to.(*unix.SockaddrInet4)
}

// raceUnix changes a socket's path, from one that does not exist to one of the host's.
func raceUnix(args []string) error {
	var words [28]uint32 // for the sake of its alignment
	path := (*[112]byte)(unsafe.Pointer(&words))
	path[0] = unix.AF_UNIX
	copy(path[2:], args[0])
	letter := (*atomic.Uint32)(unsafe.Pointer(&words[len(args[0])/4])) // the last ones
	right := letter.Load()
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for {
			select {
			case <-stop:
				return
			default:
				letter.Store(right ^ 1)
				letter.Store(right)
			}
		}
	}()
	for range 1500 {
		s, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		_, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(s), uintptr(unsafe.Pointer(path)), 110)
		unix.Close(s)
		if errno == 0 {
			return errors.New("reached it")
		}
	}
	return nil
}

// sendEverywhere sends datagrams in every way that there is.
func sendEverywhere([]string) error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	to := func(last byte) *unix.SockaddrInet4 {
		return &unix.SockaddrInet4{Port: 9000 + int(last), Addr: [4]byte{203, 0, 113, last}}
	}
	if err := unix.Sendto(s, []byte("x"), 0, to(1)); err != unix.ECONNREFUSED {
		return fmt.Errorf("sendto: %v", err)
	}
	if err := unix.Sendmsg(s, []byte("x"), nil, to(2), 0); err != unix.ECONNREFUSED {
		return fmt.Errorf("sendmsg: %v", err)
	}
	if err := sendmmsg(s, to(3)); err != unix.ECONNREFUSED {
		return fmt.Errorf("sendmmsg: %v", err)
	}
	if err := unix.Connect(s, to(4)); err != unix.ECONNREFUSED {
		return fmt.Errorf("connect: %v", err)
	}
	six, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	doc := net.ParseIP("2001:db8::5")
	if err := unix.Sendto(six, []byte("x"), 0, &unix.SockaddrInet6{Port: 9005, Addr: [16]byte(doc)}); err != unix.ECONNREFUSED {
		return fmt.Errorf("sendto over IPv6: %v", err)
	}
	fast, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	if err := unix.Sendto(fast, []byte("x"), unix.MSG_FASTOPEN, to(6)); err != unix.EOPNOTSUPP {
		return fmt.Errorf("connect by sending: %v", err)
	}
	return nil
}

// sendmmsg sends two messages, the first to the loopback.
func sendmmsg(s int, to *unix.SockaddrInet4) error {
	raw := func(a *unix.SockaddrInet4) *unix.RawSockaddrInet4 {
		r := &unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: a.Addr}
		p := (*[2]byte)(unsafe.Pointer(&r.Port))
		p[0], p[1] = byte(a.Port>>8), byte(a.Port)
		return r
	}
	data := []byte("x")
	iov := unix.Iovec{Base: &data[0], Len: 1}
	type header struct {
		unix.Msghdr
		_ uint64 // how much was sent
	}
	var messages [2]header
	for i, a := range []*unix.SockaddrInet4{{Port: 9, Addr: [4]byte{127, 0, 0, 1}}, to} {
		messages[i].Msghdr = unix.Msghdr{Name: (*byte)(unsafe.Pointer(raw(a))), Namelen: 16, Iov: &iov, Iovlen: 1}
	}
	if _, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(s), uintptr(unsafe.Pointer(&messages)), 2, 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// floodNetwork makes thousands of different attempts.
func floodNetwork([]string) error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	for i := range 3 * maxAttempts {
		_ = unix.Sendto(s, nil, 0, &unix.SockaddrInet4{Port: 1 + i%60000, Addr: [4]byte{203, 0, 113, 1}})
	}
	return nil
}
