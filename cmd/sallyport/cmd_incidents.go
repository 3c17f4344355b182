package main

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/deps"
	"github.com/sallyport/sallyport/internal/site"
)

func (a *app) incidentsCommand() *cobra.Command {
	list := func(c *cobra.Command, _ []string) error {
		return a.look(c.Context(), func(s *site.Site) error { return a.listIncidents(c.Context(), s) })
	}
	c := &cobra.Command{
		Use:   "incidents",
		Short: "Show what has become known about runs, and who sees to it",
		Long: `An incident is opened when advisories are brought in that say something about
what the site has run, and that nobody knew when it ran. It has an owner (who
ran it last), a deadline by its severity, and a next step. Every change of it is
in the ledger.`,
		Example: `  sallyport incidents
  sallyport incidents show i1
  sallyport incidents change i1 --owner mara --note "is looking into it"
  sallyport incidents close i1 --note "retrained, see run 7d4k"`,
		Args: cobra.NoArgs,
		RunE: list,
	}
	ls := &cobra.Command{Use: "ls", Short: "List incidents, open ones first", Args: cobra.NoArgs, RunE: list}
	show := &cobra.Command{
		Use: "show ID", Short: "Show an incident in full", Example: `  sallyport incidents show i1`, Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeIncidents,
		RunE: func(c *cobra.Command, args []string) error {
			return a.look(c.Context(), func(s *site.Site) error {
				in, err := s.Deps().Incident(c.Context(), args[0])
				if err != nil {
					return err
				}
				return a.show(in, func() { a.printIncident(in) })
			})
		},
	}
	c.AddCommand(ls, show, a.changeIncidentCommand(), a.endIncidentCommand("close", "Close an incident: it was answered", deps.IncidentClosed),
		a.endIncidentCommand("reopen", "Open a closed incident again", deps.IncidentOpen))
	return c
}

func (a *app) changeIncidentCommand() *cobra.Command {
	var change deps.Change
	var deadline string
	c := &cobra.Command{
		Use: "change ID", Short: "Change an incident's owner, deadline or next step", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeIncidents,
		Example: `  sallyport incidents change i1 --deadline 2026-12-24 --note "agreed"`,
		RunE: func(c *cobra.Command, args []string) (err error) {
			if change.Deadline, err = dayOf(deadline); err != nil {
				return err
			}
			return a.changeIncident(c.Context(), args[0], change)
		},
	}
	f := c.Flags()
	f.StringVar(&change.Owner, "owner", "", "the `principal` who sees to it")
	f.StringVar(&deadline, "deadline", "", "the `day` until which it is answered")
	f.StringVar(&change.Next, "next", "", "what to do `next`")
	f.StringVar(&change.Note, "note", "", "what was done or found out, a `text` that stays")
	return c
}

func (a *app) endIncidentCommand(name, short, status string) *cobra.Command {
	change := deps.Change{Status: status}
	c := &cobra.Command{
		Use: name + " ID", Short: short, Example: "  sallyport incidents " + name + ` i1 --note "see run 7d4k"`, Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeIncidents,
		RunE: func(c *cobra.Command, args []string) error { return a.changeIncident(c.Context(), args[0], change) },
	}
	c.Flags().StringVar(&change.Note, "note", "", "why, a `text` that stays")
	return c
}

func (a *app) changeIncident(ctx context.Context, id string, change deps.Change) error {
	return a.with(ctx, func(s *site.Site) error {
		if change.Owner != "" {
			all, err := s.Principals(ctx)
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(all, func(p sallyport.Principal) bool { return p.Name == change.Owner }) {
				return sallyport.Errorf(sallyport.NotFound, "nobody here is called %q", change.Owner).Try("sallyport id ls lists who is enrolled")
			}
		}
		in, err := s.Deps().Change(ctx, id, change)
		if err != nil {
			return err
		}
		return a.show(in, func() { a.printIncident(in) })
	})
}

func (a *app) listIncidents(ctx context.Context, s *site.Site) error {
	all, err := s.Deps().Incidents(ctx)
	if err != nil {
		return err
	}
	return a.show(all, func() {
		if len(all) == 0 {
			a.print("no incidents\n")
			return
		}
		a.printIncidents(all)
	})
}

func (a *app) printIncidents(all []deps.Incident) {
	t := table{head: []string{"ID", "STATUS", "PACKAGE", "ADVISORY", "SEVERITY", "RUNS", "OWNER", "UNTIL"}, right: map[int]bool{5: true}}
	for _, in := range all {
		f := deps.Finding{Hit: &in.Advisory}
		until := in.Deadline.Format(time.DateOnly)
		if in.Status == deps.IncidentOpen && time.Now().After(in.Deadline.Add(24*time.Hour)) {
			until += " !"
		}
		t.add(in.ID, in.Status, plain(in.Advisory.Package), nameOf(f), severityOf(f), count(int64(len(in.Runs))), plain(in.Owner), until)
	}
	t.print(a.out)
}

func (a *app) printIncident(in *deps.Incident) {
	h := in.Advisory
	f := deps.Finding{Hit: &h}
	a.print("Incident %s, %s\n\n", in.ID, in.Status)
	say := func(label, text string) {
		if text != "" {
			a.print("  %-10s%s\n", label, strings.Join(wrap(plain(text), width-12), "\n            "))
		}
	}
	say("about", h.Package+" "+strings.Join(in.Versions, ", "))
	say("advisory", strings.Join(append([]string{h.ID}, h.Aliases...), ", ")+" ("+severityOf(f)+")")
	say("", h.Summary)
	say("see", h.URL)
	say("fixed in", strings.Join(h.Fixed, ", "))
	say("opened", in.Opened.Format(time.DateOnly)+", when advisories number "+strconv.FormatInt(in.Serial, 10)+" came in")
	say("owner", in.Owner)
	say("until", in.Deadline.Format(time.DateOnly))
	say("next", in.Next)
	a.print("\n")
	t := table{head: []string{"RUN", "ENVIRONMENT", "MODELS"}}
	for _, r := range in.Runs {
		t.add(cmp.Or(r.Run, "none yet"), r.Environment[:min(12, len(r.Environment))], plain(strings.Join(r.Models, ", ")))
	}
	t.print(a.out)
	for _, n := range in.Notes {
		a.print("\n%s, %s:\n  %s\n", n.At.Format(time.DateOnly), plain(n.By), strings.Join(wrap(plain(n.Text), width-2), "\n  "))
	}
}

// completeIncidents offers the IDs of incidents for the only argument.
func (a *app) completeIncidents(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var ids []string
	if len(args) == 0 {
		_ = a.look(c.Context(), func(s *site.Site) error {
			all, err := s.Deps().Incidents(c.Context())
			for _, in := range all {
				ids = append(ids, cobra.CompletionWithDesc(in.ID, in.Status+" "+in.Advisory.Package))
			}
			return err
		})
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}
