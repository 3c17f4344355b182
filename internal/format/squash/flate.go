package squash

import (
	"compress/bzip2"
	"io"

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

func openDeflate(src *source) io.Reader { return flate.NewReader(src.Reader) }

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
