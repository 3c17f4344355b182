package dataset

import "context"

// block walks through the body of an index block.
type block struct {
	left int
	tag  uint64
	rest []byte
}

func parseBlock(body []byte) (block, error) {
	n, rest, ok := uvarint(body)
	if !ok || n > uint64(len(rest)) {
		return block{}, badBlock()
	}
	return block{left: int(n), rest: rest}, nil
}

func badBlock() error { return damaged("a block of the index contradicts itself") }

// next appends the entries of the next tag to dst; none when there are no more.
func (b *block) next(dst []entry) ([]entry, error) {
	if b.left == 0 {
		if len(b.rest) != 0 {
			return nil, badBlock()
		}
		return dst, nil
	}
	delta, rest, ok := uvarint(b.rest)
	n, rest, ok2 := uvarint(rest)
	if !ok || !ok2 || n == 0 || n > uint64(len(rest)) || b.tag+delta < b.tag {
		return nil, badBlock()
	}
	b.tag += delta
	window := uint64(0)
	for range n {
		var d, records uint64
		if d, rest, ok = uvarint(rest); !ok || d > 1<<32 {
			return nil, badBlock()
		}
		if records, rest, ok = uvarint(rest); !ok || records >= 1<<32 {
			return nil, badBlock()
		}
		if window += d; window >= 1<<32 {
			return nil, badBlock()
		}
		dst = append(dst, entry{b.tag, uint32(window), uint32(records)})
	}
	b.left--
	b.rest = rest
	return dst, nil
}

// A tally walks over the tags of a run and says how many records each has. It
// reads a block when it comes to it.
type tally struct {
	tag     uint64
	records int64
	done    bool
	read    func(i int) ([]byte, error) // the body of the i-th block
	blocks  int
	i       int
	b       block
	scratch []entry
}

// advance moves to the next tag, or sets done.
func (t *tally) advance() (err error) {
	for t.b.left == 0 {
		if t.i == t.blocks {
			t.done = true
			return nil
		}
		body, err := t.read(t.i)
		if err != nil {
			return err
		}
		if t.b, err = parseBlock(body); err != nil {
			return err
		}
		t.i++
	}
	if t.scratch, err = t.b.next(t.scratch[:0]); err != nil {
		return err
	}
	t.tag, t.records = t.b.tag, 0
	for _, e := range t.scratch {
		t.records += int64(e.records)
	}
	return nil
}

// eachTag calls fn, in order, with every tag that has records left when the
// tallies are added up and those with a tag in minus (sorted) are taken off.
func eachTag(ctx context.Context, tallies []*tally, minus []uint64, fn func(tag uint64)) error {
	heap := make([]*tally, 0, len(tallies))
	for _, t := range tallies {
		if err := t.advance(); err != nil {
			return err
		}
		if !t.done {
			heap = append(heap, t)
		}
	}
	for i := len(heap)/2 - 1; i >= 0; i-- {
		sink(heap, i)
	}
	for n := 0; len(heap) > 0; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return interrupted()
		}
		tag, sum := heap[0].tag, int64(0)
		for len(heap) > 0 && heap[0].tag == tag {
			sum += heap[0].records
			if err := heap[0].advance(); err != nil {
				return err
			}
			if heap[0].done {
				heap[0] = heap[len(heap)-1]
				heap = heap[:len(heap)-1]
			}
			sink(heap, 0)
		}
		for len(minus) > 0 && minus[0] <= tag {
			if minus[0] == tag {
				sum--
			}
			minus = minus[1:]
		}
		if sum > 0 {
			fn(tag)
		}
	}
	return nil
}

// sink restores the order of the heap below its i-th element.
func sink(heap []*tally, i int) {
	for {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(heap); c++ {
			if heap[c].tag < heap[least].tag {
				least = c
			}
		}
		if least == i {
			return
		}
		heap[i], heap[least] = heap[least], heap[i]
		i = least
	}
}
