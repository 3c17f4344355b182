package pep508

import (
	"errors"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/lazyregexp"
)

// A Marker says on which interpreters a requirement holds.
type Marker struct {
	text  string
	holds func(values map[string]string) bool
}

// String is the marker as it was written.
func (m *Marker) String() string { return m.text }

// Holds reports whether the marker holds for an interpreter, given the values of
// the variables that Python reports about itself (Variables). No extras and no
// groups are installed.
func (m *Marker) Holds(values map[string]string) bool { return m.holds(values) }

// Variables are what Python reports about itself.
var Variables = []string{"os_name", "sys_platform", "platform_machine", "platform_python_implementation", "platform_release",
	"platform_system", "platform_version", "python_version", "python_full_version", "implementation_name", "implementation_version"}

var (
	// unset are the variables of those who choose what to install.
	unset = []string{"extra", "extras", "dependency_groups"}
	// former are the names that variables had before PEP 508.
	former = map[string]string{"os.name": "os_name", "sys.platform": "sys_platform", "platform.version": "platform_version",
		"platform.machine": "platform_machine", "platform.python_implementation": "platform_python_implementation",
		"python_implementation": "platform_python_implementation"}
	operators = []string{"===", "==", "~=", "!=", "<=", ">=", "<", ">"}
	token     = lazyregexp.New(`^[ \t]*(\(|\)|'[^']*'|"[^"]*"|===|==|~=|!=|<=|>=|<|>|[a-z_.]+)`)
)

var errMarker = errors.New("not a marker of PEP 508")

// maxBrackets bounds brackets within each other.
const maxBrackets = 64

// A test is a marker, or a part of one.
type test = func(values map[string]string) bool

// A parser is a recursive descent over the grammar of PEP 508.
type parser struct {
	tokens []string
	depth  int
}

// ParseMarker reads a marker. Nothing in it is left to be found out later: an
// unknown variable or operator is an error now.
func ParseMarker(s string) (*Marker, error) {
	p := &parser{}
	for rest := strings.TrimRight(s, blank); rest != ""; {
		m := token.FindStringSubmatchIndex(rest)
		if m == nil {
			return nil, errMarker
		}
		p.tokens = append(p.tokens, rest[m[2]:m[3]])
		rest = rest[m[1]:]
	}
	holds, err := p.or()
	if err == nil && len(p.tokens) > 0 {
		err = errMarker
	}
	if err != nil {
		return nil, err
	}
	return &Marker{text: s, holds: holds}, nil
}

func (p *parser) next() string {
	if len(p.tokens) == 0 {
		return ""
	}
	t := p.tokens[0]
	p.tokens = p.tokens[1:]
	return t
}

func (p *parser) accept(token string) bool {
	if len(p.tokens) > 0 && p.tokens[0] == token {
		p.next()
		return true
	}
	return false
}

func (p *parser) or() (test, error) {
	left, err := p.and()
	for err == nil && p.accept("or") {
		var right test
		a := left
		right, err = p.and()
		left = func(v map[string]string) bool { return a(v) || right(v) }
	}
	return left, err
}

func (p *parser) and() (test, error) {
	left, err := p.term()
	for err == nil && p.accept("and") {
		var right test
		a := left
		right, err = p.term()
		left = func(v map[string]string) bool { return a(v) && right(v) }
	}
	return left, err
}

func (p *parser) term() (test, error) {
	if !p.accept("(") {
		return p.comparison()
	}
	if p.depth++; p.depth > maxBrackets {
		return nil, errMarker
	}
	t, err := p.or()
	p.depth--
	if err == nil && !p.accept(")") {
		err = errMarker
	}
	return t, err
}

// A side of a comparison: a literal or a variable.
type side struct {
	variable, literal string
}

func (s side) value(v map[string]string) string {
	switch {
	case s.variable == "python_full_version" && strings.HasSuffix(v[s.variable], "+"):
		return v[s.variable] + "local" // of a build between releases
	case s.variable != "":
		return v[s.variable]
	}
	return s.literal
}

func (p *parser) side() (side, error) {
	t := p.next()
	if len(t) >= 2 && (t[0] == '\'' || t[0] == '"') {
		return side{literal: t[1 : len(t)-1]}, nil
	}
	if now, ok := former[t]; ok {
		t = now
	}
	if slices.Contains(Variables, t) || slices.Contains(unset, t) {
		return side{variable: t}, nil
	}
	return side{}, errMarker
}

func (p *parser) comparison() (test, error) {
	left, err := p.side()
	if err != nil {
		return nil, err
	}
	op := p.next()
	if op == "not" {
		op += " " + p.next()
	}
	right, err := p.side()
	switch {
	case err != nil:
		return nil, err
	case op == "in" || op == "not in":
		return membership(left, op, right), nil
	case !slices.Contains(operators, op):
		return nil, errMarker
	}
	return compare(left, op, right)
}

// membership is "in" and "not in". An unset variable holds nothing; the empty
// text would be in any text.
func membership(left side, op string, right side) test {
	nothing := slices.Contains(unset, left.variable) || slices.Contains(unset, right.variable)
	return func(v map[string]string) bool {
		return (!nothing && strings.Contains(right.value(v), left.value(v))) == (op == "in")
	}
}
