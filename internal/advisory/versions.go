package advisory

import (
	"cmp"
	"slices"

	"github.com/sallyport/sallyport/internal/pep440"
)

// A position is where a version lies among the n versions that the advisories
// of a package name, in their order. A version that is the i-th itself (from 0)
// lies at 2i+1, one between two of them or beyond either end at the even number
// there: 0 to 2n. What a range or a list says of versions becomes a set of
// positions, once; to match is then to find one position and to look whether
// the sets hold it.
type position = int

// A span holds the positions from its first up to but not including its second.
type span [2]position

// A set is spans in their order, with a gap before each.
type set []span

// holds reports whether p is in the set.
func (s set) holds(p position) bool {
	i, found := slices.BinarySearchFunc(s, p, func(sp span, p position) int { return cmp.Compare(sp[0], p) })
	return found || i > 0 && p < s[i-1][1]
}

// union returns the set of all that the spans, in any order, hold.
func union(spans []span) set {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	var out set
	for _, s := range spans {
		switch last := len(out) - 1; {
		case s[0] >= s[1]:
		case last >= 0 && s[0] <= out[last][1]:
			out[last][1] = max(out[last][1], s[1])
		default:
			out = append(out, s)
		}
	}
	return out
}

// An order is the versions that a package's advisories name, each once,
// ascending.
type order []pep440.Version

// newOrder returns the order of the versions. Of two spellings of one the
// shorter stays, or the first by letters.
func newOrder(all []pep440.Version) order {
	slices.SortFunc(all, func(v, w pep440.Version) int {
		return cmp.Or(v.Compare(w), cmp.Compare(len(v.String()), len(w.String())), cmp.Compare(v.String(), w.String()))
	})
	return slices.CompactFunc(all, func(v, w pep440.Version) bool { return v.Compare(w) == 0 })
}

// find returns v's position.
func (o order) find(v pep440.Version) position {
	i, found := slices.BinarySearchFunc(o, v, pep440.Version.Compare)
	if found {
		return 2*i + 1
	}
	return 2 * i
}

// end is one behind the last position.
func (o order) end() position { return 2*len(o) + 1 }
