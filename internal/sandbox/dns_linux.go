//go:build amd64 || arm64

package sandbox

import (
	"encoding/binary"
	"io"
	"net"
	"time"
)

// A resolver answers DNS questions on sockets that the keeper made inside.
type resolver struct {
	names *names
	asked func(name string, from net.Addr)
}

func (r *resolver) serveUDP(c net.PacketConn) {
	defer c.Close()
	buf := make([]byte, 4096)
	for {
		n, from, err := c.ReadFrom(buf)
		if err != nil {
			return
		}
		if reply := r.reply(buf[:n], from); reply != nil {
			_, _ = c.WriteTo(reply, from) // a lost datagram is the asker's to ask again for
		}
	}
}

// serveTCP serves one connection after the other: the listener's queue is the
// bound on how many the program can hold open.
func (r *resolver) serveTCP(l net.Listener) {
	defer l.Close()
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		_ = c.SetDeadline(time.Now().Add(2 * time.Second)) // one that says nothing must not hold up the next
		for r.exchange(c) == nil {
		}
		_ = c.Close()
	}
}

// exchange answers one message with its two bytes of length before it (RFC 1035 §4.2.2).
func (r *resolver) exchange(c net.Conn) error {
	var size [2]byte
	if _, err := io.ReadFull(c, size[:]); err != nil {
		return err
	}
	message := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(c, message); err != nil {
		return err
	}
	reply := r.reply(message, c.RemoteAddr())
	if reply == nil {
		return io.ErrUnexpectedEOF
	}
	_, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...))
	return err
}

func (r *resolver) reply(message []byte, from net.Addr) []byte {
	reply, name := r.names.answer(message)
	if name != "" {
		r.asked(name, from)
	}
	return reply
}
