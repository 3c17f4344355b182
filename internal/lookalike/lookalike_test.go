package lookalike

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/pep508"
)

func TestFind(t *testing.T) {
	const affix = "they differ in a word or digit that only means Python, or in a plural"
	for name, want := range map[string]Likeness{
		// Packages that were attacks: those with a MAL number are in the list of the
		// Open Source Security Foundation, the others were reported before there was one.
		"0requests":        {"requests", "a letter is too many"},           // MAL-2026-15859
		"tensorfllow":      {"tensorflow", "a letter is too many"},         // MAL-2023-2300
		"matplotlb":        {"matplotlib", "a letter is missing"},          // MAL-2023-1902
		"3web-py":          {"web-py", "a letter is too many"},             // MAL-2024-9934
		"acqusition":       {"", ""},                                       // 2017: of a name that is not popular
		"urlib3":           {"urllib3", "a letter is missing"},             // 2017
		"urllib":           {"urllib3", affix},                             // 2017
		"setup-tools":      {"setuptools", "it is divided in another way"}, // 2017
		"colourama":        {"colorama", "a letter is too many"},           // 2018
		"diango":           {"django", "a letter is another"},              // 2018
		"djago":            {"django", "a letter is missing"},              // 2018
		"djanga":           {"django", "a letter is another"},              // 2018
		"jeilyfish":        {"jellyfish", "a letter is another"},           // 2019
		"python3-dateutil": {"python-dateutil", affix},                     // 2019
		// What else a slip or a look can make.
		"reqeusts":               {"requests", "two letters are swapped"},
		"requestss":              {"requests", affix},
		"numpys":                 {"numpy", affix},
		"nunpy":                  {"numpy", "a letter is another"},
		"py-torchvision":         {"torchvision", affix},
		"dateutil":               {"python-dateutil", affix},
		"pandas-python":          {"pandas", affix},
		"b0to3":                  {"boto3", "it has a digit or letter that looks like another"},
		"ur11ib3":                {"urllib3", "it has a digit or letter that looks like another"},
		"colorarna":              {"colorama", "it has a digit or letter that looks like another"},
		"Scikit_Learn":           {},
		"scikitlearn":            {"scikit-learn", "it is divided in another way"},
		"learn-scikit":           {"scikit-learn", "its words stand in another order"},
		"beautifulsup4":          {"beautifulsoup4", "a letter is missing"},
		"nvidia-cublas-cu13":     {}, // another version is no slip
		"our-own-internal-tools": {},
		"six":                    {},
		"":                       {},
		strings.Repeat("a", 200): {},
	} {
		got, ok := Find(name)
		if got != want || ok != (want.Popular != "") {
			t.Errorf("%s: got %+v, %v", name, got, ok)
		}
	}
}

// Every slip there is, in every popular name, is found, and no popular name is
// reported.
func TestEverySlip(t *testing.T) {
	n := index()
	for _, name := range n.list {
		if l, ok := Find(name); ok {
			t.Fatalf("%s is popular and taken for %v", name, l)
		}
		if len(name) < shortest {
			continue
		}
		for i := range len(name) {
			slips := []string{name[:i] + name[i+1:], name[:i] + "q" + name[i:], name[:i] + "q" + name[i+1:]}
			if i > 0 {
				slips = append(slips, name[:i-1]+name[i:i+1]+name[i-1:i]+name[i+1:])
			}
			for _, s := range slips {
				if _, ok := Find(s); !ok && !n.all[pep508.Normal(s)] && s == pep508.Normal(s) && strings.Trim(s, "-") == s {
					t.Fatalf("%s, of %s, is taken for none", s, name)
				}
			}
		}
	}
}

// TestHonest counts how many honest names would be reported: each popular name,
// were it and a fortieth of the others not on the list.
func TestHonest(t *testing.T) {
	const parts = 40
	all := index().list
	reported := 0
	for part := range parts {
		var others []string
		for i, name := range all {
			if i%parts != part {
				others = append(others, name)
			}
		}
		n := newNames(others)
		for i, name := range all {
			if _, ok := find(n, name); ok && i%parts == part {
				reported++
			}
		}
	}
	t.Logf("%d of %d honest names are reported (%.1f %%)", reported, len(all), 100*float64(reported)/float64(len(all)))
	if reported > len(all)*8/100 {
		t.Error("that is too many for advice that anybody reads")
	}
}

// The list is what its first lines say: normalised, and each name once.
func TestList(t *testing.T) {
	all := index().list
	if len(all) < 2000 || len(all) >= 1<<idBits-1 {
		t.Errorf("got %d names", len(all))
	}
	sorted := slices.Clone(all)
	slices.Sort(sorted)
	if len(slices.Compact(sorted)) != len(all) {
		t.Error("a name is there twice")
	}
	entries := 0
	for _, name := range all {
		if pep508.Normal(name) != name || strings.Trim(name, "-") != name {
			t.Errorf("%s is not normalised", name)
		}
		entries += len(name) + 1
	}
	if entries > 1<<tableBits/2 {
		t.Errorf("%d entries are too many for the table", entries)
	}
	if text, err := os.ReadFile("popular.txt"); err != nil || string(text) != popular {
		t.Error("the list is not the file")
	}
}

func FuzzFind(f *testing.F) {
	f.Add("reqeusts")
	f.Fuzz(func(t *testing.T, name string) {
		if l, ok := Find(name); ok && (!index().all[l.Popular] || l.How == "" || l.Popular == pep508.Normal(name)) {
			t.Fatalf("got %+v", l)
		}
	})
}

func BenchmarkIndex(b *testing.B) {
	all := index().list
	for b.Loop() {
		newNames(all)
	}
}

// BenchmarkFind looks up a thousand names, half of which are like none.
func BenchmarkFind(b *testing.B) {
	var names []string
	for _, name := range index().list[:500] {
		names = append(names, name+"x", "company-internal-"+name)
	}
	for b.Loop() {
		for _, name := range names {
			Find(name)
		}
	}
}
