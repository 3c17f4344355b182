package ledger

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport/sallyport"
)

// MaxLeaf is the longest leaf in bytes: tlog-tiles stores the length of an
// entry in 16 bits.
const MaxLeaf = 1<<16 - 1

// maxName is the longest kind, principal, object or held name in bytes.
const maxName = 4096

// An Entry says that something happened: By did Kind to Object, which is since
// then what Digest says. It holds names of principals and things, no personal
// data.
type Entry struct {
	N      int64                       // place in the log, from 0
	Kind   string                      // what happened: "run.finished"
	Time   time.Time                   // when, by the site's clock; UTC, milliseconds
	By     string                      // the principal who did it
	Object string                      // to what: "run/k3f9…", kind and id
	Digest sallyport.Digest            // of salt and document; empty if the object was deleted
	Holds  map[string]sallyport.Digest // what else the entry vouches for: "model/model.sig"; may be nil
}

// timeForm is RFC 3339 with exactly three digits for the milliseconds.
const timeForm = "2006-01-02T15:04:05.000Z"

// Leaf returns the one form of e that goes into the tree: JSON without spaces,
// fields in the order of Entry, names of Holds sorted by their bytes. An error
// of kind Invalid says which field has no such form, one of kind Limit that the
// leaf would be longer than MaxLeaf.
func (e Entry) Leaf() ([]byte, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	leaf := make([]byte, 0, 256)
	leaf = strconv.AppendInt(append(leaf, `{"n":`...), e.N, 10)
	leaf = quote(append(leaf, `,"kind":`...), e.Kind)
	leaf = quote(append(leaf, `,"time":`...), e.Time.UTC().Format(timeForm))
	leaf = quote(append(leaf, `,"by":`...), e.By)
	leaf = quote(append(leaf, `,"object":`...), e.Object)
	if e.Digest != "" {
		leaf = quote(append(leaf, `,"digest":`...), string(e.Digest))
	}
	if len(e.Holds) > 0 {
		leaf = append(leaf, `,"holds":`...)
		before := byte('{')
		for _, name := range slices.Sorted(maps.Keys(e.Holds)) {
			leaf = quote(append(leaf, before), name)
			leaf = quote(append(leaf, ':'), string(e.Holds[name]))
			before = ','
		}
		leaf = append(leaf, '}')
	}
	leaf = append(leaf, '}')
	if len(leaf) > MaxLeaf {
		return nil, sallyport.Errorf(sallyport.Limit, "a ledger entry of %d bytes is longer than %d", len(leaf), MaxLeaf).
			Try("hold one digest of a manifest instead of one for each file")
	}
	return leaf, nil
}

// quote appends s as a JSON string. Of what JSON escapes, only these two are
// printable, and check lets nothing else through.
func quote(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			b = append(b, '\\')
		}
		b = append(b, s[i])
	}
	return append(b, '"')
}

// ParseEntry reads a leaf. Only the bytes that Leaf writes are a leaf: whoever
// agrees on the entry agrees on its hash.
func ParseEntry(leaf []byte) (Entry, error) {
	bad := sallyport.Errorf(sallyport.Invalid, "not a ledger entry in its one form")
	if len(leaf) > MaxLeaf {
		return Entry{}, bad
	}
	var e Entry
	r := reader{rest: string(leaf)}
	e.N = r.number(`{"n":`)
	e.Kind = r.text(`,"kind":`)
	e.Time = r.time(`,"time":`)
	e.By = r.text(`,"by":`)
	e.Object = r.text(`,"object":`)
	if r.has(`,"digest":`) {
		e.Digest = sallyport.Digest(r.text(""))
	}
	if r.has(`,"holds":`) {
		e.Holds = make(map[string]sallyport.Digest)
		for before := "{"; r.has(before); before = "," {
			name := r.text("")
			e.Holds[name] = sallyport.Digest(r.text(":"))
		}
		r.want("}")
	}
	r.want("}")
	if r.bad {
		return Entry{}, bad
	}
	// Whatever else got through (doubled or unsorted names, needless escapes,
	// leading zeros, something behind the end) does not come out as it went in.
	if again, err := e.Leaf(); err != nil || !bytes.Equal(again, leaf) {
		return Entry{}, bad
	}
	return e, nil
}

// check reports the first field that cannot stand in a leaf.
func (e Entry) check() error {
	if e.N < 0 {
		return invalid("number")
	}
	if y := e.Time.UTC().Year(); y < 1 || y > 9999 || e.Time.Nanosecond()%int(time.Millisecond) != 0 {
		return invalid("time")
	}
	if !named(e.Kind) {
		return invalid("kind")
	}
	if !named(e.By) {
		return invalid("principal")
	}
	if kind, id, found := strings.Cut(e.Object, "/"); !found || !named(kind) || !named(id) {
		return invalid("object")
	}
	if e.Digest != "" && !full(e.Digest) {
		return invalid("digest")
	}
	for name, d := range e.Holds {
		if !named(name) || !full(d) {
			return invalid("held digest")
		}
	}
	return nil
}

// named reports whether s can be a name in a leaf: UTF-8 that prints, so that
// a listing shows what the tree holds and nothing hides in it.
func named(s string) bool {
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) }
	return s != "" && len(s) <= maxName && utf8.ValidString(s) && !strings.ContainsFunc(s, unprintable)
}

// full reports whether d is written as ParseDigest writes it.
func full(d sallyport.Digest) bool {
	again, err := sallyport.ParseDigest(string(d))
	return err == nil && again == d
}

func invalid(field string) error {
	return sallyport.Errorf(sallyport.Invalid, "the %s of a ledger entry has no valid form", field)
}
