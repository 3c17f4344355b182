package deps

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/advisory"
	"github.com/sallyport/sallyport/internal/lockfile"
	"github.com/sallyport/sallyport/internal/pep440"
)

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
