package deps

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/sallyport"
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

// advisories asks the database about a package.
func (c *checker) advisories(p *lockfile.Package, v pep440.Version) error {
	hits, err := c.Advisories.Match(p.Name, v)
	if err != nil {
		return err
	}
	mended, err := c.mendsAll(p.Name, v, hits)
	if err != nil {
		return err
	}
	for _, h := range hits {
		f := Finding{Rule: Vulnerable, Hit: &h, What: headline(h)}
		switch {
		case h.Malicious:
			f.Rule = Malicious
		case h.Unread != "":
			f.Verdict, f.What = Unknown, "an advisory about it cannot be evaluated: "+h.Unread
			f.Try = "read the advisory, and decide about it in " + PolicyFile
		case mended != "" && len(hits) > 1:
			f.Try = fmt.Sprintf("move to %s, where all %d are fixed", mended, len(hits))
		case len(h.Fixed) > 0:
			f.Try = "move to " + strings.Join(h.Fixed, " or ")
		default:
			f.Try = "no version is known in which it is fixed: do without the package, or decide about it"
		}
		c.of(p, f)
	}
	facts, ok, err := c.Advisories.Facts(p.Name, v)
	if err != nil || !ok {
		return err
	}
	if p.Yanked == "" {
		p.Yanked = facts.Yanked
	}
	if p.Uploaded.IsZero() {
		p.Uploaded = facts.Uploaded
	}
	return nil
}

// mendsAll returns the lowest version after v that fixes something and that
// nothing is known about, or "".
func (c *checker) mendsAll(name string, v pep440.Version, hits []advisory.Hit) (string, error) {
	var fixes []pep440.Version
	for _, h := range hits {
		for _, text := range h.Fixed {
			if fix, err := pep440.Parse(text); err == nil && fix.Compare(v) > 0 {
				fixes = append(fixes, fix)
			}
		}
	}
	slices.SortFunc(fixes, pep440.Version.Compare)
	// Hundreds of advisories of one package name the same few versions.
	fixes = slices.CompactFunc(fixes, func(a, b pep440.Version) bool { return a.Compare(b) == 0 })
	for _, fix := range fixes {
		left, err := c.Advisories.Match(name, fix)
		if err != nil {
			return "", err
		}
		if len(left) == 0 {
			return fix.String(), nil
		}
	}
	return "", nil
}

// headline is an advisory in a sentence.
func headline(h advisory.Hit) string {
	text := h.Summary
	if text == "" {
		text = "no summary"
	}
	if h.Assumed {
		text += " (assumed of a local build)"
	}
	return text
}

// origin says where a package comes from if not from the index that it should.
func (c *checker) origin(p *lockfile.Package) {
	if from := c.from(p); from != "" && len(c.Policy.Indexes) > 0 && !p.Conda && !slices.Contains(c.Policy.Indexes, from) {
		c.of(p, Finding{Rule: Foreign, What: "it comes from " + from})
	}
	if len(p.Hashes) == 0 && p.Source.Path == "" && !p.Conda && p.Place.File != "" && !c.fromInstalled(p) {
		c.of(p, Finding{Rule: Unhashed, What: "nothing says which bytes it has to be"})
	}
}

// pypi is the index that a lock means where it names none.
const pypi = "https://pypi.org/simple"

// namesIndexes are the formats that say of each package which index it comes
// from, but where that is the default one. In the others a package is of
// whatever index the file or the machine is set to.
var namesIndexes = []string{"uv.lock", "pylock.toml", "poetry.lock"}

// from is the index or the archive that a package comes from, or "" if nothing
// says it.
func (c *checker) from(p *lockfile.Package) string {
	if from := strings.TrimSuffix(cmp.Or(p.Source.Index, p.Source.URL), "/"); from != "" {
		return from
	}
	for _, f := range c.list.Files {
		if f.Path == p.Place.File && slices.Contains(namesIndexes, f.Format) {
			return pypi
		}
	}
	return ""
}

// fromInstalled reports whether a package is one that is there already, and not
// one that is to be fetched.
func (c *checker) fromInstalled(p *lockfile.Package) bool {
	for _, f := range c.list.Files {
		if f.Format == lockfile.Installed && (f.Path == "." || strings.HasPrefix(p.Place.File, f.Path+"/")) {
			return true
		}
	}
	return false
}

// age says when a release is younger than the policy allows.
func (c *checker) age(p *lockfile.Package) {
	if p.Uploaded.IsZero() || c.Now.Sub(p.Uploaded) >= c.Policy.Cooldown {
		return
	}
	f := Finding{Rule: Young, What: fmt.Sprintf("it was published %s ago, on %s", days(c.Now.Sub(p.Uploaded)), p.Uploaded.Format(time.DateOnly))}
	if c.Policy.Demand {
		f.Verdict = Blocked
	}
	c.of(p, f)
}

// wants says what an entry that could not be checked asks for.
var wants = map[lockfile.Reason]string{
	lockfile.Unpinned: "any version would do",
	lockfile.Range:    "several versions would do",
	lockfile.URL:      "an archive whose version nobody tells",
	lockfile.VCS:      "a checkout",
	lockfile.Path:     "something on one machine",
	lockfile.Variable: "a variable, which means something else on every machine",
	lockfile.Marker:   "a marker that cannot be read",
	lockfile.Version:  "a version that is none by PEP 440",
	lockfile.Option:   "an option that is not known",
	lockfile.Missing:  "a file that is not there",
	lockfile.Native:   "not a Python package: nothing here knows advisories about it",
	lockfile.Syntax:   "not understood",
}

func (c *checker) unread(u lockfile.Unread) {
	what := wants[u.Reason]
	if what == "" {
		what = string(u.Reason)
	}
	if u.Wants != "" {
		what += ": " + u.Wants
	}
	c.found(Finding{Rule: Unread, Package: u.Name, Place: u.Place, What: what, Try: instead[u.Reason]})
}

// instead says what to do about an entry where that is something else than to
// pin it.
var instead = map[lockfile.Reason]string{
	lockfile.Native:  "have it checked by a tool for the distribution that it comes from, and decide about it",
	lockfile.Path:    "have the lock name a release of it, or check what lies there by itself, and decide about it",
	lockfile.VCS:     "have the lock name a release of it, or look at what is checked out, and decide about it",
	lockfile.Missing: "bring the file back, or remove the line that names it",
	lockfile.Option:  "say it in the lock instead, or decide about it",
	lockfile.Syntax:  "write it in a form that can be read without running it, or make a lock of it",
}

// indexes says when two indexes may answer for one name. Where every package is
// held by hashes, only its bytes count, wherever they come from.
func (c *checker) indexes() {
	loose := slices.ContainsFunc(c.list.Packages, func(p lockfile.Package) bool { return len(p.Hashes) == 0 }) || len(c.list.Unread) > 0
	for _, i := range c.list.Indexes {
		if i.Extra {
			f := Finding{Rule: Confusion, Place: i.Place, What: "another index, " + i.URL + ", answers for the same names"}
			if !loose {
				f.Verdict = Passed
			}
			c.found(f)
		}
		if len(c.Policy.Indexes) > 0 && !slices.Contains(c.Policy.Indexes, strings.TrimSuffix(i.URL, "/")) {
			c.found(Finding{Rule: Foreign, Place: i.Place, What: "the index " + i.URL + " is not on the list"})
		}
	}
}

// report sums up: the worst first.
func (c *checker) report() *Report {
	all := c.Policy.decide(c.findings, c.Now)
	c.explain(all)
	slices.SortStableFunc(all, compareFindings)
	r := &Report{Version: c.Version, Checked: c.Now, Files: c.list.Files, Packages: len(c.list.Packages), Verdict: Passed, Findings: all}
	if r.Files == nil {
		r.Files = []lockfile.File{}
	}
	if r.Findings == nil {
		r.Findings = []Finding{}
	}
	if c.Archives != nil {
		r.Attested = c.Archives.Attested
	}
	if c.Advisories != nil {
		r.Database = &c.Advisories.Name
	}
	for _, f := range all {
		r.Verdict = worse(r.Verdict, f.Verdict)
	}
	return r
}

// explain adds to each finding about a package the shortest way to it.
func (c *checker) explain(all []Finding) {
	ways := c.list.Ways()
	for i := range all {
		if way := ways[all[i].Package]; len(way) > 1 {
			all[i].Path = way
		}
	}
}

// compareFindings orders by what to look at first: what blocks, what attackers
// use, what is worst.
func compareFindings(a, b Finding) int {
	return cmp.Or(
		cmp.Compare(b.Verdict.rank(), a.Verdict.rank()),
		cmp.Compare(order(a.Rule), order(b.Rule)),
		cmp.Compare(urgency(b), urgency(a)),
		cmp.Compare(a.Package, b.Package),
		cmp.Compare(a.Place.File, b.Place.File), cmp.Compare(a.Place.Line, b.Place.Line),
	)
}

func order(r Rule) int {
	if r == Malicious {
		return -1
	}
	return slices.IndexFunc(rules, func(i RuleInfo) bool { return i.ID == r })
}

// urgency weighs an advisory: exploited ones first, then by severity, and within
// one severity by how probable an exploit is.
func urgency(f Finding) float64 {
	if f.Hit == nil {
		return 0
	}
	u := float64(f.Hit.Severity)*2 + f.Hit.EPSS
	if !f.Hit.Exploited.IsZero() {
		u += 100
	}
	return u
}

// Err is why a check does not end with 0, or nil.
func (r *Report) Err() error {
	n := 0
	for _, f := range r.Findings {
		if f.Verdict != Passed {
			n++
		}
	}
	switch r.Verdict {
	case Passed:
		return nil
	case Blocked:
		return sallyport.Errorf(sallyport.Refused, "%s the dependencies from passing", keep(n)).
			Try("mend them, or decide about them in %s", PolicyFile)
	}
	return sallyport.Errorf(sallyport.Unknown, "%s the dependencies from passing: they could not be checked", keep(n)).
		Try("pin what is asked for, bring newer advisories in, or decide about it in %s", PolicyFile)
}

func keep(n int) string {
	if n == 1 {
		return "1 finding keeps"
	}
	return fmt.Sprintf("%d findings keep", n)
}
