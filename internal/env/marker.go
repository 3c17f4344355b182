package env

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/internal/lazyregexp"
)

// A marker says whether an entry of a lock holds for an interpreter, given the
// values of its variables (PEP 508, "Environment Markers").
type marker func(values map[string]string) bool

// markerVariables are the variables that Python reports about itself. Others
// are known to be unset: no extras and no groups are installed.
var (
	markerVariables = []string{"os_name", "sys_platform", "platform_machine", "platform_python_implementation", "platform_release",
		"platform_system", "platform_version", "python_version", "python_full_version", "implementation_name", "implementation_version"}
	unsetVariables = []string{"extra", "extras", "dependency_groups"}
	markerOps      = []string{"===", "==", "~=", "!=", "<=", ">=", "<", ">"}
	markerToken    = lazyregexp.New(`^\s*(\(|\)|'[^']*'|"[^"]*"|===|==|~=|!=|<=|>=|<|>|[a-z_]+)`)
)

var errMarker = errors.New("not a marker of PEP 508")

// A markerParser is a recursive descent over the grammar of PEP 508.
type markerParser struct {
	tokens []string
	depth  int
}

// parseMarker reads a marker. Nothing in it is left to be found out later: an
// unknown variable or operator is an error now.
func parseMarker(s string) (marker, error) {
	p := &markerParser{}
	for rest := strings.TrimRight(s, " \t"); rest != ""; {
		m := markerToken.FindStringSubmatchIndex(rest)
		if m == nil {
			return nil, errMarker
		}
		p.tokens = append(p.tokens, rest[m[2]:m[3]])
		rest = rest[m[1]:]
	}
	m, err := p.or()
	if err == nil && len(p.tokens) > 0 {
		err = errMarker
	}
	return m, err
}

func (p *markerParser) next() string {
	if len(p.tokens) == 0 {
		return ""
	}
	t := p.tokens[0]
	p.tokens = p.tokens[1:]
	return t
}

func (p *markerParser) accept(token string) bool {
	if len(p.tokens) > 0 && p.tokens[0] == token {
		p.next()
		return true
	}
	return false
}

func (p *markerParser) or() (marker, error) {
	left, err := p.and()
	for err == nil && p.accept("or") {
		var right marker
		a := left
		right, err = p.and()
		left = func(v map[string]string) bool { return a(v) || right(v) }
	}
	return left, err
}

func (p *markerParser) and() (marker, error) {
	left, err := p.term()
	for err == nil && p.accept("and") {
		var right marker
		a := left
		right, err = p.term()
		left = func(v map[string]string) bool { return a(v) && right(v) }
	}
	return left, err
}

func (p *markerParser) term() (marker, error) {
	if !p.accept("(") {
		return p.comparison()
	}
	if p.depth++; p.depth > 64 {
		return nil, errMarker
	}
	m, err := p.or()
	p.depth--
	if err == nil && !p.accept(")") {
		err = errMarker
	}
	return m, err
}

// A side of a comparison: a literal or a variable.
type side struct {
	variable, literal string
}

func (s side) value(v map[string]string) string {
	if s.variable != "" {
		return v[s.variable]
	}
	return s.literal
}

func (p *markerParser) side() (side, error) {
	t := p.next()
	switch {
	case len(t) >= 2 && (t[0] == '\'' || t[0] == '"'):
		return side{literal: t[1 : len(t)-1]}, nil
	case slices.Contains(markerVariables, t), slices.Contains(unsetVariables, t):
		return side{variable: t}, nil
	}
	return side{}, errMarker
}

func (p *markerParser) comparison() (marker, error) {
	left, err := p.side()
	if err != nil {
		return nil, err
	}
	op := p.next()
	if op == "not" {
		op += " " + p.next()
	}
	right, err := p.side()
	if err != nil {
		return nil, err
	}
	switch {
	case op == "in" || op == "not in":
		// An unset variable holds nothing; the empty text would be in any text.
		return func(v map[string]string) bool {
			a, b := left.value(v), right.value(v)
			unset := slices.Contains(unsetVariables, left.variable) || slices.Contains(unsetVariables, right.variable)
			return (!unset && strings.Contains(b, a)) == (op == "in")
		}, nil
	case !slices.Contains(markerOps, op):
		return nil, errMarker
	case versionVariable(left.variable), versionVariable(right.variable):
		return versionComparison(left, op, right)
	}
	return textComparison(left, op, right)
}

func versionVariable(name string) bool {
	return name == "python_version" || name == "python_full_version" || name == "implementation_version"
}

// textComparison compares texts. PEP 508 lets < and its like fall back to the
// order of texts, which no lock means; they are refused.
func textComparison(left side, op string, right side) (marker, error) {
	switch op {
	case "==", "===":
		return func(v map[string]string) bool { return left.value(v) == right.value(v) }, nil
	case "!=":
		return func(v map[string]string) bool { return left.value(v) != right.value(v) }, nil
	}
	return nil, errors.New("an order of texts")
}

func versionComparison(left side, op string, right side) (marker, error) {
	for _, s := range []side{left, right} {
		if s.variable == "" {
			if _, ok := parseVersion(strings.TrimSuffix(s.literal, ".*")); !ok || strings.HasSuffix(s.literal, ".*") && op != "==" && op != "!=" {
				return nil, errMarker
			}
		}
	}
	return func(v map[string]string) bool { return compareVersions(left.value(v), op, right.value(v)) }, nil
}

// A pyVersion is a version of Python: its release numbers, and whether it came
// before that release (3.13.0rc1).
type pyVersion struct {
	release []int
	pre     bool
}

var pyVersionForm = lazyregexp.New(`^([0-9]{1,6}(?:\.[0-9]{1,6}){0,5})((?:a|b|rc|\.?dev)[0-9]*)?\+?$`)

func parseVersion(s string) (pyVersion, bool) {
	m := pyVersionForm.FindStringSubmatch(s)
	if m == nil {
		return pyVersion{}, false
	}
	v := pyVersion{pre: m[2] != ""}
	for part := range strings.SplitSeq(m[1], ".") {
		n, _ := strconv.Atoi(part) // the form allows digits only, and few
		v.release = append(v.release, n)
	}
	return v, true
}

func (v pyVersion) compare(w pyVersion) int {
	for i := range max(len(v.release), len(w.release)) {
		if d := v.at(i) - w.at(i); d != 0 {
			return d
		}
	}
	switch {
	case v.pre == w.pre:
		return 0
	case v.pre:
		return -1
	}
	return 1
}

func (v pyVersion) at(i int) int {
	if i < len(v.release) {
		return v.release[i]
	}
	return 0
}

// compareVersions applies an operator of PEP 440 to two versions of Python. A
// version that cannot be read satisfies nothing.
func compareVersions(a, op, b string) bool {
	prefix, wild := strings.CutSuffix(b, ".*")
	v, okA := parseVersion(a)
	w, okB := parseVersion(prefix)
	if !okA || !okB {
		return false
	}
	if wild {
		v.release, v.pre = v.release[:min(len(v.release), len(w.release))], false
	}
	c := v.compare(w)
	switch op {
	case "==":
		return c == 0
	case "===":
		return a == b
	case "!=":
		return c != 0
	case "<=":
		return c <= 0
	case ">=":
		return c >= 0
	case "<":
		return c < 0
	case ">":
		return c > 0
	case "~=":
		n := len(w.release) - 1
		return n > 0 && c >= 0 && slices.Equal(padded(v.release, n), w.release[:n])
	}
	return false
}

func padded(release []int, n int) []int {
	return append(slices.Clone(release), make([]int, n)...)[:n]
}

var specifierForm = lazyregexp.New(`^(===|==|~=|!=|<=|>=|<|>)\s*([0-9A-Za-z.*+]+)$`)

// satisfies reports whether a version of Python is one that a requires-python
// allows: a comma-separated list of specifiers, all of which have to hold.
func satisfies(version, requires string) bool {
	if requires == "" {
		return true
	}
	for s := range strings.SplitSeq(requires, ",") {
		m := specifierForm.FindStringSubmatch(strings.TrimSpace(s))
		if m == nil || !compareVersions(version, m[1], m[2]) {
			return false
		}
	}
	return true
}
