package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport/internal/project"
	"github.com/sallyport/sallyport/internal/site"
)

// Completion happens at every press of a key. It looks at the site as nobody:
// it asks for no passphrase and mends nothing. Whatever is wrong, the command
// itself will say.

// look opens the site as nobody for the length of fn.
func (a *app) look(ctx context.Context, fn func(*site.Site) error) error {
	dir, err := site.Find(a.site)
	if err != nil {
		return err
	}
	s, err := site.Open(ctx, dir, nil)
	if err != nil {
		return err
	}
	defer s.Close()
	return fn(s)
}

// completeRuns offers the names of runs for the first n arguments.
func (a *app) completeRuns(n int) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) >= n {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		names := []string{"last"}
		_ = a.look(c.Context(), func(s *site.Site) error {
			all, err := s.Runs().List(c.Context())
			for _, r := range all {
				names = append(names, cobra.CompletionWithDesc(r.ID, r.Project+" "+string(r.Status)))
			}
			return err
		})
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeData offers the names of datasets for the only argument.
func (a *app) completeData(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	if len(args) == 0 {
		_ = a.look(c.Context(), func(s *site.Site) error {
			all, err := s.Data().List(c.Context())
			for _, d := range all {
				names = append(names, d.Name)
			}
			return err
		})
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeStages offers the stages of the project that are not yet named.
func completeStages(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	if p, err := project.Load("."); err == nil {
		for _, st := range p.Stages {
			if !slices.Contains(args, st.Name) {
				names = append(names, st.Name)
			}
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
