package dataset

import (
	"container/heap"
	"context"
	"math"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/seal"
)

// A Selection is a sample of subjects, with all of their records: so many
// subjects, or so many in a hundred. Which ones follows from the dataset and
// Seed alone: a smaller sample is a part of a larger one, and a share of them
// is the same in every version. The zero Selection is everything.
type Selection struct {
	Subjects int
	Percent  float64
	Seed     string
}

// check returns an error if sel makes no sense.
func (sel Selection) check() error {
	if sel.Subjects < 0 || sel.Subjects > 0 && sel.Percent != 0 || !(sel.Percent >= 0 && sel.Percent <= 100) {
		return sallyport.Errorf(sallyport.Usage, "a sample is a number of subjects, or more than 0 and at most 100 percent of them").
			Try("write --sample 500 or --sample 10%%")
	}
	return nil
}

func (sel Selection) everything() bool { return sel.Subjects == 0 && sel.Percent == 0 }

// A sample decides which subjects are in a Selection: those whose rank, a keyed
// hash of the tag and the seed, is at most most.
type sample struct {
	ranks *tagger
	most  uint64
	tags  *tagger
}

// has reports whether the subject is in the sample. A nil sample is everything.
func (s *sample) has(subject []byte) bool { return s == nil || s.hasTag(s.tags.tag(subject)) }

func (s *sample) hasTag(tag uint64) bool { return s == nil || s.rank(tag) <= s.most }

func (s *sample) rank(tag uint64) uint64 {
	return s.ranks.tag([]byte{byte(tag >> 56), byte(tag >> 48), byte(tag >> 40), byte(tag >> 32),
		byte(tag >> 24), byte(tag >> 16), byte(tag >> 8), byte(tag)})
}

// sample returns the sample that sel is of the chain's version, and how many
// subjects it has.
func (c *chain) sample(ctx context.Context, sel Selection) (*sample, int64, error) {
	if err := sel.check(); err != nil {
		return nil, 0, err
	}
	if sel.everything() {
		return nil, c.last.Subjects, nil
	}
	m := c.last.manifest
	s := &sample{ranks: newTagger(seal.Key(m.Key), "sample "+sel.Seed), tags: m.tagger()}
	if sel.Percent > 0 {
		s.most = math.MaxUint64
		if sel.Percent < 100 {
			s.most = uint64(math.Exp2(64) * (sel.Percent / 100))
		}
		n := int64(0)
		err := eachTag(ctx, c.tallies(ctx), minus(m.Dropped), func(tag uint64) {
			if s.hasTag(tag) {
				n++
			}
		})
		return s, n, err
	}
	var least ranks
	err := eachTag(ctx, c.tallies(ctx), minus(m.Dropped), func(tag uint64) {
		switch r := s.rank(tag); {
		case len(least) < sel.Subjects:
			heap.Push(&least, r)
		case r < least[0]:
			least[0] = r
			heap.Fix(&least, 0)
		}
	})
	if err != nil || len(least) == 0 {
		return s, 0, err
	}
	s.most = least[0]
	return s, int64(len(least)), nil
}

// Selects reports whether a selection of a version holds records of any of the
// subjects, or might: which subjects a number of them are changes when somebody
// is taken out.
func (s *Store) Selects(ctx context.Context, v *Version, sel Selection, subjects []string) (bool, error) {
	if sel.everything() || sel.Subjects > 0 && v.Erased > 0 {
		return true, nil
	}
	c, err := s.open(ctx, v)
	if err != nil {
		return false, err
	}
	sample, _, err := c.sample(ctx, sel)
	if err != nil {
		return false, err
	}
	for _, subject := range subjects {
		if sample.has([]byte(subject)) {
			return true, nil
		}
	}
	return false, nil
}

// ranks is a heap with the greatest rank on top.
type ranks []uint64

func (r ranks) Len() int           { return len(r) }
func (r ranks) Less(i, j int) bool { return r[i] > r[j] }
func (r ranks) Swap(i, j int)      { r[i], r[j] = r[j], r[i] }
func (r *ranks) Push(x any)        { *r = append(*r, x.(uint64)) }
func (r *ranks) Pop() any {
	old := *r
	x := old[len(old)-1]
	*r = old[:len(old)-1]
	return x
}
