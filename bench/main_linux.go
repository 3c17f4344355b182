// Bench measures Sallyport beside the programs that its bars of speed name, on
// one machine and in one run, and prints what it found and whether it is good
// enough:
//
//	go run ./bench [-quick] [-only PART,…] [-rounds N] [-dir DIR] [-json]
//	               [-peers DIR] [-python PATH] [-hostile DIR] [-benign DIR] [-hub FILE]
//	               [-advisories PATH]
//
// It is a report and not a test: it ends with 0 when a bar is missed, and says
// so. The parts are start (a sandbox), python (inside one), csv and tree (data
// in and out), the ones that scan models, adversary (a million made-up cases),
// deps (dependencies), ledger and erase. The whole takes some forty minutes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/sallyport/sallyport"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := asShipped(ctx)
	if err == nil {
		err = command(ctx, os.Args[1:], os.Stdout, os.Stderr)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		if e, ok := errors.AsType[*sallyport.Error](err); ok && e.Mend != "" {
			fmt.Fprintln(os.Stderr, "  try:", e.Mend)
		}
		stop()
		os.Exit(sallyport.KindOf(err).ExitCode())
	}
}

// parts are what can be measured. The ledger and the erasure come last: the memory
// that they take in this process would be counted as that of programs started later
// (getrusage(2) knows what a process had before it became another program).
var parts = []struct {
	name    string
	measure func(*bench, context.Context) error
	space   func(scale) int64 // bytes of disk at one time, at most
}{
	{"start", (*bench).measureStart, func(scale) int64 { return 0 }},
	{"python", (*bench).measurePython, func(scale) int64 { return 0 }},
	// The source, a store as large, and what is got back; half of one to spare.
	{"csv", (*bench).measureTable, func(s scale) int64 { return s.Table * 7 / 2 }},
	{"tree", (*bench).measureTree, func(s scale) int64 { return int64(s.Files) * fileSize * 7 / 2 }},
	{"scan-dense", (*bench).measureDense, func(s scale) int64 { return int64(s.Dense) * 4 }},
	{"scan-large", (*bench).measureLarge, func(s scale) int64 { return s.Large * 9 / 8 }},
	{"scan-memory", (*bench).measureMemory, func(s scale) int64 { return s.Large + int64(s.Dense)*64 }},
	{"scan-hostile", (*bench).measureHostile, func(s scale) int64 { return int64(s.Hostile) * 8192 }},
	{"scan-benign", (*bench).measureBenign, func(scale) int64 { return 64e6 }},
	{"scan-hub", (*bench).measureHub, func(scale) int64 { return 64e6 }},
	{"adversary", (*bench).measureAdversary, func(scale) int64 { return 0 }},
	{"deps", (*bench).measureDeps, func(s scale) int64 { return int64(s.Bills) * 40_000 }},
	{"ledger", (*bench).measureLedger, func(s scale) int64 { return int64(s.Entries) * 4096 }},
	{"erase", (*bench).measureErase, func(s scale) int64 { return int64(s.Subjects) * 400 }},
}

// A bench is one run of the program.
type bench struct {
	scale  scale
	dir    string // everything is below it, and goes with it
	binary string // sallyport
	report report
	log    io.Writer
	given  given

	asked    bool // whether the other scanners have been looked for
	scanners []string
	python   string // that has them
}

// given is what the command line names of this machine.
type given struct {
	peers   string // folder of the other scanners' commands
	python  string // interpreter with the libraries that write models
	hostile string // folders of files, all of them harmful or none
	benign  string
	hub     string // list of what real models name

	advisories string // records of PyPA, a folder or an archive
	seed       uint64 // of the adversary
}

func command(ctx context.Context, args []string, out, log io.Writer) (err error) {
	var only, dir string
	var small, asJSON bool
	var rounds int
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(log)
	f.StringVar(&only, "only", "", "measure these `parts`, comma-separated: "+strings.Join(partNames(), ", "))
	f.StringVar(&dir, "dir", os.TempDir(), "work below this `folder`; its disk is what is measured")
	f.BoolVar(&small, "quick", false, "take less of everything: shows that it works, not how fast it is")
	f.BoolVar(&asJSON, "json", false, "print JSON, with every single figure")
	f.IntVar(&rounds, "rounds", 0, "put data in and take it out this `many` times (default 3)")
	var g given
	f.StringVar(&g.peers, "peers", "", "`folder` with the commands of other scanners, such as the bin of a virtual environment; \"\": where PATH has them")
	f.StringVar(&g.python, "python", "", "`interpreter` with scikit-learn, pandas, joblib and torch, to write honest models with")
	f.StringVar(&g.hostile, "hostile", "", "`folder` of hostile pickles, scanned beside those that are made")
	f.StringVar(&g.benign, "benign", "", "`folder` of honest models, scanned beside those that are made")
	f.StringVar(&g.hub, "hub", os.Getenv("SALLYPORT_BENCH_HUB"), "`file` that lists what real models name, as JSON lines")
	f.StringVar(&g.advisories, "advisories", os.Getenv("SALLYPORT_BENCH_ADVISORIES"), "`folder` or tar.zst of the advisory database of the PyPA")
	f.Uint64Var(&g.seed, "seed", seed, "`number` that decides which adversarial cases are made")
	if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil || f.NArg() > 0 || rounds < 0 {
		return sallyport.Errorf(sallyport.Usage, "the command line makes no sense").Try("go run ./bench -help")
	}
	chosen, err := choose(only)
	if err != nil {
		return err
	}
	b := &bench{scale: full, log: log, given: g}
	if small {
		b.scale = quick
	}
	if rounds > 0 {
		b.scale.Rounds = rounds
	}
	if b.dir, err = makeRoom(dir, b.scale, chosen); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	if err := b.measure(ctx, chosen); err != nil {
		return err
	}
	b.report.Quick, b.report.Scale = small, b.scale
	if asJSON {
		return b.report.encode(out)
	}
	return b.report.print(out)
}

func partNames() []string {
	out := make([]string, len(parts))
	for i, p := range parts {
		out[i] = p.name
	}
	return out
}

// choose returns the places in parts of the named ones, or of all.
func choose(names string) ([]int, error) {
	var chosen []int
	known := partNames()
	for i, p := range parts {
		if names == "" || slices.Contains(strings.Split(names, ","), p.name) {
			chosen = append(chosen, i)
		}
	}
	for name := range strings.SplitSeq(names, ",") {
		if names != "" && !slices.Contains(known, name) {
			return nil, sallyport.Errorf(sallyport.Usage, "no part is named %q", name).
				Try("choose from %s", strings.Join(known, ", "))
		}
	}
	return chosen, nil
}

// makeRoom makes the work folder, if there is room for what is to come.
func makeRoom(dir string, s scale, chosen []int) (string, error) {
	var need int64
	for _, i := range chosen {
		need = max(need, parts[i].space(s)) // a part gives back what it took
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return "", sallyport.Errorf(sallyport.NotFound, "cannot work there: %w", err).At("%s", dir).
			Try("name another folder with -dir")
	}
	if free := int64(fs.Bavail) * fs.Bsize; free < need {
		return "", sallyport.Errorf(sallyport.NoSpace, "%s are free and %s are needed",
			text(bytes, float64(free)), text(bytes, float64(need))).At("%s", dir).
			Try("name another folder with -dir, or take -quick")
	}
	made, err := os.MkdirTemp(dir, "sallyport-bench-*")
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(made)
}

// measure builds the program and measures the chosen parts of it.
func (b *bench) measure(ctx context.Context, chosen []int) error {
	b.say("building sallyport")
	b.binary = filepath.Join(b.dir, "sallyport")
	if err := build(ctx, b.binary, "cmd/sallyport"); err != nil {
		return err
	}
	if err := b.look(ctx); err != nil {
		return err
	}
	before := loadNow()
	for _, i := range chosen {
		if err := parts[i].measure(b, ctx); err != nil {
			if ctx.Err() != nil {
				err = sallyport.Errorf(sallyport.Interrupted, "stopped; the work folder is gone again")
			}
			return err
		}
	}
	if b.report.Machine.Busy = loadNow().others(before); b.report.Machine.Busy > tooBusy {
		b.warn("others used %.0f%% of the processors: repeat this when they are quiet", 100*b.report.Machine.Busy)
	}
	return nil
}

// say tells what is going on.
func (b *bench) say(format string, args ...any) { fmt.Fprintf(b.log, format+"\n", args...) }

// warn tells, loudly and in the report, what makes it worth less.
func (b *bench) warn(format string, args ...any) {
	note := fmt.Sprintf(format, args...)
	b.say("!!! %s", note)
	b.report.Notes = append(b.report.Notes, note)
}
