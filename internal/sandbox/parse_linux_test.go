//go:build amd64 || arm64

package sandbox

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"
)

func sockaddr(family uint16, rest ...byte) []byte {
	return append(binary.NativeEndian.AppendUint16(nil, family), rest...)
}

var six = append([]byte{0, 80, 0, 0, 0, 0}, netip.MustParseAddr("2001:db8::1").AsSlice()...)

func TestParseDestination(t *testing.T) {
	mapped := append([]byte{0, 80, 0, 0, 0, 0}, netip.MustParseAddr("::ffff:10.1.2.3").AsSlice()...)
	for _, c := range []struct {
		in    []byte
		errno unix.Errno
		want  string
		path  string
	}{
		{nil, unix.EINVAL, "", ""},
		{[]byte{2}, unix.EINVAL, "", ""},
		{sockaddr(unix.AF_INET, 0, 80, 10, 1, 2, 3), unix.EINVAL, "", ""},
		{sockaddr(unix.AF_INET, 0, 80, 10, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0), 0, "10.1.2.3:80", ""},
		{sockaddr(unix.AF_INET6, six...), 0, "[2001:db8::1]:80", ""},
		{sockaddr(unix.AF_INET6, append(slices.Clone(six), 9, 0, 0, 0)...), 0, "[2001:db8::1]:80", ""},
		{sockaddr(unix.AF_INET6, six[:21]...), unix.EINVAL, "", ""},
		{sockaddr(unix.AF_INET6, mapped...), 0, "10.1.2.3:80", ""},
		{sockaddr(unix.AF_UNIX, []byte("/run/x\x00y")...), 0, "invalid AddrPort", "/run/x"},
		{sockaddr(unix.AF_UNIX, []byte("\x00abstract")...), 0, "invalid AddrPort", ""},
		{sockaddr(unix.AF_UNIX, make([]byte, 109)...), unix.EINVAL, "", ""},
		{sockaddr(unix.AF_UNSPEC), 0, "invalid AddrPort", ""},
		{sockaddr(unix.AF_VSOCK, make([]byte, 14)...), unix.EAFNOSUPPORT, "", ""},
		{make([]byte, 129), unix.EINVAL, "", ""},
	} {
		d, errno := parseDestination(c.in)
		if errno != c.errno || errno == 0 && (d.address.String() != c.want || d.path != c.path) {
			t.Errorf("%x: %v %q %v, want %s %q %v", c.in, d.address, d.path, errno, c.want, c.path, c.errno)
		}
	}
}

// Whatever it reads, an address that counts as inside is the loopback or nothing.
func FuzzParseDestination(f *testing.F) {
	f.Add(sockaddr(unix.AF_INET, 0, 80, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0))
	f.Add(sockaddr(unix.AF_INET6, six...))
	f.Add(sockaddr(unix.AF_UNIX, []byte("/run/x")...))
	f.Add(sockaddr(unix.AF_UNSPEC))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, errno := parseDestination(b)
		if errno != 0 {
			return
		}
		if strings.ContainsRune(d.path, 0) {
			t.Errorf("a path with a NUL: %q", d.path)
		}
		if a := d.address.Addr(); d.inside() && !a.IsLoopback() && a != netip.IPv4Unspecified() && a != netip.IPv6Unspecified() {
			t.Errorf("%v counts as inside", a)
		}
	})
}

func question(name string, kind dnsmessage.Type) []byte {
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: 7, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: kind, Class: dnsmessage.ClassINET}}}
	b, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return b
}

func TestNames(t *testing.T) {
	n := newNames(hosts{{name: "allowed.example"}})
	for _, c := range []struct {
		name string
		kind dnsmessage.Type
		want string
	}{
		{"A.example.", dnsmessage.TypeA, "198.18.0.2"},
		{"b.example.", dnsmessage.TypeA, "198.18.0.3"},
		{"a.EXAMPLE.", dnsmessage.TypeA, "198.18.0.2"},
		{"allowed.example.", dnsmessage.TypeA, "198.18.0.1"},
		{"a.example.", dnsmessage.TypeAAAA, ""},
		{"a.example.", dnsmessage.TypeTXT, ""},
		{".", dnsmessage.TypeA, ""},
	} {
		reply, name := n.answer(question(c.name, c.kind))
		var m dnsmessage.Message
		if err := m.Unpack(reply); err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, a := range m.Answers {
			got += netip.AddrFrom4(a.Body.(*dnsmessage.AResource).A).String()
		}
		if got != c.want || m.ID != 7 || !m.Response || !m.RecursionDesired || m.RCode != dnsmessage.RCodeSuccess ||
			name != strings.ToLower(strings.TrimSuffix(c.name, ".")) {
			t.Errorf("%s %v: %q, %+v, %q", c.name, c.kind, got, m.Header, name)
		}
	}
	if n.nameOf(netip.MustParseAddr("198.18.0.2")) != "a.example" || n.nameOf(netip.MustParseAddr("198.18.9.9")) != "" {
		t.Error("addresses do not lead back to names")
	}
	own := question("a.example.", dnsmessage.TypeA)
	own[2] |= 0x80 // an answer
	if reply, _ := n.answer(own); reply != nil {
		t.Error("an answer was answered: two resolvers would talk for ever")
	}
}

// Go's own resolver understands the answers, over both transports.
func TestResolverSpeaksDNS(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan string, 100)
	r := &resolver{names: newNames(nil), asked: func(name string, _ net.Addr) { asked <- name }}
	go r.serveTCP(l)
	go r.serveUDP(u)
	defer l.Close()
	defer u.Close()
	for network, address := range map[string]string{"tcp": l.Addr().String(), "udp": u.LocalAddr().String()} {
		client := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}}
		got, err := client.LookupHost(t.Context(), "some.example.")
		if err != nil || !slices.Equal(got, []string{"198.18.0.1"}) || <-asked != "some.example" {
			t.Errorf("%s: %v, %v", network, got, err)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(question("a.example.", dnsmessage.TypeA))
	f.Add(question("a.example.", dnsmessage.TypeAAAA))
	f.Add(question(".", dnsmessage.TypeNS))
	f.Add([]byte{0, 1, 2})
	n := newNames(nil)
	f.Fuzz(func(t *testing.T, b []byte) {
		reply, name := n.answer(b)
		if len(name) > 1020 { // 255 bytes, escaped
			t.Errorf("a name of %d bytes", len(name))
		}
		if reply == nil {
			return
		}
		var m dnsmessage.Message
		if err := m.Unpack(reply); err != nil || !m.Response || len(m.Answers) > 1 {
			t.Errorf("%v %+v", err, m)
		}
		if len(n.address) > maxAttempts {
			t.Errorf("%d names are kept", len(n.address))
		}
	})
}

func TestHosts(t *testing.T) {
	for _, s := range []string{"", " ", "a b", "http://x", "x/y", "-x.org", "x-.org", "x..org", ".org", "x:0", "x:99999", "x:y", "*.x.org", "[::1", "x:1:2",
		strings.Repeat("a", 64) + ".org", strings.Repeat("a.", 127) + "ab", "ä.org", "127.0.0.1.", "127.1", "x\n", "x\x00"} {
		if _, err := parseHosts([]string{"fine.example", s}); err == nil || !strings.Contains(err.Error(), "entry 2") {
			t.Errorf("%q: %v", s, err)
		}
	}
	hs, err := parseHosts([]string{"PyPI.org.", "with.port:443", "10.0.0.1", "10.0.0.2:80", "2001:db8::1", "[2001:db8::2]:443", "::ffff:10.0.0.3"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, address string
		port          uint16
		want, literal bool
	}{
		{"pypi.org", "198.18.0.1", 1, true, false}, {"evil.pypi.org", "198.18.0.1", 1, false, false}, {"pypi.org.evil", "198.18.0.1", 1, false, false},
		{"with.port", "198.18.0.2", 443, true, false}, {"with.port", "198.18.0.2", 80, false, false},
		{"", "10.0.0.1", 5, true, true}, {"", "10.0.0.2", 80, true, true}, {"", "10.0.0.2", 81, false, false}, {"", "10.0.0.3", 9, true, true},
		{"", "2001:db8::1", 9, true, true}, {"", "2001:db8::2", 443, true, true}, {"", "2001:db8::2", 444, false, false},
		{"other", "10.0.0.1", 5, false, false}, {"", "198.18.0.1", 443, false, false},
	} {
		got, literal := hs.allow(c.name, netip.MustParseAddr(c.address), c.port)
		if got != c.want || literal != c.literal {
			t.Errorf("%s %s %d: %v, %v", c.name, c.address, c.port, got, literal)
		}
	}
}

// A host that is taken is a name in its one form, or an address.
func FuzzParseHost(f *testing.F) {
	for _, s := range []string{"pypi.org", "pypi.org:443", "10.0.0.1", "[::1]:80", "fe80::1%eth0", "a..b", "0.0.0.0."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		h, ok := parseHost(s)
		if !ok {
			return
		}
		if h.address.IsValid() == (h.name != "") || h.name != strings.ToLower(h.name) || len(h.name) > 253 || strings.ContainsAny(h.name, " /:\x00\n") {
			t.Errorf("%q: %+v", s, h)
		}
		again := h.name
		if h.address.IsValid() {
			again = h.address.String()
		}
		if g, ok := parseHost(again); !ok || g.name != h.name || g.address != h.address {
			t.Errorf("%q: %+v and then %+v, %v", s, h, g, ok)
		}
	})
}

const mountinfo = "30 23 0:26 / /sys/fs/cgroup/unified rw,relatime shared:9 - cgroup2 cgroup2 rw\n" +
	"35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n" +
	"36 31 0:33 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n" +
	"37 31 0:34 /box /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"

func TestParseHierarchies(t *testing.T) {
	h := parseHierarchies("9:memory:/a\n8:cpu,cpuacct:/\n7:pids:/box/b\n6:freezer:/x\n0::/user.slice/u\n", mountinfo)
	if h.v2 != "/sys/fs/cgroup/unified/user.slice/u" || h.top != "/sys/fs/cgroup/unified" || h.v1["memory"] != "/sys/fs/cgroup/memory/a" ||
		h.v1["cpu"] != "/sys/fs/cgroup/cpu,cpuacct" || h.v1["pids"] != "/sys/fs/cgroup/pids/b" || h.v1["freezer"] != "" {
		t.Errorf("%+v", h)
	}
	// A group outside of what is mounted is nothing to write to.
	if h := parseHierarchies("7:pids:/boxes/b\n0::/../x\n", mountinfo); h.v1["pids"] != "" || h.v2 != "" {
		t.Errorf("%+v", h)
	}
}

func FuzzParseHierarchies(f *testing.F) {
	f.Add("9:memory:/a\n0::/user.slice\n", mountinfo)
	f.Add("0::0", "0 0 0 0 . - cgroup2 0 0")
	f.Add("0::/0/0", "0 0 0 / //0 - cgroup2 0 0")
	f.Fuzz(func(t *testing.T, cgroup, mountinfo string) {
		h := parseHierarchies(cgroup, mountinfo)
		if h.v2 != "" && !strings.HasPrefix(h.v2, strings.TrimSuffix(h.top, "/")) {
			t.Errorf("%q is not below %q", h.v2, h.top)
		}
	})
}

// Version 2 in a folder that looks like it: what is delegated is found and used.
func TestGroupOfVersion2(t *testing.T) {
	top := t.TempDir()
	own := filepath.Join(top, "slice", "scope")
	if err := os.MkdirAll(own, 0o755); err != nil {
		t.Fatal(err)
	}
	for dir, control := range map[string]string{top: "cpu memory pids", filepath.Join(top, "slice"): "memory pids", own: ""} {
		for file, text := range map[string]string{"cgroup.subtree_control": control, "cgroup.procs": ""} {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	h := hierarchies{v2: own, top: top}
	g := makeGroup(h, Limits{Memory: 1 << 30, Processes: 10})
	dir := g["memory"].dir
	if g["memory"].version != 2 || g["pids"].dir != dir || filepath.Dir(dir) != filepath.Join(top, "slice") || g.holds("cpu", "none") != "none" || g.holds("pids", "") != "cgroup v2" {
		t.Fatalf("%+v", g)
	}
	for file, want := range map[string]string{"memory.max": "1073741824", "memory.swap.max": "0", "pids.max": "26"} {
		if got, err := os.ReadFile(filepath.Join(dir, file)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", file, got, err)
		}
	}
	for file, text := range map[string]string{"memory.events": "low 0\noom 2\noom_kill 3\n", "memory.peak": "4096\n", "pids.events": "max 5\n"} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if g.killed() != 3 || g.peak() != 4096 || g.refused() != 5 {
		t.Error(g.killed(), g.peak(), g.refused())
	}
	if h.delegated(map[string]bool{"hugetlb": true}) != "" {
		t.Error("found what nobody delegates")
	}
	left := filepath.Join(top, "slice", "sallyport-99999999-1") // of a supervisor that there cannot be
	if err := os.Mkdir(left, 0o755); err != nil {
		t.Fatal(err)
	}
	sweep(filepath.Dir(left))
	if _, err := os.Stat(left); err == nil {
		t.Error("an old group was left")
	}
}

func TestPrintable(t *testing.T) {
	if got := printable("a\x1b[31mé\x00"+strings.Repeat("b", 300), 20); got != "a?[31m??"+strings.Repeat("b", 11) {
		t.Errorf("%q", got)
	}
}

func TestPlanIsPacked(t *testing.T) {
	want := plan{Args: []string{"a", "", "not UTF-8: \xff\xfe"}, Env: []string{"A=b"}, Dir: "/work", Given: true, Hosts: true, Filter: "\x00\x01",
		Mounts: []mount{{Target: "/x", Source: "/y\xff", Device: true}, {Target: "/z", File: true, Writable: true, Mode: 0o1777, Size: 1 << 40, Inodes: 9}},
		Limits: resources{FileSize: 1, Data: 2, Processes: 3, Cores: 4}}
	packed := want.pack()
	var got plan
	if err := got.unpack(bytes.NewReader(packed)); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	for cut := range packed {
		if new(plan).unpack(bytes.NewReader(packed[:cut])) == nil {
			t.Errorf("read from %d bytes of %d", cut, len(packed))
		}
	}
}

// What is read is what is packed again.
func FuzzPlan(f *testing.F) {
	p := plan{Args: []string{"true"}, Dir: "/", Mounts: []mount{{Target: "/x", Size: 5}}}
	f.Add(p.pack()[4:])
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, b []byte) {
		var p, again plan
		if p.parse(b) != nil {
			return
		}
		if err := again.parse(p.pack()[4:]); err != nil || !reflect.DeepEqual(p, again) {
			t.Errorf("%+v and then %+v, %v", p, again, err)
		}
	})
}
