package pickle

import (
	"io"
	"slices"
)

// A view is a reader without some of its parts. An unpickler that drops what is
// left of a frame, or reads an array from behind it, sees a stream without them.
type view struct {
	r    io.ReaderAt
	gaps []gap
}

// A gap is n bytes that are left out before the byte at off of the view.
type gap struct{ off, n int64 }

// place is the offset in the reader of a byte of the view.
func (w *view) place(off int64) int64 {
	for i := len(w.gaps) - 1; i >= 0; i-- {
		if off >= w.gaps[i].off {
			off += w.gaps[i].n
		}
	}
	return off
}

// leave cuts n bytes out of the view, from off on. Gaps are nested: each is in
// terms of the view before it.
func (w *view) leave(off, n int64) {
	w.gaps = append(slices.Clip(w.gaps), gap{off, n})
}

func (w *view) ReadAt(p []byte, off int64) (int, error) {
	if len(w.gaps) == 0 {
		return w.r.ReadAt(p, off)
	}
	for read := 0; read < len(p); {
		at, n := w.span(off+int64(read), int64(len(p)-read))
		m, err := w.r.ReadAt(p[read:read+int(n)], at)
		if read += m; int64(m) < n {
			return read, err
		}
	}
	return len(p), nil
}

// span is where a byte lies in the reader, and how many of the n from it on lie
// there together.
func (w *view) span(off, n int64) (int64, int64) {
	for i := len(w.gaps) - 1; i >= 0; i-- {
		if g := w.gaps[i]; off >= g.off {
			off += g.n
		} else {
			n = min(n, g.off-off)
		}
	}
	return off, n
}
