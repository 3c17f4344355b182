package tensors

import (
	"bytes"
	"cmp"
	"io"
	"strings"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/jinja"
	"github.com/sallyport/sallyport/internal/format/json"
	"github.com/sallyport/sallyport/internal/inspect"
)

// TemplateKey is what keys of chat templates have in their names, in documents
// of all kinds: "chat_template", "custom_chat_template".
const TemplateKey = "chat_template"

// matchTokenizer lets through all that may be one JSON document: libraries look
// for chat templates in half a dozen files, and programs in any that they are
// told of.
func matchTokenizer(f *inspect.File, head []byte) inspect.Fit {
	first, _ := opening(head)
	if ext := f.Ext(); first == 0 || ext == ".jsonl" || ext == ".ndjson" {
		return inspect.No
	}
	return inspect.Maybe
}

// opening returns the bracket that a document begins with, or 0, and whether
// what follows it begins a key.
func opening(head []byte) (bracket byte, key bool) {
	const space = " \t\r\n"
	head = bytes.TrimLeft(head, space)
	if len(head) == 0 || head[0] != '{' && head[0] != '[' {
		return 0, false
	}
	return head[0], bytes.HasPrefix(bytes.TrimLeft(head[1:], space), []byte{'"'})
}

// inspectTokenizer judges the chat templates of a document, wherever in it they
// stand; a document without them is for other readers. It streams, because such
// files list tokens by the hundred thousand.
func inspectTokenizer(p *inspect.Pass, f *inspect.File) error {
	if may, err := mentions(p, f); err != nil || !may {
		return cmp.Or(err, inspect.ErrNotThis)
	}
	h := header{p: p, r: json.NewReader(f.Reader())}
	h.r.Literals = true
	h.r.Text = jinja.MaxSize
	found := false
	for {
		t, err := h.next()
		if err == io.EOF && found {
			return nil
		}
		if err == nil && t.Kind == json.Key && strings.Contains(t.String(), TemplateKey) {
			found = true
			err = templates(p, f, &h, t.String())
		}
		switch {
		case err == nil:
		case err == io.EOF, format.Is(err, format.Broken) && !found && !isObject(f):
			return inspect.ErrNotThis // without templates, or some other text in brackets
		default:
			return err
		}
	}
}

// isObject reports whether a file begins as a JSON object does.
func isObject(f *inspect.File) bool {
	head := make([]byte, min(f.Size, 256))
	n, _ := f.ReadAt(head, 0)
	bracket, key := opening(head[:n])
	return bracket == '{' && key
}

// mentions reports whether the name of a chat template may stand in a file: as
// it is, or with escapes for its letters. To search is much faster than to read.
func mentions(p *inspect.Pass, f *inspect.File) (bool, error) {
	const overlap = 16
	buf := make([]byte, min(f.Size, 64<<10))
	for off := int64(0); off < f.Size; off += int64(len(buf) - overlap) {
		n, err := f.ReadAt(buf, off)
		if bytes.Contains(buf[:n], []byte(TemplateKey)) || bytes.Contains(buf[:n], []byte(`\u00`)) {
			return true, nil
		}
		if n < len(buf) || len(buf) <= overlap || off+int64(n) == f.Size {
			if err == io.EOF {
				err = nil
			}
			return false, err
		}
		if err := p.Step(1 + n>>6); err != nil {
			return false, err
		}
	}
	return false, nil
}

// templates reads the value of a key of chat templates: a string, or a list or
// object of them with their names. Every text in it is judged, since versions
// differ in what they take.
func templates(p *inspect.Pass, f *inspect.File, h *header, key string) error {
	depth := h.r.Depth()
	for {
		t, err := h.next()
		if err != nil {
			return err
		}
		if t.Kind == json.String {
			if t.Cut {
				return format.Exceededf(t.Off, "a chat template is longer than %d bytes", jinja.MaxSize)
			}
			if text := t.String(); strings.Contains(text, "{") {
				Template(p, f, t.Off, key, text)
			}
		}
		if t.Kind != json.Key && h.r.Depth() <= depth {
			return nil
		}
	}
}
