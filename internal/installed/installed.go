// Package installed reads what lies in a folder of installed Python packages,
// and in a folder of archives that are to be installed: which packages there
// are, and whether their files are those that they promise to be.
//
// Nothing in either folder runs, is imported or is unpacked, and links are not
// followed. Whatever cannot be held against a promise is said: a file that no
// package owns up to, a package without a list of files, a program that starts
// with Python.
package installed

import (
	"cmp"
	"slices"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/lockfile"
)

// A Result is what a folder of installed packages holds.
type Result struct {
	List     lockfile.List `json:"list"`             // every package is of the format "installed"
	Python   string        `json:"python,omitempty"` // version of the interpreter that the folder is for, where it says so
	Dists    []Dist        `json:"dists,omitempty"`  // in the order of their names
	Natives  []Native      `json:"natives,omitempty"`
	Parts    []Part        `json:"parts,omitempty"` // what packages say that they carry inside (PEP 770)
	Problems []Problem     `json:"problems,omitempty"`
	Files    int           `json:"files"`    // that were read
	Bytes    int64         `json:"bytes"`    // in them
	Compiled int           `json:"compiled"` // byte code that no RECORD vouches for, beside a source that one does
}

// A Dist is an installed package, beside what lockfile.Package says of it.
type Dist struct {
	Name      string `json:"name"` // normalised
	Version   string `json:"version"`
	Path      string `json:"path"` // of its metadata
	License   string `json:"license,omitempty"`
	Python    string `json:"python,omitempty"` // the versions that it is for
	Installer string `json:"installer,omitempty"`
	Files     int    `json:"files"` // that its RECORD names
}

// A Native is a file of machine code.
type Native struct {
	Package   string           `json:"package,omitempty"`
	Path      string           `json:"path"`
	Name      string           `json:"name"`              // "libgfortran"
	Version   string           `json:"version,omitempty"` // as the name of the file has it; "": nobody knows
	Soname    string           `json:"soname,omitempty"`  // as the file has it
	Extension bool             `json:"extension,omitempty"`
	Digest    sallyport.Digest `json:"digest"`
}

// A Part is a component of a package's own bill of materials.
type Part struct {
	Package string `json:"package"` // that carries it
	Path    string `json:"path"`    // of the bill
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	PURL    string `json:"purl,omitempty"`
}

// A Rule names a kind of problem.
type Rule string

// The problems of installed packages.
const (
	Altered    Rule = "altered"    // a file's bytes are not those that its RECORD names
	Missing    Rule = "missing"    // a file that a RECORD names is not there
	Stray      Rule = "stray"      // a file that no package owns up to
	Unrecorded Rule = "unrecorded" // nothing says what a file or a package's files have to be
	Duplicate  Rule = "duplicate"  // a package is there twice
	Outside    Rule = "outside"    // a path that leaves the folder
	Unseen     Rule = "unseen"     // files that lie beside the folder that was given
	Link       Rule = "link"       // neither a file nor a folder
	StartCode  Rule = "start-code" // code that runs whenever Python starts
	StartPath  Rule = "start-path" // a place that Python takes modules from besides
	Script     Rule = "script"     // a program that is no entry point
	Unreadable Rule = "unreadable" // metadata that cannot be understood
)

// The problems of archives.
const (
	Mismatch  Rule = "mismatch"   // a file's bytes are none that the lock allows
	Unasked   Rule = "unasked"    // a file that the lock does not ask for
	Absent    Rule = "absent"     // a package without a file
	BuildCode Rule = "build-code" // installing it runs code
	Misnamed  Rule = "misnamed"   // a name and what it stands for are of different packages
	Mistagged Rule = "mistagged"  // a wheel's name and what is in it are for different platforms, as of some honest ones
)

// A Problem is something that a person should know.
type Problem struct {
	Rule    Rule   `json:"rule"`
	Package string `json:"package,omitempty"` // normalised
	Version string `json:"version,omitempty"`
	Path    string `json:"path,omitempty"`
	Line    int    `json:"line,omitempty"`
	What    string `json:"what"` // what is wrong
}

// inOrder sorts problems by path, line and rule.
func inOrder(problems []Problem) {
	slices.SortFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.Package, b.Package), cmp.Compare(a.What, b.What))
	})
}
