package hdf5

import "github.com/sallyport/sallyport/internal/format"

// Cache types of a symbol table entry (§III.C).
const (
	cachedGroup = 1
	cachedLink  = 2
)

// An entry is one of a symbol table: a name and where its object is.
type entry struct {
	name       uint64 // in the local heap
	header     int64
	cache      uint32
	tree, heap int64  // of cachedGroup
	target     uint32 // of cachedLink, in the local heap
}

// entry reads one at the cursor and leaves the cursor behind it.
func (w *walker) entry() (entry, error) {
	at := w.c.Offset()
	e := entry{name: w.number(w.offs)}
	header, ok := w.address()
	e.header = header
	e.cache = w.c.U32()
	w.c.Skip(4)
	scratch := w.c.Offset()
	switch e.cache {
	case cachedGroup:
		e.tree, _ = w.address()
		e.heap, _ = w.address()
	case cachedLink:
		e.target = w.c.U32()
	}
	w.c.Move(scratch)
	w.c.Skip(16)
	if w.c.Err() == nil && !ok && e.cache != cachedLink {
		return e, format.Brokenf(at, "an entry of a symbol table names no object")
	}
	return e, w.c.Err()
}

// A localHeap holds the names of a symbol table (§III.D).
type localHeap struct{ off, end int64 }

func (w *walker) localHeap(at int64) (localHeap, error) {
	v := w.magic(at, "HEAP")
	if w.c.Err() == nil && v != 0 {
		return localHeap{}, version(at, "a local heap", v)
	}
	w.c.Skip(3)
	size := w.length()
	w.length()
	data, ok := w.address()
	if err := w.c.Err(); err != nil {
		return localHeap{}, err
	}
	if !ok {
		return localHeap{}, format.Brokenf(at, "a local heap has no data")
	}
	return localHeap{data, data + int64(min(size, uint64(w.end-data)))}, w.block(data, size)
}

// name reads a text of the heap.
func (w *walker) name(h localHeap, off uint64) (string, error) {
	if off > uint64(h.end-h.off) {
		return "", format.Brokenf(h.off, "a name lies beyond its heap")
	}
	return w.text(h.off+int64(off), h.end)
}

// symbolTable reads the members of a group as old files have them: a B-tree
// whose leaves are tables of entries, and a heap of names.
func (w *walker) symbolTable(o *Object) error {
	tree, ok := w.address()
	heapAt, ok2 := w.address()
	if err := w.c.Err(); err != nil {
		return err
	}
	if !ok || !ok2 {
		return format.Brokenf(o.Off, "a group has no symbol table where it should")
	}
	heap, err := w.localHeap(heapAt)
	if err != nil {
		return err
	}
	return w.tree1(tree, treeGroup, 0, -1, func(_, child int64) error { return w.symbols(o, heap, child) })
}

// Kinds of version 1 B-trees.
const (
	treeGroup = 0
	treeChunk = 1
)

// tree1 calls fn for each leaf of a B-tree of version 1 (§III.A.1) with the
// places of its key and of what it points to. Key is the size of a key, 0 for
// that of a length; level is what the node must have, -1 for any.
func (w *walker) tree1(at int64, kind uint8, key int64, level int, fn func(key, child int64) error) error {
	if got := w.magic(at, "TREE"); w.c.Err() == nil && got != kind {
		return format.Brokenf(at, "a tree is of another kind")
	}
	height := int(w.c.U8())
	used := w.c.U16()
	w.c.Skip(2 * int64(w.offs))
	if key == 0 {
		key = int64(w.lens)
	}
	n := w.c.Count(uint64(used), key+int64(w.offs))
	if err := w.c.Err(); err != nil {
		return err
	}
	if level >= 0 && height != level {
		return format.Brokenf(at, "a node of a tree is of the wrong level")
	}
	next := w.c.Offset()
	for range n {
		if err := w.step(1); err != nil {
			return err
		}
		w.c.Move(next)
		w.c.Skip(key)
		child, ok := w.address()
		if err := w.c.Err(); err != nil {
			return err
		}
		if !ok {
			return format.Brokenf(next, "a tree has no node where it should")
		}
		var err error
		if height == 0 {
			err = fn(next, child)
		} else {
			err = w.tree1(child, kind, key, height-1, fn)
		}
		if err != nil {
			return err
		}
		next += key + int64(w.offs)
	}
	return nil
}

// symbols reads a table of entries (§III.B).
func (w *walker) symbols(o *Object, heap localHeap, at int64) error {
	if v := w.magic(at, "SNOD"); w.c.Err() == nil && v != 1 {
		return version(at, "a symbol table", v)
	}
	w.c.Skip(1)
	n := w.c.Count(uint64(w.c.U16()), 2*int64(w.offs)+24)
	next := w.c.Offset()
	for range n {
		w.c.Move(next)
		e, err := w.entry()
		if err != nil {
			return err
		}
		next = w.c.Offset()
		name, err := w.name(heap, e.name)
		if err != nil {
			return err
		}
		if e.cache == cachedLink {
			err = w.oldLink(o, heap, name, e)
		} else {
			err = w.enqueue(o, name, e.header)
		}
		if err != nil {
			return err
		}
	}
	return w.c.Err()
}

// oldLink tells of a soft link in a symbol table.
func (w *walker) oldLink(o *Object, heap localHeap, name string, e entry) error {
	target, err := w.name(heap, uint64(e.target))
	if err != nil {
		return err
	}
	return w.link(&Link{Object: o, Name: name, Off: heap.off + int64(e.target), Type: Soft, Target: target})
}
