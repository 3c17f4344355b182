package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/erase"
	"github.com/sallyport/sallyport/internal/evidence"
	"github.com/sallyport/sallyport/internal/site"
)

func (a *app) erasuresCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "erasures",
		Short: "Erasures: list, certificates, and data that must be kept",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return a.listErasures(c.Context()) },
	}
	list := &cobra.Command{Use: "ls", Aliases: []string{"list"}, Short: "List erasures, the newest last", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.listErasures(c.Context()) }}
	c.AddCommand(list, a.erasuresShowCommand(), a.holdCommand(), a.liftCommand(), a.holdsCommand())
	return c
}

func (a *app) listErasures(ctx context.Context) error {
	return a.with(ctx, func(s *site.Site) error {
		all, err := erase.List(ctx, s.Log)
		if err != nil {
			return err
		}
		return a.show(all, func() {
			t := table{head: []string{"ERASURE", "STATUS", "RECEIVED", "DUE", "PEOPLE", "VERSIONS", "RUNS", "BY"},
				right: map[int]bool{4: true, 5: true, 6: true}}
			for _, e := range all {
				t.add(e.ID, string(e.Status), e.Received.Format(time.DateOnly), e.Due.Format(time.DateOnly), fmt.Sprint(len(e.Tokens)),
					fmt.Sprint(len(e.Versions)), fmt.Sprint(len(e.Runs)), e.By)
			}
			t.print(a.out)
		})
	})
}

func (a *app) erasuresShowCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "show ERASURE",
		Short: "Show an erasure, or write its certificate",
		Long: `Show what an erasure did. With -o write its certificate into a new folder:
certificate.json, which is signed and which "sallyport verify" checks offline,
and certificate.html, the same to read and to print. Neither names the person.`,
		Example: `  sallyport erasures show last
  sallyport erasures show last -o erasure`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withErasure(c.Context(), args[0], func(s *site.Site, e *erase.Erasure) error {
				if dir != "" {
					return a.writeCertificate(c.Context(), s, e, dir)
				}
				return a.show(e, func() { a.printErasure(e) })
			})
		},
	}
	c.Flags().StringVarP(&dir, "output", "o", "", "the `folder` to write, which must not exist")
	return c
}

// writeCertificate writes the certificate and its page.
func (a *app) writeCertificate(ctx context.Context, s *site.Site, e *erase.Erasure, dir string) error {
	text, err := erase.Certificate(ctx, s.Log, e)
	if err != nil {
		return err
	}
	trust, err := s.Trust(ctx)
	if err != nil {
		return err
	}
	certified, key, err := evidence.VerifyErasure("certificate", text, trust)
	if err != nil {
		return err
	}
	var page strings.Builder
	if err := erase.Page(&page, certified, key, sallyport.Sum(text).Hex()); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return sallyport.Errorf(sallyport.Usage, "cannot make the folder: %w", err).Try("choose another place with -o")
	}
	for name, content := range map[string]string{"certificate.json": string(text), "certificate.html": page.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	return a.show(map[string]string{"directory": dir}, func() {
		a.print("Wrote certificate.json and certificate.html to %s\n", dir)
	})
}

func (a *app) printErasure(e *erase.Erasure) {
	field := func(name, format string, args ...any) {
		lines := wrap(plain(fmt.Sprintf(format, args...)), width-13)
		a.print("%-12s %s\n", name, strings.Join(lines, "\n"+strings.Repeat(" ", 13)))
	}
	field("erasure", "%s, %s", e.ID, e.Status)
	field("received", "%s, due %s", e.Received.Format(time.DateOnly), e.Due.Format(time.DateOnly))
	if e.Ground != "" {
		field("ground", "%s", e.Ground)
	}
	field("identity", "%s", e.IdentityChecked)
	field("people", "%d, of whom %d were found", len(e.Tokens), e.Found)
	if len(e.Versions) > 0 {
		a.print("\n")
		t := table{head: []string{"VERSION", "RECORDS", "PEOPLE", "ROOT BEFORE", "ROOT AFTER"}, right: map[int]bool{1: true, 2: true}}
		for _, v := range e.Versions {
			t.add(v.Version, count(v.Records), count(v.Subjects), v.Before.Short(), v.After.Short())
		}
		t.print(a.out)
	}
	for _, r := range e.Runs {
		a.print("\nrun %s %s: %s\n", r.Run, plain(r.Why), r.Action)
		if text := cmp.Or(madeAgain(r), plain(r.Reason)); text != "" {
			a.print("  %s\n", strings.Join(wrap(text, width-2), "\n  "))
		}
		if r.Replaced != "" {
			a.printMetricChanges(r)
		}
	}
	for _, x := range e.Exempt {
		a.print("\ndataset %s is kept: %s (%s, by %s)\n", x.Dataset, plain(x.Reason), x.Ground, x.By)
	}
	for _, c := range e.Copies {
		a.print("\na copy of %s had left, taken by %s on %s: tell them\n", plain(c.What), c.By, c.At.Format(time.DateOnly))
	}
	switch m := e.Mentions; {
	case !m.Searched:
	case len(m.Places) == 0:
		a.print("\nsearched %s that stay: the identifiers are nowhere\n", sallyport.Size(m.Bytes))
	default:
		a.print("\nsearched %s that stay; look at these:\n", sallyport.Size(m.Bytes))
		for _, p := range m.Places {
			a.print("  %s\n", plain(p))
		}
	}
}

// madeAgain says what of a run was made again, and where it is; "" if nothing was.
func madeAgain(r evidence.ErasedRun) string {
	switch {
	case r.Replaced == "":
		return ""
	case len(r.Again) == 0:
		return "made again as run " + r.Replaced
	}
	return fmt.Sprintf("%s made again as run %s; its other stages had not seen the records, and are kept",
		strings.Join(r.Again, ", "), r.Replaced)
}

// printMetricChanges puts metrics before and after side by side.
func (a *app) printMetricChanges(r evidence.ErasedRun) {
	t := table{head: []string{"  METRIC", "BEFORE", "AFTER", "CHANGE"}, right: map[int]bool{1: true, 2: true, 3: true}}
	rows := erase.Metrics(r)
	for _, m := range rows {
		t.add("  "+plain(m.Name), m.Before, m.After, m.Difference)
	}
	if len(rows) > 0 {
		t.print(a.out)
	}
}

func (a *app) holdCommand() *cobra.Command {
	var h erase.Hold
	var until string
	c := &cobra.Command{
		Use:   "hold DATASET --ground GROUND --reason TEXT",
		Short: "Decide that a dataset must be kept: an exception from erasure",
		Long: `Record the decision that records of a dataset must be kept although people ask
for their erasure: GDPR art. 17(3). Erasures leave the dataset as it is, and
every certificate says so, with ground, reason and who decided.`,
		Example: `  sallyport erasures hold encounters --ground art17.3.b \
    --reason "reporting duty, 10 years" --until 2033-12-31`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			h.Dataset = args[0]
			if until != "" {
				t, err := time.Parse(time.DateOnly, until)
				if err != nil {
					return sallyport.Errorf(sallyport.Usage, "not a date").At("--until").Try("write 2033-12-31")
				}
				h.Until = t.AddDate(0, 0, 1) // to the end of that day
			}
			return a.with(c.Context(), func(s *site.Site) error {
				if err := eraser(s).Hold(c.Context(), h); err != nil {
					return err
				}
				return a.show(h, func() { a.print("dataset %s is held\n", h.Dataset) })
			})
		},
		ValidArgsFunction: a.completeData,
	}
	c.Flags().StringVar(&h.Ground, "ground", "", "the `exception`: "+strings.Join(erase.Exceptions, ", "))
	c.Flags().StringVar(&h.Reason, "reason", "", "why; stands in every certificate")
	c.Flags().StringVar(&until, "until", "", "the last `day` of it (default: until it is lifted)")
	_ = c.MarkFlagRequired("ground")
	_ = c.MarkFlagRequired("reason")
	_ = c.RegisterFlagCompletionFunc("ground", cobra.FixedCompletions(erase.Exceptions, cobra.ShellCompDirectiveNoFileComp))
	return c
}

func (a *app) liftCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "lift DATASET",
		Short:   "Decide that a held dataset need not be kept any more",
		Example: "  sallyport erasures lift encounters",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(c.Context(), func(s *site.Site) error {
				if err := eraser(s).Lift(c.Context(), args[0]); err != nil {
					return err
				}
				return a.show(map[string]string{"lifted": args[0]}, func() { a.print("dataset %s is not held any more\n", args[0]) })
			})
		},
		ValidArgsFunction: a.completeData,
	}
}

func (a *app) holdsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "holds",
		Short: "List datasets that must be kept",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(c.Context(), func(s *site.Site) error {
				all, err := eraser(s).Holds(c.Context())
				if err != nil {
					return err
				}
				return a.show(all, func() {
					t := table{head: []string{"DATASET", "GROUND", "UNTIL", "BY", "REASON"}}
					for _, h := range all {
						until := "lifted"
						if !h.Until.IsZero() {
							until = h.Until.AddDate(0, 0, -1).Format(time.DateOnly)
						}
						t.add(h.Dataset, h.Ground, until, h.By, plain(h.Reason))
					}
					t.print(a.out)
				})
			})
		},
	}
}
