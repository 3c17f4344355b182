package archives

import (
	"bufio"
	"bytes"
	"html"
	"io"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/inspect"
)

var markupReading = inspect.Reading{
	Format: "markup", Generic: true,
	Match: matchMarkup, Inspect: inspectMarkup,
}

// pages are extensions of what browsers open as a page.
var pages = []string{".html", ".htm", ".xhtml"}

// matchMarkup knows HTML and SVG by their first element, before which comments,
// declarations and a mark of the order of bytes may stand. Browsers read whatever
// has the name of a page as one.
func matchMarkup(f *inspect.File, head []byte) inspect.Fit {
	if (f.Ext() == ".svg" || slices.Contains(pages, f.Ext())) && bytes.IndexByte(head, 0) < 0 {
		return inspect.Yes
	}
	lower := bytes.ToLower(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n"))
	if len(lower) == 0 || lower[0] != '<' {
		return inspect.No
	}
	for _, tag := range []string{"<!doctype html", "<html", "<svg", "<head", "<body", "<script"} {
		if i := bytes.Index(lower, []byte(tag)); i >= 0 {
			return inspect.Yes
		}
	}
	return inspect.No
}

// An element is a tag's name and its attributes as far as they are kept.
type element struct {
	name  string
	attrs [][2]string
}

// maxTag is how many bytes of a tag are kept. Images are written into the
// attributes of honest reports, so longer values are read over.
const maxTag = 256

// inspectMarkup looks at every tag. Text between tags is not looked at, but for
// what stands in a script, which is told as such. A page that says it is one may
// hold scripts, as the reports of Plotly and Bokeh do: only browsers open it, and
// whoever does expects them. Nobody expects them in a picture or a text.
func inspectMarkup(p *inspect.Pass, f *inspect.File) error {
	r := newTags(f.Reader())
	verdict := inspect.Suspicious
	if slices.Contains(pages, f.Ext()) {
		verdict = inspect.Allowed
	}
	for {
		off, e, err := r.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := p.Step(1); err != nil {
			return err
		}
		if r.hidden != "" {
			p.Find(f, inspect.Finding{Rule: ruleActive, Verdict: verdict, Offset: off, What: r.hidden,
				Why: "it stands where one reader sees a value and another an element"})
			r.hidden = ""
		}
		if what, why := active(e); why != "" {
			p.Find(f, inspect.Finding{Rule: ruleActive, Verdict: verdict, Offset: off, What: what, Why: why})
		}
	}
}

// active says what a tag runs or fetches when the page is opened, if anything.
func active(e *element) (what, why string) {
	local := e.name[strings.LastIndexByte(e.name, ':')+1:]
	switch local {
	case "script":
		return e.name, "it is a script, which runs when the page is opened"
	case "iframe", "frame", "object", "embed", "applet", "portal", "foreignobject", "handler", "listener", "base", "!entity":
		return e.name, "it brings in something from elsewhere"
	}
	for _, a := range e.attrs {
		name := a[0][strings.LastIndexByte(a[0], ':')+1:]
		value := strings.ToLower(strings.Map(visible, html.UnescapeString(a[1])))
		switch {
		case strings.HasPrefix(name, "on"):
			return a[0], "it is a script, which runs when something happens to the element"
		case strings.HasPrefix(value, "javascript:"), strings.HasPrefix(value, "vbscript:"), strings.HasPrefix(value, "data:text/html"),
			strings.HasPrefix(value, "data:image/svg"), strings.HasPrefix(value, "data:application"):
			return a[0], "its address is a script or a page of its own"
		case name == "http-equiv" && value == "refresh", name == "srcdoc", name == "formaction":
			return a[0], "it leads elsewhere or brings in a page of its own"
		case remote(value) && (name == "src" || name == "href" && !slices.Contains([]string{"a", "html", "svg"}, local) || name == "data" || name == "poster" || name == "srcset" || name == "background"):
			return a[0], "it is fetched from elsewhere when the page is opened"
		}
	}
	return "", ""
}

// visible drops what browsers read over in addresses.
func visible(r rune) rune {
	if r <= ' ' {
		return -1
	}
	return r
}

func remote(value string) bool {
	return strings.HasPrefix(value, "http:") || strings.HasPrefix(value, "https:") || strings.HasPrefix(value, "//") ||
		strings.HasPrefix(value, "ftp:") || strings.HasPrefix(value, "file:") || strings.HasPrefix(value, `\\`)
}

// tags reads the tags of a page.
type tags struct {
	r      *bufio.Reader
	off    int64
	hidden string // something in a value that may be an element
}

func newTags(r io.Reader) *tags { return &tags{r: bufio.NewReaderSize(r, 32<<10)} }

func (t *tags) byte() (byte, error) {
	b, err := t.r.ReadByte()
	if err == nil {
		t.off++
	}
	return b, err
}

// next goes to the next tag that opens an element, or declares something, and
// reads it.
func (t *tags) next() (int64, *element, error) {
	for {
		b, err := t.byte()
		if err != nil {
			return 0, nil, err
		}
		if b != '<' {
			continue
		}
		off := t.off - 1
		next, err := t.r.Peek(1)
		if err != nil {
			return 0, nil, err
		}
		if c := next[0] | 0x20; c >= 'a' && c <= 'z' || next[0] == '!' {
			e, err := t.tag()
			return off, e, err
		}
	}
}

// tag reads a name and attributes up to the end of the tag.
func (t *tags) tag() (*element, error) {
	e := &element{}
	name, end, err := t.word(" \t\r\n/>")
	e.name = strings.ToLower(name)
	if name != "" && name[0] == '!' {
		return e, nil // where comments and declarations end is not for attributes to say
	}
	for err == nil && end != '>' {
		var key string
		if key, end, err = t.word(" \t\r\n/>="); err != nil {
			break
		}
		if key == "" && end != '=' {
			continue
		}
		var value string
		if end == '=' {
			value, end, err = t.value()
		}
		if len(e.attrs) < maxTag {
			e.attrs = append(e.attrs, [2]string{strings.ToLower(key), value})
		}
	}
	if err == io.EOF { // browsers read a tag that the end of the file cuts not at all
		err = nil
	}
	return e, err
}

// word reads up to one of the bytes of stop.
func (t *tags) word(stop string) (string, byte, error) {
	var w []byte
	for {
		b, err := t.byte()
		if err != nil || strings.IndexByte(stop, b) >= 0 {
			return string(w), b, err
		}
		if len(w) < maxTag {
			w = append(w, b)
		}
	}
}

// value reads an attribute's value in quotes or without, and what follows it.
func (t *tags) value() (string, byte, error) {
	for {
		b, err := t.byte()
		switch {
		case err != nil:
			return "", 0, err
		case b == ' ' || b == '\t' || b == '\n' || b == '\r':
		case b == '"' || b == '\'':
			v, err := t.quoted(b)
			return v, ' ', err
		case b == '>':
			return "", b, nil
		default:
			rest, end, err := t.word(" \t\r\n>")
			return string(b) + rest, end, err
		}
	}
}

// quoted reads up to the quote. What closes an element may be meant to be read
// by those for whom the value is none, in a title or a text area.
func (t *tags) quoted(quote byte) (string, error) {
	var w []byte
	for {
		b, err := t.byte()
		if err != nil || b == quote {
			return string(w), err
		}
		if next, _ := t.r.Peek(7); b == '<' && len(next) > 0 && (next[0] == '/' || strings.EqualFold(string(next), "script ") || strings.EqualFold(string(next), "script>")) {
			t.hidden = "<" + string(next)
		}
		if len(w) < maxTag {
			w = append(w, b)
		}
	}
}
