package tar

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/internal/format"
)

// meta is what the headers before a member's own say about it.
type meta struct {
	any          bool
	name, target string
	size         int64 // -1 if none
	hasSize      bool
	pax          bool // the name is from a pax header
	sparse       bool
	doubts       []Doubt
}

// meta reads the data of a header of the type that is about the next member.
func (t *Reader) meta(m *meta, kind byte, size int64) error {
	at := t.c.Offset()
	limit := maxPax
	if kind == 'L' || kind == 'K' {
		limit = maxName
	}
	data := t.c.Bytes(uint64(size), limit)
	t.c.Skip(min(-size&(block-1), t.c.Left()))
	if err := t.c.Err(); err != nil {
		return err
	}
	m.any = m.any || kind != 'g'
	switch kind {
	case 'L', 'K':
		s := text(data)
		if kind == 'L' {
			if m.name != "" {
				m.doubt(at, "it is given two names")
			}
			m.name, m.pax = s, false
		} else {
			m.target = s
		}
		return nil
	}
	return m.records(data, at, kind == 'g')
}

func (m *meta) doubt(off int64, why string) { m.doubts = append(m.doubts, Doubt{Off: off, Why: why}) }

// records reads the "length key=value" lines of a pax header.
func (m *meta) records(data []byte, at int64, global bool) error {
	seen := map[string]bool{}
	for len(data) > 0 {
		digits, _, ok := bytes.Cut(data[:min(len(data), 12)], []byte{' '})
		n, err := strconv.ParseUint(string(digits), 10, 31)
		if !ok || err != nil || int(n) > len(data) || int(n) < len(digits)+4 || data[n-1] != '\n' {
			return format.Brokenf(at, "a pax header is not well formed")
		}
		key, value, ok := strings.Cut(string(data[len(digits)+1:n-1]), "=")
		if !ok || key == "" {
			return format.Brokenf(at, "a pax header is not well formed")
		}
		at += int64(n)
		data = data[n:]
		switch key {
		case "path", "linkpath", "size", "hdrcharset":
		default:
			if strings.HasPrefix(key, "GNU.sparse.") {
				m.sparse = true
			}
			continue
		}
		if global {
			m.doubt(at, fmt.Sprintf("a header for all members sets their %s: few readers heed it", key))
			continue
		}
		if seen[key] || key == "path" && m.name != "" {
			m.doubt(at, "a header gives its "+key+" twice")
		}
		seen[key] = true
		if err := m.set(key, value, at); err != nil {
			return err
		}
	}
	return nil
}

func (m *meta) set(key, value string, at int64) error {
	if strings.ContainsRune(value, 0) {
		m.doubt(at, "a header holds a NUL: some readers stop there")
	}
	switch key {
	case "path":
		m.name, m.pax = value, true
	case "linkpath":
		m.target = value
	case "size":
		n, err := strconv.ParseInt(value, 10, 62)
		if err != nil || n < 0 {
			return format.Brokenf(at, "the size in a pax header is none")
		}
		m.size, m.hasSize = n, true
	case "hdrcharset":
		if value != "BINARY" && value != "ISO-IR 10646 2000 UTF-8" {
			m.doubt(at, "its names are in letters of an unknown kind")
		}
	}
	return nil
}

// apply puts what was said before over what a member's own header says. Readers
// that know only the plain header must come to the same.
func (m *meta) apply(e *Entry, size, at int64) {
	if m.name != "" {
		if m.pax && len(m.name) <= 100 && plain(m.name) && strings.TrimSuffix(m.name, "/") != strings.TrimSuffix(e.Name, "/") {
			e.doubt(at, "a header before it calls it by another name, which would have fitted")
		}
		e.Name = m.name
	}
	if m.target != "" {
		e.Target = m.target
	}
	if m.hasSize {
		const most = 1 << 33 // what a plain header can hold
		if m.size != size && !(size == 0 && m.size >= most) {
			e.doubt(at+124, "two headers give it different sizes: readers disagree where the next member begins")
		}
		e.Size = m.size
	}
	if m.sparse {
		e.Sparse = true
		e.doubt(at, "it is sparse: readers that do not know that see other bytes")
	}
	for _, d := range m.doubts {
		d.What = e.Name
		e.Doubts = append(e.Doubts, d)
	}
}

// dangling says that a header is about a member that never comes.
func (m *meta) dangling(at int64, end error) error {
	if m.any && end == io.EOF {
		return format.Brokenf(at, "a header is about a member that is not there")
	}
	return end
}

func plain(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
