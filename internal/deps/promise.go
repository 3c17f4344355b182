package deps

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/lockfile"
)

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
