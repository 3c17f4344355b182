// Package toml reads TOML that may come from anywhere: the decoder is a
// library's, and what it leaves unbounded or undecided is settled here.
package toml

import (
	"errors"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/sallyport/sallyport/internal/format"
)

// Decode reads a text into root, all but the tables [[key]] that make up the
// bulk of a lock. Those come back raw, each to be decoded by itself: what is
// wrong with one can be said at its line, and a long lock takes the memory of
// one of them. An empty key is for texts without such tables.
// No error repeats what the text says.
func Decode(text []byte, key string, root any) ([]Table, error) {
	s := string(text)
	if off := overgrown(s, maxNesting); off >= 0 {
		return nil, format.Exceededf(int64(off), "more than %d names or lists within each other", maxNesting)
	}
	rest, tables := s, []Table(nil)
	if key != "" {
		rest, tables = split(s, key)
	}
	meta, err := decode(rest, 0, root)
	if err != nil || key == "" || !meta.IsDefined(key) {
		return tables, err
	}
	if len(tables) > 0 {
		return nil, format.Brokenf(-1, "tables of one name in two ways of writing")
	}
	return inline(s, key)
}

// decode has the library decode a text, the first byte of which is at off.
func decode(text string, off int64, v any) (toml.MetaData, error) {
	meta, err := toml.Decode(text, v)
	if syntax, ok := errors.AsType[toml.ParseError](err); ok {
		return meta, format.Brokenf(off+start(text, syntax.Position.Line), "not TOML")
	}
	if err != nil {
		return meta, errKinds
	}
	if _, ok := v.(*map[string]any); !ok && ambiguous(meta) {
		return meta, format.Brokenf(-1, "a name in capital and in small letters")
	}
	return meta, nil
}

var errKinds = format.Brokenf(-1, "its values are not of the kinds that they should be")

// ambiguous reports whether two names differ in nothing but capitals. The
// decoder takes Hash for the field of hash, so that either could win.
func ambiguous(meta toml.MetaData) bool {
	spelling := map[string]string{}
	for _, key := range meta.Keys() {
		path := strings.Join(key, "\x00")
		folded := strings.ToLower(strings.ToUpper(path))
		if other, ok := spelling[folded]; ok && other != path {
			return true
		}
		spelling[folded] = path
	}
	return false
}

// start returns the byte at which a line begins.
func start(text string, line int) int64 {
	off := 0
	for s := range strings.Lines(text) {
		if line--; line <= 0 {
			break
		}
		off += len(s)
	}
	return int64(off)
}
