package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/erase"
	"github.com/sallyport/sallyport/internal/site"
)

// erasing is what the command line of erase says.
type erasing struct {
	erase.Request
	file  string // of identifiers
	plan  bool
	quiet bool
}

func (a *app) eraseCommand() *cobra.Command {
	var e erasing
	var subjects []string
	c := &cobra.Command{
		Use:   "erase --subject ID --identity-checked HOW",
		Short: "Take a person out: of every version, and of every model that learned from them",
		Long: `Find every version of every dataset that holds records of the person, every run
that read one, and every model that came of those. Destroy the records in all
versions, past ones too, with the keys that opened them, and whatever those runs
wrote. Make every model again by its own recorded recipe on what is left, revoke
the old ones, and sign a certificate.

With --plan nothing is changed: it shows what there is, what would be done, and
what it would cost. Identifiers are compared byte for byte; other spellings are
told. Several people at once cost one retraining. While records are destroyed
nobody else may be at work on the site.

If it is interrupted after the records are gone, "sallyport erase resume" goes
on. The certificate: "sallyport erasures show last -o DIR".`,
		Example: `  sallyport erase --subject 8222157 --plan
  sallyport erase --subject 8222157 --ground art17.1.b \
    --identity-checked "passport, at the desk"
  sallyport erase --subjects withdrawn.txt --identity-checked "by their clinics"`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			e.Subjects = subjects
			return a.erase(c.Context(), e)
		},
	}
	f := c.Flags()
	f.StringArrayVar(&subjects, "subject", nil, "the person's `identifier`, as it stands in the data; may be given again")
	f.StringVar(&e.file, "subjects", "", "a `file` of identifiers, one to a line")
	f.StringVar(&e.Dataset, "dataset", "", "only in the dataset of this `name`")
	f.StringVar(&e.Ground, "ground", "", "the `ground`: "+strings.Join(erase.Grounds, ", "))
	f.StringVar(&e.Identity, "identity-checked", "", "`how` it was checked who is asking")
	f.BoolVar(&e.plan, "plan", false, "show what would be done, and change nothing")
	f.BoolVarP(&e.quiet, "quiet", "q", false, "do not show what the stages print")
	_ = c.RegisterFlagCompletionFunc("ground", cobra.FixedCompletions(erase.Grounds, cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("dataset", a.completeData)
	c.AddCommand(a.eraseResumeCommand())
	return c
}

func (a *app) eraseResumeCommand() *cobra.Command {
	var quiet bool
	c := &cobra.Command{
		Use:     "resume ERASURE",
		Short:   "Go on with an erasure that was interrupted",
		Long:    "Go on with an erasure from where it stands: retrain what is left to retrain, and\nsign the certificate. It is safe to repeat.",
		Example: "  sallyport erase resume last",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withErasure(c.Context(), args[0], func(s *site.Site, e *erase.Erasure) error {
				e, err := eraser(s).Resume(c.Context(), e, a.watchErasure(quiet))
				return a.erased(s, e, err)
			})
		},
	}
	c.Flags().BoolVarP(&quiet, "quiet", "q", false, "do not show what the stages print")
	return c
}

// withErasure opens the site and finds an erasure of it by its name.
func (a *app) withErasure(ctx context.Context, name string, do func(*site.Site, *erase.Erasure) error) error {
	return a.with(ctx, func(s *site.Site) error {
		e, err := erase.Find(ctx, s.Log, name)
		if err != nil {
			return err
		}
		return do(s, e)
	})
}

// eraser returns the service that erases at a site.
func eraser(s *site.Site) *erase.Service {
	return &erase.Service{Site: renewable{s}, Log: s.Log, Me: s.Me, Who: s.Who, Name: s.Name, Ring: s.Data().Ring}
}

// renewable is a site as package erase wants it.
type renewable struct{ *site.Site }

func (r renewable) Renew() (erase.Renewal, error) {
	renewal, err := r.Site.Renew()
	if err != nil {
		return nil, err // not a nil *site.Renewal, which is not nil
	}
	return renewal, nil
}

func (a *app) erase(ctx context.Context, e erasing) error {
	if e.file != "" {
		more, err := readIdentifiers(e.file)
		if err != nil {
			return err
		}
		e.Subjects = append(e.Subjects, more...)
	}
	return a.with(ctx, func(s *site.Site) error {
		if e.plan {
			p, err := eraser(s).Plan(ctx, e.Request)
			if err != nil {
				return err
			}
			return a.show(p, func() { a.printPlan(p) })
		}
		done, err := eraser(s).Erase(ctx, e.Request, a.watchErasure(e.quiet))
		return a.erased(s, done, err)
	})
}

// readIdentifiers reads a file of identifiers, one to a line.
func readIdentifiers(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, sallyport.Errorf(sallyport.Usage, "cannot read the identifiers: %w", err)
	}
	defer f.Close()
	var out []string
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if id := strings.TrimSuffix(lines.Text(), "\r"); strings.TrimSpace(id) != "" {
			out = append(out, id)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, sallyport.Errorf(sallyport.Invalid, "cannot read the identifiers: %w", err).At("%s", path)
	}
	return out, nil
}

func (a *app) watchErasure(quiet bool) erase.Watch {
	m := a.meter("searching")
	return erase.Watch{
		Note: func(text string) {
			m.done()
			a.say("%s\n", text)
		},
		Progress: m.at,
		Run:      a.watch(quiet),
	}
}

// erased tells how far an erasure came, and passes its error on.
func (a *app) erased(s *site.Site, e *erase.Erasure, err error) error {
	if e == nil {
		return err
	}
	if err != nil && e.Status != erase.Certified {
		if e2, ok := err.(*sallyport.Error); ok {
			e2.Mend = strings.TrimSpace(e2.Mend + "; then: sallyport erase resume " + e.ID)
			e2.Mend = strings.TrimPrefix(e2.Mend, "; then: ")
		}
	}
	if a.json {
		if jerr := a.encode(a.out, e); err == nil {
			err = jerr
		}
		return err
	}
	a.printErasure(e)
	if e.Status == erase.Certified {
		a.print("\nThe certificate:  sallyport erasures show %s -o DIR\n", e.ID)
		a.print("Receipt's secret: %x\n", eraser(s).Secret(e.ID))
		a.print("Give the secret to the person: with it they can recompute their token.\n")
	}
	return err
}

func (a *app) printPlan(p *erase.Plan) {
	a.print("%d of %s found\n", p.Found, many(int64(p.Subjects), "subject"))
	if len(p.Versions) > 0 {
		a.print("\n")
		t := table{head: []string{"VERSION", "RECORDS", "WHAT WOULD BE DONE"}, right: map[int]bool{1: true}}
		for _, v := range p.Versions {
			do := "destroy"
			if v.Exempt {
				do = "keep: the dataset is held"
			}
			t.add(v.Version, count(v.Records), do)
		}
		t.print(a.out)
	}
	if len(p.Runs) > 0 {
		a.print("\n")
	}
	for i, r := range p.Runs {
		branch, stem := "├─", "│ "
		if i == len(p.Runs)-1 {
			branch, stem = "└─", "  "
		}
		a.print("%s run %s of %s, %s: %s\n", branch, r.Run, r.Project, r.Status, r.Why)
		what := "destroy what it wrote and printed"
		if len(r.Models) > 0 {
			what = "destroy and revoke " + plain(strings.Join(r.Models, ", "))
		}
		switch r.Action {
		case erase.Retrain:
			again := "make again"
			if len(r.Again) > 0 {
				again += " " + strings.Join(r.Again, ", ")
			}
			what += fmt.Sprintf("; %s, in about %s and %s", again, timeText(r.Cost.Wall), sallyport.Size(r.Cost.Memory))
		case erase.Shared:
			what += "; made again as run " + r.As + ", by the same recipe"
		case erase.Destroy:
			what += "; not made again: " + plain(r.Reason)
		}
		for j, line := range wrap(what, width-8) {
			mark := "  "
			if j == 0 {
				mark = "└─"
			}
			a.print("%s  %s %s\n", stem, mark, line)
		}
	}
	for _, h := range p.Exempt {
		a.print("\ndataset %s is held: %s (%s, by %s)\n", h.Dataset, plain(h.Reason), h.Ground, h.By)
	}
	for _, l := range p.Alike {
		text := fmt.Sprintf("also %s in %s of an identifier that is this one %s: not erased; if it is the same person, give that spelling too",
			many(l.Records, "record"), l.Version, l.How)
		a.print("\n%s\n", strings.Join(wrap(text, width), "\n  "))
	}
	if p.Cost.Wall > 0 {
		a.print("\nmaking it again: about %s, %s at the peak\n", timeText(p.Cost.Wall), sallyport.Size(p.Cost.Memory))
	}
	a.print("\nNothing was changed.\n")
}
