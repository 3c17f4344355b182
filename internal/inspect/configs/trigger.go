package configs

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/inspect"
	"github.com/sallyport/sallyport/internal/inspect/tensors"
)

// search reads the whole document for what could be active, and for whether it
// is text.
func search(p *inspect.Pass, f *inspect.File) (active, text bool, err error) {
	const overlap = 32
	buf := make([]byte, 32<<10)
	for off := int64(0); off < f.Size; off += int64(len(buf) - overlap) {
		n, _ := f.ReadAt(buf, off)
		if err := p.Step(1 + n>>6); err != nil {
			return false, false, err
		}
		if n == 0 {
			return false, false, format.Brokenf(off, "the file ends before its size says")
		}
		if bytes.IndexByte(buf[:n], 0) >= 0 || off == 0 && !textual(buf[:n]) {
			return false, false, nil
		}
		active = active || triggers(buf[:n])
		if n < len(buf) {
			break
		}
	}
	return active, true, nil
}

// textual reports whether the beginning of a file is UTF-8, where a character
// may be cut at the end.
func textual(b []byte) bool {
	for cut := range utf8.UTFMax {
		if len(b) >= cut && utf8.Valid(b[:len(b)-cut]) {
			return true
		}
	}
	return false
}

// plain are the triggers that are texts: keys that name code or hold it,
// directives, and the resolvers that leave the file.
var plain = [...]string{"_target_", "class_path", "loader_module", "python_function", "%TAG", "yaml.org,2002:",
	"${oc.", "${env:", "${hydra:", "${eval:", "${exec:", "${python:", "${import:", tensors.TemplateKey}

// triggers reports whether a text holds what could be active in YAML: only such
// texts need to be parsed.
func triggers(b []byte) bool {
	for _, t := range plain {
		if bytes.Contains(b, []byte(t)) {
			return true
		}
	}
	return tagged(b) || spelled(b)
}

// before are the bytes that can stand before a tag, with the last of the line
// ends that are not ASCII.
const before = " \t\r\n[]{},:?-\"'\x85\xa8\xa9"

// tagged reports whether there may be a tag: an exclamation mark where a value
// can begin, and a name behind it.
func tagged(b []byte) bool {
	for i := 0; ; i++ {
		next := bytes.IndexByte(b[i:], '!')
		if next < 0 {
			return false
		}
		i += next
		if i > 0 && strings.IndexByte(before, b[i-1]) < 0 {
			continue
		}
		if i+1 == len(b) || b[i+1] == '!' || b[i+1] == '<' || b[i+1] == '%' || letter(b[i+1]) {
			return true
		}
	}
}

// spelled reports whether there is an escape for a letter or an underscore,
// which nobody needs but to hide a word.
func spelled(b []byte) bool {
	for i := 0; ; i++ {
		next := bytes.IndexByte(b[i:], '\\')
		if next < 0 || i+next+1 >= len(b) {
			return false
		}
		i += next + 1
		digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[b[i]]
		if digits == 0 || i+1+digits > len(b) {
			continue
		}
		if n, err := strconv.ParseUint(string(b[i+1:i+1+digits]), 16, 32); err == nil && n < 0x80 && letter(byte(n)) {
			return true
		}
	}
}

func letter(c byte) bool { return c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z' }
