package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/seal"
	"github.com/sallyport/sallyport/internal/site"
)

func (a *app) idCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "id",
		Short: "Identities: who may do what",
		Long: `Identities are files of their owners' that hold a key to sign with and a key to
open with. A site knows only their public halves and their roles:

  developer   writes and tries training code, never near a real record
  steward     hands over data, enrols people, takes a person out again
  operator    runs code on real data
  reviewer    lets models out
  auditor     checks later how a model came to be`,
		Args: cobra.NoArgs,
	}
	c.AddCommand(a.idNewCommand(), a.idListCommand())
	return c
}

func (a *app) idNewCommand() *cobra.Command {
	var roles, out string
	var locked bool
	c := &cobra.Command{
		Use:   "new NAME --role ROLE[,ROLE…]",
		Short: "Make an identity file and enrol it at the site",
		Long: `Make an identity file and enrol its owner at the site. If the file is there
already, from another site or an interruption, its owner is enrolled with it.`,
		Example: `  sallyport id new anna --role developer
  sallyport id new berta --role operator,auditor --passphrase
  sallyport id new carl --role reviewer -o carl.id      # to hand over`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.newIdentity(c.Context(), args[0], roles, out, locked)
		},
	}
	c.Flags().StringVar(&roles, "role", "", "`roles`, with commas between them")
	c.Flags().StringVarP(&out, "output", "o", "", "the `file` to write (default: in the home of identities)")
	c.Flags().BoolVar(&locked, "passphrase", false, "lock the file with a passphrase")
	_ = c.MarkFlagRequired("role")
	_ = c.RegisterFlagCompletionFunc("role", cobra.FixedCompletions(
		[]string{"developer", "steward", "operator", "reviewer", "auditor"}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

func (a *app) newIdentity(ctx context.Context, name, roleList, out string, locked bool) error {
	if err := sallyport.CheckName("principal", name); err != nil {
		return err
	}
	roles, err := sallyport.ParseRoles(roleList)
	if err != nil {
		return err
	}
	if out == "" {
		if out, err = identityPath(name); err != nil {
			return err
		}
	}
	return a.with(ctx, func(s *site.Site) error {
		if err := s.Who.May(sallyport.Enrol); err != nil {
			return err
		}
		// Looked at before a file is made, which would be nobody's.
		all, err := s.Principals(ctx)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(all, func(p sallyport.Principal) bool { return p.Name == name }) {
			return sallyport.Errorf(sallyport.Usage, "%s is enrolled already", name).Try("choose another name")
		}
		id, made, err := a.ensureIdentity(name, out, locked)
		if err != nil {
			return err
		}
		p, err := s.Enrol(ctx, id, roles)
		if err != nil {
			return err
		}
		return a.show(p, func() {
			if made {
				a.print("Made the identity %s in %s\n", name, out)
			}
			a.print("Enrolled %s as %s\n", name, rolesText(roles))
		})
	})
}

func (a *app) idListCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   "List who is enrolled at the site",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(c.Context(), func(s *site.Site) error {
				all, err := s.Principals(c.Context())
				if err != nil {
					return err
				}
				return a.show(all, func() {
					t := table{head: []string{"NAME", "ROLES", "KEY", "ENROLLED"}}
					for _, p := range all {
						t.add(p.Name, rolesText(p.Roles), seal.KeyID(p.Signing)[:12], p.Enrolled.Format("2006-01-02"))
					}
					t.print(a.out)
				})
			})
		},
	}
}
