package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/erase"
	"github.com/sallyport/sallyport/internal/evidence"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/internal/site"
)

func (a *app) verifyCommand() *cobra.Command {
	var trust, revocations string
	c := &cobra.Command{
		Use:   "verify PATH",
		Short: "Check a model folder, or a certificate of erasure, offline",
		Long: `Check a model folder that "sallyport runs get" wrote: that every file is the one
that was signed, who signed, that the provenance names the same files, that
whoever ran it may run code on real data, that the ledger entry which holds
their digests is in the site's ledger, that every file passed the scan, and that
the site has not revoked the model since. A certificate of erasure is checked
for who signed it. Nothing is loaded and no network is used.

Keys come from a trust file, which the site writes with "sallyport log export"
and hands over by another way than the model; the list of revocations comes with
it and is fresh for 30 days. Inside a site its own keys and list are used. Exit
code 0 means that everything was checked and passed, 1 that something did not
pass, 3 that something could not be checked.`,
		Example: `  sallyport verify model --trust trust.json`,
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.verify(c.Context(), args[0], trust, revocations)
		},
	}
	c.Flags().StringVar(&trust, "trust", "", "the trust `file` of the site that made it")
	c.Flags().StringVar(&revocations, "revocations", "", "the site's list of revocations, a `file` (default: revocations.json beside the trust file)")
	return c
}

func (a *app) verify(ctx context.Context, path, trustFile, revocations string) error {
	trust, source, err := a.trust(ctx, trustFile)
	if err != nil {
		return err
	}
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
		return a.verifyErasure(path, trust, source)
	}
	report, err := evidence.VerifyFolder(path, trust, func(proof, leaf []byte) error {
		_, err := ledger.VerifyProof(proof, leaf, trust.Ledger)
		return err
	}, func() (evidence.Revocations, error) { return a.revocations(ctx, trust, trustFile, revocations) })
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

// revocations reads the list of revocations: the file given, the one beside the
// trust file, or, inside a site, what its ledger says now.
func (a *app) revocations(ctx context.Context, trust evidence.Trust, trustFile, file string) (evidence.Revocations, error) {
	if file == "" && trustFile == "" {
		return a.revokedHere(ctx, trust)
	}
	if file == "" {
		file = filepath.Join(filepath.Dir(trustFile), evidence.RevocationsFile)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return evidence.Revocations{}, sallyport.Errorf(sallyport.Unknown, "there is no list of revocations").At("%s", file).
			Try("get one from the site, with: sallyport log export, and give it with --revocations")
	}
	return evidence.ParseRevocations(file, text, trust, time.Now())
}

// revokedHere is the list of the site that we are in, as its ledger proves it.
func (a *app) revokedHere(ctx context.Context, trust evidence.Trust) (evidence.Revocations, error) {
	l := evidence.Revocations{Site: trust.Site, Issued: time.Now().UTC()}
	dir, err := site.Find(a.site)
	if err != nil {
		return l, err
	}
	s, err := site.Open(ctx, dir, nil)
	if err != nil {
		return l, err
	}
	defer s.Close()
	l.Revoked, err = erase.Revocations(ctx, s.Log)
	return l, err
}

// verifyErasure checks a certificate of erasure.
func (a *app) verifyErasure(path string, trust evidence.Trust, source string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	e, key, err := evidence.VerifyErasure(path, text, trust)
	if err != nil {
		return err
	}
	return a.show(e, func() {
		a.print("Certificate of erasure %s of the site %s\n", e.ID, e.Site)
		a.print("  received %s, finished %s, due %s\n", e.Received.Format(time.DateOnly), e.Finished.Format(time.DateOnly), e.Due.Format(time.DateOnly))
		a.print("  %s, %s, %s\n", many(int64(len(e.Tokens)), "person"), many(int64(len(e.Versions)), "version"), many(int64(len(e.Runs)), "run"))
		a.print("signed by %s\n", key)
		a.print("keys of the site %s, from %s\n", trust.Site, source)
	})
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
