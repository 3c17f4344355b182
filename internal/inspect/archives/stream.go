package archives

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/squash"
	"github.com/sallyport/sallyport/internal/inspect"
)

// streams are the formats that compress one file. Pickles may be compressed
// under their own name, so that ".pkl" and ".joblib" promise no format. A .nemo
// file is a tar archive, compressed or not.
var streams = []inspect.Reading{
	stream(squash.Gzip, []string{".gz", ".tgz", ".nemo"}, begins("\x1f\x8b\x08")),
	stream(squash.Bzip2, []string{".bz2", ".tbz2"}, matchBzip2),
	stream(squash.Xz, []string{".xz", ".txz"}, begins("\xfd7zXZ\x00")),
	{Format: squash.LZMA.String(), Extensions: []string{".lzma", ".xz"}, Match: matchLZMA, Inspect: inspectLZMA},
	stream(squash.LZ4, []string{".lz4"}, matchLZ4),
	stream(squash.Zstd, []string{".zst"}, matchZstd),
	{
		// joblib wrote zlib under the name of gzip up to version 0.10.
		Format: "zlib", Extensions: []string{".z", ".zlib", ".zz", ".gz"},
		Match: matchZlib, Inspect: inspectZlib,
	},
	{Format: "joblib-zf", Extensions: []string{".z", ".gz"}, Match: begins("ZF0x"), Inspect: inspectZF},
}

// stream is the reading of a format that has a signature.
func stream(kind squash.Kind, exts []string, match func(*inspect.File, []byte) inspect.Fit) inspect.Reading {
	return inspect.Reading{
		Format: kind.String(), Extensions: exts, Match: match,
		Inspect: func(p *inspect.Pass, f *inspect.File) error { return expand(p, f, kind, 0) },
	}
}

// begins matches files by their first bytes.
func begins(magic string) func(*inspect.File, []byte) inspect.Fit {
	return func(_ *inspect.File, head []byte) inspect.Fit { return fit(bytes.HasPrefix(head, []byte(magic))) }
}

func fit(ok bool) inspect.Fit {
	if ok {
		return inspect.Yes
	}
	return inspect.No
}

func matchBzip2(_ *inspect.File, head []byte) inspect.Fit {
	if len(head) < 10 || string(head[:3]) != "BZh" || head[3] < '1' || head[3] > '9' {
		return inspect.No
	}
	block := string(head[4:10])
	return fit(block == "1AY&SY" || block == "\x17\x72\x45\x38\x50\x90")
}

// matchLZMA knows the older format, which has no signature, by what its writers
// put into its header: a dictionary of 2^n or 2^n+2^(n-1) bytes, a size that a
// file may have, and the zero with which every stream begins. So does liblzma.
func matchLZMA(_ *inspect.File, head []byte) inspect.Fit {
	if len(head) < 14 || head[0] >= 9*5*5 || head[13] != 0 {
		return inspect.No
	}
	dict := binary.LittleEndian.Uint32(head[1:])
	top := dict &^ (dict - 1)
	size := binary.LittleEndian.Uint64(head[5:])
	power := dict != 0 && (dict == top || dict == 3*top) && dict >= 1<<12 || dict == 1<<32-1
	if !power || size != 1<<64-1 && size >= 1<<38 {
		return inspect.No
	}
	return inspect.Maybe
}

// surelyLZMA is how much a stream yields that is one: matrices of MATLAB 4, whose
// header may pass for that of a stream, break before.
const surelyLZMA = 4096

// inspectLZMA tells a stream from what only begins like one by expanding some of
// it. One that breaks early is a stream all the same to whoever goes by its name,
// or like joblib by the first two bytes that all writers write.
func inspectLZMA(p *inspect.Pass, f *inspect.File) error {
	var head [2]byte
	f.ReadAt(head[:], 0)
	if f.Ext() != ".lzma" && f.Ext() != ".xz" && string(head[:]) != "\x5d\x00" {
		_, err := io.CopyN(io.Discard, squash.Open(squash.LZMA, f.Reader()), surelyLZMA)
		if format.Is(err, format.Broken) {
			return inspect.ErrNotThis
		}
	}
	return expand(p, f, squash.LZMA, 0)
}

func matchLZ4(_ *inspect.File, head []byte) inspect.Fit {
	if len(head) < 7 {
		return inspect.No
	}
	magic := binary.LittleEndian.Uint32(head)
	return fit(magic == 0x184D2204 && head[4]>>6 == 1 || magic == 0x184C2102 || skipped(head, 0x184D2204))
}

func matchZstd(_ *inspect.File, head []byte) inspect.Fit {
	return fit(bytes.HasPrefix(head, []byte("\x28\xb5\x2f\xfd")) || skipped(head, 0xFD2FB528))
}

// skipped reports whether head begins with a frame to be skipped and then has
// the magic number. Both formats have such frames.
func skipped(head []byte, magic uint32) bool {
	for range 8 {
		if len(head) < 12 || binary.LittleEndian.Uint32(head)&^15 != 0x184D2A50 {
			return false
		}
		n := uint64(binary.LittleEndian.Uint32(head[4:]))
		if n > uint64(len(head))-12 {
			return false
		}
		if head = head[8+n:]; binary.LittleEndian.Uint32(head) == magic {
			return true
		}
	}
	return false
}

// expand inspects what the stream from off on holds.
func expand(p *inspect.Pass, f *inspect.File, kind squash.Kind, off int64) error {
	z := squash.Open(kind, io.NewSectionReader(f, off, f.Size-off))
	if err := p.Expand(f, innerName(f.Name), z, f.Around); err != nil {
		return err
	}
	if _, err := z.Read(make([]byte, 1)); err == io.EOF && off+z.Consumed() < f.Size {
		p.Find(f, inspect.Finding{Rule: ruleTrailing, Verdict: inspect.Suspicious, Offset: off + z.Consumed(), What: kind.String(),
			Why: fmt.Sprintf("%d bytes stand behind the end of the compressed stream", f.Size-off-z.Consumed())})
	}
	return nil
}

// innerName is the name of what a compressed file holds.
func innerName(name string) string {
	for _, x := range [][2]string{
		{".tgz", ".tar"}, {".tbz2", ".tar"}, {".txz", ".tar"}, {".gz", ""}, {".bz2", ""}, {".xz", ""}, {".lzma", ""},
		{".lz4", ""}, {".zst", ""}, {".zz", ""}, {".z", ""}, {".zlib", ""},
	} {
		if n := len(name) - len(x[0]); n > 0 && strings.EqualFold(name[n:], x[0]) {
			return name[:n] + x[1]
		}
	}
	return name
}

// matchZlib wants a header of RFC 1950 without a dictionary: one in a thousand
// files of random bytes has it, and so has text that begins with "x^".
func matchZlib(_ *inspect.File, head []byte) inspect.Fit {
	if len(head) < 6 || head[0]&15 != 8 || head[0]>>4 > 7 || (int(head[0])<<8|int(head[1]))%31 != 0 || head[1]&0x20 != 0 {
		return inspect.No
	}
	return inspect.Maybe
}

// A stream that breaks counts as zlib, since what loads it gets what stands
// before the break: at once if it is named as what is loaded so, and otherwise
// once it has yielded as much as random bytes do not. Text named as text is text.
const surelyZlib = 512

// inspectZlib tells zlib from what only begins like it by expanding some of it.
func inspectZlib(p *inspect.Pass, f *inspect.File) error {
	n, err := io.CopyN(io.Discard, squash.Open(squash.Zlib, f.Reader()), 64<<10)
	if err != nil && err != io.EOF {
		if !isFormat(err) {
			return err
		}
		named := f.Ext() == "" && f.OnDisk() ||
			slices.Contains([]string{".joblib", ".pkl", ".pickle", ".p", ".z", ".zlib", ".zz", ".bin", ".dat", ".model", ".sav"}, f.Ext())
		text, terr := plainText(f)
		if terr != nil {
			return terr
		}
		if n == 0 || !named && (text || n < surelyZlib) {
			return inspect.ErrNotThis
		}
	}
	return expand(p, f, squash.Zlib, 0)
}

// plainText reports whether the first bytes are text.
func plainText(f *inspect.File) (bool, error) {
	head := make([]byte, min(f.Size, 4096))
	if n, err := f.ReadAt(head, 0); n < len(head) {
		return false, err
	}
	for i := 0; i < len(head); {
		r, n := utf8.DecodeRune(head[i:])
		if r == utf8.RuneError && n == 1 && len(head)-i >= utf8.UTFMax || r < ' ' && !strings.ContainsRune("\t\n\f\r", r) {
			return false, nil
		}
		i += n
	}
	return true, nil
}

// zfHeader is "ZF" and the size in nineteen characters, which is how joblib
// wrote compressed pickles up to version 0.9.
const zfHeader = 2 + 19

func inspectZF(p *inspect.Pass, f *inspect.File) error {
	c := f.Cursor()
	c.Skip(int64(len("ZF0x")))
	digits := c.String(zfHeader-4, zfHeader)
	if c.Err() != nil {
		return inspect.ErrNotThis
	}
	size, err := strconv.ParseUint(strings.TrimRight(digits, " L"), 16, 62)
	if err != nil {
		return inspect.ErrNotThis
	}
	off := int64(zfHeader)
	if b := c.Peek(1); len(b) == 1 && b[0] == ' ' {
		off++
	}
	z := squash.Open(squash.Zlib, io.NewSectionReader(f, off, f.Size-off))
	counted := &exact{r: z, left: int64(size)}
	name := innerName(f.Name)
	if arrayOf(f) {
		name = f.Name // it is no .npy file: joblib left the header out
	}
	if err := p.Expand(f, name, counted, f.Around); err != nil {
		return err
	}
	if counted.ended && off+z.Consumed() < f.Size {
		p.Find(f, inspect.Finding{Rule: ruleTrailing, Verdict: inspect.Suspicious, Offset: off + z.Consumed(), What: "joblib-zf", Why: "bytes stand behind the end of the compressed stream"})
	}
	return nil
}

// exact wants r to yield the size that was promised.
type exact struct {
	r     io.Reader
	left  int64
	ended bool
}

func (e *exact) Read(b []byte) (int, error) {
	n, err := e.r.Read(b)
	e.left -= int64(n)
	e.ended = err == io.EOF
	if e.left < 0 || e.ended && e.left != 0 {
		return n, format.Brokenf(2, "the compressed stream has another size than its header says")
	}
	return n, err
}
