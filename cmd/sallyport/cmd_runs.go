package main

import (
	"context"
	"path"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/run"
	"github.com/sallyport/sallyport/internal/site"
)

func (a *app) runsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "runs",
		Short: "What ran, on what, and what came out",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return a.listRuns(c.Context()) },
	}
	list := &cobra.Command{Use: "ls", Aliases: []string{"list"}, Short: "List runs, the newest last", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.listRuns(c.Context()) }}
	c.AddCommand(list, a.runsShowCommand(), a.runsDiffCommand(), a.runsGetCommand())
	return c
}

func (a *app) listRuns(ctx context.Context) error {
	return a.with(ctx, func(s *site.Site) error {
		all, err := s.Runs().List(ctx)
		if err != nil {
			return err
		}
		if all == nil {
			all = []run.Record{} // an empty list in JSON, not null
		}
		return a.show(all, func() {
			if len(all) == 0 {
				a.print("nothing has run yet; begin with: sallyport run\n")
				return
			}
			t := table{head: []string{"RUN", "WHEN", "STATUS", "STAGES", "RECORDS", "TIME", "MEMORY", "NETWORK"},
				right: map[int]bool{4: true, 5: true, 6: true, 7: true}}
			for _, r := range all {
				var wall time.Duration
				var peak, tries int64
				var stages []string
				for _, st := range r.Merged() {
					wall += st.Usage.Wall
					peak = max(peak, st.Usage.Memory)
					tries += st.Network.Attempts
					stages = append(stages, stageText(st))
				}
				records, _ := r.Size()
				t.add(r.ID, r.Started.Format("01-02 15:04"), string(r.Status), strings.Join(stages, ","),
					count(records), timeText(wall), sallyport.Size(peak), count(tries))
			}
			t.print(a.out)
		})
	})
}

func (a *app) runsGetCommand() *cobra.Command {
	var dst string
	c := &cobra.Command{
		Use:   "get RUN FOLDER -o PATH",
		Short: "Take an artefact folder out of the site, with its evidence",
		Long: `Write an artefact folder of a finished run to PATH: its files, their OpenSSF
Model Signing bundle (model.sig), and in model.evidence its SLSA provenance, the
ledger entry that holds the digests of both, and the proof that the entry is in
the ledger. "sallyport verify PATH" checks all of it, offline.

It takes the role operator or reviewer, and the ledger says who took it. Until
the exit door is built into this version, nobody has to agree: if who takes it
also ran it, the ledger and this command say so.`,
		Example: "  sallyport runs get last model -o model",
		Args:    cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return a.getArtefacts(c.Context(), args[0], args[1], dst)
		},
		ValidArgsFunction: a.completeRuns(1),
	}
	c.Flags().StringVarP(&dst, "output", "o", "", "the folder to write, which must not exist")
	_ = c.MarkFlagRequired("output")
	return c
}

func (a *app) getArtefacts(ctx context.Context, name, folder, dst string) error {
	return a.with(ctx, func(s *site.Site) error {
		r, err := s.Runs().Find(ctx, name)
		if err != nil {
			return err
		}
		folder = path.Clean(folder)
		taking, err := s.Runs().Take(ctx, r, folder, dst)
		if err != nil {
			return err
		}
		return a.show(taking, func() {
			a.print("Wrote %s of run %s to %s\n", folder, r.ID, dst)
			if taking.Alone {
				a.print("%s ran it and took it: nobody else has agreed, and the ledger says so\n", taking.By)
			}
			a.print("Check it anywhere: sallyport verify %s --trust trust.json\n", dst)
		})
	})
}
