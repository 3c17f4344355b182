package archives

import (
	"cmp"
	"hash/maphash"
	"slices"
	"strings"
)

// maxTwins is how many members are compared whose names resemble each other.
const maxTwins = 1 << 16

// names finds the names that an archive has twice. It remembers four bytes of
// each, of a hash under a secret seed of how loose readers see it, so that it
// holds a million, and reads those again that share a hash. In a million a
// hundred do by chance; no file can choose which.
type names struct {
	seed maphash.Seed
	sums [256][]uint32 // by their first byte, so that none grows to where copying it takes memory
	any  bool
}

func (n *names) add(name string) {
	if !n.any {
		n.seed, n.any = maphash.MakeSeed(), true
	}
	sum := n.sum(name)
	list := &n.sums[sum>>24]
	*list = append(*list, sum)
}

func (n *names) sum(name string) uint32 { return uint32(maphash.String(n.seed, fold(name))) }

// twins returns the members whose names resemble each other, one beside another,
// and whether these are all. It forgets the names.
func (n *names) twins(each func(fn func(member) error) error) (twins []member, whole bool, err error) {
	shared := n.shared()
	if len(shared) == 0 {
		return nil, true, nil
	}
	whole = true
	bytes := 0
	err = each(func(m member) error {
		if _, is := slices.BinarySearch(shared, n.sum(m.name)); !is {
			return nil
		}
		if len(twins) == maxTwins || bytes+len(m.name) > maxNames {
			whole = false
			return nil
		}
		bytes += len(m.name)
		twins = append(twins, m)
		return nil
	})
	slices.SortFunc(twins, func(a, b member) int {
		return cmp.Or(strings.Compare(fold(a.name), fold(b.name)), strings.Compare(a.name, b.name), cmp.Compare(a.at, b.at))
	})
	return twins, whole, err
}

// shared returns the hashes that are there more than once, sorted, and forgets
// all.
func (n *names) shared() (out []uint32) {
	for i := range n.sums {
		list := n.sums[i]
		n.sums[i] = nil
		slices.Sort(list)
		for j := 1; j < len(list); j++ {
			if list[j] == list[j-1] && (len(out) == 0 || out[len(out)-1] != list[j]) {
				out = append(out, list[j])
			}
		}
	}
	return out
}
