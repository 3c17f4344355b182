package configs

import (
	_ "embed"
	"strings"
	"sync"

	"github.com/sallyport/sallyport/internal/inspect/configs/objects"
)

//go:embed skops.txt
var skopsText string

//go:embed targets.txt
var targetsText string

//go:embed refused.txt
var refusedText string

// skopsTypes are "loader module name" of what a schema may name.
var skopsTypes = sync.OnceValue(func() map[string]bool { return entries(skopsText) })

// targets are the dotted names that a configuration may call.
var targets = sync.OnceValue(func() map[string]bool { return entries(targetsText) })

// entries reads a list with one entry on a line.
func entries(text string) map[string]bool {
	out := map[string]bool{}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			out[line] = true
		}
	}
	return out
}

// refused reports whether a dotted name is one of those that have no place in a
// model, or lies below one. It only tells worse from bad.
func refused(name string) bool { return objects.Listed(refusedText, name) }
