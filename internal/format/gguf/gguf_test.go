package gguf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/sallyport/sallyport/internal/format"
)

func free(int) error { return nil }

// all reads a file to the end of its descriptions.
func all(data []byte, step func(int) error) (*Reader, []Pair, []Tensor, error) {
	r, err := Open(format.NewCursor(bytes.NewReader(data), 0, int64(len(data))), step)
	if err != nil {
		return nil, nil, nil, err
	}
	var pairs []Pair
	for {
		p, ok, err := r.Pair()
		if err != nil {
			return r, pairs, nil, err
		}
		if !ok {
			break
		}
		pairs = append(pairs, p)
	}
	var tensors []Tensor
	for {
		t, ok, err := r.Tensor()
		if err != nil || !ok {
			return r, pairs, tensors, err
		}
		tensors = append(tensors, t)
	}
}

// sample is a file of each version and byte order: a string, an array of
// strings, a number and two tensors.
func sample(version uint32, order binary.AppendByteOrder) []byte {
	b := order.AppendUint32([]byte(Magic), version)
	n := func(v uint64) {
		if version == 1 {
			b = order.AppendUint32(b, uint32(v))
		} else {
			b = order.AppendUint64(b, v)
		}
	}
	u32 := func(v uint32) { b = order.AppendUint32(b, v) }
	str := func(s string) { n(uint64(len(s))); b = append(b, s...) }
	n(2)
	n(3)
	str("name")
	u32(uint32(String))
	str("value")
	str("list")
	u32(uint32(Array))
	u32(uint32(String))
	n(2)
	str("a")
	str("bc")
	str("half")
	u32(uint32(U16))
	b = order.AppendUint16(b, 700)
	for i, name := range []string{"t", "u"} {
		str(name)
		u32(1)
		n(5)
		u32(0)
		b = order.AppendUint64(b, uint64(i)*32)
	}
	return b
}

func TestVersions(t *testing.T) {
	for version := uint32(1); version <= 3; version++ {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			data := sample(version, order)
			r, pairs, tensors, err := all(data, free)
			if err != nil || len(pairs) != 3 || len(tensors) != 2 || r.Version != version {
				t.Fatalf("version %d, %s: %v %v %v", version, order, pairs, tensors, err)
			}
			if p := pairs[0]; p.Key != "name" || string(data[p.At:p.At+p.Len]) != "value" {
				t.Errorf("%+v", p)
			}
			if p := pairs[1]; p.Type != Array || p.Items != String || p.Len != 2 || pairs[2].Number != 700 {
				t.Errorf("%+v %+v", p, pairs[2])
			}
			if u := tensors[1]; u.Name != "u" || u.Start != 32 || u.Size != 20 {
				t.Errorf("%+v", u)
			}
			if start, end, padded := r.Data(); start%32 != 0 || end != start+52 || padded != start+64 {
				t.Errorf("data %d %d %d", start, end, padded)
			}
		}
	}
}

// TestEveryCut wants no part of a header to be taken for a whole one.
func TestEveryCut(t *testing.T) {
	data := sample(3, binary.LittleEndian)
	for n := range data {
		if _, _, _, err := all(data[:n], free); !format.Is(err, format.Broken) {
			t.Errorf("the first %d bytes: %v", n, err)
		}
	}
}

// TestStopped wants the reading to end when it is told to.
func TestStopped(t *testing.T) {
	enough := errors.New("enough")
	for allowed := range 7 {
		left := allowed
		_, _, _, err := all(sample(3, binary.LittleEndian), func(n int) error {
			if left -= n; left < 0 {
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) {
			t.Errorf("after %d steps: %v", allowed, err)
		}
	}
}

func FuzzGGUF(f *testing.F) {
	f.Add(sample(1, binary.BigEndian))
	f.Add(sample(3, binary.LittleEndian))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, _, tensors, err := all(data, free)
		if err != nil {
			var e *format.Error
			if !errors.As(err, &e) || e.Off > int64(len(data)) {
				t.Fatal(err)
			}
			return
		}
		start, end, padded := r.Data()
		if start < 0 || end < start || padded < end || int64(len(tensors)) > int64(len(data)) {
			t.Fatalf("data %d %d %d", start, end, padded)
		}
	})
}
