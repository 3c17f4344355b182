package hdf5

import "github.com/sallyport/sallyport/internal/format"

// A tree2 is a B-tree of version 2 (§III.A.2).
type tree2 struct {
	kind     uint8
	nodeSize uint64
	recSize  uint64
	levels   []level // from the leaves up
}

// A level says how the nodes of one distance from the leaves are laid out.
type level struct {
	maxRecords uint64
	below      uint64 // most records of a node and all below it
	totalSize  int    // bytes of a count of those
}

// nodeOverhead is what a node has beside records and pointers: a signature,
// version, type and checksum.
const nodeOverhead = 10

// tree2 calls fn with the place of each record of a B-tree of the kind.
func (w *walker) tree2(at int64, kind uint8, fn func(rec int64) error) error {
	v := w.magic(at, "BTHD")
	got := w.c.U8()
	t := &tree2{kind: kind, nodeSize: uint64(w.c.U32()), recSize: uint64(w.c.U16())}
	depth := w.c.U16()
	w.c.Skip(2)
	root, ok := w.address()
	n := uint64(w.c.U16())
	w.length()
	if err := w.c.Err(); err != nil {
		return err
	}
	switch {
	case v != 0:
		return version(at, "a tree", v)
	case got != kind:
		return format.Brokenf(at, "a tree is of another kind")
	case depth > 32 || t.recSize == 0 || t.nodeSize < nodeOverhead+t.recSize:
		return format.Brokenf(at, "a tree has impossible sizes")
	}
	if err := w.checksum(at, w.c.Offset()-at); err != nil || !ok {
		return err
	}
	if !t.layout(w, int(depth)) {
		return format.Brokenf(at, "a tree has impossible sizes")
	}
	return w.node2(t, root, n, int(depth), fn)
}

// layout computes the levels' sizes as the library does.
func (t *tree2) layout(w *walker, depth int) bool {
	leaf := (t.nodeSize - nodeOverhead) / t.recSize
	t.levels = []level{{maxRecords: leaf, below: leaf}}
	for d := 1; d <= depth; d++ {
		last := t.levels[d-1]
		pointer := uint64(w.offs + encoded(leaf) + last.totalSize)
		if t.nodeSize < nodeOverhead+pointer+t.recSize+pointer {
			return false
		}
		n := (t.nodeSize - nodeOverhead - pointer) / (t.recSize + pointer)
		below := (n+1)*last.below + n
		if last.below > 1<<40 {
			return false
		}
		t.levels = append(t.levels, level{n, below, encoded(below)})
	}
	return true
}

// node2 visits a node of n records.
func (w *walker) node2(t *tree2, at int64, n uint64, depth int, fn func(rec int64) error) error {
	letters := "BTLF"
	if depth > 0 {
		letters = "BTIN"
	}
	v := w.magic(at, letters)
	kind := w.c.U8()
	if err := w.c.Err(); err != nil {
		return err
	}
	if v != 0 || kind != t.kind || n > t.levels[depth].maxRecords {
		return format.Brokenf(at, "a node of a tree does not belong to it")
	}
	records := at + 6
	pointers := records + int64(n*t.recSize)
	counted, total := encoded(t.levels[0].maxRecords), 0
	if depth > 1 {
		total = t.levels[depth-1].totalSize
	}
	end := pointers
	if depth > 0 {
		end += int64(n+1) * int64(w.offs+counted+total)
	}
	if err := w.checksum(at, end-at); err != nil {
		return err
	}
	for i := range int64(n) {
		if err := w.step(1); err != nil {
			return err
		}
		if err := fn(records + i*int64(t.recSize)); err != nil {
			return err
		}
	}
	if depth == 0 {
		return nil
	}
	for i := range int64(n) + 1 {
		w.c.Move(pointers + i*int64(w.offs+counted+total))
		child, ok := w.address()
		records := w.number(counted)
		if err := w.c.Err(); err != nil {
			return err
		}
		if !ok {
			return format.Brokenf(at, "a tree has no node where it should")
		}
		if err := w.node2(t, child, records, depth-1, fn); err != nil {
			return err
		}
	}
	return nil
}
