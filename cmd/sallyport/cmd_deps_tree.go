package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/bom"
	"github.com/sallyport/sallyport/internal/deps"
	"github.com/sallyport/sallyport/internal/lockfile"
	"github.com/sallyport/sallyport/internal/pep508"
)

func (a *app) depsTreeCommand() *cobra.Command {
	var why, environment string
	c := &cobra.Command{
		Use:   "tree [PATH…]",
		Short: "Show which package needs which",
		Long: `Show which package needs which, from the lock alone: nothing is installed. A
package that was shown before is marked (*) and not unfolded again.

With --why it shows every shortest way from what the project asks for to one
package.`,
		Example: `  sallyport deps tree
  sallyport deps tree --why urllib3
  sallyport deps tree .venv`,
		RunE: func(c *cobra.Command, args []string) error { return a.depsTree(c.Context(), args, why, environment) },
	}
	c.Flags().StringVar(&why, "why", "", "show the ways to one `package`")
	c.Flags().StringVar(&environment, "env", "", "of an `environment` that the site has built")
	return c
}

func (a *app) depsTree(ctx context.Context, paths []string, why, environment string) error {
	m, err := a.gather(ctx, paths, "", environment)
	if err != nil {
		return err
	}
	if why != "" {
		return a.depsWhy(m.list, pep508.Normal(why))
	}
	roots := m.list.Tree()
	return a.show(roots, func() {
		for _, n := range roots {
			a.printNode(n, "", "")
		}
		if n := len(m.list.Unread); n > 0 {
			a.print("\n%s could not be read: see sallyport deps\n", many(int64(n), "entry"))
		}
	})
}

// printNode prints a node and what it needs. The lines of a tree are drawn with
// box characters, as every tree of packages is.
func (a *app) printNode(n lockfile.Branch, lead, below string) {
	line := n.Name + " " + n.Version
	if n.Repeated {
		line += " (*)"
	}
	a.print("%s%s\n", lead, plain(strings.TrimSpace(line)))
	for i, child := range n.Needs {
		if i == len(n.Needs)-1 {
			a.printNode(child, below+"└── ", below+"    ")
		} else {
			a.printNode(child, below+"├── ", below+"│   ")
		}
	}
}

func (a *app) depsWhy(list *lockfile.List, name string) error {
	ways := list.Why(name)
	if len(ways) == 0 {
		return sallyport.Errorf(sallyport.NotFound, "nothing here needs %s", name).Try("sallyport deps tree shows everything")
	}
	return a.show(ways, func() {
		for _, w := range ways {
			a.print("%s\n", plain(strings.Join(w, " → ")))
		}
	})
}

func (a *app) depsBillCommand() *cobra.Command {
	var format, environment, out string
	var check bool
	c := &cobra.Command{
		Use:   "sbom [PATH…]",
		Short: "Write a bill of materials",
		Long: `Write a bill of materials of what a project depends on: CycloneDX 1.6 or
SPDX 2.3, as JSON. The same input gives the same bytes. What is asked for and
could not be read is in it too, and the bill says that it is incomplete.

Of an environment (--env) it also lists the interpreter and the native
libraries inside of packages.`,
		Example: `  sallyport deps sbom > bom.json
  sallyport deps sbom --format spdx -o sbom.spdx.json
  sallyport deps sbom --env 3f2a --vulnerabilities`,
		RunE: func(c *cobra.Command, args []string) error {
			return a.depsBill(c.Context(), args, format, environment, out, check)
		},
	}
	f := c.Flags()
	f.StringVar(&format, "format", bom.CycloneDX, "`cyclonedx` or spdx")
	f.StringVar(&environment, "env", "", "of an `environment` that the site has built")
	f.StringVarP(&out, "output", "o", "", "write to a `file`, which must not be there")
	f.BoolVar(&check, "vulnerabilities", false, "list the advisories that affect it, and what was decided (CycloneDX)")
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(bom.Formats, cobra.ShellCompDirectiveNoFileComp))
	return c
}

func (a *app) depsBill(ctx context.Context, paths []string, format, environment, out string, check bool) error {
	if check && format != bom.CycloneDX {
		return sallyport.Errorf(sallyport.Usage, "SPDX 2.3 has no place for advisories").Try("use --format cyclonedx")
	}
	m, err := a.gather(ctx, paths, "", environment)
	if err != nil {
		return err
	}
	doc := bom.Doc{Name: m.project, Tool: version(), List: m.list, Parts: m.parts}
	if check {
		r, err := a.judge(ctx, m)
		if err != nil {
			return err
		}
		doc.Vulnerabilities = deps.Vulnerabilities(r, m.project)
	}
	if out == "" {
		return bom.Write(a.out, format, doc)
	}
	f, err := os.OpenFile(filepath.Clean(out), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return sallyport.Errorf(sallyport.Usage, "cannot write the bill: %w", err)
	}
	if err := bom.Write(f, format, doc); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
