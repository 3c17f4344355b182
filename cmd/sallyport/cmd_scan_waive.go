package main

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/site"
	"github.com/sallyport/sallyport/scan"
)

// waiving is a request for waivers.
type waiving struct {
	paths  []string
	run    string
	reason string
	days   int
	out    string
}

func (a *app) waiveCommand() *cobra.Command {
	var w waiving
	c := &cobra.Command{
		Use:   "waive [PATH…] --reason TEXT -o FILE",
		Short: "Accept what a scan found about very files, signed and until a day",
		Long: `Sign that what a scan finds about these very files is acceptable: their exact
bytes, the exact findings, all the code that they name, and no longer than some
days. Another byte or another name, and the waiver does not hold. A malicious
finding cannot be waived. Waivers are appended to the file, one to a line, and
recorded in the ledger. Everybody may read them there, so they quote nothing of
a file but names of code that are known. For the rest they have the rule and how
often it was broken; "sallyport scan" or "runs show" tells what it was.

With --run they are for the artefacts that blocked a run. Whoever ran it cannot
use waivers of their own: another reviewer has to grant them. The run can then
be made again with "sallyport run --allow FILE".`,
		Example: `  sallyport scan waive model.pkl --reason "our class, review 12" -o allow.jsonl
  sallyport scan waive --run last --reason "see ticket 7" -o allow.jsonl
  sallyport scan --allow allow.jsonl model.pkl`,
		RunE: func(c *cobra.Command, args []string) error {
			w.paths = args
			return a.waive(c.Context(), w)
		},
	}
	f := c.Flags()
	f.StringVar(&w.run, "run", "", "the `run` whose artefacts to waive, instead of paths")
	f.StringVar(&w.reason, "reason", "", "why it is acceptable; stands in the waiver")
	f.IntVar(&w.days, "days", 90, "how many days it holds")
	f.StringVarP(&w.out, "output", "o", "", "the `file` to append to")
	_ = c.MarkFlagRequired("reason")
	_ = c.MarkFlagRequired("output")
	_ = c.RegisterFlagCompletionFunc("run", a.completeRuns(1))
	return c
}

func (a *app) waive(ctx context.Context, w waiving) error {
	if (w.run == "") == (len(w.paths) == 0) {
		return sallyport.Errorf(sallyport.Usage, "say what to waive: paths, or --run").Try("sallyport scan waive --help")
	}
	if w.days < 1 || w.days > 366 {
		return sallyport.Errorf(sallyport.Usage, "a waiver holds for 1 to 366 days").Try("choose another number with --days")
	}
	return a.with(ctx, func(s *site.Site) error {
		names, waivers, err := a.waivable(ctx, s, w)
		if err != nil {
			return err
		}
		for i := range waivers {
			waivers[i].Owner, waivers[i].Reason = s.Who.Name, w.reason
			waivers[i].Expires = time.Now().UTC().AddDate(0, 0, w.days).Truncate(time.Second)
		}
		lines, err := s.Runs().Grant(ctx, names, waivers)
		if err != nil {
			return err
		}
		if err := appendLines(w.out, lines); err != nil {
			return err
		}
		return a.show(waivers, func() { a.printWaivers(names, waivers, w.out) })
	})
}

// waivable returns what the waivers would have to accept.
func (a *app) waivable(ctx context.Context, s *site.Site, w waiving) (names []string, waivers []scan.Waiver, err error) {
	var never []string
	if w.run != "" {
		r, err := s.Runs().Find(ctx, w.run)
		if err != nil {
			return nil, nil, err
		}
		names, waivers, never = r.Waivable()
	} else {
		result, err := a.scanPaths(ctx, w.paths, scan.Options{})
		if err != nil {
			return nil, nil, err
		}
		if len(result.failed) > 0 {
			return nil, nil, sallyport.Errorf(sallyport.Usage, "cannot be read: %w", result.failed[0])
		}
		for _, r := range result.Files {
			if g, ok := scan.WaiverFor(r); ok {
				names, waivers = append(names, filepath.Base(r.Path)), append(waivers, g)
			} else if !r.Verdict.Passes() {
				never = append(never, r.Path)
			}
		}
	}
	if len(never) > 0 {
		return nil, nil, sallyport.Errorf(sallyport.Refused, "what was found cannot be waived: it is malicious, or more than can be listed").
			At("%s", plain(never[0])).Try("have the model made again without it")
	}
	if len(waivers) == 0 {
		return nil, nil, sallyport.Errorf(sallyport.Usage, "everything passed, so there is nothing to waive")
	}
	return names, waivers, nil
}

func appendLines(path string, lines [][]byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return sallyport.Errorf(sallyport.Usage, "cannot write the waivers: %w", err).Try("choose another place with -o")
	}
	for _, l := range lines {
		if _, err := f.Write(append(l, '\n')); err != nil {
			f.Close()
			return err
		}
	}
	return f.Close()
}

func (a *app) printWaivers(names []string, waivers []scan.Waiver, out string) {
	for i, w := range waivers {
		a.print("waived until %s: %s\n", w.Expires.Format("2006-01-02"), plain(names[i]))
		for _, f := range w.Findings {
			a.print("  %s\n", plain(f))
		}
	}
	a.print("\nUse it: --allow %s, with sallyport scan and sallyport run\n", out)
}
