package pep508_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/pep440"
)

// A writer makes up versions and specifiers, most of them proper.
type writer struct{ *rand.Rand }

func (w writer) pick(from ...string) string { return from[w.IntN(len(from))] }

// maybe returns one of the texts, in one of n cases.
func (w writer) maybe(n int, from ...string) string {
	if w.IntN(n) > 0 {
		return ""
	}
	return w.pick(from...)
}

func (w writer) number() string {
	return w.pick("0", "0", "1", "1", "2", "3", "9", "10", "00", "01", "2024", "20240102030405060708", "99999999999999999999999")
}

func (w writer) release() string {
	parts := []string{w.number()}
	for w.IntN(3) > 0 && len(parts) < 5 {
		parts = append(parts, w.number())
	}
	return strings.Join(parts, ".")
}

// version is a version in any spelling that PEP 440 allows.
func (w writer) version() string {
	s := w.maybe(8, " ", "v", "V") + w.maybe(8, "0!", "1!", "2!", "01!") + w.release()
	if w.IntN(3) == 0 {
		s += w.pick("", "-", "_", ".") + w.pick("a", "b", "c", "rc", "alpha", "beta", "pre", "preview", "A", "Rc", "ALPHA") + w.pick("", "", "-", "_", ".")
		s += w.maybe(2, "0", "1", "2", "02", "10")
	}
	if w.IntN(4) == 0 {
		s += w.pick("-1", "-0", ".post", "post1", "-post2", "_rev3", ".r4", "r", ".POST-1", ".post_2", "-r.1")
	}
	if w.IntN(4) == 0 {
		s += w.pick(".dev", "dev1", "-dev2", "_dev3", ".DEV0", ".dev-1", ".dev.2")
	}
	if w.IntN(5) == 0 {
		s += "+" + w.pick("cu118", "cpu", "1", "01", "1.2", "ubuntu-1", "a_b", "ABC.1", "0", "1a", "a.0", "abc")
	}
	return s + w.maybe(12, " ", "\n")
}

// odd is a version with a change that may make it none.
func (w writer) odd() string {
	s := w.version()
	at := w.IntN(len(s) + 1)
	return s[:at] + w.pick("", ".", "-", "+", "!", "x", "1", "*", " ", ".*", "_", "é", "٣") + s[min(at+w.IntN(2), len(s)):]
}

func (w writer) clause() string {
	s := w.pick("==", "==", "!=", "~=", "<=", ">=", "<", ">", "===") + w.pick("", "", " ")
	if w.IntN(12) == 0 {
		return s + w.odd()
	}
	return s + strings.TrimSpace(w.version()) + w.maybe(6, ".*")
}

func (w writer) clauses() string {
	s := w.clause()
	for w.IntN(3) == 0 {
		s += w.pick(",", ", ", " ,") + w.clause()
	}
	return s
}

const many = 6000

// Every text is a version for pep440 that is one for packaging, and is spelled
// the same when normal.
func TestVersionsOracle(t *testing.T) {
	w := writer{rand.New(rand.NewPCG(1, 440))}
	var texts []string
	for range many {
		texts = append(texts, w.version(), w.odd())
	}
	texts = append(texts, "", "1", "1.0.", "1..0", "1.0+", "1.0+a+b", "1!", "!1", "1.0a1.dev", "1.0-", "1.0--1", "1.0-1-1", "dev", "1.0.post1.dev1+x", "2004d", "1.0.0-alpha.1", "ubuntu")
	for i, want := range ask[*string](t, "version", texts) {
		got, err := pep440.Parse(texts[i])
		switch {
		case want == nil && err == nil:
			t.Errorf("%q is read as %s, and is none", texts[i], got)
		case want != nil && err != nil:
			t.Errorf("%q is not read, and is %s", texts[i], *want)
		case want != nil && got.String() != *want:
			t.Errorf("%q is read as %s, and is %s", texts[i], got, *want)
		}
	}
}

func TestOrderOracle(t *testing.T) {
	w := writer{rand.New(rand.NewPCG(2, 440))}
	var pairs [][2]string
	for range many {
		a, b := w.version(), w.version()
		if w.IntN(2) == 0 {
			b = strings.TrimSpace(a) + w.maybe(3, ".0", ".post1", ".dev1", "+x", "a1") // close to each other
		}
		if _, err := pep440.Parse(b); err != nil {
			b = w.version()
		}
		pairs = append(pairs, [2]string{a, b})
	}
	for i, want := range ask[int](t, "order", pairs) {
		a, _ := pep440.Parse(pairs[i][0])
		b, _ := pep440.Parse(pairs[i][1])
		if got := a.Compare(b); got != want {
			t.Errorf("%q and %q: %d, want %d", pairs[i][0], pairs[i][1], got, want)
		}
		if got := b.Compare(a); got != -want {
			t.Errorf("%q and %q: %d, want %d", pairs[i][1], pairs[i][0], got, -want)
		}
	}
}

func TestSpecifiersOracle(t *testing.T) {
	w := writer{rand.New(rand.NewPCG(3, 440))}
	var pairs [][2]string
	for range 2 * many {
		clauses, v := w.clauses(), w.version()
		if w.IntN(2) == 0 { // of a version that the clauses speak of
			near := strings.TrimSpace(strings.TrimLeft(strings.Split(clauses, ",")[0], "=<>!~ "))
			near = strings.TrimSuffix(near, ".*") + w.maybe(2, ".0", ".1", ".post1", ".dev1", "+x", "a1")
			if _, err := pep440.Parse(near); err == nil {
				v = near
			}
		}
		// What "===" compares letter by letter is the normal spelling here.
		normal, err := pep440.Parse(v)
		if err != nil {
			t.Fatal(err)
		}
		pairs = append(pairs, [2]string{clauses, normal.String()})
	}
	for i, want := range ask[*bool](t, "contains", pairs) {
		clauses, err := pep440.ParseSpecifiers(pairs[i][0])
		v, _ := pep440.Parse(pairs[i][1])
		switch {
		case want == nil && err == nil:
			t.Errorf("%q is read, and means nothing", pairs[i][0])
		case want != nil && err != nil:
			t.Errorf("%q is not read", pairs[i][0])
		case want != nil && clauses.Contains(v) != *want:
			t.Errorf("%q takes %q: %v, want %v", pairs[i][0], pairs[i][1], !*want, *want)
		}
	}
}
