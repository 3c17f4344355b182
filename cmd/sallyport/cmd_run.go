package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/project"
	"github.com/sallyport/sallyport/internal/run"
	"github.com/sallyport/sallyport/internal/sandbox"
	"github.com/sallyport/sallyport/internal/site"
	"github.com/sallyport/sallyport/scan"
)

func (a *app) runCommand() *cobra.Command {
	var sample string
	var set []string
	var quiet bool
	var allow string
	c := &cobra.Command{
		Use:   "run [STAGE…]",
		Short: "Run the stages of sallyport.yaml on data, sealed",
		Long: `Run the project's stages, each in a sandbox of its own: code, environment and
data are read-only, only the places under writes: can be written, there is no
network but the hosts under network:, and every attempt to reach another is
recorded. Named stages bring the stages that they come after.

Every file that a stage writes is scanned before it is signed: one that could do
harm to whoever loads it blocks the run, and stays sealed for the reviewer. See
"sallyport scan --help".

What ran, on what, and what came out is recorded, signed and put into the
ledger, also when a stage fails. Uncommitted changes run too; the record says so
and carries them.`,
		Example: `  sallyport run
  sallyport run train --sample 10%       # rehearse on a tenth of the subjects
  sallyport run --set model.max_depth=3`,
		RunE: func(c *cobra.Command, stages []string) error {
			return a.run(c.Context(), stages, sample, set, allow, quiet)
		},
		ValidArgsFunction: completeStages,
	}
	c.Flags().StringVar(&sample, "sample", "", "rehearse on `N` subjects, or N% of them")
	c.Flags().StringArrayVar(&set, "set", nil, "set a parameter, `key=value`; may be given again")
	c.Flags().StringVar(&allow, "allow", "", "a `file` of waivers that reviewers signed: see sallyport scan waive --help")
	c.Flags().BoolVarP(&quiet, "quiet", "q", false, "do not show what the stages print")
	return c
}

func (a *app) run(ctx context.Context, stages []string, sample string, set []string, allow string, quiet bool) error {
	part, err := run.ParseSample(sample)
	if err != nil {
		return err
	}
	p, err := project.Load(".")
	if err != nil {
		return err
	}
	return a.with(ctx, func(s *site.Site) error {
		req := run.Request{Project: p, Stages: stages, Sample: part, Set: set}
		if allow != "" {
			if req.Waivers, err = readAllowed(ctx, s, allow); err != nil {
				return err
			}
		}
		r, err := s.Runs().Run(ctx, req, a.watch(quiet))
		return a.ran(ctx, s, r, err)
	})
}

// readAllowed reads waivers that hold for a run at the site.
func readAllowed(ctx context.Context, s *site.Site, file string) ([]scan.Waiver, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, sallyport.Errorf(sallyport.Usage, "cannot read the waivers: %w", err)
	}
	trust, err := s.Trust(ctx)
	if err != nil {
		return nil, err
	}
	return s.Runs().ReadWaivers(file, text, trust)
}

// ran shows the record of a run that has ended, and passes its error on.
func (a *app) ran(ctx context.Context, s *site.Site, r *run.Record, err error) error {
	if r == nil {
		return err
	}
	err = naming(err, r.ID)
	forecast, ferr := s.Runs().Forecast(ctx, r)
	if err == nil {
		err = ferr
	}
	if a.json {
		if jerr := a.encode(a.out, r); err == nil {
			err = jerr
		}
		return err
	}
	a.print("run %s %s", r.ID, r.Status)
	folders := r.Folders()
	if r.Status == run.Finished && len(folders) > 0 {
		a.print(", with %s", strings.Join(folders, ", "))
	}
	a.print("\n")
	a.printForecast(forecast)
	if r.Status == run.Finished {
		a.print("\nSee it:      sallyport runs show %s\n", r.ID)
		if len(folders) > 0 {
			a.print("Take it out: sallyport runs get %s %s -o %s\n", r.ID, folders[0], folders[0])
		}
	}
	return err
}

// naming puts the name of the run into a hint that was written without it.
func naming(err error, run string) error {
	if e, ok := errors.AsType[*sallyport.Error](err); ok {
		e.Mend = strings.ReplaceAll(e.Mend, "runs show RUN", "runs show "+run)
	}
	return err
}

// watch tells a person what a run does while it does it. What it tells comes
// from several goroutines, so all of it goes through one writer.
func (a *app) watch(quiet bool) run.Watch {
	out := &quoted{w: a.err}
	if a.json {
		out.w = io.Discard
	}
	var tried atomic.Int64 // by the stage that runs
	w := run.Watch{
		Note: func(text string) { out.own("%s\n", text) },
		Stage: func(name string, i, n int) {
			tried.Store(0)
			out.own("stage %s (%d of %d)\n", name, i, n)
		},
		Ended: func(st run.Stage) {
			if more := max(0, st.Network.Distinct-fewAttempts) + st.Network.Unlisted; more > 0 {
				out.own("  … and %s more\n", count(more))
			}
			out.own("stage %s %s: %s, %s at the peak%s\n",
				st.Name, st.Status, timeText(st.Usage.Wall), sallyport.Size(st.Usage.Memory), triesText(st.Network))
		},
		Attempt: func(stage string, t sandbox.Attempt) {
			if tried.Add(1) <= fewAttempts {
				out.own("  ! %s\n", attemptText(t))
			}
		},
	}
	if !quiet && !a.json {
		w.Output = out
	}
	return w
}

// fewAttempts is how many attempts of a stage a person is shown: code decides
// how often it tries, and a flood of them would hide everything else.
const fewAttempts = 20

func triesText(n run.Network) string {
	if n.Attempts == 0 {
		return ""
	}
	return fmt.Sprintf(", %s to reach the network (%d allowed)", many(n.Attempts, "attempt"), n.Allowed)
}

// attemptText tells an attempt to reach the network. Its name comes from the
// code that tried, so it is shown plain.
func attemptText(t sandbox.Attempt) string {
	to := plain(t.Host)
	if to == "" {
		to = t.Address.String()
	}
	if t.Port != 0 {
		to = fmt.Sprintf("%s:%d", to, t.Port)
	}
	verdict := "refused"
	if t.Allowed {
		verdict = "allowed"
	}
	return fmt.Sprintf("%s %s %s by %s", verdict, t.Protocol, to, plain(t.Process))
}

func (a *app) printForecast(fs []run.Forecast) {
	for _, f := range fs {
		a.print("all %s will take stage %s about %s and %s (from %s)\n",
			many(f.Records, "record"), f.Stage, timeText(f.Wall), sallyport.Size(f.Memory), many(int64(len(f.Sizes)), "size"))
	}
}

func (a *app) reproduceCommand() *cobra.Command {
	var quiet bool
	c := &cobra.Command{
		Use:   "reproduce RUN",
		Short: "Rebuild a run from its record and compare",
		Long: `Execute a finished run again from its record alone: the recorded code, the same
environment from the recorded lock, the same records in the same order, the same
parameters. Then compare every artefact byte by byte and every metric.

Exit code 0 means identical, 1 that something differs.`,
		Example: "  sallyport reproduce last",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.reproduce(c.Context(), args[0], quiet)
		},
		ValidArgsFunction: a.completeRuns(1),
	}
	c.Flags().BoolVarP(&quiet, "quiet", "q", false, "do not show what the stages print")
	return c
}

func (a *app) reproduce(ctx context.Context, name string, quiet bool) error {
	return a.with(ctx, func(s *site.Site) error {
		before, err := s.Runs().Find(ctx, name)
		if err != nil {
			return err
		}
		r, err := s.Runs().Reproduce(ctx, before, a.watch(quiet))
		if r == nil {
			return err
		}
		err = naming(err, r.ID)
		result := reproduction{Run: r.ID, Reproduces: before.ID, Status: r.Status, Comparison: r.Reproduces}
		if serr := a.show(result, func() { a.printReproduction(result) }); err == nil {
			err = serr
		}
		return err
	})
}

// A reproduction is what "reproduce --json" prints. The comparison is missing
// if there was nothing to compare, because a stage did not finish.
type reproduction struct {
	Run        string     `json:"run"` // the new one
	Reproduces string     `json:"reproduces"`
	Status     run.Status `json:"status"`
	*run.Comparison
}

func (a *app) printReproduction(r reproduction) {
	if r.Comparison == nil {
		a.print("run %s %s\n", r.Run, r.Status)
		return
	}
	a.printComparison(r.Reproduces, r.Run, r.Comparison)
}

func (a *app) printComparison(before, now string, c *run.Comparison) {
	if c.Identical {
		a.print("run %s reproduces %s: identical, all %s and %s\n", now, before,
			many(int64(c.Artefacts), "artefact"), many(int64(c.Metrics), "metric"))
		return
	}
	a.print("run %s does not reproduce %s\n", now, before)
	t := table{head: []string{"DIFFERS", "BEFORE", "NOW", "BY"}, right: map[int]bool{1: true, 2: true, 3: true}}
	for _, d := range c.Differ {
		switch {
		case d.Missing == "before":
			t.add(plain(d.Artefact+d.Metric), "–", "there", "")
		case d.Missing == "now":
			t.add(plain(d.Artefact+d.Metric), "there", "–", "")
		case d.Artefact != "":
			t.add(plain(d.Artefact), "", "", fmt.Sprintf("%s of %s, first at %d", many(d.Bytes, "byte"), count(d.Size), d.First))
		default:
			t.add(plain(d.Metric), number(d.Before), number(d.Now), fmt.Sprintf("%+.3g", d.Now-d.Before))
		}
	}
	t.print(a.out)
	for _, c := range c.Changed {
		a.print("not the same beforehand: %s\n", plain(c))
	}
}

func number(f float64) string { return fmt.Sprintf("%.6g", f) }
