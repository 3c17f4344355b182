package npy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/sallyport/sallyport/internal/format"
)

// file is one of version 1.0 with a header.
func file(header string) []byte {
	return append(binary.LittleEndian.AppendUint16([]byte(Magic+"\x01\x00"), uint16(len(header))), header...)
}

func read(data []byte) (*Header, error) {
	return Read(format.NewCursor(bytes.NewReader(data), 0, int64(len(data))))
}

// TestTypes wants the sizes that NumPy gives to types.
func TestTypes(t *testing.T) {
	for descr, want := range map[string]int64{
		`'|b1'`: 1, `'<i8'`: 8, `'>u2'`: 2, `'=f4'`: 4, `'f8'`: 8, `'<f16'`: 16, `'<c32'`: 32, `'|S7'`: 7, `'<U7'`: 28, `'|V9'`: 9, `'|S0'`: 0, `'<M8'`: 8, `'<m8[25us]'`: 8, `'<M8[D]'`: 8, `'<M8[s/3]'`: 8,
		`[('a', '<i4'), ('b', '<f8')]`: 12, `[('a', '<i4', (2, 3))]`: 24, `[('a', '<i4', 3)]`: 12, `[(('t', 'a'), [('b', '|u1'), ('c', '<i2')])]`: 3, `('<i4', (2,))`: 8, `[('', '|V4')]`: 4,
	} {
		h, err := read(file(`{'descr': ` + descr + `, 'fortran_order': False, 'shape': (2, 3), }` + "\n"))
		if err != nil || h.Item != want || h.Objects || h.Size != 6*want || !slices.Equal(h.Shape, []int64{2, 3}) {
			t.Errorf("%s: %+v, %v", descr, h, err)
		}
	}
	for _, descr := range []string{`'|O'`, `'O'`, `'|O8'`, `[('a', '<i4'), ('b', [('c', '|O')])]`, `[('a', '|O', (0,))]`, `('|O', (2,))`} {
		if h, err := read(file(`{'descr': ` + descr + `, 'fortran_order': True, 'shape': ()}`)); err != nil || !h.Objects || !h.Fortran {
			t.Errorf("%s: %+v, %v", descr, h, err)
		}
	}
	for _, descr := range []string{`''`, `'<'`, `'<<i4'`, `'<i3'`, `'<x4'`, `'<f'`, `'<f4 '`, `'<f04'`, `'f4,f4'`, `'<M8[]'`, `'<M8[ns'`, `'<i4[ns]'`, `'|S99999999999'`, `'|O3'`, `None`, `1`, `[]`, `['<i4']`, `[('a',)]`, `[(1, '<i4')]`, `[('a', '<i4', -1)]`, `[('a', '<i4', ('b',))]`, `{}`} {
		if h, err := read(file(`{'descr': ` + descr + `, 'fortran_order': False, 'shape': ()}`)); !format.Is(err, format.Broken) {
			t.Errorf("%s: %+v, %v", descr, h, err)
		}
	}
}

// TestWithin reads a header in the middle of something else, as one stands in a
// pickle of joblib.
func TestWithin(t *testing.T) {
	data := append([]byte("before"), file(`{'descr': '|u1', 'fortran_order': False, 'shape': (1,)}`)...)
	end := len(data)
	data = append(data, "xyz"...)
	c := format.NewCursor(bytes.NewReader(data), 6, int64(len(data)-6))
	h, err := Read(c)
	if err != nil || h.Start != int64(end) || c.Offset() != int64(end) || h.Size != 1 {
		t.Errorf("%+v at %d, %v", h, c.Offset(), err)
	}
}

func FuzzNpy(f *testing.F) {
	f.Add(file(`{'descr': [('a', '<i4'), (('t', "b"), '<f8', (2,))], 'fortran_order': False, 'shape': (2L, 3), }` + "\n"))
	f.Add(file(`{'descr': '|O', 'fortran_order': True, 'shape': ()}`))
	f.Add([]byte(Magic + "\x03\x00\x02\x00\x00\x00{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := read(data)
		if err != nil {
			var e *format.Error
			if !errors.As(err, &e) || e.Off > int64(len(data)) {
				t.Fatal(err)
			}
			return
		}
		if h.Size < 0 || h.Item < 0 || h.Start > int64(len(data)) {
			t.Fatalf("%+v", h)
		}
	})
}
