package archives

import (
	"bytes"
	"io"
	"strings"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/squash"
	"github.com/sallyport/sallyport/internal/inspect"
)

var pdfReading = inspect.Reading{
	Format: "pdf", Extensions: []string{".pdf"}, Generic: true,
	Match: begins("%PDF-"), Inspect: inspectPDF,
}

// pdfNames are names (ISO 32000-1, 12.6.4 and 7.11) of what acts or carries. They
// are so long that compressed pages do not hold them by chance; /JS is not
// among them, as it stands beside /JavaScript.
var pdfNames = map[string]string{
	"JavaScript":    "it is a script",
	"Launch":        "it starts a program",
	"EmbeddedFile":  "it is a file inside the document",
	"EmbeddedFiles": "they are files inside the document",
	"RichMedia":     "it is played by another program",
	"XFA":           "it is a form with scripts of its own",
	"ImportData":    "it reads another file",
	"SubmitForm":    "it sends what the reader typed elsewhere",
	"GoToR":         "it opens another file",
	"GoToE":         "it opens a file inside the document",
}

// inspectPDF looks at every name of the document, also at those in compressed
// object streams, which newer writers use. Streams of other kinds are pages,
// fonts and images; their names are looked at as well where they are plain.
func inspectPDF(p *inspect.Pass, f *inspect.File) error {
	n := &pdfScan{p: p, f: f}
	if err := n.run(f.Reader(), 0, true); err != nil {
		return err
	}
	if !n.ended {
		return format.Brokenf(f.Size, "the document has no end")
	}
	return nil
}

// A pdfScan goes through a document's names.
type pdfScan struct {
	p     *inspect.Pass
	f     *inspect.File
	ended bool
	// objects is set from the name of an object stream to the beginning of its
	// data.
	objects, deflated bool
}

const maxPDFName = 127

// run reads names from r, which begins at base in the file. Only what lies plain
// in the file leads to streams.
func (n *pdfScan) run(r io.Reader, base int64, plain bool) error {
	t := newTags(r)
	for {
		b, err := t.byte()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if t.off&0xffff == 0 {
			if err := n.p.Step(1 << 10); err != nil {
				return err
			}
		}
		switch b {
		case '/':
			n.name(pdfName(t), base+t.off)
		case '%':
			if next, _ := t.r.Peek(4); string(next) == "%EOF" {
				n.ended = n.ended || plain
			}
		case 's':
			if next, _ := t.r.Peek(7); plain && bytes.HasPrefix(next, []byte("tream")) && (next[5] == '\n' || next[5] == '\r') {
				if err := n.stream(t.off + 6); err != nil {
					return err
				}
			}
		}
	}
}

// pdfName reads a name, whose letters may be written as #xx.
func pdfName(t *tags) string {
	var w []byte
	for {
		next, err := t.r.Peek(1)
		if err != nil || len(w) > maxPDFName || strings.IndexByte("\x00\t\n\f\r ()<>[]{}/%", next[0]) >= 0 {
			break
		}
		b, _ := t.byte()
		if hex, _ := t.r.Peek(2); b == '#' && len(hex) == 2 {
			if hi, lo := unhex(hex[0]), unhex(hex[1]); hi >= 0 && lo >= 0 {
				t.byte()
				t.byte()
				b = byte(hi<<4 | lo)
			}
		}
		w = append(w, b)
	}
	return string(w)
}

func unhex(b byte) int { return strings.IndexByte("0123456789abcdef", b|0x20*(b>>6&1)) }

// name judges a name.
func (n *pdfScan) name(name string, off int64) {
	switch name {
	case "ObjStm":
		n.objects = true
		return
	case "FlateDecode", "Fl":
		n.deflated = true
		return
	case "Encrypt":
		n.p.Find(n.f, inspect.Finding{Rule: ruleEncrypted, Verdict: inspect.Inconclusive, Offset: off, What: name, Why: "the document is encrypted, so that what acts in it cannot be seen"})
		return
	}
	if why := pdfNames[name]; why != "" {
		n.p.Find(n.f, inspect.Finding{Rule: ruleActive, Verdict: inspect.Suspicious, Offset: off, What: name, Why: why})
	}
}

// stream looks into the stream whose data begins at off, if it is one of
// objects.
func (n *pdfScan) stream(off int64) error {
	objects, deflated := n.objects, n.deflated
	n.objects, n.deflated = false, false
	if !objects {
		return nil
	}
	if !deflated {
		n.unread(off)
		return nil
	}
	var b [1]byte
	for ; ; off++ { // the end of the line before the data
		if _, err := n.f.ReadAt(b[:], off); err != nil || b[0] != '\r' && b[0] != '\n' {
			break
		}
	}
	z := squash.Open(squash.Zlib, io.NewSectionReader(n.f, off, max(n.f.Size-off, 0)))
	err := n.run(io.LimitReader(z, maxObjects), off, false)
	if isFormat(err) {
		n.unread(off)
		return nil
	}
	return err
}

// maxObjects is how much of an object stream is expanded.
const maxObjects = 64 << 20

func (n *pdfScan) unread(off int64) {
	n.p.Find(n.f, inspect.Finding{Rule: ruleActive, Verdict: inspect.Inconclusive, Offset: off, What: "ObjStm",
		Why: "objects of the document are packed in a way that cannot be looked into"})
}
