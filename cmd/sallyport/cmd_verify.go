package main

import (
	"context"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/evidence"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/internal/site"
)

func (a *app) verifyCommand() *cobra.Command {
	var trust string
	c := &cobra.Command{
		Use:   "verify PATH",
		Short: "Check a model folder offline: signature, provenance, ledger",
		Long: `Check a model folder that "sallyport runs get" wrote: that every file is the one
that was signed, who signed, that the provenance names the same files, that
whoever ran it may run code on real data, and that the ledger entry which holds
the digests of both is in the site's ledger. Nothing is loaded and no network is
used.

Keys come from a trust file, which the site writes with "sallyport log export"
and hands over by another way than the model. Inside a site its own keys are
used. Exit code 0 means that everything was checked and passed, 1 that something
did not pass, 3 that something could not be checked.`,
		Example: `  sallyport verify model --trust trust.json`,
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.verify(c.Context(), args[0], trust)
		},
	}
	c.Flags().StringVar(&trust, "trust", "", "the trust `file` of the site that made it")
	return c
}

func (a *app) verify(ctx context.Context, path, trustFile string) error {
	trust, source, err := a.trust(ctx, trustFile)
	if err != nil {
		return err
	}
	report, err := evidence.VerifyFolder(path, trust, func(proof, leaf []byte) error {
		_, err := ledger.VerifyProof(proof, leaf, trust.Ledger)
		return err
	})
	if err != nil {
		return err
	}
	if err := a.show(report, func() { a.printReport(report, trust, source) }); err != nil {
		return err
	}
	return report.Err()
}

func (a *app) printReport(r evidence.Report, trust evidence.Trust, source string) {
	t := table{head: []string{"CHECK", "", "WHAT WAS FOUND"}}
	for _, c := range r.Checks {
		mark := map[evidence.Verdict]string{evidence.Passed: "ok", evidence.Failed: "FAILED", evidence.Unknown: "UNKNOWN"}[c.Verdict]
		t.add(c.Name, mark, plain(c.Detail))
	}
	t.print(a.out)
	for _, c := range r.Checks {
		if c.Verdict != evidence.Passed {
			a.print("\n%s:\n  %s\n", c.Name, strings.Join(wrap(plain(c.Detail), width-2), "\n  "))
		}
	}
	a.print("\n")
	for _, s := range r.Signed {
		a.print("%s is signed by %s\n", s.File, s.By)
	}
	a.print("keys and ledger of the site %s, from %s\n", trust.Site, source)
}

// trust reads the trust file, or takes the keys of the site that we are in.
func (a *app) trust(ctx context.Context, file string) (evidence.Trust, string, error) {
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return evidence.Trust{}, "", sallyport.Errorf(sallyport.NotFound, "cannot read the trust file: %w", err).At("%s", file)
		}
		t, err := evidence.ParseTrust(file, text)
		return t, file, err
	}
	dir, err := site.Find(a.site)
	if err != nil {
		return evidence.Trust{}, "", sallyport.Errorf(sallyport.Unknown,
			"there is nothing to trust: no trust file was given, and this is not a site").
			Try("ask the site that made the model for its trust file, and give it with --trust")
	}
	s, err := site.Open(ctx, dir, nil)
	if err != nil {
		return evidence.Trust{}, "", err
	}
	defer s.Close()
	t, err := s.Trust(ctx)
	return t, "the site in " + dir, err
}
