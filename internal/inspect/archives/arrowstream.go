package archives

import (
	"io"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/flat"
	"github.com/sallyport/sallyport/internal/inspect"
)

// streamReading knows Arrow's stream of messages, under whose name data sets are
// stored as under that of its files (Columnar.rst, "Encapsulated message
// format").
var streamReading = inspect.Reading{
	Format: "arrow-stream", Extensions: []string{".arrow", ".arrows"},
	Match: func(f *inspect.File, _ []byte) inspect.Fit {
		var m messages
		return fit(m.open(f) && m.next() && m.schema)
	},
	Inspect: inspectStream,
}

// inspectStream goes from message to message. Columns are data; but the schema
// may name a type of PyArrow whose parameters are a pickle.
func inspectStream(p *inspect.Pass, f *inspect.File) error {
	var m messages
	for m.open(f); m.next(); {
		if err := p.Step(8); err != nil {
			return err
		}
	}
	if err := m.c.Err(); err != nil {
		return err
	}
	if m.c.Left() > 0 {
		p.Find(f, inspect.Finding{Rule: ruleTrailing, Verdict: inspect.Suspicious, Offset: m.c.Offset(), What: "trailing bytes",
			Why: "the stream ended before them"})
	}
	return pickledType(p, f, 0, f.Size)
}

// messages reads the messages of a stream.
type messages struct {
	f      *inspect.File
	c      *format.Cursor
	schema bool // the last one was a schema
}

func (m *messages) open(f *inspect.File) bool {
	m.f, m.c = f, f.Cursor()
	return f.Size >= 16
}

// next moves over a message: a mark, the length of its description, that as a
// FlatBuffer, and its body. It returns false at the end or an error.
func (m *messages) next() bool {
	if m.c.Left() == 0 {
		return false
	}
	at := m.c.Offset()
	mark, n := m.c.U32(), m.c.U32()
	if m.c.Err() == nil && mark != 0xffffffff {
		m.c.Fail(format.Brokenf(at, "no message where one must be"))
	}
	if n == 0 || m.c.Err() != nil {
		return false // the mark of the end
	}
	start := m.c.Offset()
	m.c.Skip(m.c.Length(uint64(n)))
	if m.c.Err() != nil {
		return false
	}
	b := flat.Open(io.NewSectionReader(m.f, start, int64(n)), int64(n))
	message := b.Root()
	kind, body := message.U8(1, 0), message.U64(3, 0)
	if b.Err() != nil || kind < 1 || kind > 5 {
		m.c.Fail(format.Brokenf(start, "the description of a message is not what the format demands"))
		return false
	}
	m.schema = kind == 1
	m.c.Skip(m.c.Length(body))
	return m.c.Err() == nil
}
