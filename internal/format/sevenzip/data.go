package sevenzip

import (
	"errors"
	"hash/crc32"
	"io"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/squash"
)

// ErrEncrypted is returned for members that need a password.
var ErrEncrypted = errors.New("the data is encrypted")

// Each calls fn with every member in the order of the archive, and with a reader
// of its data. A member that fn does not read to its end hides those behind it in
// its folder: expanding them unread is work that nobody counts. A reader ends with an error if
// size or checksum are others than the header says; after a folder that cannot
// be read, all its members' readers return why, ErrEncrypted among others.
func (a *Archive) Each(fn func(i int, m *Member, r io.Reader) error) error {
	next := 0
	for i := range a.folders {
		r, err := a.folder(i)
		for range a.folders[i].sizes {
			for next < len(a.Members) && a.Members[next].Empty {
				if ferr := fn(next, &a.Members[next], nothing{io.EOF}); ferr != nil {
					return ferr
				}
				next++
			}
			if next == len(a.Members) {
				return nil
			}
			m := &a.Members[next]
			var v io.Reader = nothing{err}
			if err == nil {
				v = &verified{r: r, left: m.Size, want: sum{m.crc, m.sum}, at: a.start}
			}
			if ferr := fn(next, m, v); ferr != nil {
				return ferr
			}
			if x, ok := v.(*verified); ok {
				err = x.after()
			}
			next++
		}
		if err == nil {
			if n, _ := io.ReadFull(r, make([]byte, 1)); n > 0 {
				return format.Brokenf(a.start, "a folder holds more than its members")
			}
		}
	}
	for ; next < len(a.Members); next++ {
		if err := fn(next, &a.Members[next], nothing{io.EOF}); err != nil {
			return err
		}
	}
	return nil
}

type nothing struct{ err error }

func (n nothing) Read([]byte) (int, error) { return 0, n.err }

// Coders.
const (
	idBranch  = "\x04" // the id that newer writers use for x86
	idCopy    = "\x00"
	idX86     = "\x03\x03\x01\x03"
	idDelta   = "\x03"
	idLZMA    = "\x03\x01\x01"
	idLZMA2   = "\x21"
	idDeflate = "\x04\x01\x08"
	idBzip2   = "\x04\x02\x02"
	idZstd    = "\x04\xf7\x11\x01"
	idAES     = "\x06\xf1\x07\x01"
)

// folder returns a reader of all that a folder holds.
func (a *Archive) folder(i int) (io.Reader, error) {
	f := &a.folders[i]
	for _, c := range f.coders {
		if c.id == idAES {
			return nil, ErrEncrypted
		}
	}
	if f.unusual || f.packs != 1 {
		return nil, format.Unsupportedf(a.start, "a folder has coders that branch")
	}
	off := a.start
	for _, n := range a.packed[:f.first] {
		off += n
	}
	var r io.Reader = io.NewSectionReader(a.r, off, a.packed[f.first])
	for _, at := range f.order {
		c := f.coders[at]
		switch c.id {
		case idCopy:
		case idLZMA:
			r = squash.NewLZMA(r, c.props, c.size)
		case idLZMA2:
			if len(c.props) != 1 {
				return nil, format.Brokenf(off, "the properties of a coder are none")
			}
			r = squash.NewLZMA2(r, c.props[0])
		case idDelta:
			if len(c.props) != 1 {
				return nil, format.Brokenf(off, "the properties of a coder are none")
			}
			r = squash.NewDelta(r, int(c.props[0])+1)
		case idX86, idBranch:
			r = squash.NewX86(r)
		case idDeflate:
			r = squash.Open(squash.Deflate, r)
		case idBzip2:
			r = squash.Open(squash.Bzip2, r)
		case idZstd:
			r = squash.Open(squash.Zstd, r)
		default:
			return nil, format.Unsupportedf(off, "a folder is packed by a method that the scanner does not have")
		}
	}
	return r, nil
}

// verified is one member's part of what a folder yields.
type verified struct {
	r    io.Reader
	left int64
	want sum
	at   int64
	crc  uint32
	err  error
}

func (v *verified) Read(p []byte) (int, error) {
	if v.err == nil && v.left == 0 {
		if v.err = io.EOF; v.want.known && v.crc != v.want.crc {
			v.err = format.Brokenf(v.at, "a member's checksum is wrong")
		}
	}
	if v.err != nil {
		return 0, v.err
	}
	n, err := v.r.Read(p[:min(int64(len(p)), v.left)])
	v.left -= int64(n)
	v.crc = crc32.Update(v.crc, crc32.IEEETable, p[:n])
	if err == io.EOF {
		if err = nil; v.left > 0 {
			err = format.Brokenf(v.at, "a member has fewer bytes than the archive says")
		}
	}
	v.err = err
	return n, err
}

// after is why the members behind v cannot be read; a wrong checksum is not.
func (v *verified) after() error {
	switch {
	case v.left > 0 && v.err == nil:
		return format.Exceededf(v.at, "the member lies behind one that was not read to its end")
	case v.left > 0:
		return v.err
	}
	return nil
}
