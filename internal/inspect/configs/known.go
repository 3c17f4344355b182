package configs

import (
	"strings"
	"sync"
)

// Known reports whether a dotted name stands on a list of this package, allowed
// or refused. Any other may be made up by the file.
func Known(name string) bool { return targets()[name] || named()[name] }

// named are the types of skops, without the loaders that make them, and what is
// refused by its name.
var named = sync.OnceValue(func() map[string]bool {
	out := entries(refusedText)
	for entry := range skopsTypes() {
		_, name, _ := strings.Cut(entry, " ")
		out[strings.Replace(name, " ", ".", 1)] = true
	}
	return out
})
