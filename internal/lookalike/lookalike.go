// Package lookalike tells which names of Python packages could be taken for a
// popular one: a name that one slip of a finger, or a look that was too short,
// makes of it.
//
// It advises and never decides: many honest packages have such names.
package lookalike

import (
	_ "embed"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/sallyport/sallyport/internal/pep508"
)

// A Likeness is a popular name, and how the other differs from it.
type Likeness struct {
	Popular string `json:"popular"`
	How     string `json:"how"` // "a letter is missing"
}

// Find returns what a name could be taken for. It reports false for names that
// are popular themselves, and for those that are like none.
func Find(name string) (Likeness, bool) { return find(index(), pep508.Normal(name)) }

//go:embed popular.txt
var popular string

// shortest is the shortest popular name of which one with a slip in it is
// reported. One slip away from a shorter one there are too many honest names.
const shortest = 5

// names find popular names by what could be taken for them.
type names struct {
	list    []string
	all     map[string]bool
	looks   map[string]string // by look
	ordered map[string]string // by its words in alphabetical order
	slips   []uint64          // a table of names without one of their letters
}

// index is made at the first use, in a few milliseconds.
var index = sync.OnceValue(func() *names {
	var list []string
	for line := range strings.Lines(popular) {
		if name := strings.TrimSpace(line); name != "" && name[0] != '#' {
			list = append(list, name)
		}
	}
	return newNames(list)
})

func newNames(list []string) *names {
	n := &names{
		list: list, all: make(map[string]bool, len(list)), looks: make(map[string]string, len(list)),
		ordered: make(map[string]string, len(list)), slips: make([]uint64, 1<<tableBits),
	}
	for i, name := range list {
		n.all[name] = true
		keep(n.looks, look(name), name)
		if strings.Contains(name, "-") {
			keep(n.ordered, order(name), name)
		}
		if len(name) >= shortest {
			n.put(i)
		}
	}
	return n
}

// keep keeps the first name under a key.
func keep(m map[string]string, key, name string) {
	if m[key] == "" {
		m[key] = name
	}
}

// The table of slips has an entry for every popular name and for what is left of
// it without each of its letters: the number of the name, from 1, in the low bits
// and the hash of what is left above, at the place that the hash's highest bits
// give or the next that is free. Names of 4,000 packages fill a fifth of it.
const (
	tableBits = 18
	idBits    = 16
)

// put enters a name into the table.
func (n *names) put(id int) {
	name := n.list[id]
	for i, h := range without(name) {
		if 0 < i && i < len(name) && name[i] == name[i-1] {
			continue // without either it is the same
		}
		at := h >> (64 - tableBits)
		for n.slips[at] != 0 {
			at = (at + 1) % (1 << tableBits)
		}
		n.slips[at] = h>>idBits<<idBits | uint64(id+1)
	}
}

// without yields the hash of a name without each of its letters, and at last
// that of the whole. A name is a polynomial of its letters, so that leaving one
// out divides what follows it by the base once: modulo 2⁶⁴ that is to multiply.
func without(name string) iter.Seq2[int, uint64] {
	const base, inverse = 0x100000001b3, 0xce965057aff6957b
	return func(yield func(int, uint64) bool) {
		total, power := uint64(0), uint64(1)
		for i := range len(name) {
			total += power * uint64(name[i])
			power *= base
		}
		before, power := uint64(0), uint64(1)
		for i := range len(name) {
			own := power * uint64(name[i])
			if !yield(i, mix(before+(total-before-own)*inverse)) {
				return
			}
			before += own
			power *= base
		}
		yield(len(name), mix(total))
	}
}

// mix spreads a hash over all its bits.
func mix(h uint64) uint64 {
	h = (h ^ h>>32) * 0x9e3779b97f4a7c15
	return (h ^ h>>29) * 0xbf58476d1ce4e5b9
}

// look is what a name looks like at first sight: without what divides its words,
// and with letters for what looks like them.
func look(name string) string {
	out := make([]byte, 0, 64)
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case c == '-':
			continue
		case c == '0':
			c = 'o'
		case c == '1':
			c = 'l'
		case c == 'r' && strings.HasPrefix(name[i:], "rn"):
			c = 'm'
			i++
		case c == 'v' && strings.HasPrefix(name[i:], "vv"):
			c = 'w'
			i++
		}
		out = append(out, c)
	}
	return string(out)
}

// order is a name with its words in alphabetical order.
func order(name string) string {
	words := strings.Split(name, "-")
	slices.Sort(words)
	return strings.Join(words, "-")
}

// maxName is the longest name that is looked up: longer ones are like none.
const maxName = 100

func find(n *names, name string) (Likeness, bool) {
	if name == "" || len(name) > maxName || n.all[name] {
		return Likeness{}, false
	}
	if p := n.looks[look(name)]; p != "" {
		if strings.ReplaceAll(p, "-", "") == strings.ReplaceAll(name, "-", "") {
			return Likeness{p, "it is divided in another way"}, true
		}
		return Likeness{p, "it has a digit or letter that looks like another"}, true
	}
	if p := n.affixed(name); p != "" {
		return Likeness{p, "they differ in a word or digit that only means Python, or in a plural"}, true
	}
	if l, ok := n.slip(name); ok {
		return l, true
	}
	if strings.Contains(name, "-") {
		if p := n.ordered[order(name)]; p != "" {
			return Likeness{p, "its words stand in another order"}, true
		}
	}
	return Likeness{}, false
}

// slip finds a popular name that one slip makes into this one.
func (n *names) slip(name string) (Likeness, bool) {
	var best Likeness
	for _, h := range without(name) {
		for at := h >> (64 - tableBits); n.slips[at] != 0; at = (at + 1) % (1 << tableBits) {
			if n.slips[at]>>idBits != h>>idBits {
				continue
			}
			p := n.list[n.slips[at]%(1<<idBits)-1]
			if how := slipped(p, name); how != "" && (best.Popular == "" || p < best.Popular) {
				best = Likeness{p, how}
			}
		}
	}
	return best, best.Popular != ""
}

// slipped says which one slip makes a name of a popular one, or "".
func slipped(popular, name string) string {
	i := 0
	for i < len(popular) && i < len(name) && popular[i] == name[i] {
		i++
	}
	p, q := popular[i:], name[i:]
	switch {
	case len(p) == len(q)+1 && p[1:] == q:
		return "a letter is missing"
	case len(q) == len(p)+1 && q[1:] == p:
		return "a letter is too many"
	case len(p) != len(q) || p == "":
		return ""
	case p[1:] == q[1:] && digit(p[0]) && digit(q[0]):
		return "" // another version of it
	case p[1:] == q[1:]:
		return "a letter is another"
	case len(p) > 1 && p[0] == q[1] && p[1] == q[0] && p[2:] == q[2:]:
		return "two letters are swapped"
	}
	return ""
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// affixes stand before or behind the names of packages, and mean nothing.
var prefixes, suffixes = []string{"python-", "python3-", "py-", "python", "py"}, []string{"-python", "-python3", "-py", "-py3", "python", "py", "s", "3"}

// affixed finds a popular name that this one is with or without an affix.
func (n *names) affixed(name string) string {
	for _, a := range prefixes {
		if p, ok := strings.CutPrefix(name, a); ok && n.honest(p) {
			return p
		}
		if n.all[a+name] {
			return a + name
		}
	}
	for _, a := range suffixes {
		if p, ok := strings.CutSuffix(name, a); ok && n.honest(p) {
			return p
		}
		if n.all[name+a] && len(name) >= shortest {
			return name + a
		}
	}
	for _, a := range prefixes { // one before for another, as python3- for python-
		p, ok := strings.CutPrefix(name, a)
		for _, b := range prefixes {
			if ok && n.all[b+p] && len(p) > 2 {
				return b + p
			}
		}
	}
	return ""
}

// honest reports whether a popular name is long enough that what stands with it
// is no chance.
func (n *names) honest(p string) bool { return len(p) >= shortest && n.all[p] }
