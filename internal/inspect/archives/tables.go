package archives

import (
	"bytes"
	"encoding/base64"
	"io"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/inspect"
)

var parquetReading = inspect.Reading{
	Format: "parquet", Extensions: []string{".parquet"},
	Match: func(_ *inspect.File, head []byte) inspect.Fit {
		return fit(bytes.HasPrefix(head, []byte("PAR1")) || bytes.HasPrefix(head, []byte("PARE")))
	},
	Inspect: inspectParquet,
}

// inspectParquet reads where the footer lies. Columns are data; but the footer
// may hold a type of PyArrow whose parameters are a pickle.
func inspectParquet(p *inspect.Pass, f *inspect.File) error {
	c := f.Cursor()
	c.Move(max(f.Size-8, 0))
	n := int64(c.U32())
	magic := c.String(4, 4)
	if c.Err() != nil || f.Size < 12 {
		return format.Brokenf(f.Size, "the table has no footer")
	}
	switch magic {
	case "PARE":
		p.Find(f, inspect.Finding{Rule: ruleEncrypted, Verdict: inspect.Inconclusive, Offset: 0, What: "parquet", Why: "the table's footer is encrypted"})
		return nil
	case "PAR1":
	default:
		return format.Brokenf(f.Size-4, "the table does not end as it begins")
	}
	if n > f.Size-12 {
		return format.Brokenf(f.Size-8, "the table's footer is longer than the file")
	}
	return pickledType(p, f, f.Size-8-n, n)
}

var arrowReading = inspect.Reading{
	Format: "arrow", Extensions: []string{".arrow"},
	Match: begins("ARROW1\x00\x00"),
	Inspect: func(p *inspect.Pass, f *inspect.File) error {
		var end [6]byte
		if _, err := f.ReadAt(end[:], max(f.Size-6, 0)); err != nil && err != io.EOF {
			return err
		}
		if string(end[:]) != "ARROW1" {
			return format.Brokenf(f.Size, "the table does not end as it begins")
		}
		return pickledType(p, f, 0, f.Size)
	},
}

// extensionType is the name under which PyArrow kept types whose parameters it
// unpickled (CVE-2023-47248). Parquet holds the schema in base 64, where the
// name is written in one of three ways.
const extensionType = "arrow.py_extension_type"

func extensionNames() [][]byte {
	names := [][]byte{[]byte(extensionType)}
	for pad := range 3 {
		s := base64.StdEncoding.EncodeToString(append(make([]byte, pad), extensionType...))
		// The first and last letters depend on what stands around the name.
		names = append(names, []byte(s[(pad*8+5)/6:(pad+len(extensionType))*8/6]))
	}
	return names
}

// pickledType looks for such a type in the n bytes from off on.
func pickledType(p *inspect.Pass, f *inspect.File, off, n int64) error {
	at, _, err := search(p, f, off, n, extensionNames())
	if err != nil || at < 0 {
		return err
	}
	p.Find(f, inspect.Finding{Rule: ruleActive, Verdict: inspect.Suspicious, Offset: at, What: extensionType,
		Why: "versions of PyArrow before 14.0.1 unpickle what this type holds when the table is opened"})
	return nil
}

// search finds the first of the words in n bytes of f from off on, and returns
// where and which; -1 if there is none.
func search(p *inspect.Pass, f *inspect.File, off, n int64, words [][]byte) (at int64, word int, err error) {
	longest := 0
	for _, w := range words {
		longest = max(longest, len(w))
	}
	buf := make([]byte, min(max(n, 0), 64<<10))
	for n > 0 {
		m := min(n, int64(len(buf)))
		if k, err := f.ReadAt(buf[:m], off); int64(k) < m {
			return 0, 0, err
		}
		for i, w := range words {
			if j := bytes.Index(buf[:m], w); j >= 0 {
				return off + int64(j), i, nil
			}
		}
		if m == n {
			break
		}
		step := m - int64(longest) + 1
		off, n = off+step, n-step
		if err := p.Step(int(step >> 6)); err != nil {
			return 0, 0, err
		}
	}
	return -1, 0, nil
}

var sqliteReading = inspect.Reading{
	Format: "sqlite", Extensions: []string{".sqlite", ".sqlite3"}, Generic: true,
	Match: begins("SQLite format 3\x00"),
	Inspect: func(*inspect.Pass, *inspect.File) error {
		return format.Unsupportedf(0, "what the rows of a database hold is not read")
	},
}

var sentencepieceReading = inspect.Reading{
	Format: "sentencepiece", Generic: true,
	Match: func(_ *inspect.File, head []byte) inspect.Fit {
		if len(head) > 4 && head[0] == 0x0a && head[2] == 0x0a {
			return inspect.Maybe
		}
		return inspect.No
	},
	Inspect: inspectPieces,
}

// inspectPieces reads the outline of a SentencePiece model, which is protocol
// buffers without a signature: pieces of text with a score, and then how to
// train and how to normalise. Whatever is not that is another format.
func inspectPieces(p *inspect.Pass, f *inspect.File) error {
	c := f.Cursor()
	pieces := 0
	for c.Left() > 0 {
		key := c.Varint()
		n := c.Length(c.Varint())
		if c.Err() != nil || key&7 != 2 || key>>3 < 1 || key>>3 > 5 {
			return inspect.ErrNotThis
		}
		if key>>3 != 1 {
			c.Skip(n)
			continue
		}
		if !piece(c, n) {
			return inspect.ErrNotThis
		}
		pieces++
		if err := p.Step(1); err != nil {
			return err
		}
	}
	if c.Err() != nil || pieces == 0 {
		return inspect.ErrNotThis
	}
	return nil
}

// piece reads text (1), score (2) and kind (3) of a piece.
func piece(c *format.Cursor, n int64) bool {
	end := c.Offset() + n
	text := false
	for c.Offset() < end && c.Err() == nil {
		switch c.Varint() {
		case 1<<3 | 2:
			c.Skip(c.Length(c.Varint()))
			text = true
		case 2<<3 | 5:
			c.Skip(4)
		case 3 << 3:
			c.Varint()
		default:
			return false
		}
	}
	return text && c.Offset() == end && c.Err() == nil
}
