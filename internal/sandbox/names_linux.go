//go:build amd64 || arm64

package sandbox

import (
	"net/netip"
	"strings"
	"sync"

	"golang.org/x/net/dns/dnsmessage"
)

// names gives every name that is asked for an address of its own out of
// 198.18.0.0/15, which RFC 2544 keeps out of real networks. Nobody else is
// asked, so a question tells nobody anything; and a connection to the address
// says which name was meant.
type names struct {
	mu      sync.Mutex
	address map[string]netip.Addr
	name    map[netip.Addr]string
	last    netip.Addr
}

// newNames knows the allowed names already, so that they have their addresses
// however many others are asked for.
func newNames(allowed hosts) *names {
	n := &names{
		address: make(map[string]netip.Addr), name: make(map[netip.Addr]string),
		last: netip.AddrFrom4([4]byte{198, 18, 0, 0}),
	}
	for _, h := range allowed {
		if h.name != "" {
			n.addressOf(h.name)
		}
	}
	return n
}

// addressOf returns the address of a name, or false when too many were asked.
func (n *names) addressOf(name string) (netip.Addr, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	a, ok := n.address[name]
	if !ok && len(n.address) < maxAttempts {
		n.last = n.last.Next()
		a, ok = n.last, true
		n.address[name], n.name[a] = a, name
	}
	return a, ok
}

// nameOf returns the name that an address was given for, or nothing.
func (n *names) nameOf(a netip.Addr) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.name[a]
}

// answer replies to one DNS message (RFC 1035 §4) and returns the name that it
// asked for, in lower case and without the last dot. A message that is not a
// question gets no reply. Every name exists; it has an IPv4 address and nothing
// else.
func (n *names) answer(message []byte) (reply []byte, name string) {
	var p dnsmessage.Parser
	h, err := p.Start(message)
	if err != nil || h.Response || h.OpCode != 0 {
		return nil, ""
	}
	q, err := p.Question()
	if err != nil {
		return nil, ""
	}
	name = strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))
	head := dnsmessage.Header{ID: h.ID, Response: true, RecursionDesired: h.RecursionDesired, RecursionAvailable: true}
	var address netip.Addr
	if name != "" && q.Type == dnsmessage.TypeA && q.Class == dnsmessage.ClassINET {
		if a, ok := n.addressOf(name); ok {
			address = a
		} else {
			head.RCode = dnsmessage.RCodeServerFailure
		}
	}
	b := dnsmessage.NewBuilder(nil, head)
	b.EnableCompression()
	if b.StartQuestions() != nil || b.Question(q) != nil || b.StartAnswers() != nil {
		return nil, name
	}
	if address.IsValid() {
		rh := dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 3600}
		if b.AResource(rh, dnsmessage.AResource{A: address.As4()}) != nil {
			return nil, name
		}
	}
	if reply, err = b.Finish(); err != nil {
		return nil, name
	}
	return reply, name
}
