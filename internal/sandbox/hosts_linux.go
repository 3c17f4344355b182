//go:build amd64 || arm64

package sandbox

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport"
)

// A host is one entry of Config.Network.
type host struct {
	name    string     // in lower case; empty for an address
	address netip.Addr // where it was written as one
	port    uint16     // 0 for every port
}

type hosts []host

func parseHosts(entries []string) (hosts, error) {
	var out hosts
	for i, e := range entries {
		h, ok := parseHost(e)
		if !ok {
			return nil, sallyport.Errorf(sallyport.Invalid, "not a host that could be allowed").At("network entry %d", i+1).
				Try("write a name or an address, alone or with a port: pypi.org, pypi.org:443, [2001:db8::1]:443")
		}
		out = append(out, h)
	}
	return out, nil
}

func parseHost(s string) (h host, ok bool) {
	if a, err := netip.ParseAddr(s); err == nil {
		return host{address: a.Unmap().WithZone("")}, true
	}
	name := s
	if n, p, err := net.SplitHostPort(s); err == nil {
		port, err := strconv.ParseUint(p, 10, 16)
		if err != nil || port == 0 {
			return h, false
		}
		name, h.port = n, uint16(port)
	}
	if a, err := netip.ParseAddr(name); err == nil {
		h.address = a.Unmap().WithZone("")
		return h, true
	}
	h.name = strings.ToLower(strings.TrimSuffix(name, "."))
	labels := strings.Split(h.name, ".")
	last := labels[len(labels)-1]
	if strings.Trim(last, "0123456789") == "" { // an address in some other form: RFC 1123 §2.1 keeps names apart by this
		return h, false
	}
	return h, len(h.name) <= 253 && !slices.ContainsFunc(labels, func(l string) bool { return !isLabel(l) })
}

// isLabel reports whether s can stand between the dots of a host name: RFC 1123
// §2.1, with the underscore that some real names have.
func isLabel(s string) bool {
	return len(s) >= 1 && len(s) <= 63 && s[0] != '-' && s[len(s)-1] != '-' &&
		strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

// allow reports whether a connection may be made, to a name where there is one
// and to an address where there is none. Only an address that was written as
// one is literal; it may be anywhere.
func (hs hosts) allow(name string, a netip.Addr, port uint16) (ok, literal bool) {
	for _, h := range hs {
		if h.port != 0 && h.port != port {
			continue
		}
		if name == "" && h.address.IsValid() && h.address == a {
			return true, true
		}
		if name != "" && h.name == name {
			return true, false
		}
	}
	return false, false
}

// names reports whether some port of a name may be reached.
func (hs hosts) names(name string) bool {
	for _, h := range hs {
		if h.name != "" && h.name == name {
			return true
		}
	}
	return false
}

// near holds addresses outside the special ranges where clouds serve metadata
// and credentials to whoever is on the machine.
var near = []netip.Prefix{
	netip.MustParsePrefix("100.100.100.200/32"), // Alibaba Cloud
	netip.MustParsePrefix("168.63.129.16/32"),   // Azure
	netip.MustParsePrefix("192.0.0.192/32"),     // Oracle Cloud
	netip.MustParsePrefix("fd00:ec2::254/128"),  // AWS
	netip.MustParsePrefix("fd20:ce::254/128"),   // Google Cloud
	netip.MustParsePrefix("0.0.0.0/8"),          // this host (RFC 1122 §3.2.1.3)
	netip.MustParsePrefix("198.18.0.0/15"),      // what names hands out
}

// nat64 is the well-known prefix under which IPv6 carries IPv4 (RFC 6052 §2.1).
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// reachable reports whether an address may stand behind an allowed name. Who
// controls the name could otherwise point it at what only this machine may ask.
func reachable(a netip.Addr) bool {
	a = a.Unmap()
	if nat64.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	if !a.IsGlobalUnicast() { // neither loopback, link-local, multicast, broadcast nor unspecified
		return false
	}
	for _, p := range near {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
