package flat

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/sallyport/sallyport/internal/format"
)

// sample is a buffer whose root has the fields 0: a byte, 1: a number of four
// bytes, 2: a text, 3: a vector of two tables which are the same, 5: of eight.
var sample = slices.Concat(
	[]byte{24, 0, 0, 0},        // 0: the root is at 24
	[]byte{16, 0, 32, 0},       // 4: virtual table of 16 bytes, table of 32
	[]byte{4, 0, 8, 0, 12, 0},  // fields 0, 1, 2
	[]byte{16, 0, 0, 0, 24, 0}, // 3, none, 5
	[]byte{0, 0, 0, 0},         // 20
	[]byte{20, 0, 0, 0},        // 24: the root, 20 bytes behind its virtual table
	[]byte{7, 0, 0, 0},         // 28
	[]byte{0xff, 0xff, 0xff, 0xff},
	[]byte{20, 0, 0, 0},                          // 36: the text is at 56
	[]byte{24, 0, 0, 0},                          // 40: the vector is at 64
	[]byte{0, 0, 0, 0},                           // 44
	[]byte{1, 2, 3, 4, 5, 6, 7, 8},               // 48
	[]byte{3, 0, 0, 0, 'a', 'b', 'c', 0},         // 56
	[]byte{2, 0, 0, 0, 16, 0, 0, 0, 12, 0, 0, 0}, // 64
	[]byte{4, 0, 4, 0, 0, 0, 0, 0},               // 76: an empty virtual table
	[]byte{8, 0, 0, 0},                           // 84: a table of it
)

func TestBuffer(t *testing.T) {
	b := Open(bytes.NewReader(sample), int64(len(sample)))
	r := b.Root()
	if r.U8(0, 1) != 7 || r.I32(1, 0) != -1 || r.Text(2, 10) != "abc" || r.U64(5, 0) != 0x0807060504030201 || r.U32(4, 9) != 9 || r.U32(60, 8) != 8 {
		t.Errorf("fields: %v", b.Err())
	}
	v := r.Vector(3, 4)
	if v.Len != 2 || v.Size() != 8 || v.Table(0).Off != 84 || v.Table(1).Off != 84 || v.Table(0).Has(0) || v.I32(0) != 16 || b.Err() != nil {
		t.Errorf("vector: %+v, %v", v, b.Err())
	}
	if r.Table(4).Has(0) || r.Vector(4, 1).Len != 0 || r.Text(4, 1) != "" || !r.Has(0) || r.Has(4) || b.Err() != nil {
		t.Errorf("absent fields: %v", b.Err())
	}
}

// TestBufferBroken changes one place of an honest buffer so that something
// leaves it.
func TestBufferBroken(t *testing.T) {
	for name, c := range map[string]struct {
		at    int
		value uint32
	}{
		"root beyond":            {0, 1000},
		"root at itself":         {0, 0},
		"virtual table before":   {24, 25},
		"virtual table beyond":   {24, 0xffffff00},
		"virtual table short":    {4, 32<<16 | 2},
		"virtual table odd":      {4, 32<<16 | 15},
		"virtual table long":     {4, 32<<16 | 0xfff0},
		"table beyond":           {4, 0x7fff<<16 | 16},
		"field beyond its table": {8, 40<<16 | 4},
		"text beyond":            {36, 1000},
		"text too long":          {56, 1000},
		"vector beyond":          {40, 0xffffffff},
		"vector too long":        {64, 0x40000000},
		"element beyond":         {68, 0x7fffffff},
		"element at itself":      {68, 0},
	} {
		bad := slices.Clone(sample)
		binary.LittleEndian.PutUint32(bad[c.at:], c.value)
		if err := visit(bad); !format.Is(err, format.Broken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// visit reads all of a buffer that has the form of the sample.
func visit(b []byte) error {
	buf := Open(bytes.NewReader(b), int64(len(b)))
	r := buf.Root()
	r.U8(0, 0)
	r.U32(1, 0)
	r.Text(2, 64)
	r.U64(5, 0)
	v := r.Vector(3, 4)
	for i := 0; i < v.Len && buf.Err() == nil; i++ {
		v.Table(i).Vector(0, 4)
	}
	return buf.Err()
}

// TestShared wants a buffer that leads to one table over and over to be given up.
func TestShared(t *testing.T) {
	b := Open(bytes.NewReader(sample), int64(len(sample)))
	v := b.Root().Vector(3, 4)
	n := 0
	for ; b.Err() == nil && n < 1<<20; n++ {
		v.Table(0)
	}
	if !format.Is(b.Err(), format.Exceeded) {
		t.Errorf("after %d tables: %v", n, b.Err())
	}
}

func TestSecondText(t *testing.T) {
	flexible := []byte{1, 'a', 0, 2, 'b', 'c', 0, 2, 7, 5, 5 << 2, 5 << 2, 4, 10 << 2, 1}
	off, n, err := SecondText(bytes.NewReader(flexible), 0, int64(len(flexible)))
	if err != nil || string(flexible[off:off+n]) != "bc" {
		t.Errorf("%d bytes at %d, %v", n, off, err)
	}
	for i := range flexible {
		for _, x := range []byte{0, 1, 5, 0xff} {
			bad := slices.Clone(flexible)
			bad[i] = x
			off, n, err := SecondText(bytes.NewReader(bad), 0, int64(len(bad)))
			if err == nil && (off < 0 || n < 0 || off+n > int64(len(bad))) || err != nil && !format.Is(err, format.Broken) {
				t.Errorf("byte %d as %d: %d bytes at %d, %v", i, x, n, off, err)
			}
		}
		if _, _, err := SecondText(bytes.NewReader(flexible), 0, int64(i)); i > 0 && err == nil {
			t.Logf("the first %d bytes are one too", i)
		}
	}
}

func FuzzFlat(f *testing.F) {
	f.Add(sample)
	f.Fuzz(func(t *testing.T, b []byte) {
		var e *format.Error
		if err := visit(b); err != nil && !errors.As(err, &e) {
			t.Fatal(err)
		}
		off, n, err := SecondText(bytes.NewReader(b), 0, int64(len(b)))
		if err == nil && (off < 0 || n < 0 || off+n > int64(len(b))) {
			t.Fatalf("%d bytes at %d of %d", n, off, len(b))
		}
	})
}
