package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/sandbox"
)

// environment is what programs in sandboxes get, and their peers outside.
var environment = []string{"PATH=/usr/bin:/bin"}

// limits are what a run of a project has.
var limits = sandbox.Limits{CPU: 2, Memory: 4 << 30, Time: 30 * time.Minute}

// measureStart starts a program that does nothing in sandboxes of ours, with
// and without limits, and of bubblewrap. The process 1 of ours is this
// executable, which holds all packages of the command but that of its options.
func (b *bench) measureStart(context.Context) error {
	b.say("start: %d times each", b.scale.Starts)
	plain := measure{work: "start a sandbox, true", unit: seconds, bar: bar{ofTime, 1.4}, peer: b.peer("bwrap")}
	limited := measure{unit: seconds, peer: plain.peer}
	kinds := []func() error{
		func() error {
			_, took, err := startOurs(sandbox.Limits{})
			plain.ours = append(plain.ours, took)
			return err
		},
		func() error {
			if !b.has("bwrap") {
				return nil
			}
			took, err := startTheirs()
			plain.theirs = append(plain.theirs, took)
			return err
		},
		func() error {
			walls, took, err := startOurs(limits)
			limited.work = "  limited (" + walls.Memory + ")"
			limited.ours = append(limited.ours, took)
			return err
		},
	}
	for round := range b.scale.Starts {
		for _, start := range inTurn(round, kinds) {
			if err := start(); err != nil {
				return err
			}
		}
	}
	limited.theirs = plain.theirs
	b.report.add(plain)
	b.report.add(limited)
	return nil
}

func startOurs(l sandbox.Limits) (walls sandbox.Walls, took float64, err error) {
	begun := time.Now()
	r, err := sandbox.Run(context.Background(), sandbox.Config{
		Args: []string{"true"}, Env: environment, Binds: sandbox.System(), Limits: l,
	})
	took = time.Since(begun).Seconds()
	if err == nil && (r.Ended != sandbox.Exited || r.Exit != 0) {
		err = sallyport.Errorf(sallyport.StageFailed, "true ended with %s, %d", r.Ended, r.Exit).At("sandbox")
	}
	if err != nil {
		return walls, 0, err
	}
	return r.Walls, took, nil
}

// startTheirs starts bubblewrap with as little around it as there can be.
func startTheirs() (took float64, err error) {
	path, err := exec.LookPath("bwrap")
	if err != nil {
		return 0, err
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	args := strings.Fields("bwrap --unshare-all --die-with-parent --ro-bind / / --dev /dev --proc /proc --tmpfs /tmp true")
	begun := time.Now()
	p, err := os.StartProcess(path, args, &os.ProcAttr{Env: environment, Files: []*os.File{null, null, null}})
	if err != nil {
		return 0, err
	}
	state, err := p.Wait()
	took = time.Since(begun).Seconds()
	if err == nil && !state.Success() {
		err = sallyport.Errorf(sallyport.StageFailed, "true ended with %s", state).At("bwrap")
	}
	return took, err
}

// spin is half a second of nothing but Python, which times itself: the start of
// sandbox and interpreter is not what is compared. It is short and run often,
// so that what else goes on in the machine meets both alike.
const spin = `
import json, time

def work(n):
    x = t = 1
    for i in range(n):
        x = (x * 1103515245 + 12345) & 0x7fffffff
        t ^= x >> (i & 7)
    return t

work(1 << 16)
wall, cpu = time.perf_counter(), time.process_time()
work(3_000_000)
print(json.dumps({"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}))
`

// measurePython runs the same Python inside, limited as a run is, and bare.
func (b *bench) measurePython(ctx context.Context) error {
	b.say("python: %d times each", b.scale.Spins)
	if !b.has("python3") {
		return nil
	}
	python, binds, err := interpreter(ctx)
	if err != nil {
		return err
	}
	args := []string{python, "-I", "-S", "-c", spin}
	wall := measure{work: "Python, wall time", unit: seconds, bar: bar{ofTime, 1.01}, peer: "bare " + b.peer("python3")}
	cpu := measure{work: "Python, CPU time", unit: seconds, bar: bar{ofTime, 1.01}, peer: wall.peer}
	inside := func() error {
		var out strings.Builder
		r, err := sandbox.Run(ctx, sandbox.Config{Args: args, Env: environment, Binds: binds, Limits: limits, Stdout: &out, Stderr: &out})
		if err != nil {
			return err
		}
		if r.Ended != sandbox.Exited || r.Exit != 0 {
			return sallyport.Errorf(sallyport.StageFailed, "python ended with %s, %d: %s", r.Ended, r.Exit, out.String()).At("sandbox")
		}
		return note(out.String(), &wall.ours, &cpu.ours)
	}
	bare := func() error {
		c := program(ctx, args[0], args[1:]...)
		c.Env = environment
		out, err := c.Output()
		if err != nil {
			return err
		}
		return note(string(out), &wall.theirs, &cpu.theirs)
	}
	for round := range b.scale.Spins {
		for _, run := range inTurn(round, []func() error{inside, bare}) {
			if err := run(); err != nil {
				return err
			}
		}
	}
	b.report.add(wall)
	b.report.add(cpu)
	return nil
}

// note appends the times that spin has printed.
func note(printed string, wall, cpu *sample) error {
	var t struct{ Wall, CPU float64 }
	if err := json.Unmarshal([]byte(printed), &t); err != nil {
		return sallyport.Errorf(sallyport.Internal, "python printed something else than its times: %w", err)
	}
	*wall, *cpu = append(*wall, t.Wall), append(*cpu, t.CPU)
	return nil
}

// interpreter finds the real python3 behind what may be a wrapper, and what of
// the host it needs to run.
func interpreter(ctx context.Context) (path string, binds []sandbox.Bind, err error) {
	const ask = "import os, sys; print(os.path.realpath(sys.executable), os.path.realpath(sys.base_prefix), sep='\\n')"
	out, err := program(ctx, "python3", "-c", ask).Output()
	if err != nil {
		return "", nil, err
	}
	path, prefix, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	binds = sandbox.System()
	below := func(b sandbox.Bind) bool { return prefix == b.Source || strings.HasPrefix(prefix, b.Source+"/") }
	if !slices.ContainsFunc(binds, below) {
		binds = append(binds, sandbox.Bind{Source: prefix, Target: prefix})
	}
	return path, binds, nil
}
