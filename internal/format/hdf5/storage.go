package hdf5

import "github.com/sallyport/sallyport/internal/format"

// A Layout says how a data set's values are stored.
type Layout uint8

// The layouts (§IV.A.2.i).
const (
	Compact Layout = iota
	Contiguous
	Chunked
	Virtual
)

// A Storage is where and how the values of a data set are stored.
type Storage struct {
	Object  *Object
	Off     int64 // of the message that tells
	Layout  Layout
	Sources []ExternalFile // of Virtual: what the values come from, the first at least
	Files   []ExternalFile
	Filters []Filter
	Type    Type

	w       *walker
	indexed bool // chunks are found by a B-tree of version 1
	tree    int64
	rank    int    // of a chunk, with one more for the size of a value
	chunk   uint64 // bytes of a chunk
}

// Values calls fn with the place of each value of a data set of strings or
// sequences that is not empty. Others than chunked ones as old files have them,
// without filters, are Unsupported.
func (s *Storage) Values(fn func(off, n int64) error) error {
	if s.Type.Class != Variable || s.Layout != Chunked || s.rank == 0 || len(s.Filters) > 0 {
		return format.Unsupportedf(s.Off, "values are stored in a way that is not followed")
	}
	if !s.indexed {
		return nil // none was written
	}
	return s.w.tree1(s.tree, treeChunk, 8+8*int64(s.rank), -1, func(_, chunk int64) error {
		if err := s.w.block(chunk, s.chunk); err != nil {
			return err
		}
		return s.w.variable(s.Type, chunk, s.chunk/uint64(s.Type.Size), fn)
	})
}

// chunked reads, at the cursor, how data sets of old files are cut to chunks:
// the address of the tree that finds them and the sizes of their dimensions.
func (w *walker) chunked(s *Storage, rank uint8) {
	s.tree, s.indexed = w.address()
	s.rank, s.chunk = int(rank), 1
	for range rank {
		d := uint64(w.c.U32())
		if d != 0 && s.chunk > 1<<40/d {
			w.c.Fail(format.Brokenf(w.c.Offset(), "a chunk is larger than there can be"))
			return
		}
		s.chunk *= d
	}
}

// An ExternalFile is a part of another file that holds a data set's values.
type ExternalFile struct {
	Name string
	Off  int64 // where the name stands in this file
}

// A Filter is a step that values go through when they are read.
type Filter struct {
	ID  uint16
	Off int64
}

// layout reads how a data set is stored.
func (w *walker) layout(s *Storage) error {
	at := w.c.Offset()
	s.Off = at
	v := w.c.U8()
	if err := w.c.Err(); err != nil {
		return err
	}
	switch v {
	case 1, 2:
		rank, class := w.c.U8(), w.c.U8()
		w.c.Skip(5)
		s.Layout = Layout(class)
		switch s.Layout {
		case Contiguous:
			w.address()
			w.c.Skip(4 * int64(rank))
		case Chunked:
			w.chunked(s, rank)
		}
	case 3, 4, 5:
		s.Layout = Layout(w.c.U8())
		switch {
		case s.Layout == Chunked && v == 3:
			w.chunked(s, w.c.U8())
		case s.Layout == Contiguous:
			if err := w.contiguous(); err != nil {
				return err
			}
		case s.Layout == Virtual:
			return w.virtual(s)
		}
	default:
		return version(at, "a layout", v)
	}
	if w.c.Err() == nil && s.Layout > Virtual {
		return format.Unsupportedf(at, "a layout is of an unknown class")
	}
	return w.c.Err()
}

// contiguous checks that the values lie in the file.
func (w *walker) contiguous() error {
	at, ok := w.address()
	size := w.length()
	if err := w.c.Err(); err != nil || !ok {
		return err
	}
	return w.block(at, size)
}

// virtual reads the first source of a virtual data set from the global heap
// (§VIII, block of virtual data set mappings).
func (w *walker) virtual(s *Storage) error {
	heap, ok := w.address()
	index := w.c.U32()
	if err := w.c.Err(); err != nil || !ok {
		return err
	}
	at, n, err := w.global(heap, index)
	if err != nil {
		return err
	}
	w.c.Move(at)
	w.c.Skip(1)
	if w.length() == 0 || w.c.Err() != nil {
		return w.c.Err()
	}
	from := w.c.Offset()
	file, err := w.text(from, at+n)
	if err != nil {
		return err
	}
	s.Sources = append(s.Sources, ExternalFile{file, from})
	return nil
}

// external files of a data set's values (§IV.A.2.h).
func (w *walker) externalFiles(s *Storage) error {
	at := w.c.Offset()
	if v := w.c.U8(); w.c.Err() == nil && v != 1 {
		return version(at, "a list of files", v)
	}
	w.c.Skip(3 + 2)
	n := w.c.Count(uint64(w.c.U16()), 3*int64(w.lens))
	heapAt, ok := w.address()
	slots := w.c.Offset()
	if err := w.c.Err(); err != nil {
		return err
	}
	if !ok {
		return format.Brokenf(at, "a list of files has no names")
	}
	heap, err := w.localHeap(heapAt)
	if err != nil {
		return err
	}
	for i := range int64(n) {
		w.c.Move(slots + i*3*int64(w.lens))
		name := w.length()
		file, err := w.name(heap, name)
		if err != nil {
			return err
		}
		s.Files = append(s.Files, ExternalFile{file, heap.off + int64(name)})
	}
	return nil
}

// filters reads what values go through (§IV.A.2.l).
func (w *walker) filters(s *Storage) error {
	at := w.c.Offset()
	v, n := w.c.U8(), w.c.U8()
	switch {
	case w.c.Err() != nil:
	case v == 1:
		w.c.Skip(6)
	case v != 2:
		return version(at, "a list of filters", v)
	}
	for range n {
		f := Filter{Off: w.c.Offset(), ID: w.c.U16()}
		var name uint16
		if v == 1 || f.ID >= 256 {
			name = w.c.U16()
		}
		w.c.Skip(2)
		values := w.c.U16()
		if v == 1 {
			w.c.Skip((int64(name) + 7) &^ 7)
			w.c.Skip(4 * int64(values+values&1))
		} else {
			w.c.Skip(int64(name) + 4*int64(values))
		}
		if err := w.c.Err(); err != nil {
			return err
		}
		s.Filters = append(s.Filters, f)
	}
	return w.c.Err()
}
