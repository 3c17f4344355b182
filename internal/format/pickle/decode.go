package pickle

import "unicode/utf8"

// Text is the text of a Str or Str8 of at most limit bytes. The text of a Str8
// is its bytes. A Str may hold surrogates, written like other characters. It is
// false for longer ones and where it was forgotten.
func (m *Machine) Text(v Value, limit int) (string, bool) {
	if k := v.Kind(); k != Str && k != Str8 {
		return "", false
	}
	if off, n, ok := m.counted(v); ok {
		if n > int64(limit) {
			return "", false
		}
		b, err := m.bytesAt(off, int(n))
		return string(b), err == nil
	}
	return m.escaped(v, limit)
}

// Data is where the bytes of a Bytes, ByteArray, and of a Str or Str8 that is
// not written as a line, lie in the reader. It is false for all others and where
// it was forgotten.
func (m *Machine) Data(v Value) (off, n int64, ok bool) {
	if k := v.Kind(); k < Str || k > ByteArray {
		return 0, 0, false
	}
	off, n, ok = m.counted(v)
	if ok && n > 0 && m.place(off+n-1) != m.place(off)+n-1 {
		return 0, 0, false
	}
	return m.place(off), n, ok
}

// origin is where a value was written, and by which opcode.
func (m *Machine) origin(v Value) (off int64, op Op, ok bool) {
	if v&onHeap != 0 || v>>payload == 0 {
		return 0, 0, false
	}
	off = m.start + int64(v>>payload) - 1
	b, err := m.bytesAt(off, 1)
	if err != nil {
		return 0, 0, false
	}
	return off, Op(b[0]), true
}

// counted is where the bytes lie that a value with a length consists of, in the
// view.
func (m *Machine) counted(v Value) (off, n int64, ok bool) {
	off, op, ok := m.origin(v)
	width := int(fixed[op])
	if !ok || width == 0 {
		return 0, 0, false
	}
	b, err := m.bytesAt(off+1, width)
	if err != nil {
		return 0, 0, false
	}
	return off + 1 + int64(width), int64(littleEndian(b, width)), true
}

// escaped is the text of a line.
func (m *Machine) escaped(v Value, limit int) (string, bool) {
	off, op, ok := m.origin(v)
	if !ok {
		return "", false
	}
	var line []byte
	for n := 128; ; n *= 2 {
		n = int(min(int64(n), m.end-off-1))
		b, err := m.bytesAt(off+1, n)
		if err != nil {
			return "", false
		}
		i := indexNewline(b)
		if i < len(b) {
			line = b[:i]
			break
		}
		if off+1+int64(n) == m.end { // an identity that is not ended
			line = b[:max(len(b)-1, 0)]
			break
		}
		if n > 10*limit+2 {
			return "", false
		}
	}
	text := string(line)
	switch op {
	case OpString:
		text = unescape(text[1 : len(text)-1])
	case OpUnicode:
		text = rawUnicode(text)
	}
	return text, len(text) <= limit
}

func indexNewline(b []byte) int {
	for i, c := range b {
		if c == '\n' {
			return i
		}
	}
	return len(b)
}

// unescape undoes the escapes of a bytes literal, which were checked.
func unescape(s string) string {
	const from, to = `\'"abfnrtv`, "\\'\"\a\b\f\n\r\t\v"
	var out []byte
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			out = append(out, s[i])
			continue
		}
		i++
		c := s[i]
		switch at := indexByte(from, c); {
		case at >= 0:
			out = append(out, to[at])
		case c == 'x' && i+2 < len(s):
			high, _ := hex(s[i+1])
			low, _ := hex(s[i+2])
			out = append(out, byte(high<<4|low))
			i += 2
		case c >= '0' && c <= '7':
			x := 0
			end := min(i+3, len(s))
			for ; i < end && s[i] >= '0' && s[i] <= '7'; i++ {
				x = x<<3 | int(s[i]-'0')
			}
			i--
			out = append(out, byte(x))
		default:
			out = append(out, '\\', c)
		}
	}
	return string(out)
}

func indexByte(s string, c byte) int {
	for i := range len(s) {
		if s[i] == c {
			return i
		}
	}
	return -1
}

// rawUnicode undoes \u and \U; other bytes are Latin-1.
func rawUnicode(s string) string {
	var out []byte
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			out = appendRune(out, uint32(s[i]))
			continue
		}
		i++
		digits := map[byte]int{'u': 4, 'U': 8}[s[i]]
		if digits == 0 || i+digits >= len(s) {
			out = appendRune(append(out, '\\'), uint32(s[i]))
			continue
		}
		var r uint32
		for _, c := range []byte(s[i+1 : i+1+digits]) {
			d, _ := hex(c)
			r = r<<4 | d
		}
		out = appendRune(out, r)
		i += digits
	}
	return string(out)
}

// appendRune appends a character as UTF-8, and a surrogate in the same way.
func appendRune(b []byte, r uint32) []byte {
	if r >= 0xd800 && r < 0xe000 {
		return append(b, byte(0xe0|r>>12), byte(0x80|r>>6&0x3f), byte(0x80|r&0x3f))
	}
	return utf8.AppendRune(b, rune(r))
}
