package adversary

import "slices"

// broken ends the stream in another way than with STOP.
func (w *writer) broken(b []byte) []byte {
	garbage := []byte("\x00garbage\xff\xfe(lp0\n")
	other := []byte("\x80\x04]\x94.")
	switch w.IntN(12) {
	case 0:
		w.chose("end", "no STOP")
		return b[:len(b)-1]
	case 1:
		w.chose("end", "cut off")
		return b[:len(b)-w.IntN(len(b)/2+1)]
	case 2:
		w.chose("end", "garbage instead")
		return append(b[:len(b)-1:len(b)-1], garbage...)
	case 3:
		w.chose("end", "garbage behind")
		return append(b[:len(b):len(b)], garbage...)
	case 4:
		w.chose("end", "another pickle behind")
		return append(b[:len(b):len(b)], other...)
	case 5:
		w.chose("end", "another pickle before")
		return append(other, b...)
	case 6:
		w.chose("end", "several pickles before")
		return slices.Concat(other, other, []byte("N."), b)
	}
	return b
}

// mutate changes a few bytes at random.
func (w *writer) mutate(b []byte) []byte {
	w.chose("changed", "bytes")
	b = slices.Clone(b)
	for range 1 + w.IntN(4) {
		if len(b) < 2 {
			return b
		}
		at := w.IntN(len(b))
		to := min(len(b), at+1+w.IntN(12))
		switch w.IntN(7) {
		case 0:
			b[at] ^= 1 << w.IntN(8)
		case 1:
			b[at] = pick(w, opcodes)
		case 2:
			b = slices.Insert(b, at, pick(w, opcodes))
		case 3:
			b = slices.Delete(b, at, to)
		case 4:
			b = slices.Insert(b, w.IntN(len(b)), slices.Clone(b[at:to])...)
		case 5:
			b[at] = byte(w.Uint32())
		case 6:
			t := pick(w, commands)
			b = slices.Insert(b, at, []byte("c"+t.module+"\n"+t.name+"\n")...)
		}
	}
	return b
}

// opcodes are all 68, and one that is none.
var opcodes = []byte("(.012FIJKLMNPQRSTUVXabcdghijlopqrstu})]eBC" +
	"\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x90\x91\x92\x93\x94\x95\x96\x97\x98" + "GG\xff")
