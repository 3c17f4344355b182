package env

import (
	"errors"
	"strings"

	"github.com/BurntSushi/toml"
)

// again is what to do about a lock that its tool has not written like this.
const again = "make the lock again"

// decode reads a lock in TOML into root, which leaves each package raw: what is
// wrong with one can then be said at its line.
func (l *Lock) decode(b []byte, root any) (toml.MetaData, error) {
	if line := overgrown(string(b), maxNesting); line > 0 {
		return toml.MetaData{}, l.errorf(line, "not TOML that a tool writes: more than %d names or lists within each other", maxNesting).Try(again)
	}
	// What the decoder itself says repeats what is in the file.
	meta, err := toml.Decode(string(b), root)
	if syntax, ok := errors.AsType[toml.ParseError](err); ok {
		return meta, l.errorf(syntax.Position.Line, "not TOML").Try(again)
	}
	if err != nil {
		return meta, l.errorf(0, "its values are not those of a %s", l.Format).Try(again)
	}
	// The decoder takes Hash for hash. If there were both, either could win.
	spelling := map[string]string{}
	for _, key := range meta.Keys() {
		path := strings.Join(key, "\x00")
		folded := strings.ToLower(strings.ToUpper(path))
		if other, ok := spelling[folded]; ok && other != path {
			return meta, l.errorf(0, "a name in capital and in small letters").Try(again)
		}
		spelling[folded] = path
	}
	return meta, nil
}

// lines returns where each of n tables [[key]] begins. If the text does not have
// as many such lines, they are all 0: better no line than a wrong one.
func lines(text []byte, key string, n int) []int {
	var out []int
	line := 0
	for s := range strings.Lines(string(text)) {
		line++
		if strings.TrimSpace(s) == "[["+key+"]]" {
			out = append(out, line)
		}
	}
	if len(out) != n {
		return make([]int, n)
	}
	return out
}

// maxNesting bounds lists and tables within each other, and the parts of a
// dotted name. The decoder bounds neither: the stack that it needs grows with the
// first, and its time with the square of the second.
const maxNesting = 32

// overgrown returns the line at which a text in TOML exceeds a bound like
// maxNesting, or 0.
// Of a text that is not TOML it may say either, up to the mistake.
func overgrown(text string, most int) int {
	depth, parts := 0, 0
	for i := 0; i < len(text); {
		size := 1
		switch text[i] {
		case '"', '\'':
			size = quoted(text[i:])
		case '#':
			if size = strings.IndexByte(text[i:], '\n'); size < 0 {
				return 0
			}
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		case '.':
			parts++
		case '=', ',', '\n':
			parts = 0
		}
		if depth > most || parts > most {
			return 1 + strings.Count(text[:i], "\n")
		}
		i += size
	}
	return 0
}

// quoted returns the length of the text in quotes that s begins with. One of a
// single line that is not closed ends with its line.
func quoted(s string) int {
	quote, long := s[:1], strings.HasPrefix(s, strings.Repeat(s[:1], 3))
	if long {
		quote = s[:3]
	}
	for i := len(quote); i < len(s); i++ {
		switch {
		case s[i] == '\\' && s[0] == '"':
			i++
		case s[i] == '\n' && !long:
			return i
		case strings.HasPrefix(s[i:], quote) && !long:
			return i + 1
		case strings.HasPrefix(s[i:], quote):
			// A long text may end in quotes of its own.
			return len(s) - len(strings.TrimLeft(s[i:], s[:1]))
		}
	}
	return len(s)
}
