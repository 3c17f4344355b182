package deps

import (
	"context"
	"fmt"
	"time"

	"github.com/sallyport/sallyport/internal/advisory"
	"github.com/sallyport/sallyport/internal/installed"
	"github.com/sallyport/sallyport/internal/lockfile"
	"github.com/sallyport/sallyport/internal/lookalike"
	"github.com/sallyport/sallyport/internal/pep440"
)

// Advisories is a database of advisories together with its name.
type Advisories struct {
	*advisory.DB
	Name advisory.Name
}

// Options say how to check.
type Options struct {
	Version    string              // of Sallyport
	Now        time.Time           // zero: now
	Advisories *Advisories         // nil: there are none, and nothing can pass
	Policy     *Policy             // nil: Default
	Problems   []installed.Problem // what was found in installed files
	Archives   *Archives           // nil: there were none
}

// Check holds what a project depends on against advisories, promises and
// decisions. What it cannot decide is a finding with the verdict Unknown.
func Check(ctx context.Context, list *lockfile.List, o Options) (*Report, error) {
	if o.Now.IsZero() {
		o.Now = now()
	}
	if o.Policy == nil {
		o.Policy = Default()
	}
	c := &checker{Options: o, list: list}
	c.freshness()
	for i := range list.Packages {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := c.pkg(&list.Packages[i]); err != nil {
			return nil, err
		}
	}
	for _, u := range list.Unread {
		c.unread(u)
	}
	c.indexes()
	for _, p := range o.Problems {
		c.problem(p)
	}
	if o.Archives != nil {
		c.archives(o.Archives)
	}
	return c.report(), nil
}

// A checker is a check under way.
type checker struct {
	Options
	list     *lockfile.List
	findings []Finding
}

// found adds a finding with its rule's own verdict.
func (c *checker) found(f Finding) {
	if f.Verdict == "" {
		f.Verdict = f.Rule.Info().Verdict
	}
	if f.Try == "" {
		f.Try = f.Rule.Info().Help
	}
	c.findings = append(c.findings, f)
}

// freshness says when the advisories are too old, or missing.
func (c *checker) freshness() {
	if c.Advisories == nil {
		if len(c.list.Packages) > 0 {
			c.found(Finding{Rule: Stale, What: "there are no advisories to compare with"})
		}
		return
	}
	n := c.Advisories.Name
	age := c.Now.Sub(n.AsOf)
	f := Finding{Rule: Stale, What: fmt.Sprintf("the advisories are %s old: as of %s", days(age), n.AsOf.Format(time.DateOnly))}
	switch {
	case n.AsOf.After(c.Now.Add(day)):
		f.What = fmt.Sprintf("the advisories are from the future: as of %s", n.AsOf.Format(time.DateOnly))
		f.Try = "set this machine's clock"
		c.found(f)
	case age > c.Policy.FailAfter:
		c.found(f)
	case age > c.Policy.WarnAfter:
		f.Verdict = Passed
		c.found(f)
	}
}

func days(d time.Duration) string {
	if n := int(d / day); n != 1 {
		return fmt.Sprintf("%d days", n)
	}
	return "1 day"
}

// pkg checks one package.
func (c *checker) pkg(p *lockfile.Package) error {
	if p.Source.Path != "" {
		return nil // the project itself, or a part of it: whoever has the same name elsewhere is another
	}
	v, err := pep440.Parse(p.Version)
	if err != nil {
		c.unread(lockfile.Unread{Place: p.Place, Reason: lockfile.Version, Name: p.Name})
		return nil
	}
	if c.Advisories != nil {
		if err := c.advisories(p, v); err != nil {
			return err
		}
	}
	c.origin(p)
	c.age(p)
	if like, ok := lookalike.Find(p.Name); ok {
		c.of(p, Finding{Rule: Lookalike, What: fmt.Sprintf("its name is like that of %s: %s", like.Popular, like.How)})
	}
	if p.Yanked != "" {
		c.of(p, Finding{Rule: Yanked, What: "its authors have withdrawn this version: " + p.Yanked})
	}
	if p.Sdist {
		c.of(p, Finding{Rule: BuildCode, What: "there is no wheel of it: installing it runs its code"})
	}
	return nil
}

// of adds a finding about a package.
func (c *checker) of(p *lockfile.Package, f Finding) {
	f.Package, f.Version, f.Place = p.Name, p.Version, p.Place
	c.found(f)
}
