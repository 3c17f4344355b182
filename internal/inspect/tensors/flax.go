package tensors

import (
	"errors"
	"io"
	"math/bits"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/msgpack"
	"github.com/sallyport/sallyport/internal/inspect"
)

// The extension types of flax.serialization.
const (
	extArray   = 1
	extComplex = 2
	extScalar  = 3
)

// itemBytes are the element types that arrays of JAX have, by their names in
// NumPy and ml_dtypes, and the bytes of one element.
var itemBytes = map[string]uint64{
	"bool": 1, "int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "int32": 4, "uint32": 4, "int64": 8, "uint64": 8,
	"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8, "complex64": 8, "complex128": 16, "V2": 2,
	"int2": 1, "uint2": 1, "int4": 1, "uint4": 1, "int1": 1, "uint1": 1, "float4_e2m1fn": 1, "float6_e2m3fn": 1, "float6_e3m2fn": 1,
	"float8_e3m4": 1, "float8_e4m3": 1, "float8_e4m3b11fnuz": 1, "float8_e4m3fn": 1, "float8_e4m3fnuz": 1,
	"float8_e5m2": 1, "float8_e5m2fnuz": 1, "float8_e8m0fnu": 1,
}

// matchFlax wants the name or a map with a string for its first key, since
// MessagePack has no signature.
func matchFlax(f *inspect.File, head []byte) inspect.Fit {
	if len(head) == 0 {
		return inspect.No
	}
	key := 1
	switch b := head[0]; {
	case b > 0x80 && b < 0x90:
	case b == 0xde:
		key = 3
	case b == 0xdf:
		key = 5
	case f.Ext() == ".msgpack" && (b == 0x80 || b >= 0xc7 && b <= 0xc9 || b >= 0xd4 && b <= 0xd8): // an empty map, or an array alone
		return inspect.Maybe
	default:
		return inspect.No
	}
	if len(head) > key && (head[key] >= 0xa0 && head[key] < 0xc0 || head[key] >= 0xd9 && head[key] <= 0xdb) {
		return inspect.Maybe
	}
	return inspect.No
}

// inspectFlax walks the document. A file without the extension is this one only
// if it is whole and holds an array.
func inspectFlax(p *inspect.Pass, f *inspect.File) error {
	named := f.Ext() == ".msgpack"
	x := flax{f: f, p: p}
	err := x.walk()
	if !named && (err != nil || x.arrays == 0) {
		var e *format.Error
		if err == nil || errors.As(err, &e) && e.Kind == format.Broken {
			return inspect.ErrNotThis
		}
		return err
	}
	for _, found := range x.found {
		p.Find(f, found)
	}
	return err
}

// maxFound bounds the findings that wait for the end.
const maxFound = 100

// A flax is a walk through a file.
type flax struct {
	p      *inspect.Pass
	f      *inspect.File
	arrays int
	found  []inspect.Finding // to be told once the file is known to be this format
}

func (x *flax) walk() error {
	r := msgpack.NewReader(x.f.Cursor(), x.p.Step)
	for {
		v, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if v.Depth == 0 && v.Kind != msgpack.Map && v.Kind != msgpack.Ext {
			return format.Brokenf(v.Off, "the document is neither a map nor an array")
		}
		if v.Key && v.Kind != msgpack.Str {
			return format.Brokenf(v.Off, "the key of a map is not text")
		}
		if v.Kind == msgpack.Ext {
			if err := x.extension(v); err != nil {
				return err
			}
		}
	}
}

// extension checks a value of an extension type.
func (x *flax) extension(v msgpack.Value) error {
	c := format.NewCursor(x.f, v.At, v.Len)
	r := msgpack.NewReader(c, x.p.Step)
	switch v.Type {
	case extArray, extScalar:
		x.arrays++
		return x.array(r, v)
	case extComplex:
		return pair(r, v)
	}
	if len(x.found) < maxFound {
		x.found = append(x.found, inspect.Finding{Rule: ruleExtension, Verdict: inspect.Suspicious, Offset: v.Off, What: "extension type",
			Why: "what becomes of it depends on the program that reads it"})
	}
	return nil
}

// pair checks a complex number: two numbers.
func pair(r *msgpack.Reader, in msgpack.Value) error {
	list, err := r.Next()
	if err != nil {
		return err
	}
	for range 2 {
		v, err := r.Next()
		if err != nil && err != io.EOF {
			return err
		}
		if list.Kind != msgpack.Array || list.Len != 2 || v.Kind != msgpack.Float && v.Kind != msgpack.Int && v.Kind != msgpack.Uint {
			return format.Brokenf(in.Off, "a complex number is not two numbers")
		}
	}
	return atEnd(r, in)
}

// atEnd wants nothing more within an extension.
func atEnd(r *msgpack.Reader, in msgpack.Value) error {
	if _, err := r.Next(); err == nil {
		return format.Brokenf(in.Off, "an array or number goes on behind its end")
	} else if err != io.EOF {
		return err
	}
	return nil
}

// array checks a shape, the name of a type and the bytes of the elements.
func (x *flax) array(r *msgpack.Reader, in msgpack.Value) error {
	wrong := format.Brokenf(in.Off, "an array is not a shape, a type and as many bytes as they demand")
	list, err := r.Next()
	if err != nil {
		return err
	}
	shape, err := r.Next()
	if err != nil && err != io.EOF {
		return err
	}
	if list.Kind != msgpack.Array || list.Len != 3 || shape.Kind != msgpack.Array || shape.Len > 64 {
		return wrong
	}
	elements := uint64(1)
	for range shape.Len {
		d, err := r.Next()
		if err != nil {
			return err
		}
		hi, n := bits.Mul64(elements, d.Number)
		if d.Kind != msgpack.Uint || hi != 0 {
			return wrong
		}
		elements = n
	}
	name, err := r.Next()
	if err != nil {
		return err
	}
	data, err := r.Next()
	if err != nil {
		return err
	}
	if name.Kind != msgpack.Str || name.Len > 32 || data.Kind != msgpack.Bin {
		return wrong
	}
	text := make([]byte, name.Len)
	if n, err := x.f.ReadAt(text, name.At); n < len(text) {
		return err
	}
	width, ok := itemBytes[string(text)]
	if !ok {
		return format.Unsupportedf(name.Off, "a type of array that is not known")
	}
	if hi, size := bits.Mul64(elements, width); hi != 0 || size != uint64(data.Len) {
		return wrong
	}
	return atEnd(r, in)
}
