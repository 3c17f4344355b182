package env

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// readTOML reads a TOML 1.0 document into maps (map[string]any), lists ([]any),
// texts, int64, float64 and bool. Dates and times are left as their text: locks
// hold them, and nothing asks for them.
//
// Each table carries the number of the line where it begins under lineKey.
func readTOML(text string) (map[string]any, error) {
	p := &tomlParser{text: strings.ReplaceAll(text, "\r\n", "\n"), line: 1, defined: map[string]bool{}}
	root := map[string]any{lineKey: int64(1)}
	p.table = root
	for {
		p.blank(true)
		if p.rest() == "" {
			return root, nil
		}
		var err error
		if p.peek() == '[' {
			err = p.header(root)
		} else {
			err = p.pair(p.table)
		}
		if err == nil {
			err = p.endOfLine()
		}
		if err != nil {
			return nil, err
		}
	}
}

// lineKey is no key that a document can have: not even a quoted one holds a NUL.
const lineKey = "\x00line"

// maxNesting bounds lists and tables within each other.
const maxNesting = 64

type tomlParser struct {
	text    string
	at      int
	line    int
	depth   int
	path    string          // of the current table, for defined
	table   map[string]any  // that pairs go into
	defined map[string]bool // tables that a header has named, by path
}

// A tomlError gives the line that cannot be read.
type tomlError struct {
	line int
	msg  string
}

func (e *tomlError) Error() string { return e.msg }

func (p *tomlParser) fail(format string, args ...any) error {
	return &tomlError{p.line, fmt.Sprintf(format, args...)}
}

func (p *tomlParser) rest() string { return p.text[p.at:] }

// peek returns the next byte, or 0 at the end.
func (p *tomlParser) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *tomlParser) accept(s string) bool {
	if strings.HasPrefix(p.rest(), s) {
		p.at += len(s)
		return true
	}
	return false
}

// blank skips spaces and tabs, and with lines also comments and line ends.
func (p *tomlParser) blank(lines bool) {
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case c == ' ' || c == '\t':
			p.at++
		case c == '\n' && lines:
			p.line++
			p.at++
		case c == '#' && lines:
			p.comment()
		default:
			return
		}
	}
}

func (p *tomlParser) comment() {
	if end := strings.IndexByte(p.rest(), '\n'); end >= 0 {
		p.at += end
	} else {
		p.at = len(p.text)
	}
}

func (p *tomlParser) endOfLine() error {
	p.blank(false)
	if p.peek() == '#' {
		p.comment()
	}
	if p.at < len(p.text) && p.peek() != '\n' {
		return p.fail("more on the line than one entry")
	}
	return nil
}

// header reads [a.b] or [[a.b]] and makes that table the current one.
func (p *tomlParser) header(root map[string]any) error {
	list := p.accept("[[")
	closing := "]]"
	if !list {
		p.at++
		closing = "]"
	}
	keys, err := p.keys()
	if err != nil {
		return err
	}
	if !p.accept(closing) {
		return p.fail("a table's name is not closed")
	}
	parent := root
	for i, k := range keys[:len(keys)-1] {
		if parent, err = p.descend(parent, k, joined(keys[:i+1])); err != nil {
			return err
		}
	}
	last, path := keys[len(keys)-1], joined(keys)
	if list {
		return p.appendTable(parent, last, path)
	}
	if p.defined[path] || p.defined["[]"+path] {
		return p.fail("a table for the second time")
	}
	if p.table, err = p.descend(parent, last, path); err != nil {
		return err
	}
	p.defined[path], p.path = true, path
	return nil
}

// joined returns the path of a table. A NUL is in no name, so paths differ when
// names do.
func joined(keys []string) string { return "\x00" + strings.Join(keys, "\x00") }

// appendTable begins a new table of the list of tables at parent[key].
func (p *tomlParser) appendTable(parent map[string]any, key, path string) error {
	tables, ok := parent[key].([]any)
	if parent[key] != nil && (!ok || !p.defined["[]"+path]) {
		return p.fail("a list of tables where something else is already")
	}
	p.defined["[]"+path] = true
	// What stands below the last item's name may now be named anew.
	for name := range p.defined {
		if strings.HasPrefix(strings.TrimPrefix(name, "[]"), path+"\x00") {
			delete(p.defined, name)
		}
	}
	p.table, p.path = map[string]any{lineKey: int64(p.line)}, path
	parent[key] = append(tables, p.table)
	return nil
}

// descend returns the table at parent[key], the last one of a list of tables,
// or a new one.
func (p *tomlParser) descend(parent map[string]any, key, path string) (map[string]any, error) {
	switch v := parent[key].(type) {
	case nil:
		t := map[string]any{lineKey: int64(p.line)}
		parent[key] = t
		return t, nil
	case map[string]any:
		if !p.defined["{}"+path] {
			return v, nil
		}
	case []any:
		if p.defined["[]"+path] {
			return v[len(v)-1].(map[string]any), nil // such lists hold tables only, and at least one
		}
	}
	return nil, p.fail("a table where something else is already")
}

// pair reads KEY = VALUE into table.
func (p *tomlParser) pair(table map[string]any) error {
	keys, err := p.keys()
	if err != nil {
		return err
	}
	if !p.accept("=") {
		return p.fail("a name without = and a value")
	}
	p.blank(false)
	inline := p.peek() == '{'
	path := p.path
	for _, k := range keys[:len(keys)-1] {
		path += "\x00" + k
		if table, err = p.descend(table, k, path); err != nil {
			return err
		}
		p.defined[path] = true
	}
	last := keys[len(keys)-1]
	if _, taken := table[last]; taken {
		return p.fail("a name for the second time")
	}
	if table[last], err = p.value(); err != nil {
		return err
	}
	if inline {
		p.defined["{}"+path+"\x00"+last] = true // an inline table is complete
	}
	return nil
}

var bareKey = regexp.MustCompile(`^[A-Za-z0-9_-]+`)

// keys reads a dotted name and the blanks around its parts.
func (p *tomlParser) keys() ([]string, error) {
	var out []string
	for {
		p.blank(false)
		var key string
		var err error
		switch c := p.peek(); {
		case c == '"' || c == '\'':
			p.at++
			key, err = p.str(c, false)
		default:
			key = bareKey.FindString(p.rest())
			p.at += len(key)
			if key == "" {
				err = p.fail("a name is missing")
			}
		}
		if err != nil {
			return nil, err
		}
		if out = append(out, key); len(out) > maxNesting {
			return nil, p.fail("a name of too many parts")
		}
		p.blank(false)
		if !p.accept(".") {
			return out, nil
		}
	}
}

func (p *tomlParser) value() (any, error) {
	switch c := p.peek(); c {
	case '"', '\'':
		if p.accept(strings.Repeat(string(c), 3)) {
			p.accept("\n") // which is not part of the text
			if p.text[p.at-1] == '\n' {
				p.line++
			}
			return p.str(c, true)
		}
		p.at++
		return p.str(c, false)
	case '[', '{':
		if p.depth++; p.depth > maxNesting {
			return nil, p.fail("nested more than %d deep", maxNesting)
		}
		defer func() { p.depth-- }()
		p.at++
		if c == '[' {
			return p.list()
		}
		return p.inlineTable()
	}
	return p.plain()
}

func (p *tomlParser) list() (any, error) {
	out := []any{}
	for {
		p.blank(true)
		if p.accept("]") {
			return out, nil
		}
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		out = append(out, v)
		p.blank(true)
		if !p.accept(",") && p.peek() != ']' {
			return nil, p.fail("a list is not closed")
		}
	}
}

func (p *tomlParser) inlineTable() (any, error) {
	table := map[string]any{lineKey: int64(p.line)}
	// Names within are checked against this table only.
	outer, path := p.defined, p.path
	p.defined, p.path = map[string]bool{}, ""
	defer func() { p.defined, p.path = outer, path }()
	p.blank(false)
	if p.accept("}") {
		return table, nil
	}
	for {
		if err := p.pair(table); err != nil {
			return nil, err
		}
		p.blank(false)
		if p.accept("}") {
			return table, nil
		}
		if !p.accept(",") {
			return nil, p.fail("an inline table is not closed")
		}
	}
}

// str reads a text after its opening quotes.
func (p *tomlParser) str(quote byte, long bool) (string, error) {
	closing := strings.Repeat(string(quote), 3)
	if !long {
		closing = closing[:1]
	}
	var b strings.Builder
	for p.at < len(p.text) {
		if p.accept(closing) {
			// A long text may end in one or two quotes of its own.
			for range 2 {
				if long && p.peek() == quote {
					b.WriteByte(quote)
					p.at++
				}
			}
			return b.String(), nil
		}
		c := p.text[p.at]
		p.at++
		switch {
		case c == '\n' && !long:
			return "", p.fail("a text is not closed on its line")
		case c == '\n':
			p.line++
			b.WriteByte(c)
		case c < ' ' && c != '\t' || c == 0x7f:
			return "", p.fail("a control character in a text")
		case c == '\\' && quote == '"':
			if err := p.escape(&b, long); err != nil {
				return "", err
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", p.fail("a text is not closed")
}

var escapes = map[byte]string{'b': "\b", 't': "\t", 'n': "\n", 'f': "\f", 'r': "\r", '"': `"`, '\\': `\`}

func (p *tomlParser) escape(b *strings.Builder, long bool) error {
	c := p.peek()
	p.at++
	if s, ok := escapes[c]; ok {
		b.WriteString(s)
		return nil
	}
	digits := map[byte]int{'u': 4, 'U': 8}[c]
	switch {
	case digits > 0 && p.at+digits <= len(p.text):
		n, err := strconv.ParseUint(p.text[p.at:p.at+digits], 16, 32)
		if err != nil || n > utf8.MaxRune || !utf8.ValidRune(rune(n)) {
			return p.fail("no such character")
		}
		p.at += digits
		b.WriteRune(rune(n))
		return nil
	case long && (c == '\n' || c == ' ' || c == '\t'):
		// A backslash at the end of a line swallows the blanks up to the next text.
		p.at--
		end := len(p.rest()) - len(strings.TrimLeft(p.rest(), " \t\n"))
		lines := strings.Count(p.rest()[:end], "\n")
		if lines == 0 || strings.Trim(strings.SplitN(p.rest(), "\n", 2)[0], " \t") != "" {
			return p.fail("no such escape")
		}
		p.line += lines
		p.at += end
		return nil
	}
	return p.fail("no such escape")
}

var (
	plainForm = regexp.MustCompile(`^[A-Za-z0-9_+.:-]+( [0-9]{2}:[0-9]{2}[0-9:.Zz+-]*)?`)
	intForm   = regexp.MustCompile(`^([+-]?(0|[1-9](_?[0-9])*)|0x[0-9A-Fa-f](_?[0-9A-Fa-f])*|0o[0-7](_?[0-7])*|0b[01](_?[01])*)$`)
	floatForm = regexp.MustCompile(`^([+-]?(0|[1-9](_?[0-9])*)(\.[0-9](_?[0-9])*)?([eE][+-]?[0-9](_?[0-9])*)?|[+-]?(inf|nan))$`)
	dateForm  = regexp.MustCompile(`^([0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9:.]+([Zz]|[+-][0-9]{2}:[0-9]{2})?)?|[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?)$`)
)

// plain reads a value without quotes.
func (p *tomlParser) plain() (any, error) {
	s := plainForm.FindString(p.rest())
	p.at += len(s)
	switch {
	case s == "true" || s == "false":
		return s == "true", nil
	case intForm.MatchString(s):
		n, err := strconv.ParseInt(s, 0, 64)
		if err != nil {
			return nil, p.fail("a number that is out of range")
		}
		return n, nil
	case floatForm.MatchString(s):
		f, err := strconv.ParseFloat(strings.ReplaceAll(s, "_", ""), 64)
		if err != nil {
			return nil, p.fail("a number that is out of range")
		}
		return f, nil
	case dateForm.MatchString(s):
		return s, nil
	}
	return nil, p.fail("not a value")
}
