// Package lockfile reads what says which Python packages a project needs: lock
// files, requirements, projects' own declarations, and folders of installed
// packages.
//
// It is the reader of a check, not of an installer (package env is that, and
// stricter): it takes files as people have them. What it promises is that
// nothing is skipped in silence. Every line that asks for a package comes back
// as a Package or as Unread, or leads to another file that is read; and a file
// that cannot be understood is an error. A line that leaves the version open is
// no longer Unread once a lock that was made from its file, a constraint on it or
// a file that it includes has a pin for it.
package lockfile

import (
	"fmt"
	"time"

	"github.com/sallyport/sallyport"
)

// A List is what one or several files say that a project needs.
type List struct {
	Files    []File    `json:"files"`    // everything that was read, in order
	Packages []Package `json:"packages"` // sorted by name, version and place; without repetitions
	Unread   []Unread  `json:"unread,omitempty"`
	Indexes  []Index   `json:"indexes,omitempty"`
}

// A File is a file that was read.
type File struct {
	Path   string           `json:"path"`   // as it was given, with slashes
	Format string           `json:"format"` // "requirements.txt", "uv.lock", "installed", …
	Digest sallyport.Digest `json:"digest,omitempty"`
}

// Installed is the format of a folder of packages that are there already.
const Installed = "installed"

// A Place is a line of a file; line 0 is the whole of it.
type Place struct {
	File string `json:"file"`
	Line int    `json:"line,omitempty"`
}

// String is the place as errors have it: "requirements.txt:7".
func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// A Package is one version of one package that a file asks for. A version that
// PEP 440 does not know is no Package but Unread.
type Package struct {
	Name     string    `json:"name"`              // normalised (PEP 503)
	Version  string    `json:"version"`           // as the file has it
	Place    Place     `json:"place"`             // the first that names it
	Hashes   []string  `json:"hashes,omitempty"`  // "sha256:…" of acceptable files
	Marker   string    `json:"marker,omitempty"`  // PEP 508, as it was written: needed on some platforms only
	Source   Source    `json:"source,omitzero"`   // zero: the default index
	Groups   []string  `json:"groups,omitempty"`  // extras, groups or environments that need it; none: the project itself
	Direct   bool      `json:"direct,omitempty"`  // the project asks for it by name
	Needs    []Need    `json:"needs,omitempty"`   // what it depends on, where the file says so
	Sdist    bool      `json:"sdist,omitempty"`   // only source distributions are listed: installing it runs its code
	Uploaded time.Time `json:"uploaded,omitzero"` // the first of its files, where the file says so
	Yanked   string    `json:"yanked,omitempty"`  // the reason, or "yanked", where the file says so
	Conda    bool      `json:"conda,omitempty"`   // of a conda channel, built by somebody else than the package's authors
}

// A Need is an edge of the graph of dependencies.
type Need struct {
	Name    string `json:"name"`              // normalised
	Version string `json:"version,omitempty"` // exact, where the file tells versions apart
	Marker  string `json:"marker,omitempty"`
}

// A Source is where a package comes from if not from the default index. At most
// one of the fields is set.
type Source struct {
	Index string `json:"index,omitempty"` // URL of an index, or name of a conda channel; without user and password
	URL   string `json:"url,omitempty"`   // of an archive; the same
	Path  string `json:"path,omitempty"`  // on this machine: the project itself, or a member of its workspace
}

// An Index is a package index that a file names.
type Index struct {
	URL   string `json:"url"`             // without user and password
	Extra bool   `json:"extra,omitempty"` // beside another: whoever takes a name on either is installed
	Place Place  `json:"place"`
}

// A Reason says in one word why a line could not be checked.
type Reason string

// The reasons.
const (
	Unpinned Reason = "unpinned" // any version would do
	Range    Reason = "range"    // several versions would do
	URL      Reason = "url"      // an archive without a version
	VCS      Reason = "vcs"      // a checkout
	Path     Reason = "path"     // a folder or file of some machine
	Variable Reason = "variable" // ${VAR}: what it means depends on the machine
	Marker   Reason = "marker"   // a marker that cannot be read
	Version  Reason = "version"  // not a version as PEP 440 has it
	Option   Reason = "option"   // an option that is not known
	Missing  Reason = "missing"  // an included file that is not there
	Native   Reason = "native"   // not a Python package: conda's compilers and libraries
	Syntax   Reason = "syntax"   // anything else that is not understood
)

// Unread is a line that asks for something that could not be checked. It is
// never passed: a person decides.
type Unread struct {
	Place  Place    `json:"place"`
	Reason Reason   `json:"reason"`
	Name   string   `json:"name,omitempty"`  // of the package, where it is known; normalised
	Wants  string   `json:"wants,omitempty"` // ">=1.2": what is asked for, without secrets
	Marker string   `json:"marker,omitempty"`
	Groups []string `json:"groups,omitempty"` // as of a Package; "build" is what builds the project
	Direct bool     `json:"direct,omitempty"`
}
