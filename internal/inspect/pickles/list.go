package pickles

import (
	"embed"
	"strings"
	"sync"
)

// The lists are text, sorted, a line "module name contract" for each name, after
// a head of comments. They are searched as they are: a scan looks up few names
// of the many thousands, and a program that scans nothing pays nothing.
//
// Folder globals is written by generate/classes.py, folder reviewed by hand.
//
//go:embed all:globals all:reviewed
var lists embed.FS

//go:embed denied.txt
var denied string

//go:embed modules.txt
var modules string

// importable reports whether a Python that loads models has a module of this
// name, or its package.
func importable(module string) bool {
	top, _, _ := strings.Cut(module, ".")
	_, ok := search(body(modules), top+" ")
	return ok
}

// texts holds the lists that were asked for, without their heads.
var texts sync.Map

// list returns a list by its file name, "" if there is none.
func list(file string) string {
	if text, ok := texts.Load(file); ok {
		return text.(string)
	}
	data, _ := lists.ReadFile(file)
	text := body(string(data))
	texts.Store(file, text)
	return text
}

// body is what follows the head of comments.
func body(text string) string {
	for strings.HasPrefix(text, "#") {
		_, text, _ = strings.Cut(text, "\n")
	}
	return text
}

// An entry is a line of an allow list.
type entry struct {
	module, name string
	use          contract
}

// lookup returns the entry of exactly this name.
func lookup(module, name string) (*entry, bool) {
	if !plainName(module) || !plainName(name) {
		return nil, false
	}
	top, _, _ := strings.Cut(module, ".")
	for _, file := range [...]string{"reviewed/" + top + ".txt", "globals/" + top + ".txt", "reviewed/python.txt", "reviewed/scripts.txt"} {
		if text, ok := search(list(file), module+" "+name+" "); ok {
			return &entry{module, name, parseContract(text)}, true
		}
	}
	return nil, false
}

// search returns the rest of the line that begins with the key in a sorted text
// of lines.
func search(text, key string) (rest string, ok bool) {
	low, high := 0, len(text) // whole lines
	for low < high {
		mid := low + (high-low)/2
		start := strings.LastIndexByte(text[low:mid], '\n') + 1 + low
		end := start + strings.IndexByte(text[start:], '\n') + 1
		line := text[start : end-1]
		switch {
		case strings.HasPrefix(line, key):
			return line[len(key):], true
		case line < key:
			low = end
		default:
			high = start
		}
	}
	return "", false
}

// plainName reports whether s is a name of Python in ASCII, with dots. No name
// with anything else is on a list, and none that could be taken for two words.
func plainName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c != '_' && c != '.' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return s != ""
}

// denial says why a name has no place in a model; "" if nobody said so. The list
// names modules ("os *") and single names; a package stands for all below it.
func denial(text, module, name string) string {
	module, name = modern(module, name)
	if head, rest, dotted := strings.Cut(name, "."); dotted { // os.system through random._os.system
		for _, part := range strings.Split(rest, ".") {
			if why := denial(text, "builtins", part); why != "" {
				return why
			}
			if why, ok := denyLine(text, strings.TrimPrefix(head, "_"), part); ok {
				return why
			}
		}
	}
	for m := module; m != ""; m = m[:max(0, strings.LastIndexByte(m, '.'))] {
		if why, ok := denyLine(text, m, name); ok {
			return why
		}
	}
	return ""
}

func denyLine(text, module, name string) (string, bool) {
	if !plainName(module) {
		return "", false
	}
	if why, ok := search(body(text), module+" * "); ok {
		return why, true
	}
	if !plainName(name) {
		return "", false
	}
	return search(body(text), module+" "+name+" ")
}

// modern is a name of Python 2 as Python 3 reads it in protocols below 3, for
// the modules that lists know. Python 3 has no modules of the old names, so they
// can be read so in any protocol.
func modern(module, name string) (string, string) {
	switch module {
	case "__builtin__":
		switch name {
		case "xrange":
			return "builtins", "range"
		case "unicode":
			return "builtins", "str"
		case "long":
			return "builtins", "int"
		case "reduce":
			return "functools", "reduce"
		case "intern":
			return "sys", "intern"
		}
		return "builtins", name
	case "exceptions":
		return "builtins", name
	case "copy_reg":
		return "copyreg", name
	case "cPickle", "_pickle":
		return "pickle", name
	case "commands":
		return "subprocess", name
	case "UserDict":
		return "collections", name
	}
	return module, name
}
