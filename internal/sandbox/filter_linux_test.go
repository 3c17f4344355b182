//go:build amd64 || arm64

package sandbox

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// judge says what a policy means, without compiling it.
func judge(policy []rule, call uint32, args [6]uint64) uint32 {
	i := slices.IndexFunc(policy, func(r rule) bool { return r.call == call })
	if i < 0 {
		return retErrno(unix.ENOSYS)
	}
	for _, c := range policy[i].clauses {
		if !slices.ContainsFunc(c.when, func(w condition) bool {
			v := uint32(args[w.arg])
			if w.high {
				v = uint32(args[w.arg] >> 32)
			}
			return !slices.Contains(w.values, v&w.mask)
		}) {
			return c.answer
		}
	}
	return policy[i].otherwise
}

// data is struct seccomp_data as the virtual machine of x/net/bpf wants it: it
// loads in network order what the kernel loads in its own.
func data(call, architecture uint32, args [6]uint64) []byte {
	b := binary.BigEndian.AppendUint32(nil, call)
	b = binary.BigEndian.AppendUint32(b, architecture)
	b = append(b, make([]byte, 8)...)
	for _, a := range args {
		b = binary.BigEndian.AppendUint32(b, uint32(a))
		b = binary.BigEndian.AppendUint32(b, uint32(a>>32))
	}
	return b
}

// The compiled filter answers every call as the policy says.
func TestFilterMeansThePolicy(t *testing.T) {
	interesting := []uint64{0, 1, 2, 3, 5, 6, 9, 10, 16, 17, 38, 40, unix.TIOCSTI, unix.TIOCLINUX, unix.CLONE_NEWUSER, unix.CLONE_NEWNET,
		unix.SOCK_STREAM | unix.SOCK_CLOEXEC, unix.SOCK_DGRAM | unix.SOCK_NONBLOCK, 1 << 32, 1<<32 | unix.TIOCSTI, 1<<32 - 1, ^uint64(0),
		unix.PR_SET_SECCOMP, unix.RLIMIT_CORE}
	random := rand.New(rand.NewPCG(1, 2))
	for _, policy := range [][]rule{rules(false, false), rules(true, true)} {
		code := compile(policy)
		vm, err := bpf.NewVM(code)
		if err != nil {
			t.Fatal(err)
		}
		run := func(call, architecture uint32, args [6]uint64) uint32 {
			got, err := vm.Run(data(call, architecture, args))
			if err != nil {
				t.Fatal(err)
			}
			return uint32(got)
		}
		for call := range uint32(1100) {
			for range 20 {
				var args [6]uint64
				for i := range args {
					args[i] = interesting[random.IntN(len(interesting))]
				}
				if got, want := run(call, arch, args), judge(policy, call, args); got != want {
					t.Fatalf("call %d %x: %#x, want %#x", call, args, got, want)
				}
			}
			if got := run(call, arch^0x80000000, [6]uint64{}); got != retKill {
				t.Fatalf("call %d of another architecture: %#x", call, got)
			}
			if got := run(call|1<<30, arch, [6]uint64{}); got != retErrno(unix.ENOSYS) {
				t.Fatalf("call %d of x32: %#x", call, got)
			}
		}
		if len(code) > 4096 {
			t.Errorf("the kernel takes 4096 instructions, these are %d", len(code))
		}
		t.Logf("%d rules, %d instructions", len(policy), len(code))
	}
}

func TestPolicyIsOneRuleForEachCall(t *testing.T) {
	for _, policy := range [][]rule{rules(false, false), rules(true, true)} {
		for i := range policy[1:] {
			if policy[i].call >= policy[i+1].call {
				t.Errorf("call %d is there twice, or out of order", policy[i+1].call)
			}
		}
	}
	for _, c := range append(slices.Clone(denied), deniedHere...) {
		if slices.Contains(allowed, c) || slices.Contains(allowedHere, c) || slices.Contains(notified, c) {
			t.Errorf("call %d is both allowed and denied", c)
		}
	}
}
