package bom

import (
	"bytes"
	"errors"
	"io"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/json"
)

// Bounds of what is read. Whatever exceeds one is an error of kind Limit.
const (
	maxBytes = 64 << 20 // of a document
	maxItems = 1 << 17  // packages, and as many edges of the graph for each eight
	maxText  = 64 << 10 // bytes of one text that is kept
)

// A stream reads a document value by value and keeps only what it is asked to.
type stream struct {
	name string
	data []byte
	r    *json.Reader
	line int   // of the byte at off, counted from 1
	off  int64 // up to which lines were counted
}

func newStream(name string, data []byte) *stream {
	r := json.NewReader(bytes.NewReader(data))
	r.Unique, r.Text = true, maxText
	return &stream{name: name, data: data, r: r, line: 1}
}

// next returns the next token.
func (s *stream) next() (json.Token, error) {
	t, err := s.r.Next()
	if err != nil {
		return t, s.wrong(err)
	}
	return t, nil
}

// wrong says what the reader has found wrong, and where.
func (s *stream) wrong(err error) error {
	var e *format.Error
	switch {
	case errors.As(err, &e) && e.Kind == format.Exceeded:
		return sallyport.Errorf(sallyport.Limit, "%s", e.Text).At("%s:%d", s.name, s.lineAt(e.Off))
	case errors.As(err, &e):
		return sallyport.Errorf(sallyport.Invalid, "not JSON: %s", e.Text).At("%s:%d", s.name, s.lineAt(e.Off)).Try("get the file again from where it was made")
	}
	return sallyport.Errorf(sallyport.Invalid, "the document is cut short").At("%s", s.name).Try("get the file again from where it was made")
}

// lineAt returns the line of a byte. It is asked for them in order, or nearly.
func (s *stream) lineAt(off int64) int {
	off = min(max(off, 0), int64(len(s.data)))
	if off < s.off {
		s.line, s.off = 1, 0
	}
	s.line += bytes.Count(s.data[s.off:off], []byte{'\n'})
	s.off = off
	return s.line
}

// object reads the object that begins with t, and has f read each value. A
// value that f leaves alone is skipped.
func (s *stream) object(t json.Token, f func(key string, t json.Token) error) error {
	if t.Kind != json.Object {
		return s.mistaken(t, "an object")
	}
	for {
		k, err := s.next()
		if err != nil || k.Kind == json.ObjectEnd {
			return err
		}
		key := k.String()
		v, err := s.next()
		if err == nil {
			err = s.one(v, func(t json.Token) error { return f(key, t) })
		}
		if err != nil {
			return err
		}
	}
}

// array reads the array that begins with t, and has f read each item.
func (s *stream) array(t json.Token, f func(t json.Token) error) error {
	if t.Kind != json.Array {
		return s.mistaken(t, "an array")
	}
	for {
		v, err := s.next()
		if err != nil || v.Kind == json.ArrayEnd {
			return err
		}
		if err := s.one(v, f); err != nil {
			return err
		}
	}
}

// one has f read the value that begins with t, and skips what f has left of it.
func (s *stream) one(t json.Token, f func(t json.Token) error) error {
	opens := t.Kind == json.Array || t.Kind == json.Object
	depth := s.r.Depth()
	if err := f(t); err != nil || !opens || s.r.Depth() < depth {
		return err
	}
	if err := s.r.Leave(); err != nil {
		return s.wrong(err)
	}
	return nil
}

// text reads a string. Null is as good as no value at all.
func (s *stream) text(t json.Token, to *string) error {
	switch {
	case t.Kind == json.Null:
		return nil
	case t.Kind != json.String:
		return s.mistaken(t, "a string")
	case t.Cut:
		return sallyport.Errorf(sallyport.Limit, "a text is longer than %d bytes", maxText).At("%s:%d", s.name, s.lineAt(t.Off))
	}
	*to = t.String()
	return nil
}

func (s *stream) mistaken(t json.Token, want string) error {
	return sallyport.Errorf(sallyport.Invalid, "%s where %s must be", t.Kind, want).At("%s:%d", s.name, s.lineAt(t.Off)).
		Try("have the maker of the document write it by its format's schema")
}

// end wants the document to end.
func (s *stream) end() error {
	if _, err := s.r.Next(); err != io.EOF {
		return s.wrong(err)
	}
	return nil
}
