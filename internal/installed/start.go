package installed

import (
	"io/fs"
	"path"
	"strings"
	"unicode"
)

// maxStart bounds a file that Python reads when it starts.
const maxStart = 1 << 20

// start reads a .pth file as Python's module site does when it starts: a line
// that begins with import runs, any other is a folder to take modules from. A
// .start file (PEP 829) names functions that are called.
func (r *reader) start(site string, e fs.DirEntry) error {
	name := path.Join(site, e.Name())
	text, err := r.small(name, maxStart)
	if err != nil {
		r.problem(Problem{Rule: StartCode, Path: name, What: "a file that Python runs when it starts, and that cannot be read"})
		return nil
	}
	r.out.Problems = append(r.out.Problems, startLines(name, string(text))...)
	return nil
}

// startLines tells what the lines of a .pth or .start file do. Versions of
// Python differ in what ends a line: whatever one of them takes for an end is
// one here.
func startLines(name, text string) []Problem {
	var out []Problem
	calls := strings.HasSuffix(strings.ToLower(name), ".start")
	text = strings.ReplaceAll(strings.TrimPrefix(text, "\ufeff"), "\r\n", "\n")
	for i, line := range strings.Split(strings.Map(lineEnd, text), "\n") {
		said := strings.TrimFunc(line, func(c rune) bool { return c == 0 || unicode.IsSpace(c) })
		p := Problem{Path: name, Line: i + 1, What: printable(said, 60)}
		switch {
		case said == "" || said[0] == '#':
			continue
		case calls, strings.HasPrefix(said+" ", "import ") || strings.HasPrefix(said, "import\t"):
			p.Rule, p.What = StartCode, "runs whenever Python starts: "+p.What
		default:
			p.Rule, p.What = StartPath, "Python takes modules from here besides: "+p.What
		}
		out = append(out, p)
	}
	return out
}

// lineEnd makes one sign of all that Python's str.splitlines ends a line at.
func lineEnd(c rune) rune {
	if c >= '\n' && c <= '\r' || c >= 0x1c && c <= 0x1e || c == 0x85 || c == 0x2028 || c == 0x2029 {
		return '\n'
	}
	return c
}

// customize notes a module that Python imports whenever it starts.
func (r *reader) customize(site string, e fs.DirEntry) error {
	r.problem(Problem{Rule: StartCode, Path: path.Join(site, e.Name()), What: "a module that is imported whenever Python starts"})
	return nil
}
