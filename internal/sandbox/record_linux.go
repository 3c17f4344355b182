//go:build amd64 || arm64

package sandbox

import (
	"net/netip"
	"strings"
	"sync"
	"time"
)

// maxAttempts bounds the distinct attempts that are kept, and the names that
// are given an address: a program that tries for ever must not fill memory.
const maxAttempts = 1000

// A recorder keeps what was tried, each distinct attempt once. Its methods may
// be called from any goroutine.
type recorder struct {
	live func(Attempt)

	mu       sync.Mutex
	seen     map[attempt]int // where it is in list
	list     []Attempt
	unlisted int
}

// An attempt is what makes two attempts the same.
type attempt struct {
	protocol, host string
	address        netip.Addr
	port           uint16
	process        string
	allowed        bool
}

func (r *recorder) add(a attempt, pid int) {
	a.host, a.process = printable(a.host, 255), printable(a.process, 15)
	r.mu.Lock()
	defer r.mu.Unlock()
	if i, ok := r.seen[a]; ok {
		r.list[i].Count++
		return
	}
	if len(r.list) == maxAttempts {
		r.unlisted++
		return
	}
	if r.seen == nil {
		r.seen = make(map[attempt]int)
	}
	r.seen[a] = len(r.list)
	r.list = append(r.list, Attempt{
		Time: time.Now().UTC(), Protocol: a.protocol, Host: a.host, Address: a.address, Port: a.port,
		Process: a.process, PID: pid, Allowed: a.allowed, Count: 1,
	})
	if r.live != nil {
		r.live(r.list[len(r.list)-1])
	}
}

// printable cuts s to size bytes of ASCII that no terminal takes for a command.
func printable(s string, size int) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return '?'
		}
		return c
	}, s[:min(len(s), size)])
}
