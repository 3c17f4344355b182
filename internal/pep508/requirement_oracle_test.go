package pep508_test

import (
	"errors"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/pep440"
	"github.com/sallyport/sallyport/internal/pep508"
)

// requirement is one in any spelling that PEP 508 allows.
func (w writer) requirement() string {
	s := w.maybe(8, " ", "\t") + w.pick("flask", "Flask", "ruamel.yaml", "a", "A-b_C", "zope--interface", "x1", "3to2") + w.maybe(6, " ")
	if w.IntN(4) == 0 {
		s += w.pick("[dev]", "[a,b]", "[ a , B.c ]", "[]", "[ ]", "[x_y]") + w.maybe(4, " ")
	}
	switch w.IntN(6) {
	case 0:
		s += "@" + w.maybe(2, " ") + w.pick("https://example.org/x-1.0.tar.gz", "git+https://example.org/x@v1#egg=x", "file:///x;y", "x", "https://example.org/a;b#sha256=0") + " "
	case 1:
		s += "(" + w.maybe(3, " ") + w.clauses() + w.maybe(3, " ") + ")"
	case 2:
	default:
		s += w.clauses()
	}
	if w.IntN(3) == 0 {
		s += w.maybe(2, " ") + ";" + w.maybe(2, " ") + w.marker(2)
	}
	return s + w.maybe(8, " ", ",")
}

// marker is one, with brackets at most so deep.
func (w writer) marker(depth int) string {
	switch n := w.IntN(6); {
	case n == 0 && depth > 0:
		return "(" + w.marker(depth-1) + ")"
	case n == 1 && depth > 0:
		return w.marker(depth-1) + " and " + w.marker(depth-1)
	case n == 2 && depth > 0:
		return w.marker(depth-1) + " or " + w.marker(depth-1)
	}
	quote := w.pick("'", `"`)
	variable := w.pick(slices.Concat(pep508.Variables, []string{"extra", "python_version", "python_version", "sys_platform", "os.name", "python_implementation", "sys.platform"})...)
	value := quote + w.pick("3.11", "3.9", "3.12", "3.11.*", "3.11.7", "3.11.7rc1", "linux", "win32", "posix", "x86_64", "CPython", "cpython", "6.1", "dev", "", "lin", "3.10 3.11") + quote
	op := w.pick("==", "!=", "<", "<=", ">", ">=", "~=", "===", " in ", " not in ", " not  in ")
	gap := w.maybe(2, " ")
	if w.IntN(4) == 0 {
		return value + gap + op + gap + variable
	}
	return variable + gap + op + gap + value
}

// spoilt is a text with a change that may make it none.
func (w writer) spoilt(s string) string {
	at := w.IntN(len(s) + 1)
	return s[:at] + w.pick("", "[", ")", ";", "@", "=", " ", ",", "'", "é", "#") + s[min(at+w.IntN(3), len(s)):]
}

func TestRequirementsOracle(t *testing.T) {
	w := writer{rand.New(rand.NewPCG(1, 508))}
	var texts []string
	for range many {
		s := w.requirement()
		texts = append(texts, s, w.spoilt(s))
	}
	type requirement struct {
		Name, URL       string
		Extras, Clauses []string
		Marked          bool
	}
	for i, want := range ask[*requirement](t, "requirement", texts) {
		// The reference takes a line's end for white space in some places, and lets
		// a name end in an underscore.
		if strings.Contains(texts[i], "\n") || want != nil && strings.HasSuffix(want.Name, "-") {
			continue
		}
		got, err := pep508.Parse(texts[i])
		if want == nil || err != nil {
			// After "===" the reference takes commas and brackets for a part of the
			// version, if no white space follows.
			if (want == nil) != (err != nil) && !meaningless(texts[i]) && !strings.Contains(texts[i], "===") {
				t.Errorf("%q: %v, and the reference reads %v", texts[i], err, want)
			}
			continue
		}
		slices.Sort(got.Extras)
		clauses := slices.DeleteFunc(strings.Split(got.Wants, ","), func(c string) bool { return strings.TrimSpace(c) == "" })
		if got.Name != want.Name || got.URL != want.URL || !slices.Equal(slices.Compact(got.Extras), want.Extras) ||
			(got.Marker != nil) != want.Marked || len(got.Clauses) != len(clauses) {
			t.Errorf("%q: %+v, want %+v", texts[i], got, want)
		}
	}
}

// linux are the values of a CPython 3.11 on Linux.
var linux = map[string]string{"os_name": "posix", "sys_platform": "linux", "platform_machine": "x86_64", "platform_python_implementation": "CPython",
	"platform_release": "6.1", "platform_system": "Linux", "platform_version": "#1", "python_version": "3.11", "python_full_version": "3.11.7",
	"implementation_name": "cpython", "implementation_version": "3.11.7"}

func TestMarkersOracle(t *testing.T) {
	w := writer{rand.New(rand.NewPCG(2, 508))}
	var jobs [][2]any
	for range many {
		s := w.marker(3)
		jobs = append(jobs, [2]any{s, linux}, [2]any{w.spoilt(s), linux})
	}
	undefined := 0
	for i, want := range ask[any](t, "marker", jobs) {
		text := jobs[i][0].(string)
		m, err := pep508.ParseMarker(text)
		switch holds, judged := want.(bool); {
		case want == nil && err == nil:
			t.Errorf("%s: read, and is no marker", text)
		case !judged:
			undefined++ // a comparison that the reference finds wrong only when it comes to it
		case err != nil && meaningless(text):
		case err != nil:
			t.Errorf("%s: not read", text)
		case ofExtra.MatchString(text): // no extra is no text, and in no text
		case m.Holds(linux) != holds:
			t.Errorf("%s: %v, want %v", text, !holds, holds)
		}
	}
	if undefined > len(jobs)*2/3 {
		t.Errorf("the reference judged only %d of %d", len(jobs)-undefined, len(jobs))
	}
}

var (
	versionFirst = regexp.MustCompile(`(python_version|python_full_version|implementation_version)\s*([=<>!~]+)\s*(?:'([^']*)'|"([^"]*)")`)
	versionLast  = regexp.MustCompile(`(?:'([^']*)'|"([^"]*)")\s*([=<>!~]+)\s*(python_version|python_full_version|implementation_version)`)
)

// ofExtra is a question that the reference answers as if no extra were an extra
// with an empty name.
var ofExtra = regexp.MustCompile(`\bextra\s+(?:not\s+)?in\b|\bin\s+extra\b`)

// meaningless reports whether a marker compares a version with what is none, or
// texts by a rule of versions. The reference reads that, and finds it wrong when
// it comes to it or never; here it is refused.
func meaningless(marker string) bool {
	if strings.Contains(marker, "~=") {
		return true
	}
	for _, m := range versionFirst.FindAllStringSubmatch(marker, -1) {
		if _, err := pep440.ParseSpecifiers(m[2] + m[3] + m[4]); err != nil {
			return true
		}
	}
	for _, m := range versionLast.FindAllStringSubmatch(marker, -1) {
		if _, err := pep440.Parse(m[1] + m[2]); err != nil {
			return true
		}
	}
	return false
}

func TestParse(t *testing.T) {
	for text, want := range map[string]error{
		"flask": nil,
		"flask [a] >= 1, < 2 ; python_version > '3'":  nil,
		"flask @ https://example.org/;x ; extra=='y'": nil,
		"flask==1.x":                         pep508.ErrVersion,
		"flask=1.0":                          pep508.ErrVersion,
		"flask>=1; os_nam == 'nt'":           pep508.ErrMarker,
		"flask>=1;":                          pep508.ErrMarker,
		"":                                   errAny,
		"-e .":                               errAny,
		"flask requests":                     errAny,
		"flask[":                             errAny,
		"flask @":                            errAny,
		"flask @ x y":                        errAny,
		strings.Repeat("a", 129):             errAny,
		"x; " + strings.Repeat("(", 100_000): pep508.ErrMarker,
	} {
		r, err := pep508.Parse(text)
		if want == errAny {
			if err == nil || r.Name != "" {
				t.Errorf("%.60q: %+v, %v", text, r, err)
			}
		} else if !errors.Is(err, want) || r.Name == "" {
			t.Errorf("%.60q: %+v, %v", text, r, err)
		}
	}
}

var errAny = errors.New("any")

// Whatever is read has a normal name, and reads the same again from its parts.
func FuzzParse(f *testing.F) {
	f.Add("flask[a,b]>=1,<2; python_version >= '3.11' and (os_name == 'nt' or extra == 'x')")
	f.Add("x @ git+https://example.org/x@v1 ; sys_platform == 'linux'")
	f.Add("x (==1.0.*)")
	f.Fuzz(func(t *testing.T, s string) {
		r, err := pep508.Parse(s)
		if r.Name != "" && (!pep508.ValidName(r.Name) || pep508.Normal(r.Name) != r.Name) {
			t.Fatalf("%q: a name that is not normal: %q", s, r.Name)
		}
		if err != nil {
			return
		}
		again := r.Name + "[" + strings.Join(r.Extras, ",") + "]" + r.Wants
		if r.URL != "" {
			again = r.Name + " @ " + r.URL
		}
		if r.When != "" {
			again += " ; " + r.When
			r.Marker.Holds(linux)
		}
		if b, err := pep508.Parse(again); err != nil || b.Name != r.Name || b.URL != r.URL || len(b.Clauses) != len(r.Clauses) || b.When != r.When {
			t.Fatalf("%q: read as %q, which is read as %+v: %v", s, again, b, err)
		}
	})
}
