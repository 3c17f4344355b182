package pickles

import (
	_ "embed"
	"strings"
)

//go:embed standard.txt
var standard string

// Known reports whether a dotted name, "os.system", stands on a list of this
// package, allowed or denied. Such a name was given by whoever wrote the library.
// Any other may be made up by the file: a pickle can name whom it likes.
func Known(name string) bool {
	for i := range len(name) {
		if name[i] != '.' {
			continue
		}
		module, name := name[:i], name[i+1:]
		if knows(module, name) || knows(modern(module, name)) {
			return true
		}
	}
	return false
}

func knows(module, name string) bool {
	if _, ok := lookup(module, name); ok {
		return true
	}
	if !plainName(module) || !plainName(name) {
		return false
	}
	if _, ok := search(body(denied), module+" "+name+" "); ok {
		return true
	}
	names, _ := search(body(standard), module+" ")
	return strings.Contains(" "+names+" ", " "+name+" ")
}
