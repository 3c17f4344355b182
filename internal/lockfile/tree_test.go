package lockfile

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// listOf makes a list of edges "a>b" and of packages; those with "!" are direct.
func listOf(words ...string) *List {
	var l List
	at := map[string]int{}
	add := func(name string) int {
		if _, ok := at[name]; !ok {
			at[name] = len(l.Packages)
			l.Packages = append(l.Packages, Package{Name: name, Version: "1"})
		}
		return at[name]
	}
	for _, w := range words {
		from, to, edge := strings.Cut(w, ">")
		name, direct := strings.CutSuffix(from, "!")
		i := add(name)
		l.Packages[i].Direct = l.Packages[i].Direct || direct
		if edge {
			add(to)
			l.Packages[i].Needs = append(l.Packages[i].Needs, Need{Name: to})
		}
	}
	return &l
}

func TestWhy(t *testing.T) {
	for _, tc := range []struct {
		edges, name, want string
	}{
		{"a!>b b>c", "c", "a b c"},
		{"a!>b b>c", "a", "a"},
		{"a!>b b!>c", "c", "b c|a b c"},
		{"a!>b a>c b>d c>d", "d", "a b d"},
		{"a!>b b>a", "b", "a b"},
		{"a!>b c>d d>c", "c", ""}, // needed by nobody but themselves
		{"a>b b>c", "c", "a b c"}, // nothing is known to be direct
		{"a!>b b>c", "nothing", ""},
		{"a! b! c!>d", "D", "c d"},
	} {
		var got []string
		for _, chain := range listOf(strings.Fields(tc.edges)...).Why(tc.name) {
			got = append(got, strings.Join(chain, " "))
		}
		if strings.Join(got, "|") != tc.want {
			t.Errorf("%s: %s is there because of %q, want %s", tc.edges, tc.name, got, tc.want)
		}
	}
}

// Two versions of one package are two: who needs one does not need the other.
func TestWhyTellsVersionsApart(t *testing.T) {
	l := &List{Packages: []Package{
		{Name: "a", Version: "1", Direct: true, Needs: []Need{{Name: "n", Version: "1"}}},
		{Name: "b", Version: "1", Direct: true, Needs: []Need{{Name: "n", Version: "2"}}},
		{Name: "n", Version: "1", Needs: []Need{{Name: "x"}}},
		{Name: "n", Version: "2"},
		{Name: "x", Version: "1"},
	}}
	if got := fmt.Sprint(l.Why("x")); got != "[[a n x]]" {
		t.Error(got)
	}
}

func TestTree(t *testing.T) {
	l := listOf("a!>b", "a>c", "b>d", "c>d", "d>e", "d!", "x>y", "y>x")
	var got strings.Builder
	for _, b := range l.Tree() {
		got.WriteString(b.String())
	}
	const want = `a 1
  b 1
    d 1
      e 1
  c 1
    d 1 …
d 1 …
x 1
  y 1
    x 1 …
`
	if got.String() != want {
		t.Errorf("%s\nwant\n%s", got.String(), want)
	}
	l.Packages = append(l.Packages, Package{Name: "own", Version: "0", Source: Source{Path: "."}, Needs: []Need{{Name: "a"}, {Name: "d"}}})
	if top := l.Tree(); len(top) != 2 || top[0].Name != "own" || len(top[0].Needs) != 2 {
		t.Errorf("the project is not at the top of its tree: %+v", top)
	}
}

// Of any graph, the tree has every package and no more than its edges, and a
// chain is a way along them that begins where chains may.
func TestTreeOfAnything(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		n, edges := 1+random.IntN(12), 0
		var words []string
		for i := range n {
			words = append(words, fmt.Sprintf("p%d%s", i, []string{"", "", "!"}[random.IntN(3)]))
			for range random.IntN(3) {
				words = append(words, fmt.Sprintf("p%d>p%d", i, random.IntN(n)))
				edges++
			}
		}
		l := listOf(words...)
		shown, size := map[string]bool{}, 0
		var walk func(b Branch)
		walk = func(b Branch) {
			shown[b.Name] = true
			size++
			for _, n := range b.Needs {
				walk(n)
			}
		}
		for _, b := range l.Tree() {
			walk(b)
		}
		if len(shown) != n || size > n+edges {
			t.Fatalf("%v: %d of %d packages on %d lines", words, len(shown), n, size)
		}
		for i := range n {
			for _, chain := range l.Why(fmt.Sprintf("p%d", i)) {
				for j := range len(chain) - 1 {
					if !slices.Contains(words, chain[j]+">"+chain[j+1]) {
						t.Fatalf("%v: no edge from %s to %s", words, chain[j], chain[j+1])
					}
				}
				if chain[len(chain)-1] != fmt.Sprintf("p%d", i) || len(chain) > n {
					t.Fatalf("%v: %v", words, chain)
				}
			}
		}
	}
}

// A graph with more ways through it than could ever be gone.
func TestTreeOfManyWays(t *testing.T) {
	var words []string
	for i := range 1000 {
		words = append(words, fmt.Sprintf("a%d>b%d", i, i), fmt.Sprintf("a%d>c%d", i, i), fmt.Sprintf("b%d>a%d", i, i+1), fmt.Sprintf("c%d>a%d", i, i+1))
	}
	l := listOf(words...)
	if why := l.Why("a1000"); len(why) != 1 || len(why[0]) != 2001 {
		t.Errorf("%d chains", len(why))
	}
	if n := len(l.Tree()); n != 1 {
		t.Errorf("%d trees", n)
	}
}
