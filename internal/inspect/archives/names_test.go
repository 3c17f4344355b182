package archives

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/inspect"
)

// TestTwins wants of random names those that are there more than once, one
// beside another, whatever hashes they happen to share with others.
func TestTwins(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		var all []member
		count := map[string]int{}
		for i := range r.IntN(40) {
			m := member{name: fmt.Sprintf("%c/%d", 'A'+rune(r.IntN(2))*32, r.IntN(30)), at: int64(i)}
			all = append(all, m)
			count[fold(m.name)]++
		}
		var n names
		for _, m := range all {
			n.add(m.name)
		}
		if len(all) > 0 { // two hashes that are the same by chance
			n.add(all[0].name)
		}
		twins, whole, err := n.twins(func(fn func(member) error) error {
			for _, m := range all {
				if err := fn(m); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || !whole {
			t.Fatal(whole, err)
		}
		for i, m := range twins {
			if first := slices.IndexFunc(twins, func(o member) bool { return fold(o.name) == fold(m.name) }); i-first >= count[fold(m.name)] {
				t.Errorf("%s stands apart from its like in %v", m.name, twins)
			}
			if count[fold(m.name)] > 1 {
				all = slices.DeleteFunc(all, func(o member) bool { return o == m })
			}
		}
		for _, m := range all {
			if count[fold(m.name)] > 1 {
				t.Errorf("%s is not found", m.name)
			}
		}
	}
}

// TestTwinsLimit wants it to be told that there are too many to compare.
func TestTwinsLimit(t *testing.T) {
	var n names
	each := func(fn func(member) error) error {
		for i := range maxTwins + 1 {
			if err := fn(member{name: "a", at: int64(i)}); err != nil {
				return err
			}
		}
		return nil
	}
	each(func(m member) error { n.add(m.name); return nil })
	if twins, whole, err := n.twins(each); len(twins) != maxTwins || whole || err != nil {
		t.Errorf("%d twins, whole: %v, %v", len(twins), whole, err)
	}
}

// TestSpans compares the parts that random members take up, and the places where
// they share bytes, with a list of every byte.
func TestSpans(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for range 2000 {
		var bytes [64]int
		shared := map[int64]bool{}
		s := spans{inside: func(at int64) { shared[at] = true }}
		for range r.IntN(12) {
			from := r.IntN(len(bytes) - 8)
			to := from + 1 + r.IntN(8)
			for i := from; i < to; i++ {
				bytes[i]++
			}
			if !s.add(span{int64(from), int64(to)}) {
				t.Fatal("it is full")
			}
			if r.IntN(4) == 0 {
				s.settle()
			}
		}
		s.settle()
		var taken [64]bool
		last := int64(-1)
		for _, m := range s.list {
			if m.from <= last {
				t.Fatalf("%v are not apart", s.list)
			}
			last = m.to
			for i := m.from; i < m.to; i++ {
				taken[i] = true
			}
		}
		overlap := false
		for i, n := range bytes {
			overlap = overlap || n > 1
			if taken[i] != (n > 0) {
				t.Fatalf("byte %d is taken %d times, not %v", i, n, taken[i])
			}
		}
		if overlap != (len(shared) > 0) {
			t.Fatalf("bytes are shared: %v, told: %v", overlap, shared)
		}
		for at := range shared {
			if bytes[at] < 2 {
				t.Fatalf("byte %d is not shared", at)
			}
		}
	}
}

// TestSpansLimit wants an archive of any number of members in the order of their
// places to take no memory, and one of too many parts to be told.
func TestSpansLimit(t *testing.T) {
	s := spans{inside: func(at int64) { t.Fatalf("bytes are shared at %d", at) }}
	for i := range int64(4 * maxSpans) {
		if !s.add(span{i, i + 1}) || len(s.list) > 1 {
			t.Fatalf("%d parts", len(s.list))
		}
	}
	full := false
	for i := range int64(maxSpans) + 1 {
		full = !s.add(span{10*maxSpans - 2*i, 10*maxSpans - 2*i + 1})
	}
	if !full || len(s.list) > maxSpans {
		t.Errorf("full: %v, %d parts", full, len(s.list))
	}
}

// TestScattered wants an archive in more parts than are held against each other
// not to pass, and to be inspected once all the same.
func TestScattered(t *testing.T) {
	data := zipOf(part{name: "a.txt", data: "hello"}, part{name: "b.txt", data: "hello"}, part{name: "c.txt", data: "hello", at: 40})
	seen := map[string]int{}
	readings := []inspect.Reading{
		{Format: "zip", Match: begins("PK"), Inspect: func(p *inspect.Pass, f *inspect.File) error {
			z, err := openZip(p, f)
			if err != nil {
				return err
			}
			for i := range int64(maxSpans) { // as if so many members had come before
				z.spans.add(span{1<<40 + 2*i, 1<<40 + 2*i + 1})
			}
			return z.whole()
		}},
		{Format: "hello", Match: begins("hello"), Inspect: func(_ *inspect.Pass, f *inspect.File) error {
			seen[f.Name]++
			return nil
		}},
	}
	s := inspect.Scanner{Readings: readings, Temp: t.TempDir()}
	r, err := s.Scan(t.Context(), "a.zip", bytes.NewReader(data), int64(len(data)), nil, nil)
	if told := tell(r); err != nil || r.Verdict.Passes() || !strings.Contains(told, "archive-large") || !strings.Contains(told, "places") {
		t.Errorf("%v, %s", err, told)
	}
	if seen["a.txt"] != 1 || seen["b.txt"] != 1 || seen["c.txt"] != 0 {
		t.Errorf("inspected: %v", seen)
	}
}
