package graphs

import (
	"path"
	"strings"

	"github.com/sallyport/sallyport/internal/inspect"
)

// beside looks up a file that a graph names at off, and reports whether it is a
// regular file in the folder of f or below, of which nothing leads elsewhere.
// What is wrong with it has then been told.
func beside(p *inspect.Pass, f *inspect.File, off int64, location string) (inspect.Entry, bool) {
	found := inspect.Finding{Rule: ruleFile, Verdict: inspect.Suspicious, Offset: off, What: location}
	name := f.Beside(location)
	entry, there := f.Around.Lookup(name)
	switch {
	case leaves(location):
		found.Verdict, found.Why = inspect.Malicious, "it leaves the folder of the model: whoever loads it reads another file of the machine"
	case name == "":
		found.Why = "it is not the plain name of a file in the folder of the model"
	case !there:
		found.Verdict, found.Why = inspect.Inconclusive, "the file is not there"
	case !entry.Regular:
		found.Why = "it is a link or no file: it may lead to any file of the machine"
	case entry.Links > 1:
		found.Why = "the file has other names: it may be any file of the machine"
	default:
		return entry, true
	}
	p.Find(f, found)
	return entry, false
}

// leaves reports whether a path, as any system reads it, may lead out of the
// folder that it is relative to.
func leaves(name string) bool {
	name = strings.ReplaceAll(name, "\\", "/")
	clean := path.Clean(name)
	return name == "" || path.IsAbs(name) || strings.ContainsAny(name, ":\x00") || clean == ".." || strings.HasPrefix(clean, "../")
}
