package blob

import (
	"crypto/sha256"
	"hash"
	"io"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/seal"
	"github.com/sallyport/sallyport/internal/state"
)

// streamPart is how many bytes of a stream go into one segment.
const streamPart = 1 << 20

// A Stream is a writer that cuts any bytes into segments. It is for one
// goroutine; several streams may share a Writer.
type Stream struct {
	w       *Writer
	buf     []byte
	indexes []int
	size    int64
	sum     hash.Hash
}

// Stream returns a new stream into w.
func (w *Writer) Stream() *Stream { return &Stream{w: w, sum: sha256.New()} }

func (s *Stream) Write(b []byte) (int, error) {
	s.sum.Write(b)
	s.size += int64(len(b))
	for rest := b; len(rest) > 0; {
		n := min(len(rest), streamPart-len(s.buf))
		s.buf = append(s.buf, rest[:n]...)
		rest = rest[n:]
		if len(s.buf) == streamPart {
			if err := s.flush(); err != nil {
				return len(b) - len(rest), err
			}
		}
	}
	return len(b), nil
}

// Close puts the last segment. The stream's bytes are durable after the
// Writer's Finish.
func (s *Stream) Close() error {
	defer func() { s.buf = nil }()
	if len(s.buf) == 0 {
		return nil
	}
	return s.flush()
}

func (s *Stream) flush() error {
	i, err := s.w.Put(s.buf)
	if err != nil {
		return err
	}
	s.indexes, s.buf = append(s.indexes, i), s.buf[:0]
	return nil
}

// Segments returns the indexes of the stream's segments in order, after Close.
func (s *Stream) Segments() []int { return s.indexes }

// Size returns how many bytes were written.
func (s *Stream) Size() int64 { return s.size }

// Digest returns the SHA-256 of what was written.
func (s *Stream) Digest() sallyport.Digest {
	return sallyport.DigestOf([sha256.Size]byte(s.sum.Sum(nil)))
}

// OpenStream returns the bytes of a stream, given its segments in order. One
// segment is read ahead. The caller closes it; errors are those of Read.
func (s *Store) OpenStream(segs []state.Segment, ring *seal.Ring) io.ReadCloser {
	r := &reader{parts: make(chan part), free: make(chan []byte, 2), done: make(chan struct{})}
	go func() {
		defer close(r.parts)
		for _, seg := range segs {
			var buf []byte
			select {
			case buf = <-r.free:
			default:
			}
			b, err := s.Read(seg, ring, buf[:0])
			select {
			case r.parts <- part{b, err}:
			case <-r.done:
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return r
}

type part struct {
	b   []byte
	err error
}

type reader struct {
	parts chan part
	free  chan []byte
	done  chan struct{}
	whole []byte // the part that rest is the unread end of
	rest  []byte
	err   error
}

func (r *reader) Read(b []byte) (int, error) {
	for len(r.rest) == 0 && r.err == nil {
		if r.whole != nil {
			r.free <- r.whole
			r.whole = nil
		}
		p, more := <-r.parts
		if !more {
			r.err = io.EOF
		} else if p.err != nil {
			r.err = p.err
		} else {
			r.whole, r.rest = p.b, p.b
		}
	}
	if len(r.rest) == 0 {
		return 0, r.err
	}
	n := copy(b, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// Close stops the reading ahead. A second Close does nothing.
func (r *reader) Close() error {
	select {
	case <-r.done:
	default:
		close(r.done)
	}
	return nil
}
