//go:build amd64 || arm64

package sandbox

import (
	"context"
	"encoding/json"
	"os"
	"runtime"
	"slices"
	"sync"
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
