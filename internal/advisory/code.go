package advisory

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/sallyport/sallyport"
)

// An encoder appends values to bytes: numbers as varints, texts behind their
// length.
type encoder []byte

func (e *encoder) uint(n uint64) { *e = binary.AppendUvarint(*e, n) }
func (e *encoder) int(n int)     { e.uint(uint64(n)) }

func (e *encoder) text(s string) {
	e.int(len(s))
	*e = append(*e, s...)
}

func (e *encoder) texts(all []string) {
	e.int(len(all))
	for _, s := range all {
		e.text(s)
	}
}

func (e *encoder) bool(b bool) {
	if b {
		*e = append(*e, 1)
	} else {
		*e = append(*e, 0)
	}
}

func (e *encoder) float(f float64) {
	*e = binary.LittleEndian.AppendUint64(*e, math.Float64bits(f))
}

// time keeps nanoseconds; zero stays zero.
func (e *encoder) time(t time.Time) {
	e.bool(!t.IsZero())
	if !t.IsZero() {
		*e = binary.AppendVarint(*e, t.Unix())
		e.int(t.Nanosecond())
	}
}

// A decoder takes values from bytes that may be anything. After the first that
// is not there, it fails for good and yields zeros.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) fail() {
	d.b, d.bad = nil, true
}

func (d *decoder) uint() uint64 {
	n, size := binary.Uvarint(d.b)
	if size <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[size:]
	return n
}

// int is a number that is no greater than most.
func (d *decoder) int(most int) int {
	n := d.uint()
	if most < 0 || n > uint64(most) {
		d.fail()
		return 0
	}
	return int(n)
}

// count is how many values follow, each of at least a byte.
func (d *decoder) count() int {
	n := d.uint()
	if n > uint64(len(d.b)) {
		d.fail()
		return 0
	}
	return int(n)
}

func (d *decoder) bytes() []byte {
	n := d.count()
	out := d.b[:n:n]
	d.b = d.b[n:]
	return out
}

func (d *decoder) text() string { return string(d.bytes()) }

func (d *decoder) texts() []string {
	n := d.count()
	if n == 0 {
		return nil
	}
	out := make([]string, 0, n)
	for range n {
		out = append(out, d.text())
	}
	return out
}

func (d *decoder) bool() bool {
	if len(d.b) == 0 || d.b[0] > 1 {
		d.fail()
		return false
	}
	b := d.b[0] == 1
	d.b = d.b[1:]
	return b
}

func (d *decoder) float() float64 {
	if len(d.b) < 8 {
		d.fail()
		return 0
	}
	f := math.Float64frombits(binary.LittleEndian.Uint64(d.b))
	d.b = d.b[8:]
	return f
}

func (d *decoder) time() time.Time {
	if !d.bool() {
		return time.Time{}
	}
	s, size := binary.Varint(d.b)
	if size <= 0 {
		d.fail()
		return time.Time{}
	}
	d.b = d.b[size:]
	return time.Unix(s, int64(d.int(1e9-1))).UTC()
}

// err is nil if everything was there and nothing is left.
func (d *decoder) err() error {
	if d.bad || len(d.b) > 0 {
		return corrupt("a block does not hold what it should")
	}
	return nil
}

func corrupt(what string) error {
	return sallyport.Errorf(sallyport.Corrupt, "the advisory database is damaged: %s", what).
		Try("import the bundle again")
}
