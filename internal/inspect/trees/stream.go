package trees

import (
	"io"
	"strconv"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/json"
	"github.com/sallyport/sallyport/internal/format/ubjson"
)

// An event is a token of JSON or UBJSON.
type event struct {
	kind  json.Kind
	off   int64
	whole bool // a number that fits an int64
	n     int64
	text  string // of keys and strings
}

// A stream reads a document of either form by its structure.
type stream struct {
	subject
	next func() (event, error)
}

// maxKeys is how many keys of one object are remembered to find one twice.
const maxKeys = 256

func jsonStream(s subject, r io.Reader) *stream {
	in := json.NewReader(r)
	in.Literals = true
	return &stream{s, func() (event, error) {
		t, err := in.Next()
		if err != nil {
			return event{}, err
		}
		e := event{kind: t.Kind, off: t.Off}
		switch t.Kind {
		case json.Key, json.String:
			e.text = t.String()
		case json.Number:
			e.n, e.whole = t.Int()
		}
		return e, s.step()
	}}
}

func ubjsonStream(s subject, r io.ReaderAt, size int64) *stream {
	in := ubjson.NewReader(r, 0, size)
	return &stream{s, func() (event, error) {
		t, err := in.Next()
		if err != nil {
			return event{}, err
		}
		return event{t.Kind, t.Off, t.Whole, t.Int, t.Text}, s.step()
	}}
}

// step counts a token; a subject without a pass is one that is only looked at.
func (s subject) step() error {
	if s.p == nil {
		return nil
	}
	return s.p.Step(1)
}

// end wants the document to end.
func (s *stream) end() error {
	if _, err := s.next(); err != io.EOF {
		return err
	}
	return nil
}

// object reads the members of an object whose beginning is v. What is no object
// is dropped. fn must read the whole of the value.
func (s *stream) object(v event, fn func(key string, v event) error) error {
	if v.kind != json.Object {
		return s.drop(v)
	}
	seen := map[string]bool{}
	for {
		k, err := s.next()
		if err != nil || k.kind == json.ObjectEnd {
			return err
		}
		if seen[k.text] {
			return format.Brokenf(k.off, "a key that its object has twice")
		}
		if len(seen) < maxKeys {
			seen[k.text] = true
		}
		v, err := s.next()
		if err == nil {
			err = fn(k.text, v)
		}
		if err != nil {
			return err
		}
	}
}

// array reads the items of an array whose beginning is v, and counts them. fn
// must read the whole of each.
func (s *stream) array(v event, fn func(v event) error) (n int, err error) {
	if v.kind != json.Array {
		return 0, s.drop(v)
	}
	for {
		v, err := s.next()
		if err != nil || v.kind == json.ArrayEnd {
			return n, err
		}
		n++
		if err := fn(v); err != nil {
			return n, err
		}
	}
}

// drop reads the rest of the value that begins with v.
func (s *stream) drop(v event) error {
	depth := 0
	for {
		switch v.kind {
		case json.Array, json.Object:
			depth++
		case json.ArrayEnd, json.ObjectEnd:
			depth--
		}
		if depth == 0 {
			return nil
		}
		var err error
		if v, err = s.next(); err != nil {
			return err
		}
	}
}

// ints reads an array of whole numbers; true and false are 1 and 0. Others are
// what clamp makes of numbers that do not fit.
func (s *stream) ints(v event, list *[]int32) error {
	_, err := s.array(v, func(v event) error {
		n, ok := v.int()
		if !ok {
			n = -1 << 62
			if err := s.drop(v); err != nil {
				return err
			}
		}
		return add(list, v.off, n)
	})
	return err
}

// int is a whole number or a truth.
func (v event) int() (int64, bool) {
	switch v.kind {
	case json.True:
		return 1, true
	case json.False:
		return 0, true
	}
	return v.n, v.kind == json.Number && v.whole
}

// param is a number that a string holds, as XGBoost writes its parameters, or a
// plain one; -1 if it is neither.
func (s *stream) param(v event) (int64, error) {
	if v.kind == json.String {
		n, err := strconv.ParseInt(v.text, 10, 64)
		if err != nil {
			n = -1
		}
		return n, nil
	}
	n, ok := v.int()
	if !ok {
		n = -1
	}
	return n, s.drop(v)
}
