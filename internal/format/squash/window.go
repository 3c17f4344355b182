package squash

import "github.com/sallyport/sallyport/internal/format"

// A window holds the newest of the bytes that a decoder has yielded, for it to
// refer to and for its reader to take. It grows with what is yielded and not
// with what is announced; once it has its full size it begins again at its
// beginning.
type window struct {
	buf   []byte
	pos   int   // where the next byte goes
	taken int   // bytes before it have been taken by the reader
	total int64 // bytes yielded since the last reset
	dict  int64 // how far back the stream may refer
}

func newWindow(dict int64) *window { return &window{dict: max(dict, 4096)} }

// room is how many bytes can be written before some must be taken.
func (w *window) room() int {
	if w.pos == len(w.buf) {
		if w.taken < w.pos {
			return 0
		}
		if n := w.next(); n > len(w.buf) {
			grown := make([]byte, n)
			copy(grown, w.buf)
			w.buf = grown
		} else {
			w.pos, w.taken = 0, 0
		}
	}
	return len(w.buf) - w.pos
}

// next is the size to grow to. Few steps leave little behind for the collector,
// and of the last one the system gives only what is written to.
func (w *window) next() int {
	full := int(min(max(w.dict, 32<<10), maxWindow))
	switch {
	case w.buf == nil:
		return 32 << 10
	case len(w.buf) < 1<<20:
		return min(1<<20, full)
	}
	return full
}

func (w *window) put(b byte) {
	w.buf[w.pos] = b
	w.pos++
	w.total++
}

// at is the byte that stands dist before the next one; dist is checked.
func (w *window) at(dist int) byte {
	i := w.pos - dist
	if i < 0 {
		i += len(w.buf)
	}
	return w.buf[i]
}

// check says what is wrong with a reference so far back.
func (w *window) check(dist, off int64) error {
	switch {
	case dist > w.total || dist > w.dict:
		return format.Brokenf(off, "the compressed stream refers to before its beginning")
	case dist > maxWindow:
		return format.Exceededf(off, "the compressed stream refers more than %d MiB back", maxWindow>>20)
	}
	return nil
}

// repeat writes n bytes, for which there is room, that stand dist before them.
func (w *window) repeat(dist, n int) {
	w.total += int64(n)
	for from := w.pos - dist; n > 0; {
		if from < 0 {
			from += len(w.buf)
		}
		// What lies between the two may be shorter than n: then it repeats.
		m := n
		if from < w.pos {
			m = min(m, w.pos-from)
		} else {
			m = min(m, len(w.buf)-from)
		}
		copy(w.buf[w.pos:w.pos+m], w.buf[from:from+m])
		w.pos += m
		n -= m
		if from += m; from == len(w.buf) {
			from = 0
		}
	}
}

// take moves bytes out to the reader.
func (w *window) take(p []byte) int {
	n := copy(p, w.buf[w.taken:w.pos])
	w.taken += n
	return n
}

// reset forgets what was yielded, which the reader has taken.
func (w *window) reset() {
	w.pos, w.taken, w.total = 0, 0, 0
}
