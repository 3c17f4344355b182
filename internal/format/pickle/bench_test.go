package pickle

import (
	"bytes"
	"encoding/binary"
	"io"
	"runtime"
	"testing"
)

// dense is a stream as protocol 4 writes lists of small tuples, with about
// 5.2 million opcodes in 15.6 MB.
func dense(records int) []byte {
	var b bytes.Buffer
	b.WriteString("\x80\x04]\x94(")
	for i := range records {
		if i%1000 == 999 {
			b.WriteString("e(")
		}
		b.WriteString("K")
		b.WriteByte(byte(i))
		b.WriteString("M")
		binary.Write(&b, binary.LittleEndian, uint16(i))
		b.WriteString("\x8c\x06abcdef\x94G")
		binary.Write(&b, binary.BigEndian, float64(i))
		b.WriteString("\x88\x86\x94\x87\x94}\x94(")
		b.WriteString("\x8c\x01kh\x01J")
		binary.Write(&b, binary.LittleEndian, uint32(i))
		b.WriteString("Nu")
		b.WriteString("\x86\x94")
		b.WriteString("\x86\x94")
	}
	b.WriteString("e.")
	return b.Bytes()
}

func BenchmarkDense(b *testing.B) {
	data := dense(5_200_000 / 25)
	b.SetBytes(int64(len(data)))
	var ops int64
	for b.Loop() {
		result, err := New(bytes.NewReader(data), 0, int64(len(data)), nothing{}).Run()
		if err != nil {
			b.Fatal(err)
		}
		ops += result.Ops
	}
	b.ReportMetric(float64(ops)/b.Elapsed().Seconds()/1e6, "Mops/s")
}

// nothing is a visitor without an opinion.
type nothing struct{}

func (nothing) Global(*Machine, At, *Global) error               { return nil }
func (nothing) Call(*Machine, At, *Call) error                   { return nil }
func (nothing) Build(*Machine, At, Value, Value) (Inline, error) { return Inline{}, nil }
func (nothing) Extend(*Machine, At, Value, []Value) error        { return nil }
func (nothing) Ext(*Machine, At, int32, Value) error             { return nil }
func (nothing) Persistent(*Machine, At, Value, Value) error      { return nil }
func (nothing) Diverge(*Machine, Divergence) error               { return nil }
func (nothing) Step(int) error                                   { return nil }

// A made reader makes its bytes when they are read, so that only the machine's
// memory counts.
type repeated struct {
	head, body, tail []byte
	times            int64
}

func (r repeated) size() int64 {
	return int64(len(r.head)) + r.times*int64(len(r.body)) + int64(len(r.tail))
}

func (r repeated) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	for n < len(p) {
		at := off + int64(n)
		var from []byte
		switch body := at - int64(len(r.head)); {
		case body < 0:
			from = r.head[at:]
		case body < r.times*int64(len(r.body)):
			from = r.body[body%int64(len(r.body)):]
		default:
			at = body - r.times*int64(len(r.body))
			if at >= int64(len(r.tail)) {
				return n, io.EOF
			}
			from = r.tail[at:]
		}
		n += copy(p[n:], from)
	}
	return n, nil
}

// heapNow is how many bytes are live.
func heapNow() uint64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}
