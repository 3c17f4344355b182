// Package advisory knows which versions of Python packages are known to be
// vulnerable or malicious, offline.
//
// Advisories come as OSV records of any source. They are compiled once into a
// database: one immutable file in which the advisories of a package are found
// without reading the rest. Matching takes every statement of a record for its
// word: a version is affected if a list names it in any spelling, or if a range
// holds it; and records that are aliases of each other are one advisory, which
// affects what any of them says.
package advisory

import (
	"slices"
	"strings"
	"time"

	"github.com/sallyport/sallyport"
)

// An Advisory is what one or several records say about one weakness of one
// package.
type Advisory struct {
	ID        string    `json:"id"`                // of the record that leads the group: "PYSEC-2021-66"
	Aliases   []string  `json:"aliases,omitempty"` // "CVE-2021-29552", sorted
	Package   string    `json:"package"`           // normalised (PEP 503)
	Summary   string    `json:"summary,omitempty"` // a line
	Severity  Severity  `json:"severity"`
	Score     float64   `json:"score,omitempty"` // CVSS base score, 0 if there is none
	Vector    string    `json:"vector,omitempty"`
	Malicious bool      `json:"malicious,omitempty"` // the package itself is an attack (MAL-…)
	Exploited time.Time `json:"exploited,omitzero"`  // when CISA listed it as exploited (KEV)
	EPSS      float64   `json:"epss,omitempty"`      // probability of exploitation within 30 days, 0 to 1
	Published time.Time `json:"published,omitzero"`
	Modified  time.Time `json:"modified,omitzero"`
	Sources   []string  `json:"sources,omitempty"` // IDs of every record of the group
	URL       string    `json:"url,omitempty"`     // where to read about it
}

// Severity is how bad an advisory is, by the qualitative scale of CVSS.
type Severity int

// The severities. Unrated is not low: nobody has said.
const (
	Unrated Severity = iota
	Low
	Medium
	High
	Critical
)

var severities = [...]string{"unrated", "low", "medium", "high", "critical"}

func (s Severity) String() string { return severities[s] }

// MarshalText is the severity's name, so that JSON has "high" and not a number.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (s *Severity) UnmarshalText(b []byte) error {
	i := slices.Index(severities[:], string(b))
	if i < 0 {
		return sallyport.Errorf(sallyport.Invalid, "not a severity").Try("write one of %s", strings.Join(severities[:], ", "))
	}
	*s = Severity(i)
	return nil
}

// A Hit is an advisory that affects a version.
type Hit struct {
	Advisory
	Assumed bool     `json:"assumed,omitempty"` // of a local build ("+cu118"): its public version is affected
	Fixed   []string `json:"fixed,omitempty"`   // later versions that a record calls fixed and none calls affected, lowest first; none: no fix is known

	// Unread is why a record of the group could not be evaluated. Nothing else
	// holds the version, but unknown is not passed: it may be affected.
	Unread string `json:"unread,omitempty"`
}

// Facts are what an index says about a version, beside its files.
type Facts struct {
	Yanked   string    // why its authors have withdrawn every file of it, or "yanked"; "": they have not
	Uploaded time.Time // when the first of its files was published; zero: not said
}

// A Name says which database a verdict was made with.
type Name struct {
	Serial  int64            `json:"serial"`       // of the bundle: a later one has a greater
	Digest  sallyport.Digest `json:"digest"`       // of the bundle's advisories
	Made    time.Time        `json:"made"`         // when the bundle was made
	AsOf    time.Time        `json:"asOf"`         // what was published later is not in it
	Records int              `json:"records"`      // of every source, withdrawn ones not counted
	By      string           `json:"by,omitempty"` // who signed the bundle
}
