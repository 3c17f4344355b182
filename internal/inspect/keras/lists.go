package keras

import (
	_ "embed"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/sallyport/sallyport/internal/inspect/configs/objects"
)

//go:embed classes.txt
var classesText string

//go:embed tfops.txt
var tfopsText string

//go:embed refused.txt
var refusedText string

// A class is what is known of a class of Keras: the numbers of the modules under
// which it is written, as text, and the names that it registers under.
type class struct {
	modules    []string
	registered []string
}

// lists are what a configuration may name.
type lists struct {
	modules   []string
	classes   map[string]class
	functions map[string]bool
	folded    map[string]bool // names of classes, as fold has them
	tfops     map[string]bool
}

var known = sync.OnceValue(func() *lists {
	l := &lists{classes: map[string]class{}, functions: map[string]bool{}, folded: map[string]bool{}, tfops: map[string]bool{}}
	for line := range strings.Lines(classesText) {
		f := strings.Fields(line)
		switch f[0] {
		case "m":
			l.modules = append(l.modules, f[1])
		case "f":
			l.functions[f[1]] = true
		case "c":
			l.classes[f[1]] = class{strings.Split(f[2], ","), f[3:]}
			l.folded[fold(f[1])] = true
		}
	}
	for line := range strings.Lines(tfopsText) {
		l.tfops[strings.TrimSpace(line)] = true
	}
	return l
})

// class reports whether a class may be named: by module, or if module is "" by
// its name alone, as old files do.
func (l *lists) class(module, name string) bool {
	c, ok := l.classes[name]
	return ok && (module == "" || slices.ContainsFunc(c.modules, func(number string) bool {
		i, err := strconv.Atoi(number)
		return err == nil && i < len(l.modules) && l.modules[i] == module
	}))
}

// registers reports whether the class registers under the name.
func (l *lists) registers(class, name string) bool {
	return slices.Contains(l.classes[class].registered, name)
}

// functionModules are where functions are listed under.
var functionModules = [...]string{"activations", "losses", "metrics", "initializers", "regularizers", "constraints"}

// function reports whether a function may be named.
func (l *lists) function(module, name string) bool {
	if !l.functions[name] {
		return false
	}
	if module == "" || module == "builtins" {
		return true
	}
	for _, root := range [...]string{"keras.", "keras.src.", "tf_keras.", "tf_keras.src."} {
		if m, ok := strings.CutPrefix(module, root); ok {
			m, _, _ = strings.Cut(m, ".")
			return slices.Contains(functionModules[:], m)
		}
	}
	return false
}

// refused reports whether a dotted name is one of those that a configuration
// names to do harm, or lies below one.
func refused(name string) bool { return objects.Listed(refusedText, name) }
