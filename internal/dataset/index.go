package dataset

import (
	"encoding/binary"
	"slices"

	"github.com/sallyport/sallyport/internal/blob"
)

// The index says which windows of an increment hold records with a tag, and how
// many. It is a few runs, each sorted by tag and cut into sealed blocks; the
// manifest holds a fence, the first tag, for every block, so that a tag costs
// one block per run.
//
// The body of a block, all numbers uvarints:
//
//	n, the number of tags
//	n × tag less the one before it (the first: the tag)
//	    number of windows; for each: window less the one before it, records
const (
	runEntries   = 512 << 10
	blockEntries = 4096
)

// An entry of the index: so many records with this tag in this window.
type entry struct {
	tag     uint64
	window  uint32
	records uint32
}

// A fence is what the manifest says of a block.
type fence struct {
	First   uint64 `json:"first"`
	Segment int    `json:"segment"`
}

// An indexer collects the entries of windows and writes a run whenever it has
// many.
type indexer struct {
	w     *blob.Writer
	m     *manifest // whose index it is
	lists [][]entry // one for each call of add, in order
	count int
}

// add adds the tags of a window, each for so many records: 1, or 0 for a folder.
// It reorders the tags.
func (x *indexer) add(window int, tags []uint64, records uint32) error {
	parts := partition(tags)
	parallel(len(parts), func(i int) error {
		slices.Sort(parts[i])
		return nil
	})
	list := make([]entry, 0, len(tags))
	for _, t := range tags {
		if n := len(list); n == 0 || list[n-1].tag != t {
			list = append(list, entry{t, uint32(window), 0})
		}
		list[len(list)-1].records += records
	}
	x.lists = append(x.lists, list)
	if x.count += len(list); x.count < runEntries {
		return nil
	}
	return x.flush()
}

// partition reorders tags so that those of a bucket stand together, the lowest
// first, and returns these parts.
func partition(tags []uint64) [][]uint64 {
	var ends, next [maxBuckets]int
	for _, t := range tags {
		ends[bucket(t, maxBuckets)]++
	}
	parts := make([][]uint64, maxBuckets)
	sum := 0
	for b, n := range ends {
		parts[b] = tags[sum : sum+n]
		next[b], sum = sum, sum+n
		ends[b] = sum
	}
	for b := range parts {
		for next[b] < ends[b] {
			to := bucket(tags[next[b]], maxBuckets)
			tags[next[b]], tags[next[to]] = tags[next[to]], tags[next[b]]
			next[to]++
		}
	}
	return parts
}

// flush seals what was collected as a run.
func (x *indexer) flush() error {
	if x.count == 0 {
		return nil
	}
	entries := mergeLists(x.lists)
	x.lists, x.count = nil, 0
	run := len(x.m.Index)
	blocks := cutBlocks(entries)
	fences := make([]fence, len(blocks))
	err := parallel(len(blocks), func(i int) error {
		b := appendBlock(x.m.head(kindIndex, run, i).append(nil), blocks[i])
		segment, err := x.w.Put(b)
		fences[i] = fence{blocks[i][0].tag, segment}
		return err
	})
	x.m.Index = append(x.m.Index, fences)
	return err
}

// mergeLists merges sorted lists into one, in which a tag and a window occur
// once. Of the lists, later ones have the same windows or later.
func mergeLists(lists [][]entry) []entry {
	if len(lists) == 1 {
		return lists[0]
	}
	a, b := mergeLists(lists[:len(lists)/2]), mergeLists(lists[len(lists)/2:])
	out := make([]entry, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].tag < b[0].tag || a[0].tag == b[0].tag && a[0].window < b[0].window:
			out, a = append(out, a[0]), a[1:]
		case a[0].tag == b[0].tag && a[0].window == b[0].window:
			a[0].records += b[0].records
			b = b[1:]
		default:
			out, b = append(out, b[0]), b[1:]
		}
	}
	return append(append(out, a...), b...)
}

// cutBlocks cuts sorted entries into blocks; the entries of one tag stay
// together.
func cutBlocks(entries []entry) (blocks [][]entry) {
	for len(entries) > 0 {
		n := min(blockEntries, len(entries))
		for n < len(entries) && entries[n].tag == entries[n-1].tag {
			n++
		}
		blocks, entries = append(blocks, entries[:n]), entries[n:]
	}
	return blocks
}

func appendBlock(dst []byte, entries []entry) []byte {
	tags := 0
	for i, e := range entries {
		if i == 0 || e.tag != entries[i-1].tag {
			tags++
		}
	}
	dst = binary.AppendUvarint(dst, uint64(tags))
	last := uint64(0)
	for len(entries) > 0 {
		n := 1
		for n < len(entries) && entries[n].tag == entries[0].tag {
			n++
		}
		dst = binary.AppendUvarint(dst, entries[0].tag-last)
		dst = binary.AppendUvarint(dst, uint64(n))
		window := uint32(0)
		for _, e := range entries[:n] {
			dst = binary.AppendUvarint(dst, uint64(e.window-window))
			dst = binary.AppendUvarint(dst, uint64(e.records))
			window = e.window
		}
		last, entries = entries[0].tag, entries[n:]
	}
	return dst
}
