package vex

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/json"
)

// Bounds of what is read. Whatever exceeds one is an error of kind Limit.
const (
	maxBytes  = 8 << 20  // of a document
	maxMemory = 80 << 20 // of its tree
)

// Read reads an OpenVEX document, or what a CycloneDX document says about
// vulnerabilities. Name stands for the document in errors.
func Read(name string, data []byte) (*Document, error) {
	if len(data) > maxBytes {
		return nil, sallyport.Errorf(sallyport.Limit, "a VEX document larger than %d MiB", maxBytes>>20).At("%s", name)
	}
	r := reader{name, data}
	root, err := json.Parse(bytes.NewReader(data), 0, int64(len(data)), maxMemory)
	switch {
	case err != nil:
		return nil, r.broken(err)
	case root.Get("@context") != nil:
		return r.openVEX(root)
	case root.Get("bomFormat").Str() == "CycloneDX":
		return r.cycloneDX(root)
	}
	return nil, sallyport.Errorf(sallyport.Invalid, "neither OpenVEX nor CycloneDX").At("%s", name).Try("convert it to OpenVEX 0.2.0")
}

// A reader reads one document.
type reader struct {
	name string
	data []byte
}

// line returns the line of a byte, counted from 1.
func (r *reader) line(off int64) int {
	return 1 + bytes.Count(r.data[:min(max(off, 0), int64(len(r.data)))], []byte{'\n'})
}

func (r *reader) broken(err error) error {
	var e *format.Error
	if !errors.As(err, &e) {
		return sallyport.Errorf(sallyport.Invalid, "the document is cut short").At("%s", r.name)
	}
	kind := sallyport.Invalid
	if e.Kind == format.Exceeded {
		kind = sallyport.Limit
	}
	return sallyport.Errorf(kind, "not JSON that can be read: %s", e.Text).At("%s:%d", r.name, r.line(e.Off))
}

// fail says what is wrong with a value, never what it is.
func (r *reader) fail(v *json.Value, text string, args ...any) *sallyport.Error {
	return sallyport.Errorf(sallyport.Invalid, text, args...).At("%s:%d", r.name, r.line(v.Off)).
		Try("have its author mend the document")
}

// only refuses keys that an object of its kind does not have: they might narrow
// what it says.
func (r *reader) only(v *json.Value, what string, keys ...string) error {
	if !v.Is(json.Object) {
		return r.fail(v, "%s must be an object", what)
	}
	for _, m := range v.Members {
		if !slices.Contains(keys, m.Key) {
			return r.fail(m.Value, "%s has a key that OpenVEX 0.2 does not know", what)
		}
	}
	return nil
}

// text returns the string under a key; "" if there is none.
func (r *reader) text(v *json.Value, key string) (string, error) {
	w := v.Get(key)
	if w != nil && w.Kind != json.String {
		return "", r.fail(w, "%s must be a string", key)
	}
	return w.Str(), nil
}

// texts fills strings from the keys beside them.
func (r *reader) texts(v *json.Value, to map[string]*string) error {
	for _, m := range v.Members {
		if p := to[m.Key]; p != nil {
			var err error
			if *p, err = r.text(v, m.Key); err != nil {
				return err
			}
		}
	}
	return nil
}

// time returns the time under a key; zero if there is none.
func (r *reader) time(v *json.Value, key string) (time.Time, error) {
	w := v.Get(key)
	if w == nil {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, w.Str())
	if err != nil {
		return time.Time{}, r.fail(w, "%s must be a time as in 2026-05-04T03:02:01Z", key)
	}
	return t.UTC(), nil
}

// items returns the items of the array under a key; none if there is none.
func (r *reader) items(v *json.Value, key string) ([]*json.Value, error) {
	w := v.Get(key)
	if w == nil {
		return nil, nil
	}
	if w.Kind != json.Array {
		return nil, r.fail(w, "%s must be an array", key)
	}
	return w.Items, nil
}
