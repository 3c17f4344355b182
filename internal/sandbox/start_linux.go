//go:build amd64 || arm64

package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// keeperPath is this executable, whatever has become of its file.
const keeperPath = "/proc/self/exe"

// keeperEnv makes the runtime of a keeper small and quiet: it lives for one
// program, and allocates next to nothing.
var keeperEnv = []string{"GOMAXPROCS=1", "GOGC=off"}

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
	if _, err := s.conn.Write(s.plan.pack()); err != nil && s.stopped() == "" {
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
