//go:build amd64 || arm64

package sandbox

import (
	"cmp"
	"encoding/binary"
	"slices"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Answers of the filter (seccomp(2)).
const (
	retAllow  = unix.SECCOMP_RET_ALLOW
	retNotify = unix.SECCOMP_RET_USER_NOTIF
	retKill   = unix.SECCOMP_RET_KILL_PROCESS
)

func retErrno(e unix.Errno) uint32 { return unix.SECCOMP_RET_ERRNO | uint32(e) }

// A clause gives its answer where all of its conditions hold.
type clause struct {
	when   []condition
	answer uint32
}

// A condition holds where a half of an argument, masked, is one of the values.
type condition struct {
	arg    int  // number of the argument
	high   bool // its upper 32 bits
	mask   uint32
	values []uint32
}

// is is the condition on the lower half of an argument. The kernel takes what
// is an int or unsigned int to it from the lower half alone, so that is what
// must be compared: a TIOCSTI with upper bits set is still a TIOCSTI.
func is(arg int, values ...uint32) condition {
	return condition{arg: arg, mask: ^uint32(0), values: values}
}

// null is the pair of conditions that a pointer is nil. Half of it would not
// do: an address can be chosen so that its lower half is 0.
func null(arg int) []condition {
	return []condition{is(arg, 0), {arg: arg, high: true, mask: ^uint32(0), values: []uint32{0}}}
}

// masked is the condition on some bits of the lower half of an argument.
func masked(arg int, mask uint32, values ...uint32) condition {
	return condition{arg: arg, mask: mask, values: values}
}

// A rule is what holds for one system call: the answer of the first clause
// that applies, or otherwise.
type rule struct {
	call      uint32
	clauses   []clause
	otherwise uint32
}

const socketType = 0xf // the type in socket(2)'s second argument, without SOCK_CLOEXEC and SOCK_NONBLOCK

// namespaces are the flags of clone(2) that make a namespace. CLONE_NEWTIME
// lies in the bits of the exit signal there and can only be given to clone3.
const namespaces = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC |
	unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET

// rules returns the whole policy, sorted by call. pinned says that nothing but
// the program's affinity holds its CPU limit, and polled that nothing but
// watching holds its memory limit.
func rules(pinned, polled bool) []rule {
	eperm, enosys, noFamily := retErrno(unix.EPERM), retErrno(unix.ENOSYS), retErrno(unix.EAFNOSUPPORT)
	judged := []rule{
		{unix.SYS_CLONE, []clause{{[]condition{masked(0, namespaces, 0)}, retAllow}}, eperm},
		// The flags of clone3 lie in memory, which a filter cannot read.
		{unix.SYS_CLONE3, nil, enosys},

		// A datagram or raw unix socket can name a path in every send, where only
		// the kernel could judge it; the others name one in connect alone. The
		// protocols are those that need no kernel module.
		{unix.SYS_SOCKET, []clause{
			{[]condition{is(0, unix.AF_UNIX), masked(1, socketType, unix.SOCK_STREAM, unix.SOCK_SEQPACKET)}, retAllow},
			{[]condition{is(0, unix.AF_INET, unix.AF_INET6), masked(1, socketType, unix.SOCK_STREAM), is(2, 0, unix.IPPROTO_TCP)}, retAllow},
			{[]condition{is(0, unix.AF_INET, unix.AF_INET6), masked(1, socketType, unix.SOCK_DGRAM), is(2, 0, unix.IPPROTO_UDP)}, retAllow},
		}, noFamily},
		{unix.SYS_SOCKETPAIR, []clause{
			{[]condition{is(0, unix.AF_UNIX), masked(1, socketType, unix.SOCK_STREAM, unix.SOCK_SEQPACKET)}, retAllow},
		}, noFamily},
		{unix.SYS_SENDTO, []clause{{null(4), retAllow}}, retNotify},

		// Putting characters into a terminal's input, and taking it over.
		{unix.SYS_IOCTL, []clause{{[]condition{is(1, unix.TIOCSTI, unix.TIOCLINUX, unix.TIOCCONS, unix.TIOCSETD)}, eperm}}, retAllow},
		// A filter of the program's own could only take away, but nothing needs one.
		{unix.SYS_PRCTL, []clause{{[]condition{is(0, unix.PR_SET_SECCOMP)}, eperm}}, retAllow},
		// 0 is what every process has; all ones only asks.
		{unix.SYS_PERSONALITY, []clause{{[]condition{is(0, 0, ^uint32(0))}, retAllow}}, eperm},
		// The core limit stays at 1, see limitResources; that it was set is a white lie.
		{unix.SYS_SETRLIMIT, []clause{{[]condition{is(0, unix.RLIMIT_CORE)}, retErrno(0)}}, retAllow},
		{unix.SYS_PRLIMIT64, []clause{
			{append(null(2), is(1, unix.RLIMIT_CORE)), retAllow},
			{[]condition{is(1, unix.RLIMIT_CORE)}, retErrno(0)},
		}, retAllow},
	}
	if pinned {
		judged = append(judged, rule{unix.SYS_SCHED_SETAFFINITY, nil, eperm})
	}
	if polled {
		// What a memfd holds is nobody's resident memory, and so unseen.
		judged = append(judged, rule{unix.SYS_MEMFD_CREATE, nil, enosys})
	}
	all := judged
	add := func(calls []uint32, answer uint32) {
		for _, c := range calls {
			if !slices.ContainsFunc(judged, func(r rule) bool { return r.call == c }) {
				all = append(all, rule{call: c, otherwise: answer})
			}
		}
	}
	add(allowed, retAllow)
	add(allowedHere, retAllow)
	add(notified, retNotify)
	add(denied, eperm)
	add(deniedHere, eperm)
	slices.SortFunc(all, func(a, b rule) int { return cmp.Compare(a.call, b.call) })
	return all
}

// Where struct seccomp_data keeps things (linux/seccomp.h), both architectures
// being little-endian.
const (
	offCall = 0
	offArch = 4
	offArgs = 16
)

// compile turns a policy into a filter: the architecture first, then a binary
// search for the call. The kernel remembers which calls are always allowed
// (since 5.11) and does not run the filter for them.
func compile(rules []rule) []bpf.Instruction {
	type span struct { // from this call to the next span's
		from uint32
		code []bpf.Instruction
	}
	missing := retErrno(unix.ENOSYS)
	spans := []span{{0, answer(missing)}}
	for _, r := range rules {
		if last := &spans[len(spans)-1]; last.from == r.call {
			spans = spans[:len(spans)-1]
		}
		spans = append(spans, span{r.call, r.code()}, span{r.call + 1, answer(missing)})
	}
	// Join neighbours that do the same.
	spans = slices.CompactFunc(spans, func(a, b span) bool { return slices.Equal(a.code, b.code) })

	var search func([]span) []bpf.Instruction
	search = func(s []span) []bpf.Instruction {
		if len(s) == 1 {
			return s[0].code
		}
		mid := len(s) / 2
		low, high := search(s[:mid]), search(s[mid:])
		code := []bpf.Instruction{
			bpf.JumpIf{Cond: bpf.JumpLessThan, Val: s[mid].from, SkipTrue: 1},
			bpf.Jump{Skip: uint32(len(low))}, // a conditional jump reaches only 255 instructions
		}
		return append(append(code, low...), high...)
	}
	return append([]bpf.Instruction{
		bpf.LoadAbsolute{Off: offArch, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: arch, SkipTrue: 1},
		bpf.RetConstant{Val: retKill},
		bpf.LoadAbsolute{Off: offCall, Size: 4},
	}, search(spans)...)
}

func answer(v uint32) []bpf.Instruction { return []bpf.Instruction{bpf.RetConstant{Val: v}} }

func (r rule) code() []bpf.Instruction {
	var code []bpf.Instruction
	for _, c := range r.clauses {
		code = append(code, c.code()...)
	}
	return append(code, bpf.RetConstant{Val: r.otherwise})
}

func (c clause) code() []bpf.Instruction {
	code := answer(c.answer)
	for _, w := range slices.Backward(c.when) {
		code = append(w.code(len(code)), code...)
	}
	return code
}

// code returns instructions that go on where the condition holds and skip rest
// further instructions where it does not.
func (c condition) code(rest int) []bpf.Instruction {
	off := uint32(offArgs + 8*c.arg)
	if c.high {
		off += 4
	}
	code := []bpf.Instruction{
		bpf.LoadAbsolute{Off: off, Size: 4},
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: c.mask},
	}
	for i, v := range c.values {
		// Over the comparisons that are still to come, and the jump after them.
		code = append(code, bpf.JumpIf{Cond: bpf.JumpEqual, Val: v, SkipTrue: uint8(len(c.values) - i)})
	}
	return append(code, bpf.Jump{Skip: uint32(rest)})
}

// assemble turns a filter into what the kernel takes, struct sock_filter after
// struct sock_filter. One that does not fit is a defect, and none at all, with
// which no keeper goes on.
func assemble(code []bpf.Instruction) string {
	raw, err := bpf.Assemble(code)
	if err != nil {
		return ""
	}
	var filter []byte
	for _, r := range raw {
		filter = binary.NativeEndian.AppendUint16(filter, r.Op)
		filter = append(filter, r.Jt, r.Jf)
		filter = binary.NativeEndian.AppendUint32(filter, r.K)
	}
	return string(filter)
}
