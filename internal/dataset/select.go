package dataset

import (
	"container/heap"
	"context"
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/seal"
)

// A Selection is a sample of subjects, with all of their records: so many
// subjects, or so many in a hundred. Which ones follows from the dataset and
// Seed alone: a smaller sample is a part of a larger one, and a share of them
// is the same in every version. The zero Selection is everything.
//
// Of Shards, it is one shard alone: every subject is dealt to one of them, the
// same in all datasets of the site, for life, and whatever the sample is.
type Selection struct {
	Subjects int
	Percent  float64
	Seed     string
	Shard    int // from 1
	Shards   int // 0: not sharded
}

// check returns an error if sel makes no sense.
func (sel Selection) check() error {
	if sel.Subjects < 0 || sel.Subjects > 0 && sel.Percent != 0 || !(sel.Percent >= 0 && sel.Percent <= 100) {
		return sallyport.Errorf(sallyport.Usage, "a sample is a number of subjects, or more than 0 and at most 100 percent of them").
			Try("write --sample 500 or --sample 10%%")
	}
	if sel.Shards < 0 || sel.Shard > sel.Shards || sel.Shard < min(sel.Shards, 1) {
		return sallyport.Errorf(sallyport.Internal, "there is no shard %d of %d", sel.Shard, sel.Shards)
	}
	return nil
}

func (sel Selection) everything() bool {
	return sel.Subjects == 0 && sel.Percent == 0 && sel.Shards == 0
}

// A sample decides which subjects are in a Selection: those whose rank, a keyed
// hash of the tag and the seed, is at most most, and who are dealt to the shard.
type sample struct {
	ranks *tagger
	most  uint64
	tags  *tagger
	cards *tagger // deals; another hash than ranks, so that a sample is dealt evenly too
	shard int
	of    int // shards; 0 for no deal
}

// has reports whether the subject is in the sample. A nil sample is everything.
func (s *sample) has(subject []byte) bool { return s == nil || s.hasTag(s.tags.tag(subject)) }

func (s *sample) hasTag(tag uint64) bool {
	if s == nil {
		return true
	}
	return (s.most == math.MaxUint64 || s.rank(tag) <= s.most) && (s.of == 0 || deal(s.cards, tag, s.of) == s.shard)
}

func (s *sample) rank(tag uint64) uint64 { return rehash(s.ranks, tag) }

// deal returns which of n shards, from 1, the subject with this tag is dealt to.
func deal(cards *tagger, tag uint64, n int) int {
	high, _ := bits.Mul64(rehash(cards, tag), uint64(n))
	return int(high) + 1
}

func rehash(t *tagger, tag uint64) uint64 {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], tag)
	return t.tag(b[:])
}

// cards returns what deals subjects to shards.
func (m *manifest) cards() *tagger { return newTagger(seal.Key(m.Key), "shards") }

// sample returns the sample that sel is of the chain's version; nil is
// everything.
func (c *chain) sample(ctx context.Context, sel Selection) (*sample, error) {
	if err := sel.check(); err != nil || sel.everything() {
		return nil, err
	}
	m := c.last.manifest
	s := &sample{ranks: newTagger(seal.Key(m.Key), "sample "+sel.Seed), most: math.MaxUint64, tags: m.tagger(),
		cards: m.cards(), shard: sel.Shard, of: sel.Shards}
	switch {
	case sel.Percent > 0 && sel.Percent < 100:
		s.most = uint64(math.Exp2(64) * (sel.Percent / 100))
	case sel.Subjects > 0:
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
		if err != nil {
			return nil, err
		}
		if len(least) > 0 {
			s.most = least[0]
		}
	}
	return s, nil
}

// count returns how many subjects of the chain's version are in a sample.
func (c *chain) count(ctx context.Context, s *sample) (int64, error) {
	if s == nil {
		return c.last.Subjects, nil
	}
	n := int64(0)
	err := eachTag(ctx, c.tallies(ctx), minus(c.last.manifest.Dropped), func(tag uint64) {
		if s.hasTag(tag) {
			n++
		}
	})
	return n, err
}

// Selected returns those of the subjects of whom a selection of a version holds
// records, if there are any, or might: which subjects a number of them are
// changes when somebody is taken out.
func (s *Store) Selected(ctx context.Context, v *Version, sel Selection, subjects []string) ([]string, error) {
	if sel.everything() || sel.Subjects > 0 && v.Erased > 0 {
		return subjects, nil
	}
	c, err := s.open(ctx, v)
	if err != nil {
		return nil, err
	}
	sample, err := c.sample(ctx, sel)
	if err != nil {
		return nil, err
	}
	var in []string
	for _, subject := range subjects {
		if sample.has([]byte(subject)) {
			in = append(in, subject)
		}
	}
	return in, nil
}

// Deal returns which of n shards, from 1, each of the subjects is dealt to.
func (s *Store) Deal(subjects []string, n int) ([]int, error) {
	if err := s.mayOpen(); err != nil {
		return nil, err
	}
	key := s.Ring.Lasting("subjects")
	m := manifest{Key: key[:]}
	tags, cards := m.tagger(), m.cards()
	shards := make([]int, len(subjects))
	for i, subject := range subjects {
		shards[i] = deal(cards, tags.tag([]byte(subject)), n)
	}
	return shards, nil
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
