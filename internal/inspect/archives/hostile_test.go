package archives

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zlib"

	"github.com/sallyport/sallyport/internal/inspect"
)

// A part is a member of a zip archive, with everything that can be said wrongly
// about it.
type part struct {
	name, local     string // local: the name in its own header, if another
	data            string
	method, lmethod uint16 // lmethod: in its own header, if not 0
	flags, lflags   uint16
	crc             func(uint32) uint32
	size            int64 // added to the size in the directory
	mode            uint32
	extra           string
	at              int64 // where the directory says that it is, if not 0
	hidden          bool  // it is not in the directory
	after           string
}

// zipOf builds an archive.
func zipOf(parts ...part) []byte {
	le := binary.LittleEndian
	var out, dir []byte
	n := 0
	for _, m := range parts {
		packed := []byte(m.data)
		if m.method == 8 {
			packed = deflated(m.data)
		}
		sum := crc32.ChecksumIEEE([]byte(m.data))
		if m.crc != nil {
			sum = m.crc(sum)
		}
		at := int64(len(out))
		head := func(name string, flags, method uint16, size int64) []byte {
			b := le.AppendUint16(nil, 20)
			b = le.AppendUint16(b, flags)
			b = le.AppendUint16(b, method)
			b = le.AppendUint32(b, 0x21<<16)
			b = le.AppendUint32(b, sum)
			b = le.AppendUint32(b, uint32(len(packed)))
			b = le.AppendUint32(b, uint32(int64(len(m.data))+size))
			return le.AppendUint16(b, uint16(len(name)))
		}
		lname, lmethod := m.name, m.method
		if m.local != "" {
			lname = m.local
		}
		if m.lmethod != 0 {
			lmethod = m.lmethod
		}
		out = append(out, "PK\x03\x04"...)
		out = append(out, head(lname, m.flags^m.lflags, lmethod, 0)...)
		out = append(le.AppendUint16(out, 0), lname...)
		out = append(append(out, packed...), m.after...)
		if m.hidden {
			continue
		}
		n++
		if m.at != 0 {
			at = m.at
		}
		dir = append(dir, "PK\x01\x02\x14\x03"...)
		dir = append(dir, head(m.name, m.flags, m.method, m.size)...)
		dir = le.AppendUint16(dir, uint16(len(m.extra)))
		dir = append(dir, make([]byte, 6)...)
		dir = le.AppendUint32(dir, m.mode<<16)
		dir = le.AppendUint32(dir, uint32(at))
		dir = append(append(dir, m.name...), m.extra...)
	}
	return append(append(out, dir...), zipEnd(n, len(dir), len(out), "")...)
}

func zipEnd(n, size, at int, comment string) []byte {
	le := binary.LittleEndian
	b := []byte("PK\x05\x06\x00\x00\x00\x00")
	b = le.AppendUint16(le.AppendUint16(b, uint16(n)), uint16(n))
	b = le.AppendUint32(le.AppendUint32(b, uint32(size)), uint32(at))
	return append(le.AppendUint16(b, uint16(len(comment))), comment...)
}

func deflated(s string) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, 9)
	w.Write([]byte(s))
	w.Close()
	return b.Bytes()
}

// patch changes bytes at off; negative counts from the end.
func patch(data []byte, off int, with string) []byte {
	data = bytes.Clone(data)
	if off < 0 {
		off += len(data)
	}
	copy(data[off:], with)
	return data
}

func join(parts ...any) []byte {
	var out []byte
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			out = append(out, p...)
		case []byte:
			out = append(out, p...)
		}
	}
	return out
}

// unicodePath is the extra field that gives a name again.
func unicodePath(name, other string) string {
	b := binary.LittleEndian.AppendUint16([]byte("up"), uint16(5+len(other)))
	b = binary.LittleEndian.AppendUint32(append(b, 1), crc32.ChecksumIEEE([]byte(name)))
	return string(b) + other
}

// TestHostileZip wants every archive that programs may read in two ways, or
// that honest writers do not write, to be blocked, and says by which rule.
func TestHostileZip(t *testing.T) {
	a, b := part{name: "a.txt", data: "hello"}, part{name: "b.txt", data: "world", method: 8}
	plain := zipOf(a, b)
	if r := scan(t, "a.zip", plain); r.Verdict != inspect.Inert {
		t.Fatalf("the archive that the others are made of: %s", tell(r))
	}
	dir := bytes.Index(plain, []byte("PK\x01\x02"))
	with := func(change func(*part)) []byte {
		m := a
		change(&m)
		return zipOf(m, b)
	}
	for _, c := range []struct {
		name, rule string
		data       []byte
	}{
		{"name differs", "archive-ambiguous", with(func(m *part) { m.local = "c.txt" })},
		{"method differs", "archive-ambiguous", with(func(m *part) { m.lmethod = 8 })},
		{"flags differ", "archive-ambiguous", with(func(m *part) { m.lflags = 1 << 11 })},
		{"flag is reserved", "archive-ambiguous", with(func(m *part) { m.flags = 1 << 14 })},
		{"encrypted in name only", "archive-ambiguous", with(func(m *part) { m.flags = 1 })},
		{"encrypted in its own header only", "archive-ambiguous", with(func(m *part) { m.lflags = 1 })},
		{"patched", "archive-ambiguous", with(func(m *part) { m.flags = 1 << 5 })},
		{"checksum is wrong", "archive-ambiguous", with(func(m *part) { m.crc = func(c uint32) uint32 { return c + 1 } })},
		{"compressed, checksum is wrong", "broken", zipOf(part{name: "a", data: "hello", method: 8, crc: func(c uint32) uint32 { return ^c }})},
		{"size is smaller", "archive-ambiguous", with(func(m *part) { m.size = -1 })},
		{"expands to more", "broken", zipOf(part{name: "a", data: "hello", method: 8, size: -2})},
		{"expands to less", "broken", zipOf(part{name: "a", data: "hello", method: 8, size: 2})},
		{"duplicate", "archive-duplicate", zipOf(a, part{name: "a.txt", data: "other"})},
		{"duplicate in case", "archive-duplicate", zipOf(a, part{name: "A.TXT", data: "other"})},
		{"duplicate in slashes", "archive-duplicate", zipOf(part{name: "x/a", data: "1"}, part{name: "x//a", data: "2"})},
		{"duplicate by ./", "archive-duplicate", zipOf(a, part{name: "./a.txt", data: "other"})},
		{"duplicate by NUL", "archive-duplicate", zipOf(a, part{name: "a.txt\x00b", data: "other"})},
		{"duplicate by backslash", "archive-duplicate", zipOf(part{name: "x/a", data: "1"}, part{name: `x\a`, data: "2"})},
		{"leaves", "archive-path", zipOf(part{name: "../a", data: "1"})},
		{"leaves in the middle", "archive-path", zipOf(part{name: "x/../../a", data: "1"})},
		{"from the root", "archive-path", zipOf(part{name: "/etc/cron.d/a", data: "1"})},
		{"from a drive", "archive-path", zipOf(part{name: "c:a", data: "1"})},
		{"backslash", "archive-path", zipOf(part{name: `..\a`, data: "1"})},
		{"NUL", "archive-path", zipOf(part{name: "a.txt\x00.pkl", data: "1"})},
		{"link", "archive-link", zipOf(part{name: "a", data: "/etc/passwd", mode: 0o120777})},
		{"device", "archive-link", zipOf(part{name: "a", mode: 0o020666})},
		{"folder with data", "archive-ambiguous", zipOf(part{name: "a/", data: "1"})},
		{"second name", "archive-ambiguous", zipOf(part{name: "a.txt", data: "1", extra: unicodePath("a.txt", "b.pkl")})},
		{"extra field leaves", "archive-ambiguous", zipOf(part{name: "a.txt", data: "1", extra: "up\xff\x00"})},
		{"bytes before", "archive-ambiguous", join("\x80\x04N.", plain)},
		{"bytes before, counted", "archive-ambiguous", zipOf(part{name: "x", data: "1", hidden: true}, a)},
		{"bytes between", "archive-ambiguous", with(func(m *part) { m.after = "hidden" })},
		{"bytes behind members", "archive-ambiguous", zipOf(a, part{name: "b", data: "1", after: "hidden"})},
		{"member that is not in the directory", "archive-ambiguous", zipOf(a, part{name: "x", data: "1", hidden: true}, b)},
		{"bytes after", "trailing-bytes", join(plain, "\x80\x04N.")},
		{"another archive after", "archive-ambiguous", join(plain, zipOf(b))},
		{"comment holds an end", "archive-ambiguous", join(plain[:len(plain)-2], "\x16\x00", zipEnd(0, 0, 0, ""))},
		{"comment is cut", "archive-ambiguous", patch(plain, -2, "\x09\x00")},
		{"entry points nowhere", "broken", zipOf(part{name: "a", data: "1", at: 3}, b)},
		{"entry points outside", "broken", zipOf(part{name: "a", data: "1", at: 1 << 30})},
		{"two entries for one member", "archive-overlap", zipOf(a, part{name: "c", data: "hello"}, part{name: "c", data: "hello", at: 40})},
		{"more members than there are", "broken", patch(plain, -14, "\x01\x00\x01\x00")},
		{"other disks", "archive-ambiguous", patch(plain, -18, "\x01\x00")},
		{"cut", "broken", plain[:dir]},
		{"directory is damaged", "broken", patch(plain, dir+46+5, "XX")},
		{"unknown method", "unsupported", zipOf(part{name: "a", data: "1", method: 9})},
	} {
		r := scan(t, "a.zip", c.data)
		if r.Verdict.Passes() || !slices.ContainsFunc(r.Findings, func(f inspect.Finding) bool { return f.Rule.ID == c.rule }) {
			t.Errorf("%s: want %s:\n%s", c.name, c.rule, tell(r))
		}
	}
}

// TestOverlap builds what exhausts those who expand all members: each holds all
// that follow it.
func TestOverlap(t *testing.T) {
	inner := zipOf(part{name: "b", data: strings.Repeat("x", 1000)})
	kernel := string(inner[:bytes.Index(inner, []byte("PK\x01\x02"))])
	bomb := zipOf(part{name: "a", data: kernel}, part{name: "b", data: strings.Repeat("x", 1000), at: 31, hidden: false})
	r := scan(t, "bomb.zip", bomb)
	if r.Verdict != inspect.Suspicious || !strings.Contains(tell(r), "archive-overlap") {
		t.Error(tell(r))
	}
}

// TestMarkedEncrypted wants a member with the mark of encryption and data that
// cannot be read to be told as that.
func TestMarkedEncrypted(t *testing.T) {
	data := zipOf(part{name: "a", data: "hello", flags: 1, crc: func(c uint32) uint32 { return ^c }})
	if r := scan(t, "a.zip", data); r.Verdict != inspect.Inconclusive || r.Findings[0].Rule != ruleEncrypted {
		t.Error(tell(r))
	}
}

// A file is a member of a tar archive.
type file struct {
	name, link, magic, prefix string
	kind                      byte
	data                      string
	size                      int64 // in the header, if not the data's
	sum                       int   // added to the checksum
}

func tarOf(files ...file) []byte {
	var out []byte
	for _, f := range files {
		h := make([]byte, 512)
		copy(h, f.name)
		copy(h[100:], "0000644\x000000000\x000000000\x00")
		n := int64(len(f.data))
		if f.size != 0 {
			n = f.size
		}
		copy(h[124:], fmt.Sprintf("%011o\x00%011o\x00        ", n, 0))
		h[156] = f.kind
		copy(h[157:], f.link)
		if f.magic == "" {
			f.magic = "ustar\x0000"
		}
		copy(h[257:], f.magic)
		copy(h[345:], f.prefix)
		sum := f.sum
		for _, b := range h {
			sum += int(b)
		}
		copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
		out = append(append(out, h...), f.data...)
		out = append(out, make([]byte, -len(f.data)&511)...)
	}
	return append(out, make([]byte, 1024)...)
}

func pax(records ...string) string {
	var out strings.Builder
	for _, r := range records {
		n := len(r) + 3
		for n != len(fmt.Sprint(n))+len(r)+2 {
			n++
		}
		fmt.Fprintf(&out, "%d %s\n", n, r)
	}
	return out.String()
}

// TestHostileTar is TestHostileZip for tar.
func TestHostileTar(t *testing.T) {
	a := file{name: "a.txt", kind: '0', data: "hello"}
	plain := tarOf(a, file{name: "b.txt", kind: '0', data: "world"})
	if r := scan(t, "a.tar", plain); r.Verdict != inspect.Inert {
		t.Fatalf("the archive that the others are made of: %s", tell(r))
	}
	after := func(kind byte, data string) []byte { return tarOf(file{name: "x", kind: kind, data: data}, a) }
	for _, c := range []struct {
		name, rule string
		data       []byte
	}{
		{"duplicate", "archive-duplicate", tarOf(a, file{name: "a.txt", kind: '0', data: "other"})},
		{"duplicate by ./", "archive-duplicate", tarOf(a, file{name: "./a.txt", kind: '0', data: "other"})},
		{"leaves", "archive-path", tarOf(file{name: "../a", kind: '0', data: "1"})},
		{"leaves by its long name", "archive-path", after('L', "../../a\x00")},
		{"leaves by pax", "archive-path", after('x', pax("path=/etc/a"))},
		{"symbolic link", "archive-link", tarOf(file{name: "a", kind: '2', link: "/etc/passwd"})},
		{"hard link", "archive-link", tarOf(file{name: "a", kind: '1', link: "../b"})},
		{"device", "archive-link", tarOf(file{name: "a", kind: '3'})},
		{"pipe", "archive-link", tarOf(file{name: "a", kind: '6'})},
		{"unknown type", "archive-ambiguous", tarOf(file{name: "a", kind: 'Q', data: "1"})},
		{"link with data", "archive-ambiguous", tarOf(file{name: "a", kind: '2', link: "b", size: 512})},
		{"sparse", "unsupported", tarOf(file{name: "a", kind: 'S', data: "1"})},
		{"sparse by pax", "unsupported", after('x', pax("GNU.sparse.major=1"))},
		{"size by pax", "archive-ambiguous", after('x', pax("size=3"))},
		{"name by pax", "archive-ambiguous", after('x', pax("path=b.pkl"))},
		{"name by pax twice", "archive-ambiguous", after('x', pax("path=b.pkl", "path=a.txt"))},
		{"size for all", "archive-ambiguous", after('g', pax("size=3"))},
		{"pax is damaged", "broken", after('x', "99 path=b\n")},
		{"header about nothing", "broken", tarOf(file{name: "x", kind: 'x', data: pax("path=b")})},
		{"name in a place of some dialects", "archive-ambiguous", tarOf(file{name: "a", kind: '0', magic: "ustar  \x00", prefix: "b"})},
		{"size leaves", "broken", tarOf(file{name: "a", kind: '0', data: "1", size: 1 << 30})},
		{"checksum is wrong", "broken", tarOf(a, file{name: "b", kind: '0', data: "1", sum: 1})},
		{"bytes after", "archive-ambiguous", join(plain, plain)},
		{"one empty block", "archive-ambiguous", join(plain[:len(plain)-512], plain)},
		{"no end", "archive-ambiguous", plain[:len(plain)-1024]},
		{"cut", "broken", plain[:len(plain)-1024-510]},
		{"tar and zip", "polyglot", polyglot()},
	} {
		r := scan(t, "a.tar", c.data)
		if r.Verdict.Passes() || !slices.ContainsFunc(r.Findings, func(f inspect.Finding) bool { return f.Rule.ID == c.rule }) {
			t.Errorf("%s: want %s:\n%s", c.name, c.rule, tell(r))
		}
	}
}

// polyglot is a tar archive whose first member's name is the header of a zip
// archive, whose one member is all the rest.
func polyglot() []byte {
	body := tarOf(file{name: strings.Repeat("n", 31), kind: '0', data: "hello"})[31:]
	z := zipOf(part{name: "x", data: string(body)})
	both := join(z[:31], body)
	copy(both[148:], "        ")
	sum := 0
	for _, b := range both[:512] {
		sum += int(b)
	}
	copy(both[148:], fmt.Sprintf("%06o\x00 ", sum))
	return join(both, z[bytes.Index(z, []byte("PK\x01\x02")):])
}

// TestHostileStreams is about compressed streams.
func TestHostileStreams(t *testing.T) {
	var gz, z bytes.Buffer
	w := gzip.NewWriter(&gz)
	w.Write([]byte("hello, hello"))
	w.Close()
	zw := zlib.NewWriter(&z)
	zw.Write([]byte("\x80\x04N." + strings.Repeat("hello", 100)))
	zw.Close()
	nested := []byte("hello")
	for range 20 {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		w.Write(nested)
		w.Close()
		nested = b.Bytes()
	}
	for _, c := range []struct {
		name, file, rule string
		data             []byte
	}{
		{"bytes after", "a.gz", "trailing-bytes", join(gz.Bytes(), "\x80\x04N.")},
		{"zeros after", "a.gz", "trailing-bytes", join(gz.Bytes(), make([]byte, 9))},
		{"cut", "a.gz", "broken", gz.Bytes()[:gz.Len()-1]},
		{"checksum", "a.gz", "broken", patch(gz.Bytes(), -8, "\x00")},
		{"zlib: bytes after", "a.z", "trailing-bytes", join(z.Bytes(), "x")},
		{"zlib: cut", "a.joblib", "broken", z.Bytes()[:z.Len()-6]},
		{"zlib: size of joblib", "a.joblib", "broken", join("ZF", fmt.Sprintf("%-19s", "0x3"), z.Bytes())},
		{"too deep", "a.gz", "limit", nested},
		{"another name", "a.xz", "name-lies", gz.Bytes()},
	} {
		r := scan(t, c.file, c.data)
		if r.Verdict.Passes() || !slices.ContainsFunc(r.Findings, func(f inspect.Finding) bool { return f.Rule.ID == c.rule }) {
			t.Errorf("%s: want %s:\n%s", c.name, c.rule, tell(r))
		}
	}
	if r := scan(t, "a.joblib", z.Bytes()[:z.Len()-6]); len(r.Globals) == 0 {
		t.Errorf("what stands before the break was not inspected: %s", tell(r))
	}
	if r := scan(t, "a.md", []byte("x^2 + y^2 and so on")); r.Verdict != inspect.Inert {
		t.Errorf("text that begins as zlib: %s", tell(r))
	}
}

// TestBomb wants a stream of zeros without end to be given up.
func TestBomb(t *testing.T) {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, 9)
	block := make([]byte, 1<<20)
	for range 40 {
		w.Write(block)
	}
	w.Close()
	s := inspect.Scanner{Readings: Readings, Limits: inspect.Limits{Expanded: 10 << 20}, Temp: t.TempDir()}
	r, err := s.Scan(t.Context(), "a.gz", bytes.NewReader(b.Bytes()), int64(b.Len()), nil, nil)
	if err != nil || r.Verdict != inspect.Inconclusive || r.Findings[0].Rule.ID != "limit" && r.Findings[len(r.Findings)-1].Rule.ID != "limit" {
		t.Errorf("%v: %s", err, tell(r))
	}
}
