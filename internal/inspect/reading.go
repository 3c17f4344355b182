package inspect

import "errors"

// A Fit says how well a file's bytes suit a format.
type Fit uint8

const (
	No    Fit = iota // they cannot be the format
	Maybe            // they could be: try, and return ErrNotThis if they are not
	Yes              // they are: whatever is wrong from here on is a finding
)

// A Reading is one way to understand a file: a format, how to recognise it by
// its content, and an inspector that reads and judges it. Every reading that a
// file allows is tried.
type Reading struct {
	Format string // "pickle", "onnx": shown to people
	// Extensions in lower case that promise this format, ".onnx". A file whose
	// extension promises formats and that is none of them has a name that lies.
	// Extensions that are used for many formats (".bin", ".pt") belong here only
	// if all of those claim them.
	Extensions []string
	// Generic formats (text, JSON, an image) say what a file is when no other
	// reading accepted it; they are not tried otherwise.
	Generic bool
	// Wraps is set for formats whose bytes may be another format as well, without
	// anything being wrong: it never makes a polyglot.
	Wraps bool
	// Plain formats are what people write or look at: source code, text,
	// pictures. No program loads them as a model.
	Plain bool
	// Match judges by content: head is the first 4 KiB at most. It may read more
	// of f, and look at its name and surroundings to decide between formats that
	// have no signature. It must not find fault: that is for Inspect.
	Match func(f *File, head []byte) Fit
	// Inspect reads the file and reports what it finds to p. It returns
	// ErrNotThis if the file is not of the format after all, and then must have
	// reported nothing; or what ended the reading: a *format.Error becomes a
	// finding by its kind, p's errors are passed on, and all others mean that the
	// file could not be read.
	Inspect func(p *Pass, f *File) error
}

// ErrNotThis is returned by Reading.Inspect for a file of another format.
var ErrNotThis = errors.New("the file is not of this format")
