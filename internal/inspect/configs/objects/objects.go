// Package objects streams the objects of a JSON document of any size, each with
// those of its members that somebody wants to judge it by. It is what the
// inspectors of configurations share, in which any object, wherever it stands,
// may name code.
package objects

import (
	"io"
	"slices"

	"github.com/sallyport/sallyport/internal/format/json"
	"github.com/sallyport/sallyport/internal/inspect"
)

// longest is how many bytes of a member are remembered.
const longest = 512

// An Object is one object or array with what is remembered of its members.
type Object struct {
	Key   string // watched name under which it stands in another, or ""
	Depth int    // objects and arrays around it
	Off   int64
	Text  map[string]string    // watched members that are strings, their first 512 bytes
	Kinds map[string]json.Kind // watched members
	Kept  map[string]*Object   // kept members that are objects or arrays and have ended

	array bool
}

// Has reports whether there is a watched member of the name, and other than null.
func (o *Object) Has(name string) bool {
	k, ok := o.Kinds[name]
	return ok && k != json.Null
}

// A Reader says what of a document is wanted.
type Reader struct {
	Watched []string // names of members
	Kept    []string // those of them that are kept as objects, with what they keep themselves and nothing below that
	Unique  bool     // a key that an object has twice is an error
	// Began, if not nil, is called with an object, not with an array, when a watched member of it
	// begins, and Ended when the object ends: those within others before them.
	Began, Ended func(*Object) error
}

// Read reads a document to its end. Errors are those of the callbacks, of p, of
// reading src, or a *format.Error where it is not JSON as Python writes it.
func (d Reader) Read(p *inspect.Pass, src io.Reader) error {
	r := json.NewReader(src)
	r.Literals, r.Unique = true, d.Unique
	var open []*Object
	key := ""
	for {
		if err := p.Step(1); err != nil {
			return err
		}
		t, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch t.Kind {
		case json.Key:
			key = d.watched(t)
			continue
		case json.ObjectEnd, json.ArrayEnd:
			last := len(open) - 1
			if err := d.end(open[last]); err != nil {
				return err
			}
			if last > 0 {
				d.keep(open[last-1], open[last])
			}
			open = open[:last]
			continue
		}
		if key != "" {
			if err := d.note(open[len(open)-1], key, t); err != nil {
				return err
			}
		}
		if t.Kind == json.Object || t.Kind == json.Array {
			open = append(open, &Object{Key: key, array: t.Kind == json.Array, Depth: len(open), Off: t.Off})
		}
		key = ""
	}
}

// watched returns the name of a key if it is watched.
func (d Reader) watched(t json.Token) string {
	for _, name := range d.Watched {
		if t.Is(name) {
			return name
		}
	}
	return ""
}

// note remembers a member that begins.
func (d Reader) note(o *Object, key string, t json.Token) error {
	if o.Kinds == nil {
		o.Kinds = map[string]json.Kind{}
	}
	o.Kinds[key] = t.Kind
	if t.Kind == json.String {
		if o.Text == nil {
			o.Text = map[string]string{}
		}
		text := t.String()
		o.Text[key] = text[:min(len(text), longest)]
	}
	if d.Began == nil {
		return nil
	}
	return d.Began(o)
}

func (d Reader) end(o *Object) error {
	if o.array || d.Ended == nil {
		return nil
	}
	return d.Ended(o)
}

// keep remembers a member that ended, with what it kept itself.
func (d Reader) keep(o, member *Object) {
	if !slices.Contains(d.Kept, member.Key) {
		return
	}
	for _, below := range member.Kept {
		below.Kept = nil
	}
	if o.Kept == nil {
		o.Kept = map[string]*Object{}
	}
	o.Kept[member.Key] = member
}
