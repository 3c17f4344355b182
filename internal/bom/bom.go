// Package bom writes and reads bills of materials: what a project is made of,
// in the two formats that others read.
//
// CycloneDX 1.6 and SPDX 2.3 are written, both as JSON. The same document makes
// the same bytes, so a bill can be hashed, signed and compared. What was asked
// for but could not be read is in it too, and the bill says of itself that it is
// incomplete.
//
// CycloneDX 1.2 to 1.6 and SPDX 2.2 and 2.3 are read, of whichever maker. What
// is no Python package by its package URL comes back as Unread.
package bom

import (
	"io"
	"time"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/advisory"
	"github.com/sallyport/sallyport/internal/lockfile"
	"github.com/sallyport/sallyport/internal/purl"
	"github.com/sallyport/sallyport/internal/vex"
)

// The formats that Write knows.
const (
	CycloneDX = "cyclonedx"
	SPDX      = "spdx"
)

// Formats are all there are.
var Formats = []string{CycloneDX, SPDX}

// A Doc is what a bill of materials says.
type Doc struct {
	Name    string    // of the project
	Version string    // of the project; a commit, as a rule
	Tool    string    // version of Sallyport
	Made    time.Time // zero: not said
	List    *lockfile.List
	// Parts is what else is inside: the interpreter, and native libraries of
	// packages. Nil means that nobody has looked; empty, that there is nothing.
	Parts           []Part
	Vulnerabilities []Vulnerability // CycloneDX only: SPDX 2.3 has no place for them
}

// ProjectPURL is how a project is called where only a package URL will do: in
// bills of materials, and in statements about vulnerabilities.
func ProjectPURL(name, version string) string {
	return purl.PURL{Type: purl.Generic, Name: name, Version: version}.String()
}

// The kinds of parts.
const (
	Interpreter = "interpreter"
	Library     = "library"
)

// A Part is something that is no Python package.
type Part struct {
	Kind    string // Interpreter or Library
	Name    string
	Version string           // "": nobody knows
	PURL    string           // as somebody else's bill has it
	Digest  sallyport.Digest // of its file
	Package string           // normalised name of the package that carries it; "": none
	Path    string           // of its file, within the environment
}

// A Vulnerability is an advisory that affects a package, and what somebody has
// decided about it.
type Vulnerability struct {
	Package  string // normalised
	Version  string
	Hit      *advisory.Hit
	Decision *vex.Statement // nil: nobody has decided
}

// Write writes a bill of materials in one of the formats.
func Write(w io.Writer, format string, doc Doc) error {
	switch {
	case doc.Name == "":
		return sallyport.Errorf(sallyport.Invalid, "a bill of materials of a project without a name").Try("name the project in sallyport.yaml")
	case format == CycloneDX:
		return writeCycloneDX(w, &doc)
	case format == SPDX:
		return writeSPDX(w, &doc)
	}
	return sallyport.Errorf(sallyport.Usage, "no format of bills of materials is named %q", format).Try("choose from cyclonedx, spdx")
}
