package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/advisory"
	"github.com/sallyport/sallyport/internal/deps"
	"github.com/sallyport/sallyport/internal/site"
)

// depsAsked is what a check was asked for.
type depsAsked struct {
	format string // text, json, sarif or openvex
	wheels string // a folder of archives
	env    string // an environment of the site
	run    string // a run of the site
}

func (a *app) depsCommand() *cobra.Command {
	var d depsAsked
	c := &cobra.Command{
		Use:   "deps [PATH…]",
		Short: "Tell what is known to be wrong with the packages of a project",
		Long: `Read what a project depends on, and hold it against advisories, without any
network: which packages are known to be vulnerable or malicious, which their
authors have withdrawn, and what cannot be checked because it is not pinned.

Without PATH it reads the lock that sallyport.yaml names, or every lock and
requirements file of the folder. A PATH is such a file, a folder, a virtual
environment, or a bill of materials (CycloneDX, SPDX). Nothing is installed, and
no line is skipped in silence: what cannot be read keeps the check from passing.

The advisories are the site's: "sallyport deps update" brings them in. What is
known and accepted stands in ` + deps.PolicyFile + `, with an owner, a reason
and a day on which it expires:

  ignore:
    - id: CVE-2025-12345
      package: urllib3
      owner: mara
      reason: only the pool manager is used
      expires: 2027-01-31

Exit code 0: everything passed. 1: something is known to be wrong. 3: something
could not be checked, or the advisories are too old.`,
		Example: `  sallyport deps                               # the project's own lock
  sallyport deps requirements.txt uv.lock
  sallyport deps .venv                         # what is really installed
  sallyport deps --run last                    # what is known about it today
  sallyport deps --format sarif > deps.sarif   # for GitHub code scanning`,
		RunE: func(c *cobra.Command, args []string) error { return a.checkDeps(c.Context(), args, d) },
	}
	d.flags(a, c)
	check := &cobra.Command{
		Use:     "check [PATH…]",
		Short:   "The same as deps alone",
		Long:    "The same as \"sallyport deps\": see there.",
		Example: `  sallyport deps check requirements.txt`,
		RunE:    func(c *cobra.Command, args []string) error { return a.checkDeps(c.Context(), args, d) },
	}
	d.flags(a, check)
	c.AddCommand(check, a.depsTreeCommand(), a.depsBillCommand(), a.depsUpdateCommand(), a.depsBundleCommand(), a.depsWatchCommand())
	return c
}

func (d *depsAsked) flags(a *app, c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&d.format, "format", "text", "`text`, json, sarif or openvex")
	f.StringVar(&d.wheels, "wheels", "", "a `folder` of wheels and source distributions to hold against the lock")
	f.StringVar(&d.env, "env", "", "check an `environment` that the site has built, by the beginning of its ID, or \"last\"")
	f.StringVar(&d.run, "run", "", "check again what a `run` was executed with, by what is known today and its own policy")
	_ = c.RegisterFlagCompletionFunc("run", a.completeRuns(1))
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"text", "json", "sarif", "openvex"}, cobra.ShellCompDirectiveNoFileComp))
}

func (a *app) checkDeps(ctx context.Context, paths []string, d depsAsked) error {
	if a.json {
		d.format = "json"
	}
	switch d.format {
	case "text":
	case "json", "sarif", "openvex":
		a.json = true // errors too are for a program
	default:
		return sallyport.Errorf(sallyport.Usage, "no format is named %q", d.format).Try("choose from text, json, sarif, openvex")
	}
	r, project, err := a.checked(ctx, paths, d)
	if err != nil {
		return err
	}
	switch d.format {
	case "json":
		err = a.encode(a.out, r)
	case "sarif":
		err = deps.WriteSARIF(a.out, r)
	case "openvex":
		if len(r.Known()) == 0 { // by its schema a document has a statement
			fmt.Fprintln(a.err, "no advisory is about it: there is nothing to state")
			break
		}
		err = deps.WriteVEX(a.out, r, project)
	default:
		a.printCheck(r)
	}
	return errors.Join(err, r.Err())
}

// checked makes the check that was asked for, of the project that it names.
func (a *app) checked(ctx context.Context, paths []string, d depsAsked) (r *deps.Report, project string, err error) {
	if d.run == "" {
		m, err := a.gather(ctx, paths, d.wheels, d.env)
		if err != nil {
			return nil, "", err
		}
		a.sayDeeper(m.deeper)
		r, err := a.judge(ctx, m)
		return r, m.project, err
	}
	if len(paths) > 0 || d.env != "" || d.wheels != "" {
		return nil, "", sallyport.Errorf(sallyport.Usage, "a run and something else at once").Try("check one after the other")
	}
	err = a.with(ctx, func(s *site.Site) error {
		found, err := s.Runs().Find(ctx, d.run)
		if err != nil {
			return err
		}
		project = found.Project
		r, err = s.Runs().CheckAgain(ctx, found)
		return err
	})
	return r, project, err
}

// sayDeeper tells of files in folders of a project that nobody has named.
func (a *app) sayDeeper(names []string) {
	const few = 3
	if n := len(names); n > 0 {
		text := strings.Join(names[:min(n, few)], ", ")
		if n > few {
			text += ", …"
		}
		text = fmt.Sprintf("not read, for they lie deeper: %s (%s); name those that the project means", text, many(int64(n), "file"))
		a.say("%s\n", strings.Join(wrap(plain(text), width), "\n"))
	}
}

// judge checks materials with the advisories of the site that we are in, or, in
// no site, with none.
func (a *app) judge(ctx context.Context, m *materials) (*deps.Report, error) {
	o := deps.Options{Version: version(), Policy: m.policy, Problems: m.problems, Archives: m.archives}
	var r *deps.Report
	check := func() (err error) {
		r, err = deps.Check(ctx, m.list, o)
		return err
	}
	err := a.look(ctx, func(s *site.Site) error {
		db, err := s.Deps().Current(ctx)
		if err != nil {
			return err
		}
		if db != nil {
			defer db.Close()
		}
		o.Advisories = db
		return check()
	})
	if sallyport.Is(err, sallyport.NotFound) && a.site == "" {
		err = check()
	}
	return r, err
}

// fewDeps is how many findings a person is shown in full.
const fewDeps = 20

func (a *app) printCheck(r *deps.Report) {
	a.print("%s\n", strings.Join(wrap(headOf(r), width), "\n"))
	t := table{head: []string{"VERDICT", "PACKAGE", "WHAT", "SEVERITY", "FIXED IN"}}
	var open []deps.Finding
	for _, f := range r.Findings {
		if f.Verdict == deps.Passed {
			continue
		}
		open = append(open, f)
		t.add(string(f.Verdict), plain(aboutOf(f)), plain(nameOf(f)), severityOf(f), fixedIn(f))
	}
	if len(open) > 0 {
		a.print("\n")
		t.print(a.out)
	}
	for _, group := range together(open[:min(len(open), fewDeps)]) {
		a.printDeps(group)
	}
	if more := len(open) - fewDeps; more > 0 {
		a.print("\n… and %s more in full: --json shows them\n", count(int64(more)))
	}
	a.printAdvice(r)
}

// headOf says what was checked, and with what.
func headOf(r *deps.Report) string {
	head := many(int64(r.Packages), "package")
	var files []string
	for _, f := range r.Files {
		files = append(files, f.Path)
	}
	if len(files) > 0 && len(files) <= 4 {
		head += " of " + plain(strings.Join(files, ", "))
	} else if len(files) > 0 {
		head += " of " + many(int64(len(files)), "file")
	}
	if r.Database == nil {
		return head + ", and no advisories to compare with: bring some in with sallyport deps update"
	}
	return head + ", " + withAdvisories(*r.Database)
}

func withAdvisories(n advisory.Name) string {
	return fmt.Sprintf("by %s advisories as of %s (number %d)", count(int64(n.Records)), n.AsOf.Format(time.DateOnly), n.Serial)
}

// aboutOf is what a finding is about: a package, a line, or the advisories.
func aboutOf(f deps.Finding) string {
	switch {
	case f.Package != "":
		return strings.TrimSpace(f.Package + " " + f.Version)
	case f.Rule == deps.Stale:
		return "advisories"
	}
	return f.Place.String()
}

// nameOf is what was found, in a word or an ID that people search for.
func nameOf(f deps.Finding) string {
	if f.Hit == nil {
		return string(f.Rule)
	}
	for _, alias := range f.Hit.Aliases {
		if strings.HasPrefix(alias, "CVE-") {
			return alias
		}
	}
	return f.Hit.ID
}

func severityOf(f deps.Finding) string {
	switch {
	case f.Hit == nil:
		return ""
	case f.Rule == deps.Malicious:
		return "attack"
	case !f.Hit.Exploited.IsZero():
		return "exploited"
	case f.Hit.Severity == advisory.Unrated:
		return "unrated"
	}
	return f.Hit.Severity.String()
}

func fixedIn(f deps.Finding) string {
	if f.Hit == nil {
		return ""
	}
	return strings.Join(f.Hit.Fixed, ", ")
}

// together groups findings that are about the same thing at the same place, in
// the order in which the first of each comes.
func together(all []deps.Finding) [][]deps.Finding {
	at := map[string]int{}
	var out [][]deps.Finding
	for _, f := range all {
		key := aboutOf(f) + "\x00" + f.Place.String()
		if i, ok := at[key]; ok {
			out[i] = append(out[i], f)
			continue
		}
		at[key] = len(out)
		out = append(out, []deps.Finding{f})
	}
	return out
}

// printDeps shows findings about one thing in full: what it is, how it came
// there, what was found, what to do.
func (a *app) printDeps(group []deps.Finding) {
	first := group[0]
	head := aboutOf(first)
	if first.Package != "" && first.Place.File != "" {
		head += "  " + first.Place.String()
	}
	a.print("\n%s\n", plain(head))
	say := func(label, text string) {
		if text != "" {
			a.print("  %s\n", strings.Join(wrap(label+plain(text), width-2), "\n  "))
		}
	}
	say("by:  ", strings.Join(first.Path, " → "))
	var advice []string
	for _, f := range group {
		what := f.What
		if f.Hit != nil {
			what = strings.Join(append([]string{f.Hit.ID}, f.Hit.Aliases...), ", ") + ": " + what
			if f.Hit.URL != "" {
				what += " " + f.Hit.URL
			}
		}
		say("", what)
		if !slices.Contains(advice, f.Try) {
			advice = append(advice, f.Try)
		}
	}
	for _, text := range advice {
		say("do:  ", text)
	}
}

// printAdvice sums up what does not keep the check from passing, by rule.
func (a *app) printAdvice(r *deps.Report) {
	counts := map[deps.Rule]int{}
	decided := 0
	for _, f := range r.Findings {
		switch {
		case f.Decided != nil:
			decided++
		case f.Verdict == deps.Passed:
			counts[f.Rule]++
		}
	}
	if len(counts) > 0 {
		a.print("\nadvice:\n")
	}
	for _, rule := range deps.Rules() {
		n := counts[rule.ID]
		if n == 0 {
			continue
		}
		var about []string
		for _, f := range r.Findings {
			if f.Rule == rule.ID && f.Decided == nil && f.Verdict == deps.Passed {
				about = append(about, adviceAbout(f))
			}
		}
		text := fmt.Sprintf("%s: %s", strings.ToLower(rule.Short[:1])+rule.Short[1:], strings.Join(about[:min(len(about), 5)], ", "))
		if n > 5 {
			text += fmt.Sprintf(" and %s more", count(int64(n-5)))
		}
		a.print("  %s\n", strings.Join(wrap(plain(text), width-2), "\n    "))
	}
	if who := r.Publishers(); len(who) > 0 {
		a.print("\n%s\n", strings.Join(wrap(plain("attested by "+strings.Join(who, ", ")), width), "\n"))
	}
	if decided > 0 {
		a.print("\n%s accepted by a decision: --json shows whose\n", many(int64(decided), "finding"))
	}
	a.print("\n%s\n", map[deps.Verdict]string{deps.Passed: "passed", deps.Blocked: "blocked", deps.Unknown: "not passed: not everything could be checked"}[r.Verdict])
}

func adviceAbout(f deps.Finding) string {
	switch f.Rule {
	case deps.Stale, deps.BadDecision, deps.Lookalike, deps.StartCode:
		return strings.TrimSpace(f.Package + " " + f.What)
	}
	if f.Package != "" {
		return f.Package
	}
	return f.Place.String()
}
