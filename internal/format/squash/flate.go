package squash

import (
	"bufio"
	"compress/bzip2"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
)

// gzipParts reads the members of a gzip file. The decoders of this family take
// no byte beyond what they need from a buffered reader.
func gzipParts(src *source) func() (io.Reader, error) {
	var gz *gzip.Reader
	return func() (io.Reader, error) {
		var err error
		switch {
		case gz == nil:
			gz, err = gzip.NewReader(src.Reader)
		case !src.begins("\x1f\x8b\x08"):
			return nil, io.EOF
		default:
			err = gz.Reset(src.Reader)
		}
		if err != nil {
			return nil, src.fault(err)
		}
		gz.Multistream(false)
		return gz, nil
	}
}

func openZlib(src *source) (io.Reader, error) {
	z, err := zlib.NewReader(src.Reader)
	if err != nil {
		return nil, src.fault(err)
	}
	return z, nil
}

// An inflater reads one stream of raw deflate after another. Archives hold
// members by the hundred thousand, each of which would take two windows of its
// own and leave them to be collected.
type inflater struct {
	in  *bufio.Reader
	dec io.ReadCloser
}

var inflaters = sync.Pool{New: func() any {
	in := bufio.NewReaderSize(nil, bufferSize)
	return &inflater{in, flate.NewReader(in)}
}}

func openDeflate(r io.Reader) *Reader {
	f := inflaters.Get().(*inflater)
	src := &source{Reader: f.in, below: counter{r: r}}
	f.in.Reset(&src.below)
	z := &Reader{src: src, lent: f}
	z.next = once(func() (io.Reader, error) { return f.dec, f.dec.(flate.Resetter).Reset(f.in, nil) })
	return z
}

// giveBack lends the inflater of a stream that has ended to the next.
func (z *Reader) giveBack() {
	z.end = z.src.offset()
	z.src.Reader = nil
	z.lent.in.Reset(nil)
	inflaters.Put(z.lent)
	z.lent = nil
}

// A bzip2Reader ends at what the decoder takes for the beginning of a further
// stream and is none: the decoder looks at "BZh" byte by byte and has then used
// bytes that belong to what follows.
type bzip2Reader struct {
	src *source
	dec io.Reader
}

func openBzip2(src *source) io.Reader { return &bzip2Reader{src, bzip2.NewReader(src.Reader)} }

// continuation is how the decoder names what is no further stream.
const continuation = bzip2.StructuralError("bad magic value in continuation file")

func (b *bzip2Reader) Read(p []byte) (int, error) {
	n, err := b.dec.Read(p)
	if err == continuation {
		b.src.back = 2
		err = io.EOF
	}
	return n, err
}

// begins reports whether magic comes next.
func (s *source) begins(magic string) bool {
	b, _ := s.Peek(len(magic))
	return string(b) == magic
}
