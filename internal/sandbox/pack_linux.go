//go:build amd64 || arm64

package sandbox

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
)

// A plan goes to the keeper as its fields in order: numbers as varints, strings
// and lists with their length before them, and the length of all of it in four
// bytes at the front. JSON would not do: arguments and paths are bytes, not
// always UTF-8; and it takes a tenth of the time that a sandbox needs to start.

// A walker is called for each field of a plan: count for the length of a list,
// before what is in it.
type walker struct {
	count, number func(*int64)
	text          func(*string)
}

// walk goes through p in the order in which it is packed. Packing and unpacking
// both go by it.
func (p *plan) walk(w walker) {
	list(w, &p.Args, w.text)
	list(w, &p.Env, w.text)
	w.text(&p.Dir)
	list(w, &p.Mounts, func(m *mount) {
		w.text(&m.Target)
		w.text(&m.Source)
		w.flags(&m.Device, &m.Writable, &m.File)
		w.number(&m.Mode)
		w.number(&m.Size)
		w.number(&m.Inodes)
	})
	w.flags(&p.Given, &p.Fill, &p.Hosts)
	w.number(&p.Limits.FileSize)
	w.number(&p.Limits.Data)
	w.number(&p.Limits.Processes)
	w.number(&p.Limits.Cores)
	w.text(&p.Filter)
}

// list goes through a list, which grows to the length that count gives it.
func list[T any](w walker, l *[]T, each func(*T)) {
	n := int64(len(*l))
	w.count(&n)
	for int64(len(*l)) < n {
		*l = append(*l, *new(T))
	}
	for i := range *l {
		each(&(*l)[i])
	}
}

// flags packs booleans into one number.
func (w walker) flags(bits ...*bool) {
	var n int64
	for i, b := range bits {
		if *b {
			n |= 1 << i
		}
	}
	w.number(&n)
	for i, b := range bits {
		*b = n&(1<<i) != 0
	}
}

// pack returns p as it goes to the keeper.
func (p *plan) pack() []byte {
	b := make([]byte, 4, 8192)
	number := func(n *int64) { b = binary.AppendUvarint(b, uint64(*n)) }
	p.walk(walker{number, number, func(s *string) { b = append(binary.AppendUvarint(b, uint64(len(*s))), *s...) }})
	binary.LittleEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

// unpack reads what pack has written.
func (p *plan) unpack(r io.Reader) error {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return err
	}
	b := make([]byte, binary.LittleEndian.Uint32(size[:]))
	if _, err := io.ReadFull(r, b); err != nil {
		return err
	}
	return p.parse(b)
}

// parse reads a plan. After the first thing that is wrong all else is empty.
func (p *plan) parse(b []byte) error {
	bad := false
	number := func(n *int64, most uint64) {
		v, used := binary.Uvarint(b)
		if bad = bad || used <= 0 || v > most; bad {
			*n, b = 0, nil
			return
		}
		*n, b = int64(v), b[used:]
	}
	count := func(n *int64) { number(n, uint64(len(b))) } // each takes a byte at least
	p.walk(walker{count, func(n *int64) { number(n, math.MaxInt64) }, func(s *string) {
		var n int64
		count(&n)
		if bad = bad || n > int64(len(b)); bad {
			n, b = 0, nil
		}
		*s, b = string(b[:n]), b[n:]
	}})
	if bad || len(b) > 0 {
		return errors.New("this is no plan")
	}
	return nil
}
