package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/erase"
	"github.com/sallyport/sallyport/internal/evidence"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/internal/site"
)

func (a *app) logCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "log",
		Short: "The ledger: all evidence and decisions, append-only",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return a.listLog(c.Context(), 0) },
	}
	var last int64
	list := &cobra.Command{Use: "ls", Aliases: []string{"list"}, Short: "List entries, the newest last", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.listLog(c.Context(), last) }}
	list.Flags().Int64VarP(&last, "last", "n", 0, "only the `N` newest")
	c.AddCommand(list, a.logVerifyCommand(), a.logExportCommand())
	return c
}

func (a *app) listLog(ctx context.Context, last int64) error {
	return a.with(ctx, func(s *site.Site) error {
		size, err := s.Log.Size(ctx)
		if err != nil {
			return err
		}
		from := int64(0)
		if last > 0 {
			from = max(0, size-last)
		}
		all := []ledger.Entry{}
		if err := s.Log.Entries(ctx, from, size, func(e ledger.Entry) error {
			all = append(all, e)
			return nil
		}); err != nil {
			return err
		}
		return a.show(all, func() {
			t := table{head: []string{"N", "TIME", "WHAT", "BY", "OBJECT", "DIGEST"}, right: map[int]bool{0: true}}
			for _, e := range all {
				t.add(fmt.Sprint(e.N), e.Time.Format("01-02 15:04:05"), e.Kind, e.By, e.Object, e.Digest.Short())
			}
			t.print(a.out)
		})
	})
}

func (a *app) logVerifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "verify",
		Short: "Prove the ledger from its first entry to its last",
		Long: `Recompute the Merkle tree from every entry and compare it with the stored tree
and the signed checkpoint; compare every object of the site with the entry that
vouches for it; check that the ledger continues what this site remembers of it.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.verifyLog(c.Context()) },
	}
}

func (a *app) verifyLog(ctx context.Context) error {
	return a.with(ctx, func(s *site.Site) error {
		m := a.meter("entries")
		r, err := s.Log.Verify(ctx, m.at)
		m.done()
		if err != nil {
			return err
		}
		return a.show(r, func() {
			a.print("%s from %s to %s: whole\n", many(r.Size, "entry"),
				r.First.Format("2006-01-02 15:04:05"), r.Last.Format("2006-01-02 15:04:05"))
			a.print("%s as their newest entries say\n", many(r.Objects, "object"))
			for _, n := range r.Backwards {
				a.print("entry %d is older than the one before it: a clock was set back\n", n)
			}
			a.print("\n%s", r.Checkpoint)
		})
	})
}

func (a *app) logExportCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "export -o DIR",
		Short: "Write the ledger, its checkpoint and the keys to trust, for others",
		Long: `Write the ledger into a folder so that others can check it without Sallyport:
checkpoint (a C2SP signed note), tile/ (C2SP tlog-tiles), entries.jsonl,
trust.json: the public keys that "sallyport verify --trust" needs, and
revocations.json: what the site has revoked, signed by a steward and fresh for
30 days. Nothing in it is secret, and nothing in it is personal data. Hand the
trust file over by another way than the models.`,
		Example: "  sallyport log export -o ledger",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return a.exportLog(c.Context(), dir) },
	}
	c.Flags().StringVarP(&dir, "output", "o", "", "the folder to write, which must not exist")
	_ = c.MarkFlagRequired("output")
	return c
}

func (a *app) exportLog(ctx context.Context, dir string) error {
	return a.with(ctx, func(s *site.Site) error {
		// Everything that can fail comes before the folder is made: one without
		// its trust file could not be made again under the same name.
		trust, err := s.Trust(ctx)
		if err != nil {
			return err
		}
		text, err := trust.Marshal()
		if err != nil {
			return err
		}
		keys, err := trust.Signers()
		if err != nil {
			return err
		}
		revocations, err := a.signRevocations(ctx, s)
		if err != nil {
			return err
		}
		if err := s.Log.Export(ctx, dir); err != nil {
			return err
		}
		if revocations != nil {
			if err := os.WriteFile(filepath.Join(dir, evidence.RevocationsFile), revocations, 0o644); err != nil {
				return err
			}
		} else {
			a.say("no list of revocations: only a steward may sign one, and models do not verify without it\n")
		}
		file := filepath.Join(dir, "trust.json")
		if err := os.WriteFile(file, text, 0o644); err != nil {
			return err
		}
		return a.show(map[string]any{"directory": dir, "trust": file}, func() {
			a.print("Wrote the ledger to %s and the keys to trust to %s\n", dir, file)
			a.print("Read these out to whoever will rely on them:\n  ledger  %s\n", trust.Ledger)
			for _, k := range keys {
				a.print("  key     %s\n", k)
			}
		})
	})
}

// signRevocations makes the list of everything that the site has revoked; nil
// for somebody who may not sign it.
func (a *app) signRevocations(ctx context.Context, s *site.Site) ([]byte, error) {
	if s.Who.May(sallyport.Erase) != nil {
		return nil, nil
	}
	issued := time.Now().UTC().Truncate(time.Second)
	l := evidence.Revocations{Site: s.Name, Issued: issued, Expires: issued.Add(evidence.ListLife)}
	var err error
	if l.Number, err = s.Log.Size(ctx); err != nil {
		return nil, err
	}
	if l.Revoked, err = erase.Revocations(ctx, s.Log); err != nil {
		return nil, err
	}
	checkpoint, err := s.Log.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	statement, err := evidence.AttestRevocations(l, sallyport.Sum(checkpoint))
	if err != nil {
		return nil, err
	}
	envelope, err := evidence.Seal(statement, s.Me)
	if err != nil {
		return nil, err
	}
	return envelope.Marshal()
}
