package json

import (
	"errors"
	"io"
	"strconv"

	"github.com/sallyport/sallyport/internal/format"
)

// A Value is a part of a document as a tree.
type Value struct {
	Kind    Kind
	Off     int64    // byte where it begins, within what Parse was given to read from
	Text    string   // a String with its escapes resolved, a Number as it is written
	Items   []*Value // of an Array
	Members []Member // of an Object, in their order; no key is there twice
}

// A Member is a key and its value.
type Member struct {
	Key   string
	Off   int64 // byte where the key begins
	Value *Value
}

// Get returns the value of a key, or nil if v is no object that has it. v may be
// nil.
func (v *Value) Get(key string) *Value {
	if v == nil {
		return nil
	}
	for i := range v.Members {
		if v.Members[i].Key == key {
			return v.Members[i].Value
		}
	}
	return nil
}

// Is reports whether v, which may be nil, is of the kind.
func (v *Value) Is(k Kind) bool { return v != nil && v.Kind == k }

// Str is the text of a String, and "" of all else. v may be nil.
func (v *Value) Str() string {
	if v.Is(String) {
		return v.Text
	}
	return ""
}

// Int is the Number, if it is written without fraction or exponent and fits.
func (v *Value) Int() (int64, bool) {
	if !v.Is(Number) {
		return 0, false
	}
	return integer(v.Text)
}

// Float is the Number as near as a float64 comes to it.
func (v *Value) Float() (float64, bool) {
	if !v.Is(Number) {
		return 0, false
	}
	f, _ := strconv.ParseFloat(v.Text, 64) // errors are of range only
	return f, true
}

// nodeSize is about what a value takes in memory beside its text.
const nodeSize = 160

// Parse reads the document in the n bytes of r from off on as a tree that takes
// at most about limit bytes of memory: honest documents take three to ten times
// their size, one of empty arrays alone takes eighty times. Offsets are those of
// r. What is wrong with the document is a *format.Error.
func Parse(r io.ReaderAt, off, n int64, limit int) (*Value, error) {
	return parse(NewReader(io.NewSectionReader(r, off, n)), off, limit)
}

// ParsePython is Parse of a document that may also hold NaN, Infinity and
// -Infinity, as Python writes them.
func ParsePython(r io.ReaderAt, off, n int64, limit int) (*Value, error) {
	tokens := NewReader(io.NewSectionReader(r, off, n))
	tokens.Literals = true
	return parse(tokens, off, limit)
}

func parse(r *Reader, off int64, limit int) (*Value, error) {
	r.Unique = true
	r.Text = max(limit, 1)
	t := tree{r: r, off: off, left: limit}
	var v *Value
	token, err := r.Next()
	if err == nil {
		v, err = t.value(token)
	}
	if err == nil {
		_, err = r.Next()
	}
	if err == io.EOF {
		return v, nil
	}
	var e *format.Error
	if errors.As(err, &e) && e.Off >= 0 {
		return nil, &format.Error{Kind: e.Kind, Off: e.Off + off, Text: e.Text}
	}
	return nil, err
}

// A tree is one that grows.
type tree struct {
	r    *Reader
	off  int64
	left int // bytes of memory
}

// value builds the value that begins with a token. It calls itself as deep as
// the reader lets the document nest.
func (t *tree) value(token Token) (*Value, error) {
	v := &Value{Kind: token.Kind, Off: t.off + token.Off}
	if err := t.take(token); err != nil {
		return nil, err
	}
	switch token.Kind {
	case Number, String:
		v.Text = token.String()
	case Array, Object:
		return v, t.inside(v)
	}
	return v, nil
}

// inside reads what an array or object holds, and its end.
func (t *tree) inside(v *Value) error {
	for {
		token, err := t.r.Next()
		if err != nil {
			return err
		}
		m := Member{Off: t.off + token.Off}
		switch token.Kind {
		case ArrayEnd, ObjectEnd:
			return nil
		case Key:
			if err := t.take(token); err != nil {
				return err
			}
			m.Key = token.String()
			if token, err = t.r.Next(); err != nil {
				return err
			}
		}
		if m.Value, err = t.value(token); err != nil {
			return err
		}
		if v.Kind == Object {
			v.Members = append(v.Members, m)
		} else {
			v.Items = append(v.Items, m.Value)
		}
	}
}

// take pays for a token.
func (t *tree) take(token Token) error {
	t.left -= nodeSize + len(token.Text)
	if t.left < 0 || token.Cut {
		return format.Exceededf(token.Off, "the document is larger than what is read of its kind")
	}
	return nil
}
