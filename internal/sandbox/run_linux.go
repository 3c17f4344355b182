//go:build amd64 || arm64

package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/sallyport/sallyport"
	"golang.org/x/sys/unix"
)

// Run runs a program and waits until it and all that it started have ended.
//
// A program that fails, or is ended by a limit or by ctx, has a Result. An
// error means that the sandbox could not be built or kept (kind Unconfined),
// that c makes no sense (Invalid, NotFound, Denied), or is what a Fill or
// Collect returned; after Collect's there is a Result too.
func Run(ctx context.Context, c Config) (*Result, error) {
	if len(c.Args) == 0 || c.Args[0] == "" {
		return nil, sallyport.Errorf(sallyport.Invalid, "there is no program to run")
	}
	return run(ctx, c)
}

func run(ctx context.Context, c Config) (*Result, error) {
	s, err := prepare(ctx, c)
	if err != nil {
		return nil, err
	}
	// The kernel ends the keeper when the thread that started it ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer s.close()
	if err := s.start(); err != nil {
		return nil, err
	}
	if err := s.converse(); err != nil {
		return nil, err
	}
	s.end()
	result := s.result()
	if result.Ended == Interrupted {
		return result, nil
	}
	return result, s.collect()
}

// keeperPath is this executable, whatever has become of its file.
const keeperPath = "/proc/self/exe"

// keeperEnv makes the runtime of a keeper small and quiet: it lives for one
// program, and allocates next to nothing.
var keeperEnv = []string{"GOMAXPROCS=1", "GOGC=off"}

// A supervisor is the outside of one run.
type supervisor struct {
	config  Config
	plan    plan
	volumes map[int]*Volume // by place in plan.Mounts
	id      identity
	group   group
	record  recorder
	broker  *broker
	watch   watch
	walls   Walls

	ctx    context.Context // the caller's
	inside context.Context // ends when nothing runs inside any more
	leave  context.CancelFunc

	keeper *os.Process
	pidfd  int
	conn   *os.File
	in     *json.Decoder
	roots  map[int]*os.Root // of volumes that somebody fills or empties
	output sync.WaitGroup   // of what copies the program's output
	work   sync.WaitGroup   // of what serves the program
	fds    []int            // to be closed at the end

	mu      sync.Mutex
	program int    // pidfd, -1 where there is none
	reason  Reason // why it was stopped

	started time.Time
	begun   *started
	ended   *ended
	wall    time.Duration
	state   *os.ProcessState
}

func prepare(ctx context.Context, c Config) (*supervisor, error) {
	if err := checkLimits(c.Limits); err != nil {
		return nil, err
	}
	allowed, err := parseHosts(c.Network)
	if err != nil {
		return nil, err
	}
	mounts, volumes, err := layOut(&c)
	if err != nil {
		return nil, err
	}
	s := &supervisor{config: c, volumes: volumes, ctx: ctx, id: chooseIdentity(), pidfd: -1, program: -1, roots: make(map[int]*os.Root)}
	s.inside, s.leave = context.WithCancel(context.WithoutCancel(ctx))
	s.record.live = c.Attempt
	s.broker = newBroker(s.inside, allowed, &s.record)
	if l := c.Limits; l.Memory > 0 || l.CPU > 0 || l.Processes > 0 {
		s.group = makeGroup(ownHierarchies(), l)
	}
	s.plan = plan{Args: c.Args, Env: c.Env, Dir: c.Dir, Mounts: mounts, Given: s.id.root,
		Hosts: len(allowed) > 0, Limits: resourcesOf(c.Limits, s.group)}
	for _, v := range volumes {
		s.plan.Fill = s.plan.Fill || v.Fill != nil
	}
	if s.plan.Dir == "" {
		s.plan.Dir = "/"
	}
	return s, nil
}

// start starts the keeper in its namespaces and gives it the plan.
func (s *supervisor) start() error {
	sockets, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return unconfined("connect to the keeper", err)
	}
	s.conn = os.NewFile(uintptr(sockets[0]), "control")
	s.in = json.NewDecoder(s.conn)
	theirs := os.NewFile(uintptr(sockets[1]), "control")
	defer theirs.Close()

	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return unconfined("open "+os.DevNull, err)
	}
	defer null.Close()
	files := []*os.File{null, null, null, theirs}
	defer func() {
		for _, f := range files[4:] {
			f.Close()
		}
	}()
	if s.id.root {
		for _, m := range s.plan.Mounts {
			fd, err := m.detach(s.id.uid)
			if err != nil {
				return diagnose(&failure{"make the mount", m.Target, errnoOf(err)})
			}
			files = append(files, os.NewFile(uintptr(fd), m.Target))
		}
	}
	stdout, stderr, err := s.openOutput(null)
	if err != nil {
		return unconfined("open pipes", err)
	}
	defer stdout.Close()
	defer stderr.Close()
	files[1], files[2] = stdout, stderr

	s.keeper, err = os.StartProcess(keeperPath, []string{keeperName}, &os.ProcAttr{
		Dir: "/", Env: keeperEnv, Files: files, Sys: s.attributes(),
	})
	if err != nil {
		return diagnose(&failure{Step: "make the namespaces", Errno: errnoOf(err)})
	}
	if err := s.id.give(s.keeper.Pid); err != nil {
		return diagnose(&failure{Step: "give the keeper an ID", Errno: errnoOf(err)})
	}
	if err := s.group.join(s.keeper.Pid); err != nil {
		return unconfined("join the control group", err)
	}
	// From here on the caller's wish to stop is heard.
	stop := context.AfterFunc(s.ctx, func() { s.stop(Interrupted) })
	s.work.Go(func() { <-s.inside.Done(); stop() })
	// While the keeper comes up.
	s.plan.Filter = assemble(compile(rules(s.plan.Limits.Cores > 0, s.plan.Limits.Data > 0)))
	if err := json.NewEncoder(s.conn).Encode(s.plan); err != nil && s.stopped() == "" {
		return unconfined("speak to the keeper", err)
	}
	return nil
}

// attributes are those of the keeper: all namespaces at once, and the
// capabilities that building takes, within these namespaces only. Its memory is
// this process's until it is another program (CLONE_VFORK): a copy would take
// longer than all the rest where this process is large, and would hold what it
// knows. So it begins without an ID of its own, see identity.give.
func (s *supervisor) attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC |
			unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP | unix.CLONE_VM | unix.CLONE_VFORK,
		AmbientCaps: []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_NET_ADMIN, unix.CAP_NET_BIND_SERVICE, unix.CAP_SETPCAP, unix.CAP_SETUID, unix.CAP_SETGID},
		Pdeathsig:   syscall.SIGKILL,
		Setsid:      true,
		PidFD:       &s.pidfd,
	}
}

// openOutput returns what the program writes to, and starts copying from it.
func (s *supervisor) openOutput(null *os.File) (stdout, stderr *os.File, err error) {
	open := func(w io.Writer) (*os.File, error) {
		if w == nil {
			return dup(null)
		}
		r, file, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		if s.id.root { // a program may open its own output once more
			if err := file.Chown(s.id.uid, s.id.gid); err != nil {
				return nil, errors.Join(err, r.Close(), file.Close())
			}
		}
		s.output.Go(func() {
			defer r.Close()
			if _, err := io.Copy(w, r); err != nil {
				_, _ = io.Copy(io.Discard, r) // the writer is the caller's; the program is not to hang on it
			}
		})
		return file, nil
	}
	if stdout, err = open(s.config.Stdout); err != nil {
		return nil, nil, err
	}
	if same(s.config.Stdout, s.config.Stderr) { // one pipe keeps the order
		stderr, err = dup(stdout)
	} else {
		stderr, err = open(s.config.Stderr)
	}
	if err != nil {
		return nil, nil, errors.Join(err, stdout.Close())
	}
	return stdout, stderr, nil
}

func dup(f *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// same reports whether a and b are one writer; writers that cannot be compared
// are not.
func same(a, b io.Writer) bool {
	defer func() { _ = recover() }()
	return a == b
}

// converse does its part in what the keeper does, until the program has ended
// or the keeper has.
func (s *supervisor) converse() error {
	answer := json.NewEncoder(s.conn)
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
		_ = answer.Encode(struct{}{}) // if the keeper is gone, the next word says so
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

// grace is how long the keeper has to end what the program left behind and to
// say what was used, before it is ended too.
const grace = 2 * time.Second

// stop ends the program, for the first of the reasons that are given.
func (s *supervisor) stop(r Reason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reason == "" {
		s.reason = r
	}
	if s.program < 0 {
		_ = s.keeper.Kill() // it has ended if this fails
		return
	}
	_ = unix.PidfdSendSignal(s.program, unix.SIGKILL, nil, 0) // likewise
	t := time.AfterFunc(grace, func() { _ = s.keeper.Kill() })
	context.AfterFunc(s.inside, func() { t.Stop() })
}

func (s *supervisor) stopped() Reason {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reason
}

// end waits until the keeper has ended. The kernel lets process 1 of a PID
// namespace end only after all others in it have.
func (s *supervisor) end() {
	if s.keeper == nil || s.state != nil {
		return
	}
	if s.ended == nil && (s.begun == nil || s.begun.Errno == 0) {
		_ = s.keeper.Kill() // it has not come to its end by itself
	}
	s.state, _ = s.keeper.Wait()
	if s.ended == nil && s.begun != nil {
		s.wall = time.Since(s.started)
	}
	s.leave()
	s.output.Wait()
	s.work.Wait()
}

// close ends what still runs and gives everything back.
func (s *supervisor) close() {
	if s.keeper != nil {
		s.end()
	}
	s.leave()
	s.group.remove()
	if s.conn != nil {
		s.conn.Close()
	}
	for _, r := range s.roots {
		r.Close()
	}
	for _, fd := range append(slices.Clone(s.fds), s.pidfd) {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}
