package deps

import (
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/internal/installed"
	"github.com/sallyport/sallyport/internal/lockfile"
)

// ruleOf maps what package installed finds to the rules of a check. What is not
// listed is shown as a stray file: unknown, and no pass.
var ruleOf = map[installed.Rule]Rule{
	installed.Altered:   Altered,
	installed.Missing:   Altered,
	installed.Mismatch:  Altered,
	installed.Misnamed:  Altered,
	installed.Duplicate: Altered,
	installed.Outside:   Altered,
	installed.Link:      Stray,
	installed.Stray:     Stray,
	installed.StartCode: StartCode,
	installed.StartPath: StartCode,
	installed.Script:    StartCode,
	installed.BuildCode: BuildCode,
	installed.Absent:    Unread,
	installed.Unasked:   Stray,
	installed.Mistagged: Misnamed,
}

// mends say what to do about problems for which it is something else than what
// their rule says.
var mends = map[installed.Rule]string{
	installed.Unseen:     "name the whole environment, and not only its folder of packages",
	installed.Unrecorded: "install the package from a wheel, which lists its files and their hashes",
	installed.Unreadable: "install the environment anew, and ask the package's authors if it stays so",
	installed.Link:       "install the environment anew, without links",
	installed.Absent:     "have the folder filled again from the lock",
	installed.Unasked:    "remove the file, or have the lock ask for it",
}

// problem turns a problem of installed files or of archives into a finding.
func (c *checker) problem(p installed.Problem) {
	rule, ok := ruleOf[p.Rule]
	if !ok {
		rule = Stray
	}
	c.found(Finding{Rule: rule, Package: p.Package, Version: p.Version, Place: lockfile.Place{File: p.Path, Line: p.Line}, What: p.What, Try: mends[p.Rule]})
}

// archives adds what a folder of archives came to.
func (c *checker) archives(a *Archives) {
	for _, p := range a.Problems {
		c.problem(p)
	}
	for _, f := range a.findings {
		c.found(f)
	}
}

// placeOf reads "file:line".
func placeOf(s string) lockfile.Place {
	if file, line, ok := strings.Cut(s, ":"); ok {
		if n, err := strconv.Atoi(line); err == nil {
			return lockfile.Place{File: file, Line: n}
		}
	}
	return lockfile.Place{File: s}
}
