//go:build amd64 || arm64

package sandbox

import (
	"bytes"
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// A destination is what a socket address names.
type destination struct {
	family  uint16
	address netip.AddrPort // of AF_INET and AF_INET6; an IPv4 address in IPv6 form is the IPv4 address
	path    string         // of AF_UNIX; empty for an abstract name
}

// maxSockaddr is the size of struct sockaddr_storage; the kernel takes no more.
const maxSockaddr = 128

// parseDestination reads a socket address as the kernel does (ip(7), ipv6(7),
// unix(7)). What the kernel would refuse is refused here.
func parseDestination(b []byte) (destination, unix.Errno) {
	if len(b) < 2 || len(b) > maxSockaddr {
		return destination{}, unix.EINVAL
	}
	d := destination{family: binary.NativeEndian.Uint16(b)}
	switch d.family {
	case unix.AF_UNSPEC:
	case unix.AF_INET:
		if len(b) < 16 {
			return d, unix.EINVAL
		}
		d.address = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:8])), binary.BigEndian.Uint16(b[2:]))
	case unix.AF_INET6:
		if len(b) < 24 { // up to and without the scope (SIN6_LEN_RFC2133)
			return d, unix.EINVAL
		}
		d.address = netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[8:24])).Unmap(), binary.BigEndian.Uint16(b[2:]))
	case unix.AF_UNIX:
		if len(b) > unix.SizeofSockaddrUnix {
			return d, unix.EINVAL
		}
		path, _, _ := bytes.Cut(b[2:], []byte{0})
		d.path = string(path)
	default:
		return d, unix.EAFNOSUPPORT
	}
	return d, 0
}

// inside reports whether d can only be a place inside: the loopback of a
// network namespace that has nothing else, for which the unspecified address is
// another name.
func (d destination) inside() bool {
	a := d.address.Addr()
	return a.IsLoopback() || a.IsUnspecified()
}
