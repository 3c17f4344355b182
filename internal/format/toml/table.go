package toml

import (
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/BurntSushi/toml"

	"github.com/sallyport/sallyport/internal/format"
)

// A Table is one of the tables [[key]] of a text.
type Table struct {
	Line int // where it begins, or 0 if the text has its tables within lines

	key  string
	off  int64 // of text
	text string
	meta toml.MetaData // of raw, if there is no text
	raw  toml.Primitive
}

// Into decodes the table. A field of another kind than v has is an error, one
// that v does not have is not.
func (t Table) Into(v any) error {
	if t.text == "" {
		if t.meta.PrimitiveDecode(t.raw, v) != nil {
			return errKinds
		}
		return nil
	}
	var root map[string][]toml.Primitive
	meta, err := decode(t.text, t.off, &root)
	switch {
	case err != nil:
		return err
	case len(root) != 1 || len(root[t.key]) != 1:
		return format.Brokenf(t.off, "more than a table")
	case meta.PrimitiveDecode(root[t.key][0], v) != nil:
		return errKinds
	}
	return nil
}

// All decodes tables, several at a time: a lock is as long as all else together.
// With an error comes the index of the first table that has one.
func All[T any](tables []Table) (all []T, at int, err error) {
	all = make([]T, len(tables))
	errs := make([]error, len(tables))
	workers := runtime.GOMAXPROCS(0)
	if len(tables) > 0 && tables[0].text == "" {
		workers = 1 // they share what the library notes of its progress
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(tables); i = int(next.Add(1)) - 1 {
				errs[i] = tables[i].Into(&all[i])
			}
		})
	}
	wg.Wait()
	if at = slices.IndexFunc(errs, func(err error) bool { return err != nil }); at >= 0 {
		return nil, at, errs[at]
	}
	return all, 0, nil
}

// split cuts a text at the lines of its tables [[key]]. The rest is what belongs
// to none of them, at the lines where it was.
//
// A line that looks like a header could be part of a text or of a list. Then the
// pieces before and after it are no TOML by themselves, which is an error later:
// if every piece can be decoded, nothing was cut in two.
func split(text, key string) (rest string, tables []Table) {
	var out strings.Builder
	off, line, begin := 0, 0, -1
	end := func() {
		if begin >= 0 {
			tables[len(tables)-1].text = text[begin:off]
		}
		begin = -1
	}
	for s := range strings.Lines(text) {
		line++
		if header := strings.TrimLeft(s, " \t"); strings.HasPrefix(header, "[") {
			switch after, own := strings.CutPrefix(header, "[["+key+"]]"); {
			case own && blank(after):
				end()
				begin = off
				tables = append(tables, Table{Line: line, key: key, off: int64(off)})
			case !strings.HasPrefix(strings.TrimLeft(header, "["), key+"."):
				end()
			}
		}
		if begin < 0 {
			out.WriteString(s)
		} else {
			out.WriteByte('\n')
		}
		off += len(s)
	}
	end()
	return out.String(), tables
}

// blank reports whether nothing but a comment follows on a line.
func blank(s string) bool {
	s = strings.TrimSpace(s)
	return s == "" || s[0] == '#'
}

// inline reads the tables of a text that has them as a list of values.
func inline(text, key string) ([]Table, error) {
	var root map[string]toml.Primitive
	meta, err := decode(text, 0, &root)
	if err != nil {
		return nil, err
	}
	var list []toml.Primitive
	if meta.PrimitiveDecode(root[key], &list) != nil {
		return nil, errKinds
	}
	var tables []Table
	for _, raw := range list {
		tables = append(tables, Table{meta: meta, raw: raw})
	}
	return tables, nil
}
