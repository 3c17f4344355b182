package hdf5

import "github.com/sallyport/sallyport/internal/format"

// superblock reads the superblock (§II.A) and its extension, and returns where
// the root group's header is.
//
// The library takes the place where it found the superblock for the base
// address, whatever the superblock says, and moves the end by as much.
func (w *walker) superblock() (root int64, err error) {
	v := w.magic(w.base, string(signature))
	if w.c.Err() == nil && v > 3 {
		return 0, version(w.base, "the superblock", v)
	}
	if v < 2 {
		w.c.Skip(4) // versions of other parts, each of which says its own
	}
	w.offs, w.lens = int(w.c.U8()), int(w.c.U8())
	if w.c.Err() == nil && !(sizeOK(w.offs) && sizeOK(w.lens)) {
		return 0, format.Unsupportedf(w.c.Offset(), "addresses of %d and lengths of %d bytes", w.offs, w.lens)
	}
	switch v {
	case 0:
		w.c.Skip(1 + 2 + 2 + 4)
	case 1:
		w.c.Skip(1 + 2 + 2 + 4 + 2 + 2)
	default:
		w.c.Skip(1)
	}
	if err := w.c.Err(); err != nil {
		return 0, err
	}
	stored := w.number(w.offs)
	w.moved = stored != uint64(w.base)
	extension, extended := w.address() // in versions 0 and 1: of free space, which nobody reads
	if err := w.fileEnd(stored); err != nil {
		return 0, err
	}
	if v < 2 {
		return w.rootEntry()
	}
	root, ok := w.address()
	if w.c.Err() == nil && !ok {
		return 0, format.Brokenf(w.base, "there is no root group")
	}
	if err := w.checksum(w.base, w.c.Offset()-w.base); err != nil {
		return 0, err
	}
	if extended {
		err = w.extension(extension)
	}
	return root, err
}

func sizeOK(n int) bool { return n == 2 || n == 4 || n == 8 }

// fileEnd reads where the file ends, which is told as for a file whose
// superblock is at stored.
func (w *walker) fileEnd(stored uint64) error {
	at := w.c.Offset()
	end := w.number(w.offs) + uint64(w.base) - stored
	if err := w.c.Err(); err != nil {
		return err
	}
	if end > uint64(w.end) {
		return format.Brokenf(at, "the file is shorter than it says")
	}
	w.end = max(int64(end), w.base) // unlike other addresses, from the file's beginning on
	return nil
}

// rootEntry reads the rest of a superblock of version 0 or 1. The entry of the
// root group may repeat what the group's header says, and programs differ in
// which they believe; so both must say the same. Where the header has no symbol
// table, the library has moved the members and left the entry behind.
func (w *walker) rootEntry() (int64, error) {
	if _, ok := w.address(); ok {
		return 0, format.Unsupportedf(w.base, "the file is one part of several")
	}
	at := w.c.Offset()
	e, err := w.entry()
	if err != nil {
		return 0, err
	}
	if e.cache == cachedGroup {
		same := true
		err = w.messages(e.header, func(m message) error {
			if m.kind == msgSymbolTable {
				tree, _ := w.address()
				heap, _ := w.address()
				same = same && tree == e.tree && heap == e.heap
			}
			return w.c.Err()
		})
		if err == nil && !same {
			err = format.Brokenf(at, "the superblock and the root group's header name different members")
		}
	}
	return e.header, err
}

// extension reads the superblock's extension for what would make the file mean
// something else than its blocks say.
func (w *walker) extension(at int64) error {
	return w.messages(at, func(m message) error {
		switch m.kind {
		case msgDriver:
			return format.Unsupportedf(m.off, "the file is one part of several")
		case msgCacheImage:
			return format.Unsupportedf(m.off, "the file holds an image of a cache in place of its structure")
		}
		return nil
	})
}
