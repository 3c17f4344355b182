package sevenzip

import (
	"bytes"
	"hash/crc32"
	"io"
	"unicode/utf16"

	"github.com/sallyport/sallyport/internal/format"
)

// Limits of what a header may hold. It is kept in memory whole, and so are the
// names.
const (
	maxHeader  = 8 << 20
	maxFolders = 1 << 14
	maxMembers = 1 << 16
	maxCoders  = 8
)

// Magic begins every archive.
const Magic = "7z\xbc\xaf\x27\x1c"

// Properties of a header.
const (
	pEnd = iota
	pHeader
	pArchiveProperties
	pAdditionalStreams
	pMainStreams
	pFiles
	pPack
	pUnpack
	pSubStreams
	pSize
	pCRC
	pFolder
	pCodersUnpackSize
	pNumUnpackStream
	pEmptyStream
	pEmptyFile
	pAnti
	pName
	pCTime
	pATime
	pMTime
	pAttributes
	pComment
	pEncodedHeader
	pStartPos
	pDummy
)

// An Archive is the header of one.
type Archive struct {
	r       io.ReaderAt
	packed  []int64 // sizes of packed streams
	start   int64   // where the first of them begins
	folders []folder
	Members []Member
	End     int64 // behind the header, where the file should end
	Hole    int64 // bytes between packed streams and header that belong to neither
}

// A Member is a file, or a folder, of the archive.
type Member struct {
	Name  string
	Size  int64
	Dir   bool
	Anti  bool   // it stands for something to be deleted
	Mode  uint32 // of Unix, with the file's type; 0 if unknown
	Empty bool   // it has no data in any folder
	crc   uint32
	sum   bool // crc is known
}

// A folder is a chain of coders and the members that it holds one behind another.
type folder struct {
	coders  []coder
	order   []int // in which coders follow each other, from the packed stream on
	first   int   // packed stream
	packs   int   // how many it has
	size    int64
	crc     uint32
	sum     bool
	sizes   []int64 // of its members
	sums    []sum
	unusual bool // its coders are not a simple chain
}

type sum struct {
	crc   uint32
	known bool
}

type coder struct {
	id    string
	props []byte
	size  int64 // of what it yields
}

// Open reads the header, which may itself be compressed.
func Open(r io.ReaderAt, size int64) (*Archive, error) {
	c := format.NewCursor(r, 0, size)
	if c.String(6, 6) != Magic {
		c.Fail(format.Brokenf(0, "it does not begin as an archive"))
	}
	c.Skip(2) // version
	want := c.U32()
	start := c.Peek(20)
	if c.Err() != nil {
		return nil, c.Err()
	}
	if crc32.ChecksumIEEE(start) != want {
		return nil, format.Brokenf(8, "the checksum of the archive's beginning is wrong")
	}
	off, n, sum := c.U64(), c.U64(), c.U32()
	a := &Archive{r: r, End: 32}
	if n == 0 {
		return a, nil
	}
	c.Skip(c.Length(off))
	at := c.Offset()
	header := c.Bytes(n, maxHeader)
	if c.Err() != nil {
		return nil, c.Err()
	}
	if crc32.ChecksumIEEE(header) != sum {
		return nil, format.Brokenf(at, "the checksum of the header is wrong")
	}
	a.End = c.Offset()
	packedEnd := at
	for range 4 { // a header packed as often as that is made to be
		h := &headerReader{format.NewCursor(bytes.NewReader(header), 0, int64(len(header)))}
		switch h.U8() {
		case pHeader:
			if err := h.header(a); err != nil {
				return nil, err
			}
			a.Hole = packedEnd - a.packedEnd()
			if a.Hole < 0 {
				return nil, format.Brokenf(at, "members lie where the header is")
			}
			return a, nil
		case pEncodedHeader:
			e := &Archive{r: r}
			if err := h.streams(e); err != nil {
				return nil, err
			}
			if len(e.folders) != 1 || e.packedEnd() > packedEnd {
				return nil, format.Brokenf(at, "the header is packed in a way that writers do not use")
			}
			packedEnd = e.start
			var err error
			if header, err = e.unpack(); err != nil {
				return nil, err
			}
		default:
			return nil, format.Brokenf(at, "the header is of no known kind")
		}
	}
	return nil, format.Exceededf(at, "the header is packed many times over")
}

// unpack expands a header.
func (a *Archive) unpack() ([]byte, error) {
	if a.folders[0].size > maxHeader {
		return nil, format.Exceededf(a.start, "the header is larger than %d MiB", maxHeader>>20)
	}
	r, err := a.folder(0)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(io.LimitReader(r, maxHeader+1)); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// packedEnd is where the packed streams end.
func (a *Archive) packedEnd() int64 {
	end := max(a.start, 32)
	for _, n := range a.packed {
		end += n
	}
	return end
}

// A headerReader reads the parts of a header.
type headerReader struct{ *format.Cursor }

// number reads a number whose first byte says how many follow.
func (h *headerReader) number() uint64 {
	first := h.U8()
	var v uint64
	mask := uint8(0x80)
	for i := range 8 {
		if first&mask == 0 {
			return v | uint64(first&(mask-1))<<(8*i)
		}
		v |= uint64(h.U8()) << (8 * i)
		mask >>= 1
	}
	return v
}

// size reads a number that is a size of a file.
func (h *headerReader) size() int64 {
	v := h.number()
	if v > 1<<50 {
		h.Fail(format.Brokenf(h.Offset(), "a size is none"))
		return 0
	}
	return int64(v)
}

// count reads how many of something there are.
func (h *headerReader) count(limit int) int {
	v := h.number()
	if v > uint64(limit) {
		h.Fail(format.Exceededf(h.Offset(), "the archive has more than %d of something", limit))
		return 0
	}
	return int(v)
}

// bits reads a list of n yes or no. With all, a first byte may say yes for each.
func (h *headerReader) bits(n int, all bool) []bool {
	v := make([]bool, n)
	if all && h.U8() != 0 {
		for i := range v {
			v[i] = true
		}
		return v
	}
	if h.Count(uint64(n+7)/8, 1); h.Err() != nil {
		return v
	}
	var b uint8
	for i := range v {
		if i%8 == 0 {
			b = h.U8()
		}
		v[i] = b&(0x80>>(i%8)) != 0
	}
	return v
}

// sums reads checksums of n things.
func (h *headerReader) sums(n int) []sum {
	out := make([]sum, n)
	for i, known := range h.bits(n, true) {
		if known {
			out[i] = sum{h.U32(), true}
		}
	}
	return out
}

func (h *headerReader) broken(text string) error {
	h.Fail(format.Brokenf(h.Offset(), "%s", text))
	return h.Err()
}

// header reads the streams and the files.
func (h *headerReader) header(a *Archive) error {
	for h.Err() == nil {
		switch h.U8() {
		case pEnd:
			if h.Left() > 0 {
				return h.broken("bytes stand behind the end of the header")
			}
			return h.Err()
		case pArchiveProperties:
			for h.U8() != pEnd && h.Err() == nil {
				h.Skip(h.Length(h.number()))
			}
		case pMainStreams:
			if a.folders != nil {
				return h.broken("the header has two lists of streams")
			}
			if err := h.streams(a); err != nil {
				return err
			}
		case pFiles:
			if a.Members != nil {
				return h.broken("the header has two lists of files")
			}
			if err := h.files(a); err != nil {
				return err
			}
		case pAdditionalStreams:
			return format.Unsupportedf(h.Offset(), "the header has further streams")
		default:
			return h.broken("the header has a part of no known kind")
		}
	}
	return h.Err()
}

// utf16Name reads a name up to its NUL.
func (h *headerReader) utf16Name() string {
	var u []uint16
	for h.Err() == nil {
		x := h.U16()
		if x == 0 {
			break
		}
		u = append(u, x)
	}
	return string(utf16.Decode(u))
}
