package tensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"math/bits"
	"slices"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/json"
	"github.com/sallyport/sallyport/internal/inspect"
)

const (
	maxHeader  = 100_000_000 // bytes; the format's own limit
	maxTensors = 1 << 18     // sixteen bytes each are kept
)

// bitsOf are the types of the format and the bits of one element, from the
// enumeration Dtype of the Rust library, 0.8.
var bitsOf = map[string]uint64{
	"BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8,
	"F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
	"I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
	"C64": 64, "F64": 64, "I64": 64, "U64": 64,
}

// matchSafetensors wants the length of a header and an object behind it that is
// empty or has a key.
func matchSafetensors(_ *inspect.File, head []byte) inspect.Fit {
	if len(head) < 10 || head[8] != '{' {
		return inspect.No
	}
	if n := binary.LittleEndian.Uint64(head); n < 2 || n > maxHeader {
		return inspect.No
	}
	if rest := bytes.TrimLeft(head[9:], " \t\r\n"); len(rest) > 0 && rest[0] != '"' && rest[0] != '}' {
		return inspect.No
	}
	return inspect.Yes
}

// inspectSafetensors reads the header and holds it against the data, as the
// library's Metadata::validate does. Beyond it, no key may be there twice, a
// tensor has the three entries of the format only, and the header ends in
// spaces.
func inspectSafetensors(p *inspect.Pass, f *inspect.File) error {
	c := f.Cursor()
	n := c.Length(c.U64())
	if c.Err() != nil {
		return c.Err()
	}
	h := header{p: p, r: json.NewReader(io.NewSectionReader(f, 8, n))}
	h.r.Unique = true
	if err := h.read(); err != nil {
		return shifted(err, 8)
	}
	c.Skip(h.r.Offset())
	if err := spaces(c, 8+n); err != nil {
		return err
	}
	return h.layout(8+n, f.Size)
}

// shifted moves an error's offset to where what was read lies in the file.
func shifted(err error, by int64) error {
	var e *format.Error
	if errors.As(err, &e) && e.Off >= 0 {
		return &format.Error{Kind: e.Kind, Off: e.Off + by, Text: e.Text}
	}
	return err
}

// spaces wants nothing but them up to the byte end.
func spaces(c *format.Cursor, end int64) error {
	for c.Offset() < end {
		b := c.Peek(int(min(end-c.Offset(), 4096)))
		if b == nil {
			return c.Err()
		}
		if rest := bytes.TrimLeft(b, " "); len(rest) > 0 {
			return format.Brokenf(c.Offset()+int64(len(b)-len(rest)), "a header ends in something else than spaces")
		}
		c.Skip(int64(len(b)))
	}
	return c.Err()
}

// A span is where a tensor's data lies, from the beginning of the data.
type span struct{ begin, end uint64 }

// A header is that of a safetensors file.
type header struct {
	p     *inspect.Pass
	r     *json.Reader
	spans []span
}

// next reads a token.
func (h *header) next() (json.Token, error) {
	if err := h.p.Step(1); err != nil {
		return json.Token{}, err
	}
	return h.r.Next()
}

// want reads a token of a kind.
func (h *header) want(k json.Kind) (json.Token, error) {
	t, err := h.next()
	if err == nil && t.Kind != k {
		err = format.Brokenf(t.Off, "%s in the header where the format wants %s", t.Kind, k)
	}
	return t, err
}

// members reads an object. At each of its keys it calls member, which reads the
// value.
func (h *header) members(member func(key json.Token) error) (start json.Token, err error) {
	if start, err = h.want(json.Object); err != nil {
		return start, err
	}
	for {
		key, err := h.next()
		if err != nil || key.Kind == json.ObjectEnd {
			return start, err
		}
		if err := member(key); err != nil {
			return start, err
		}
	}
}

// read reads the whole object.
func (h *header) read() error {
	_, err := h.members(func(key json.Token) error {
		switch {
		case key.Is("__metadata__"):
			return h.texts(func(json.Token) error { return nil })
		case len(h.spans) >= maxTensors:
			return format.Exceededf(key.Off, "a header has more than %d tensors", maxTensors)
		}
		return h.tensor()
	})
	return err
}

// texts reads an object of strings.
func (h *header) texts(each func(json.Token) error) error {
	_, err := h.members(func(json.Token) error {
		t, err := h.want(json.String)
		if err != nil {
			return err
		}
		return each(t)
	})
	return err
}

// tensor reads the description of one.
func (h *header) tensor() error {
	var width, entries uint64
	shape := uint64(1) // elements
	var at span
	start, err := h.members(func(key json.Token) (err error) {
		entries++
		switch {
		case key.Is("dtype"):
			width, err = h.dtype()
		case key.Is("shape"):
			shape, err = h.shape()
		case key.Is("data_offsets"):
			at, err = h.offsets()
		default:
			err = format.Brokenf(key.Off, "a tensor has an entry that the format does not have")
		}
		return err
	})
	if err != nil {
		return err
	}
	if entries != 3 {
		return format.Brokenf(start.Off, "a tensor lacks its type, shape or offsets")
	}
	hi, size := bits.Mul64(shape, width)
	if hi != 0 || size%8 != 0 || at.begin > at.end || at.end-at.begin != size/8 {
		return format.Brokenf(start.Off, "a tensor's offsets are not as far apart as its shape and type demand")
	}
	h.spans = append(h.spans, at)
	return nil
}

func (h *header) dtype() (uint64, error) {
	t, err := h.want(json.String)
	if err != nil {
		return 0, err
	}
	width, ok := bitsOf[t.String()]
	if !ok {
		return 0, format.Unsupportedf(t.Off, "a type of tensor that is not known")
	}
	return width, nil
}

// number reads one that is not negative, or the end of an array.
func (h *header) number() (n uint64, end bool, err error) {
	t, err := h.next()
	if err != nil || t.Kind == json.ArrayEnd {
		return 0, true, err
	}
	v, ok := t.Int()
	if t.Kind != json.Number || !ok || t.Text[0] == '-' {
		return 0, false, format.Brokenf(t.Off, "a shape or an offset is not a whole number")
	}
	return uint64(v), false, nil
}

// shape multiplies the dimensions. A zero hides no overflow of the others.
func (h *header) shape() (uint64, error) {
	start, err := h.want(json.Array)
	if err != nil {
		return 0, err
	}
	n, zero := uint64(1), false
	for {
		d, end, err := h.number()
		if err != nil {
			return 0, err
		}
		if end {
			break
		}
		if d == 0 {
			zero = true
			continue
		}
		hi, lo := bits.Mul64(n, d)
		if hi != 0 || lo > math.MaxInt64 {
			return 0, format.Brokenf(start.Off, "a shape has more elements than any file")
		}
		n = lo
	}
	if zero {
		return 0, nil
	}
	return n, nil
}

func (h *header) offsets() (span, error) {
	start, err := h.want(json.Array)
	if err != nil {
		return span{}, err
	}
	var s span
	var end [3]bool
	for i, to := range []*uint64{&s.begin, &s.end, new(uint64)} {
		if *to, end[i], err = h.number(); err != nil {
			return s, err
		}
		if end[i] != (i == 2) {
			return s, format.Brokenf(start.Off, "a tensor has not two offsets")
		}
	}
	return s, nil
}

// layout wants the tensors to fill the data, which begins at the byte start,
// without holes and overlaps.
func (h *header) layout(start, size int64) error {
	slices.SortFunc(h.spans, func(a, b span) int {
		switch {
		case a.begin != b.begin && a.begin < b.begin, a.begin == b.begin && a.end < b.end:
			return -1
		case a == b:
			return 0
		}
		return 1
	})
	var at uint64
	for _, s := range h.spans {
		if s.begin != at {
			return format.Brokenf(start+int64(min(at, s.begin)), "tensors overlap or leave a hole: one begins at %d of the data and not at %d", s.begin, at)
		}
		at = s.end
	}
	if data := uint64(size - start); at != data {
		return format.Brokenf(start+int64(min(at, data)), "tensors end at %d of the data, which has %d bytes", at, data)
	}
	return nil
}
