package archives

import (
	"bytes"
	"encoding/binary"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/sallyport/sallyport/internal/inspect"
	"github.com/sallyport/sallyport/internal/inspect/configs/objects"
)

// texts are tried last, and in this order: text is what everything is that
// nobody knows better.
var texts = []inspect.Reading{
	markupReading,
	{Format: "json", Generic: true, Match: matchJSON, Inspect: inspectJSON},
	{Format: "text", Generic: true, Match: matchText, Inspect: inspectText},
	{Format: "text", Generic: true, Match: matchLatin, Inspect: inspectLatin},
}

func matchJSON(_ *inspect.File, head []byte) inspect.Fit {
	head = bytes.TrimLeft(head, " \t\r\n")
	if len(head) > 0 && (head[0] == '{' || head[0] == '[') {
		return inspect.Maybe
	}
	return inspect.No
}

// inspectJSON accepts one whole document. Python writes NaN and Infinity.
func inspectJSON(p *inspect.Pass, f *inspect.File) error {
	s, err := objects.Look(p, f)
	if err == nil && s.Err != nil {
		return inspect.ErrNotThis
	}
	return err
}

// matchText wants no NUL, which UTF-8 text does not have and almost everything
// else does, or the mark of UTF-16.
func matchText(_ *inspect.File, head []byte) inspect.Fit {
	if _, ok := wide(head); ok || bytes.IndexByte(head, 0) < 0 {
		return inspect.Maybe
	}
	return inspect.No
}

// wide reports the order of bytes in UTF-16 text.
func wide(head []byte) (binary.ByteOrder, bool) {
	switch {
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}):
		return binary.LittleEndian, true
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return binary.BigEndian, true
	}
	return nil, false
}

// inspectText accepts a file that is well-formed text to its end. Documents in
// UTF-16, which some programs read, are followed by no other reading, and what
// they name is not known.
func inspectText(p *inspect.Pass, f *inspect.File) error {
	var head [256]byte
	n, _ := f.ReadAt(head[:], 0)
	check := validUTF8
	if order, ok := wide(head[:n]); ok {
		if document(bytes.ReplaceAll(head[2:n], []byte{0}, nil)) {
			return inspect.ErrNotThis
		}
		check = func(b []byte, end bool) (int, bool) { return validUTF16(order, b, end) }
	}
	return inspectLetters(p, f, check)
}

// document reports whether text begins as a document of JSON does.
func document(text []byte) bool {
	const space = " \t\r\n"
	text = bytes.TrimLeft(text, space)
	if len(text) == 0 || text[0] != '{' && text[0] != '[' {
		return false
	}
	rest := bytes.TrimLeft(text[1:], space)
	return len(rest) == 0 || bytes.IndexByte([]byte(`"{}[]`), rest[0]) >= 0
}

// inspectLetters accepts a file in which check finds nothing but text. What of
// its bytes check has not used it is given again, with those that follow.
func inspectLetters(p *inspect.Pass, f *inspect.File, check func(b []byte, end bool) (used int, ok bool)) error {
	buf := make([]byte, min(f.Size, 64<<10)) // little for a small file: archives hold a million
	kept := 0
	for off := int64(0); off < f.Size; {
		n := min(f.Size-off, int64(len(buf)-kept))
		if m, err := f.ReadAt(buf[kept:kept+int(n)], off); int64(m) < n {
			return err
		}
		off += n
		b := buf[:kept+int(n)]
		used, ok := check(b, off == f.Size)
		if !ok {
			return inspect.ErrNotThis
		}
		kept = copy(buf, b[used:])
		if err := p.Step(int(n >> 6)); err != nil {
			return err
		}
	}
	return nil
}

// validUTF8 reports whether b is text, but for a character that its end cuts.
func validUTF8(b []byte, end bool) (used int, ok bool) {
	used = len(b)
	if !end {
		for i := 1; i <= min(utf8.UTFMax, len(b)); i++ {
			if utf8.RuneStart(b[len(b)-i]) {
				if !utf8.FullRune(b[len(b)-i:]) {
					used -= i
				}
				break
			}
		}
	}
	return used, utf8.Valid(b[:used]) && bytes.IndexByte(b[:used], 0) < 0
}

// latinNames are the extensions of what people write and programs show. Files
// of no other name are taken for text of one byte a letter, in which everything
// can be read.
var latinNames = []string{".txt", ".text", ".md", ".rst", ".csv", ".tsv", ".log", ".tex", ".bib", ".srt"}

// matchLatin wants nothing to speak for a document or for markup.
func matchLatin(f *inspect.File, head []byte) inspect.Fit {
	first := bytes.TrimLeft(head, " \t\r\n")
	if !slices.Contains(latinNames, f.Ext()) && !shouted(f) || document(head) || len(first) > 0 && first[0] == '<' || bytes.IndexByte(head, 0) >= 0 {
		return inspect.No
	}
	return inspect.Maybe
}

// shouted reports whether a file without extension has a name in capitals, as
// README and AUTHORS are called. Models are called otherwise.
func shouted(f *inspect.File) bool {
	name := path.Base(f.Name)
	return f.Ext() == "" && name == strings.ToUpper(name) && strings.ContainsFunc(name, unicode.IsUpper)
}

// inspectLatin accepts text as systems wrote it before UTF-8, in Latin-1 or in
// Windows-1252: no byte is a control character but those of lines, and no more
// than every fifth is beyond ASCII, which among random bytes is every other.
func inspectLatin(p *inspect.Pass, f *inspect.File) error {
	var far int64
	err := inspectLetters(p, f, func(b []byte, _ bool) (int, bool) {
		for _, c := range b {
			if !latin[c] {
				return 0, false
			}
			far += int64(c >> 7)
		}
		return len(b), true
	})
	if err == nil && far > f.Size/5 {
		return inspect.ErrNotThis
	}
	return err
}

// latin are the bytes that stand for something in Windows-1252, which has all
// letters of Latin-1.
var latin = func() (all [256]bool) {
	for c := range all {
		all[c] = c >= ' ' && c != 0x7f || c == '\t' || c == '\n' || c == '\r' || c == '\f'
	}
	for _, c := range []byte{0x81, 0x8d, 0x8f, 0x90, 0x9d} {
		all[c] = false
	}
	return all
}()

// validUTF16 wants surrogates in pairs.
func validUTF16(order binary.ByteOrder, b []byte, end bool) (used int, ok bool) {
	for len(b)-used >= 2 {
		r := rune(order.Uint16(b[used:]))
		size := 2
		if utf16.IsSurrogate(r) {
			if len(b)-used < 4 {
				break
			}
			if utf16.DecodeRune(r, rune(order.Uint16(b[used+2:]))) == utf8.RuneError {
				return used, false
			}
			size = 4
		}
		if r == 0 {
			return used, false
		}
		used += size
	}
	return used, !end || used == len(b)
}
