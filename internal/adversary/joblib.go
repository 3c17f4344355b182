package adversary

import "strings"

// array of joblib's: its bytes lie in the stream behind the object that says
// how many they are. Who does not know joblib takes them for opcodes.
func (w *writer) inline(t target) {
	code := func() string {
		inner := &writer{Rand: w.Rand, memo: map[int]bool{}, named: map[target]int{}, proto: 2}
		inner.call(func() { inner.line('c', t.module, t.name) })
		return string(inner.b)
	}
	padding := w.IntN(2) == 0
	w.one("array", []way{
		{"objects", func(w *writer) {
			w.wrapper("O8", 1, false)
			w.raw("\x80\x02" + code() + ".")
		}},
		{"of bytes that are code", func(w *writer) {
			data := code() + "0"
			w.wrapper("u1", len(data), false)
			w.raw(data)
		}},
		{"of bytes that are a comment", func(w *writer) {
			data := code()
			w.wrapper("u1", 2, padding)
			if padding {
				w.raw("\x02\xff\xff")
			}
			w.raw("C" + string(rune(len(data)%128)) + data)
		}},
		{"padded with code", func(w *writer) {
			data := code() + "0"
			data += strings.Repeat("N0", (int('(')-len(data)%2)/2)
			w.wrapper("u1", 1, true)
			w.raw("(1" + data + "N0")
		}},
		{"longer than the file", func(w *writer) {
			w.wrapper("f8", 1<<20, padding)
			w.raw(code() + "0")
		}},
		{"of negative size", func(w *writer) {
			w.wrapper("f8", -1, padding)
			w.raw(code() + "0")
		}},
	})
}

// raw emits bytes that are no opcode.
func (w *writer) raw(s string) {
	w.b = append(w.b, s...)
	w.ends = append(w.ends, len(w.b))
}

// wrapper pushes what stands before an array of n items.
func (w *writer) wrapper(dtype string, n int, padding bool) {
	w.global(target{"joblib.numpy_pickle", "NumpyArrayWrapper"})
	w.op(')')
	w.op(0x81)
	w.dict([]string{"subclass", "shape", "order", "dtype", "allow_mmap", "numpy_array_alignment_bytes"}, func(key string) {
		switch key {
		case "subclass":
			w.global(target{"numpy", "ndarray"})
		case "shape":
			w.tuple(func() { w.number(int32(n)) })
		case "order":
			w.str("C")
		case "dtype":
			w.dtype(dtype)
		case "allow_mmap":
			w.truth(padding)
		default:
			if padding {
				w.number(16)
			} else {
				w.op('N')
			}
		}
	})
	w.op('b')
}
