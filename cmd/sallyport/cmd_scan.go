package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/evidence"
	"github.com/sallyport/sallyport/internal/run"
	"github.com/sallyport/sallyport/scan"
)

// scanning is what a scan was asked for.
type scanning struct {
	format  string // text, json or sarif
	explain bool
	allow   string // file of waivers
	trust   string // who may sign them
}

func (a *app) scanCommand() *cobra.Command {
	var s scanning
	c := &cobra.Command{
		Use:   "scan PATH…",
		Short: "Tell whether model files can do harm, without loading them",
		Long: `Read model files and everything beside them, and say of each what it would do to
whoever loads it. Nothing is ever loaded. What a file is shows in its bytes, not
in its name; archives and compressed files are followed to any depth. A file
that names code passes only if all of it is known by its exact name.

  inert          data and nothing else                                  passes
  allowed        names code, and all of it is known to be harmless      passes
  inconclusive   could not be read to its end, or nobody knows it
  suspicious     names unknown code, or is built as honest files are not
  malicious      names code that has no place in a model

Exit code 0: everything passed. 1: something is suspicious or malicious. 2: a
file could not be read. 3: something is inconclusive, and nothing is worse.

Every run scans what it wrote in the same way before it is signed. A finding
that somebody has looked into can be waived for one very file: see
"sallyport scan waive --help".`,
		Example: `  sallyport scan model.pkl
  sallyport scan --explain models/
  sallyport scan --format sarif . > scan.sarif     # for GitHub code scanning`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return a.scan(c.Context(), args, s) },
	}
	f := c.Flags()
	f.StringVar(&s.format, "format", "text", "`text`, json or sarif")
	f.BoolVar(&s.explain, "explain", false, "show what stands around each finding in the file")
	f.StringVar(&s.allow, "allow", "", "a `file` of signed waivers")
	f.StringVar(&s.trust, "trust", "", "the trust `file` of the site whose reviewers signed them")
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"text", "json", "sarif"}, cobra.ShellCompDirectiveNoFileComp))
	c.AddCommand(a.waiveCommand())
	return c
}

func (a *app) scan(ctx context.Context, paths []string, s scanning) error {
	if a.json {
		s.format = "json"
	}
	switch s.format {
	case "text":
	case "json", "sarif":
		a.json = true // errors too are for a program
	default:
		return sallyport.Errorf(sallyport.Usage, "no format is named %q", s.format).Try("choose from text, json, sarif")
	}
	waivers, err := a.waivers(ctx, s.allow, s.trust)
	if err != nil {
		return err
	}
	result, err := a.scanPaths(ctx, paths, scan.Options{Explain: s.explain, Waivers: waivers})
	if err != nil {
		return err
	}
	switch s.format {
	case "sarif":
		err = scan.WriteSARIF(a.out, version(), result.Files, result.failed)
	case "json":
		err = a.encode(a.out, result)
	default:
		a.printScan(result)
	}
	return errors.Join(err, result.err())
}

// waivers reads a file of waivers and believes the reviewers of the trust file,
// or of the site that we are in.
func (a *app) waivers(ctx context.Context, file, trustFile string) ([]scan.Waiver, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, sallyport.Errorf(sallyport.Usage, "cannot read the waivers: %w", err)
	}
	trust, _, err := a.trust(ctx, trustFile)
	if err != nil {
		return nil, err
	}
	granted, err := evidence.ReadWaivers(file, text, trust)
	var out []scan.Waiver
	for _, g := range granted {
		out = append(out, run.Waiver(g))
	}
	return out, err
}

// A scanResult is what "scan --json" prints.
type scanResult struct {
	Version string         `json:"version"`
	Verdict scan.Verdict   `json:"verdict"` // the worst
	Files   []*scan.Report `json:"files"`
	Errors  []string       `json:"errors,omitempty"` // of files that could not be read

	failed []error
}

// scanPaths scans everything, showing how far it is.
func (a *app) scanPaths(ctx context.Context, paths []string, o scan.Options) (*scanResult, error) {
	result := &scanResult{Version: version(), Files: []*scan.Report{}}
	m := a.meter("scanning")
	defer m.done()
	total := sizeOf(paths)
	var done atomic.Int64
	o.Progress = func(n int) { done.Add(int64(n)) }
	s := scan.New(o)
	each := func(r *scan.Report, err error) {
		if err != nil {
			result.fail(fmt.Errorf("%s: %w", r.Path, err))
			return
		}
		result.Files = append(result.Files, r)
	}
	stop := m.every(func() { m.at(done.Load(), total) })
	defer stop()
	for _, p := range paths {
		if err := s.Path(ctx, p, each); ctx.Err() != nil {
			return nil, ctx.Err()
		} else if err != nil {
			result.fail(err)
		}
	}
	result.Verdict = scan.Worst(result.Files)
	return result, nil
}

func (r *scanResult) fail(err error) {
	r.failed = append(r.failed, err)
	r.Errors = append(r.Errors, err.Error())
}

// err is why a scan does not end with 0.
func (r *scanResult) err() error {
	blocked, unsure := 0, 0
	for _, f := range r.Files {
		switch {
		case f.Verdict >= scan.Suspicious:
			blocked++
		case !f.Verdict.Passes():
			unsure++
		}
	}
	of := many(int64(len(r.Files)), "file")
	switch {
	case blocked > 0:
		return sallyport.Errorf(sallyport.Refused, "%d of %s blocked", blocked, of).
			Try("do not load what was blocked; --explain shows where it stands")
	case len(r.failed) > 0:
		return sallyport.Errorf(sallyport.Usage, "%d could not be read: %w", len(r.failed), r.failed[0])
	case unsure > 0:
		return sallyport.Errorf(sallyport.Unknown, "%d of %s inconclusive", unsure, of).
			Try("have a reviewer look at them, who can waive a finding: sallyport scan waive --help")
	}
	return nil
}

// sizeOf adds up what there is to read. What cannot be read is told later.
func sizeOf(paths []string) (total int64) {
	for _, p := range paths {
		_ = filepath.WalkDir(p, func(_ string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				if info, err := d.Info(); err == nil {
					total += info.Size()
				}
			}
			return nil
		})
	}
	return total
}

// fewPassed is how many files that passed are listed one by one.
const fewPassed = 20

func (a *app) printScan(r *scanResult) {
	t := table{head: []string{"VERDICT", "FILE", "FORMAT", "SIZE"}, right: map[int]bool{3: true}}
	passed := 0
	for _, f := range r.Files {
		if f.Verdict.Passes() {
			if passed++; passed > fewPassed {
				continue
			}
		}
		format := strings.Join(f.Formats, ", ")
		if f.Members > 0 {
			format += " of " + many(int64(f.Members), "file")
		}
		t.add(f.Verdict.String(), plain(f.Path), format, sallyport.Size(f.Size))
	}
	t.print(a.out)
	if more := passed - fewPassed; more > 0 {
		a.print("… and %s more that passed: --json shows all\n", count(int64(more)))
	}
	for _, f := range r.Files {
		if len(f.Findings) > 0 {
			a.print("\n%s\n", plain(f.Path))
			a.printFindings(f.Findings, f.Dropped)
		}
	}
	for _, err := range r.Errors {
		a.print("\ncould not be read: %s\n", plain(err))
	}
}

// fewFindings is how many findings of a file a person is shown.
const fewFindings = 20

// printFindings tells findings: what and where in a line, then why and what to
// do.
func (a *app) printFindings(all []scan.Finding, dropped int) {
	for _, f := range all[:min(len(all), fewFindings)] {
		at := ""
		if f.Offset >= 0 {
			at = fmt.Sprintf("byte %d", f.Offset)
		}
		if f.Member != "" {
			at = strings.TrimSpace(at + " of " + f.Member)
		}
		if f.Times > 1 {
			at += fmt.Sprintf(", %d times", f.Times)
		}
		a.print("  %s\n", strings.TrimRight(fmt.Sprintf("%-12s  %s  %s", f.Verdict, plain(f.What), plain(at)), " "))
		say := func(label, text string) {
			a.print("    %s\n", strings.Join(wrap(label+plain(text), width-4), "\n    "))
		}
		say("why: ", f.Why)
		if f.Waiver != "" {
			say("waived by ", f.Waiver)
		} else if advice := advice(f); advice != "" {
			say("do:  ", advice)
		}
		for _, line := range f.Trace {
			a.print("      | %s\n", cut(plain(line), width-8))
		}
	}
	if more := len(all) - fewFindings + dropped; more > 0 {
		a.print("  … and %s more: --json shows them\n", count(int64(more)))
	}
}

// advice is what to do about a finding, also of one that was read back and
// knows no more of its rule than the name.
func advice(f scan.Finding) string {
	for _, r := range scan.Rules() {
		if r.ID == f.Rule.ID {
			f.Rule = r
		}
	}
	return f.Advice()
}
