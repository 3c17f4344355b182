package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sallyport/sallyport"
)

// Evidence is read by several parsers: ours, the reference verifier's, an
// auditor's. Two parsers that disagree about a document verify two different
// documents, so whatever JSON parsers are known to disagree about is refused
// here: keys given twice, keys that match a field only when case is ignored,
// bytes that are not UTF-8, text after the value, endless nesting.

// maxDepth bounds nesting; the deepest document we write has 6 levels.
const maxDepth = 64

// A policy says what becomes of keys that the format does not define.
type policy bool

const (
	open   policy = false // ignored, as in-toto and SLSA ask of consumers
	closed policy = true  // refused: the format is ours
)

// decode reads the one JSON value in data into v. Errors name what and the
// line, and never hold a byte of the input.
func decode(what string, data []byte, unknown policy, v any) error {
	r := reader{what, data, json.NewDecoder(bytes.NewReader(data)), unknown}
	if !utf8.Valid(data) {
		return r.fail(0, "is not UTF-8 text")
	}
	if err := r.value(reflect.TypeOf(v), 0); err != nil {
		return err
	}
	if _, err := r.dec.Token(); !errors.Is(err, io.EOF) {
		return r.fail(r.dec.InputOffset(), "goes on after its end")
	}
	if err := json.Unmarshal(data, v); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return r.fail(wrong.Offset, "holds a value of the wrong type")
		}
		if broken, ok := errors.AsType[*sallyport.Error](err); ok {
			return broken.At("%s", what)
		}
		return r.fail(0, "holds a value that cannot be read")
	}
	return nil
}

type reader struct {
	what    string
	data    []byte
	dec     *json.Decoder
	unknown policy
}

func (r *reader) fail(offset int64, what string) error {
	line := 1 + bytes.Count(r.data[:min(offset, int64(len(r.data)))], []byte("\n"))
	return sallyport.Errorf(sallyport.Invalid, "the JSON %s", what).At("%s:%d", r.what, line).
		Try("get the file again from where it was made")
}

// value walks the next value, which will be stored as a t; nil stands for a
// type that accepts any value.
func (r *reader) value(t reflect.Type, depth int) error {
	if depth > maxDepth {
		return r.fail(r.dec.InputOffset(), "is nested too deeply")
	}
	token, err := r.dec.Token()
	if err != nil {
		return r.fail(r.dec.InputOffset(), "is cut short or malformed")
	}
	t = shape(t)
	switch token {
	case json.Delim('{'):
		return r.object(t, depth)
	case json.Delim('['):
		var elem reflect.Type
		if t != nil && t.Kind() == reflect.Slice {
			elem = t.Elem()
		}
		for r.dec.More() {
			if err := r.value(elem, depth+1); err != nil {
				return err
			}
		}
		return r.end()
	}
	return nil
}

func (r *reader) object(t reflect.Type, depth int) error {
	seen := make(map[string]bool)
	for r.dec.More() {
		token, err := r.dec.Token()
		key, ok := token.(string)
		if err != nil || !ok {
			return r.fail(r.dec.InputOffset(), "is cut short or malformed")
		}
		if seen[key] {
			return r.fail(r.dec.InputOffset(), "gives a key twice")
		}
		seen[key] = true
		member, err := r.member(t, key)
		if err != nil {
			return err
		}
		if err := r.value(member, depth+1); err != nil {
			return err
		}
	}
	return r.end()
}

// end takes the closing bracket of an object or an array.
func (r *reader) end() error {
	if _, err := r.dec.Token(); err != nil {
		return r.fail(r.dec.InputOffset(), "is cut short or malformed")
	}
	return nil
}

// member returns the type under which key's value will be stored in a t.
// encoding/json would also match a field whose name differs in case, which
// makes two keys out of one; here that is an error.
func (r *reader) member(t reflect.Type, key string) (reflect.Type, error) {
	if t == nil {
		return nil, nil
	}
	if t.Kind() == reflect.Map {
		return t.Elem(), nil
	}
	if t.Kind() != reflect.Struct {
		return nil, r.fail(r.dec.InputOffset(), "holds a value of the wrong type")
	}
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == key {
			return field.Type, nil
		}
		if strings.EqualFold(name, key) {
			return nil, r.fail(r.dec.InputOffset(), "spells a key in the wrong case")
		}
	}
	if r.unknown == closed {
		return nil, r.fail(r.dec.InputOffset(), "holds a key that the format does not have")
	}
	return nil, nil
}

var opaque = []reflect.Type{reflect.TypeFor[json.RawMessage](), reflect.TypeFor[octets]()}

// shape returns the type whose structure the walk follows, or nil if values
// for t are only checked for what holds of any JSON.
func shape(t reflect.Type) reflect.Type {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || t.Kind() == reflect.Interface || slices.Contains(opaque, t) ||
		reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) {
		return nil
	}
	return t
}

// encode writes v as compact JSON. File names keep their <, > and &.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, sallyport.Errorf(sallyport.Internal, "evidence cannot be written as JSON: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
