package pickle

import "github.com/sallyport/sallyport/internal/format"

const (
	memoChunk = 1 << 12 // values in a chunk
	memoFull  = 1 << 20 // values that are kept as they are, before old ones are packed
	memoBytes = 16 << 20
	memoFar   = 1 << 17 // values with numbers that no honest writer gives
)

// A memo holds the values that the stream numbered. Numbers come one after
// another in honest streams; chunks hold those, and a map those far beyond what
// there is. Chunks beyond the newest are packed: texts forget where they were
// written unless they named something, objects their contents; what is left is
// a palette of few values and a byte for each.
type memo struct {
	count  uint64 // values, which is the next number of MEMOIZE
	chunks []chunk
	full   int // chunks that are not packed
	next   int // the first that may be
	bytes  int
	far    map[uint64]Value
	huge   map[string]Value
}

type chunk struct {
	values  *[memoChunk]Value
	objects bool // some of them lie on the heap
	palette []Value
	packed  []uint8 // nil: all are palette[0]
}

// put stores a value under a number.
func (m *Machine) put(i uint64, v Value) error {
	if c := i / memoChunk; c < uint64(len(m.memo.chunks)) {
		if ch := &m.memo.chunks[c]; ch.values != nil {
			slot := &ch.values[i%memoChunk]
			if *slot == 0 {
				m.memo.count++
			}
			*slot = v
			ch.objects = ch.objects || v&onHeap != 0
			return nil
		}
	}
	return m.putSlow(i, v)
}

func (m *Machine) putSlow(i uint64, v Value) error {
	memo := &m.memo
	c := i / memoChunk
	if c > 2*(memo.count/memoChunk+2) && c >= uint64(len(memo.chunks)) {
		return m.putFar(i, v)
	}
	for c >= uint64(len(memo.chunks)) {
		memo.chunks = append(memo.chunks, chunk{})
		memo.bytes += 64
	}
	if _, ok := memo.far[i]; ok {
		delete(memo.far, i)
		memo.count--
	}
	ch := &memo.chunks[c]
	if ch.palette != nil {
		if memo.get(i) == m.forget(v) {
			return nil
		}
		ch.unpack(memo)
	}
	if ch.values == nil {
		if err := m.chunk(ch); err != nil {
			return err
		}
	}
	return m.put(i, v)
}

// putFar stores a value under a number that no honest writer gives.
func (m *Machine) putFar(i uint64, v Value) error {
	memo := &m.memo
	if i > 1<<24 {
		if err := m.diverge("the memo's number is far beyond its size: some unpicklers run out of memory on it"); err != nil {
			return err
		}
	}
	if memo.far == nil {
		memo.far = map[uint64]Value{}
	}
	if _, ok := memo.far[i]; !ok {
		memo.count++
	}
	if memo.far[i] = v; len(memo.far) > memoFar {
		return format.Exceededf(m.place(m.at), "the memo is scattered over more than %d places", memoFar)
	}
	return nil
}

// chunk makes the values of a chunk, after packing old ones.
func (m *Machine) chunk(ch *chunk) error {
	memo := &m.memo
	if memo.full*memoChunk >= memoFull {
		m.pack()
	}
	if memo.bytes > memoBytes {
		return format.Exceededf(m.place(m.at), "the memo holds more than fits %d MiB", memoBytes>>20)
	}
	ch.values = new([memoChunk]Value)
	memo.full++
	memo.bytes += memoChunk * 8
	return nil
}

// pack packs old chunks until a quarter is free or only the newest are left.
func (m *Machine) pack() {
	memo := &m.memo
	for ; memo.next < len(memo.chunks)-2 && memo.full*memoChunk > memoFull*3/4; memo.next++ {
		ch := &memo.chunks[memo.next]
		if ch.values == nil {
			continue
		}
		palette := map[Value]uint8{}
		packed := make([]uint8, memoChunk)
		for i, v := range ch.values {
			v = m.forget(v)
			n, ok := palette[v]
			if !ok {
				if len(palette) == 256 {
					packed = nil
					break
				}
				n = uint8(len(palette))
				palette[v] = n
				ch.palette = append(ch.palette, v)
			}
			packed[i] = n
		}
		if packed == nil {
			ch.palette = nil
			continue
		}
		if ch.packed = packed; len(palette) == 1 {
			ch.packed = nil
		}
		ch.values, ch.objects = nil, false
		memo.full--
		memo.bytes -= memoChunk*8 - len(ch.packed) - 8*len(ch.palette)
	}
}

// unpack undoes pack, but for what was forgotten.
func (ch *chunk) unpack(memo *memo) {
	ch.values = new([memoChunk]Value)
	for i := range ch.values {
		ch.values[i] = ch.palette[0]
		if ch.packed != nil {
			ch.values[i] = ch.palette[ch.packed[i]]
		}
	}
	memo.full++
	memo.bytes += memoChunk*8 - len(ch.packed) - 8*len(ch.palette)
	ch.palette, ch.packed = nil, nil
}

// forget is what a packed chunk knows of a value.
func (m *Machine) forget(v Value) Value {
	if v&onHeap != 0 {
		v = m.heap.brief(v)
	}
	switch k := v.Kind(); {
	case k >= Long && k <= ByteArray:
		if _, named := m.named[int64(v>>payload)]; named {
			return v
		}
		return Value(k)
	case k == Int:
		return Value(Long)
	case k >= Tuple && k != GlobalRef && v>>payload&maxCount != 0:
		return v | maxCount<<payload
	}
	return v
}

// get returns the value of a number; Nothing if there is none.
func (memo *memo) get(i uint64) Value {
	if c := i / memoChunk; c < uint64(len(memo.chunks)) {
		ch := &memo.chunks[c]
		switch {
		case ch.values != nil:
			if v := ch.values[i%memoChunk]; v != 0 {
				return v
			}
		case ch.packed != nil:
			if v := ch.palette[ch.packed[i%memoChunk]]; v != 0 {
				return v
			}
		case ch.palette != nil:
			return ch.palette[0]
		}
	}
	return memo.far[i]
}

// each replaces the values that lie on the heap.
func (memo *memo) each(fn func(Value) Value) {
	for c := range memo.chunks {
		ch := &memo.chunks[c]
		if !ch.objects {
			continue
		}
		ch.objects = false
		for i, v := range ch.values {
			if v&onHeap != 0 {
				ch.values[i] = fn(v)
				ch.objects = ch.objects || ch.values[i]&onHeap != 0
			}
		}
	}
	for i, v := range memo.far {
		if v&onHeap != 0 {
			memo.far[i] = fn(v)
		}
	}
	for i, v := range memo.huge {
		if v&onHeap != 0 {
			memo.huge[i] = fn(v)
		}
	}
}
