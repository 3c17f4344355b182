package hdf5

import (
	"math/bits"

	"github.com/sallyport/sallyport/internal/format"
)

// A fractalHeap stores things of any size (§III.G): tiny ones within their ID,
// those up to a limit in blocks that double in size, and larger ones wherever
// there is room.
type fractalHeap struct {
	idSize              int
	width               uint64 // blocks of a row
	first, maxDirect    uint64 // size of the blocks of the first row, and of the largest that hold things
	offSize, lenSize    int    // of a place in the heap, and of a length, in an ID
	root                int64
	hasRoot             bool
	rows                int // of the root, 0 if it is a block that holds things
	huge                int64
	hasHuge, hugeDirect bool
}

func (w *walker) fractalHeap(at int64) (*fractalHeap, error) {
	v := w.magic(at, "FRHP")
	if w.c.Err() == nil && v != 0 {
		return nil, version(at, "a fractal heap", v)
	}
	h := &fractalHeap{idSize: int(w.c.U16())}
	filters := w.c.U16()
	w.c.Skip(1)
	maxManaged := w.c.U32()
	w.length()
	h.huge, h.hasHuge = w.address()
	w.length()
	w.address()
	w.c.Skip(8 * int64(w.lens)) // counts and sizes that nothing here depends on
	h.width = uint64(w.c.U16())
	h.first, h.maxDirect = w.length(), w.length()
	maxBits := w.c.U16()
	w.c.U16()
	h.root, h.hasRoot = w.address()
	h.rows = int(w.c.U16())
	if err := w.c.Err(); err != nil {
		return nil, err
	}
	if filters != 0 {
		return nil, format.Unsupportedf(at, "a heap is compressed")
	}
	if !power(h.first) || !power(h.maxDirect) || h.first > h.maxDirect || h.maxDirect > 1<<32 || h.width == 0 || maxBits > 64 || maxManaged == 0 {
		return nil, format.Brokenf(at, "a fractal heap has impossible sizes")
	}
	h.offSize = (int(maxBits) + 7) / 8
	h.lenSize = min((log2(h.maxDirect)+7)/8, encoded(uint64(maxManaged)))
	h.hugeDirect = w.offs+w.lens <= h.idSize-1
	return h, w.checksum(at, w.c.Offset()-at)
}

func power(n uint64) bool { return bits.OnesCount64(n) == 1 }

// log2 is the place of the highest bit of n > 0.
func log2(n uint64) int { return bits.Len64(n) - 1 }

// encoded is how many bytes the library uses for numbers up to n.
func encoded(n uint64) int { return log2(max(n, 1))/8 + 1 }

// inHeap returns where the thing is whose ID, which stands at at, is id.
func (w *walker) inHeap(h *fractalHeap, id []byte, at int64) (off, end int64, err error) {
	if id[0]>>6 != 0 {
		return 0, 0, version(at, "an ID of a heap", id[0]>>6)
	}
	switch id[0] >> 4 & 3 {
	case 0:
		if 1+h.offSize+h.lenSize > len(id) {
			return 0, 0, format.Brokenf(at, "an ID of a heap is too short")
		}
		return w.managed(h, little(id[1:1+h.offSize]), little(id[1+h.offSize:1+h.offSize+h.lenSize]), at)
	case 1:
		return w.hugeObject(h, id, at)
	case 2:
		n, skip := int64(id[0]&15)+1, int64(1)
		if h.idSize-1 > 16 {
			n, skip = int64(id[0]&15)<<8|int64(id[1])+1, 2
		}
		if skip+n > int64(len(id)) {
			return 0, 0, format.Brokenf(at, "an ID of a heap is too short")
		}
		return at + skip, at + skip + n, nil
	}
	return 0, 0, format.Brokenf(at, "an ID of a heap has an impossible type")
}

func little(b []byte) uint64 {
	var v uint64
	for i := len(b) - 1; i >= 0; i-- {
		v = v<<8 | uint64(b[i])
	}
	return v
}

// managed finds n bytes at off in the blocks of the heap.
func (w *walker) managed(h *fractalHeap, off, n uint64, at int64) (int64, int64, error) {
	if !h.hasRoot {
		return 0, 0, format.Brokenf(at, "a heap without blocks should hold something")
	}
	block, rows, from, size := h.root, h.rows, uint64(0), h.first
	for rows > 0 {
		if err := w.step(1); err != nil {
			return 0, 0, err
		}
		row, col, start := h.place(off - from)
		if row >= rows {
			return 0, 0, format.Brokenf(at, "an ID leaves its heap")
		}
		size = h.rowSize(row)
		direct := size <= h.maxDirect
		child, err := w.child(h, block, uint64(row)*h.width+col)
		if err != nil {
			return 0, 0, err
		}
		block, from = child, from+start
		rows = 0
		if !direct {
			rows = log2(size) - log2(h.first*h.width) + 1
			if rows <= 0 {
				return 0, 0, format.Brokenf(at, "a fractal heap has impossible sizes")
			}
		}
	}
	if off < from || off-from > size || n > size-(off-from) {
		return 0, 0, format.Brokenf(at, "an ID leaves its heap")
	}
	if err := w.directBlock(h, block, size); err != nil {
		return 0, 0, err
	}
	start := block + int64(off-from)
	return start, start + int64(n), nil
}

// rowSize is the size of each block of a row: as the first row's in the second,
// and then double the row before.
func (h *fractalHeap) rowSize(row int) uint64 {
	return h.first << max(row-1, 0)
}

// place returns in which block of a table of blocks the byte off is, and where
// the block begins.
func (h *fractalHeap) place(off uint64) (row int, col, start uint64) {
	line := h.first * h.width // bytes of the first row, and of all rows before the second and so on
	if off < line {
		col = off / h.first
		return 0, col, col * h.first
	}
	row = log2(off/line) + 1
	start = line << (row - 1)
	size := h.rowSize(row)
	col = (off - start) / size
	return row, col, start + col*size
}

// child reads the nth address of a table of blocks.
func (w *walker) child(h *fractalHeap, at int64, n uint64) (int64, error) {
	if v := w.magic(at, "FHIB"); w.c.Err() == nil && v != 0 {
		return 0, version(at, "a fractal heap", v)
	}
	w.c.Skip(int64(w.offs) + int64(h.offSize))
	w.c.Skip(w.c.Length(n * uint64(w.offs)))
	child, ok := w.address()
	if err := w.c.Err(); err != nil {
		return 0, err
	}
	if !ok {
		return 0, format.Brokenf(at, "an ID lies in a block that a heap does not have")
	}
	return child, nil
}

// directBlock checks that there is a block of things.
func (w *walker) directBlock(h *fractalHeap, at int64, size uint64) error {
	if v := w.magic(at, "FHDB"); w.c.Err() == nil && v != 0 {
		return version(at, "a fractal heap", v)
	}
	if err := w.c.Err(); err != nil {
		return err
	}
	return w.block(at, size)
}

// hugeObject finds a thing that has a place of its own, which the ID or a
// B-tree tells.
func (w *walker) hugeObject(h *fractalHeap, id []byte, at int64) (off, end int64, err error) {
	found := false
	read := func(from int64) {
		w.c.Move(from)
		var size uint64
		off, found = w.address()
		size = w.length()
		if w.c.Err() == nil && found {
			if err := w.block(off, size); err != nil {
				w.c.Fail(err)
				return
			}
			end = off + int64(size)
		}
	}
	switch {
	case h.hugeDirect:
		read(at + 1)
	case h.hasHuge:
		want := little(id[1 : 1+min(w.lens, len(id)-1)])
		err = w.tree2(h.huge, 1, func(rec int64) error {
			w.c.Move(rec + int64(w.offs+w.lens))
			if !found && w.length() == want {
				read(rec)
			}
			return w.c.Err()
		})
	}
	if err == nil {
		err = w.c.Err()
	}
	if err == nil && !found {
		err = format.Brokenf(at, "an ID names something that a heap does not have")
	}
	return off, end, err
}
