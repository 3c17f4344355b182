//go:build amd64 || arm64

package sandbox

import (
	"context"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// converse does its part in what the keeper does, until the program has ended
// or the keeper has.
func (s *supervisor) converse() error {
	for {
		var w word
		if err := s.in.Decode(&w); err != nil {
			if s.stopped() != "" || s.begun != nil { // ended by us, or by the program, which ended itself
				return nil
			}
			return unconfined("hear from the keeper", err)
		}
		if w.Start != nil {
			s.follow(w.Start)
			if w.Start.Errno != 0 {
				return nil
			}
			continue
		}
		if w.Ended != nil {
			s.ended, s.wall = w.Ended, time.Since(s.started)
			return nil
		}
		err := s.doPart(&w)
		if s.ctx.Err() != nil { // do not race with the one that hears it
			s.stop(Interrupted)
		}
		if s.stopped() != "" {
			return nil
		}
		if err != nil {
			return err
		}
		_, _ = s.conn.Write([]byte{0}) // if the keeper is gone, the next word says so
	}
}

// doPart does what the keeper waits for.
func (s *supervisor) doPart(w *word) error {
	if w.Failed != nil {
		return diagnose(w.Failed)
	}
	if w.Built != nil {
		if err := s.furnish(w.Built); err != nil {
			return err
		}
		if err := s.fill(); err != nil {
			return err
		}
	}
	if w.Filter != nil {
		return s.guard(w.Filter)
	}
	return nil
}

// take copies a descriptor of the keeper's.
func (s *supervisor) take(fd int) (int, error) {
	own, err := unix.PidfdGetfd(s.pidfd, fd, 0)
	if err != nil {
		return -1, unconfined("take a descriptor", err)
	}
	return own, nil
}

// furnish takes hold of what the keeper has built and serves the resolver.
func (s *supervisor) furnish(b *built) error {
	proc, err := s.take(b.Proc)
	if err != nil {
		return err
	}
	s.fds = append(s.fds, proc)
	s.watch = watch{group: s.group, proc: "/proc/self/fd/" + strconv.Itoa(proc), memory: s.config.Limits.Memory,
		processes: s.config.Limits.Processes}
	next := 0
	for i, m := range s.plan.Mounts {
		if m.Source != "" {
			continue
		}
		if next == len(b.Volumes) {
			return unconfined("take the volumes", unix.EPROTO)
		}
		fd, err := s.take(b.Volumes[next])
		if err != nil {
			return err
		}
		next++
		s.fds = append(s.fds, fd)
		if m.Writable {
			s.watch.volumes = append(s.watch.volumes, fd)
		}
		if v := s.volumes[i]; v != nil && (v.Fill != nil || v.Collect != nil) {
			if s.roots[i], err = os.OpenRoot("/proc/self/fd/" + strconv.Itoa(fd)); err != nil {
				return unconfined("open the volumes", err)
			}
		}
	}
	// Most programs ask for no name. The broker sees the first that does.
	s.broker.resolve = sync.OnceFunc(func() { s.serveNames(b.Resolver) })
	if b.Door < 0 {
		return nil
	}
	door, err := takeSocket(s, b.Door, net.FileListener)
	if err != nil {
		return err
	}
	s.closeAfter(door)
	s.broker.relay = newRelay(door.(*net.TCPListener))
	return nil
}

// serveNames answers questions for names. Where it cannot, nobody does.
func (s *supervisor) serveNames(sockets [2]int) {
	resolver := &resolver{names: s.broker.names, asked: s.broker.asked}
	if udp, err := takeSocket(s, sockets[0], net.FilePacketConn); err == nil {
		s.closeAfter(udp)
		s.work.Go(func() { resolver.serveUDP(udp) })
	}
	if tcp, err := takeSocket(s, sockets[1], net.FileListener); err == nil {
		s.closeAfter(tcp)
		s.work.Go(func() { resolver.serveTCP(tcp) })
	}
}

// closeAfter closes c when nothing runs inside any more.
func (s *supervisor) closeAfter(c io.Closer) {
	context.AfterFunc(s.inside, func() { _ = c.Close() })
}

// takeSocket copies a socket of the keeper's and wraps it.
func takeSocket[T any](s *supervisor, fd int, wrap func(*os.File) (T, error)) (t T, err error) {
	own, err := s.take(fd)
	if err != nil {
		return t, err
	}
	f := os.NewFile(uintptr(own), "socket")
	defer f.Close()
	if t, err = wrap(f); err != nil {
		return t, unconfined("serve the network inside", err)
	}
	return t, nil
}

// fill lets the caller fill volumes, what lies outside first.
func (s *supervisor) fill() error {
	for i := range s.plan.Mounts {
		if v := s.volumes[i]; v != nil && v.Fill != nil {
			if err := s.id.asProgram(func() error { return v.Fill(s.roots[i]) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// collect lets the caller empty writable volumes, in the same order.
func (s *supervisor) collect() error {
	for i := range s.plan.Mounts {
		if v := s.volumes[i]; v != nil && v.Writable && v.Collect != nil && s.roots[i] != nil {
			if err := v.Collect(s.roots[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// guard starts to answer the filter's questions.
func (s *supervisor) guard(f *filtered) error {
	listener, err := s.take(f.Listener)
	if err != nil {
		return err
	}
	s.broker.listener = listener
	s.work.Go(s.broker.serve)
	s.describe(f.Landlock)
	s.started = time.Now()
	return nil
}

// follow takes hold of the program and begins to hold its limits.
func (s *supervisor) follow(b *started) {
	s.begun = b
	if b.Errno != 0 {
		return
	}
	if fd, err := s.take(b.Process); err == nil { // otherwise it has ended, or the keeper is what we stop
		s.fds = append(s.fds, fd)
		s.mu.Lock()
		s.program = fd
		s.mu.Unlock()
	}
	if reason := s.stopped(); reason != "" {
		s.stop(reason) // it was said before there was a program
	}
	if t := s.config.Limits.Time; t > 0 {
		timer := time.AfterFunc(t-time.Since(s.started), func() { s.stop(OutOfTime) })
		s.work.Go(func() { <-s.inside.Done(); timer.Stop() })
	}
	s.work.Go(func() { s.watch.run(s.inside.Done(), s.stop) })
}
