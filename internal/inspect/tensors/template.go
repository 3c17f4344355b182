package tensors

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/jinja"
	"github.com/sallyport/sallyport/internal/format/json"
	"github.com/sallyport/sallyport/internal/inspect"
)

// A place is where a template stands in a file.
type place struct {
	name  string // "tokenizer.chat_template"
	off   int64  // byte where it begins
	exact bool   // its bytes stand there as they are, not escaped
}

// at is the byte of the file for one of the template.
func (at place) at(off int64) int64 {
	if !at.exact {
		return at.off
	}
	return at.off + off
}

// judgeTemplate parses a template and judges the tree. A template is a program,
// so that a file with one is allowed at best.
func judgeTemplate(p *inspect.Pass, f *inspect.File, at place, text string) {
	p.Allow()
	root, err := jinja.Parse(text)
	if err == nil {
		err = p.Step(len(text))
	}
	var e *format.Error
	if errors.As(err, &e) {
		found := inspect.Finding{Rule: ruleTemplateSyntax, Verdict: inspect.Suspicious, Offset: at.at(max(e.Off, 0)), What: at.name, Why: e.Text}
		if e.Kind == format.Exceeded {
			found.Verdict = inspect.Inconclusive
		}
		p.Find(f, found)
		return
	}
	blames := judge(root)
	for _, b := range blames {
		p.Find(f, inspect.Finding{Rule: ruleTemplateCode, Verdict: b.verdict, Offset: at.at(int64(b.off)), What: b.what, Why: b.why})
	}
	if len(blames) == 0 {
		sum := sha256.Sum256([]byte(text))
		p.Find(f, inspect.Finding{Rule: ruleTemplate, Verdict: inspect.Allowed, Offset: at.off, What: at.name + " sha256:" + hex.EncodeToString(sum[:]),
			Why: "it calls only what templates need; that its words are honest cannot be proven"})
	}
}

// matchTemplate goes by the name: a template is any text.
func matchTemplate(f *inspect.File, head []byte) inspect.Fit {
	if ext := f.Ext(); ext != ".jinja" && ext != ".jinja2" || bytes.IndexByte(head, 0) >= 0 {
		return inspect.No
	}
	return inspect.Maybe
}

func inspectTemplate(p *inspect.Pass, f *inspect.File) error {
	if f.Size > jinja.MaxSize {
		return format.Exceededf(jinja.MaxSize, "a chat template is longer than %d bytes", jinja.MaxSize)
	}
	text := make([]byte, f.Size)
	if n, err := f.ReadAt(text, 0); n < len(text) {
		return err
	}
	if bytes.IndexByte(text, 0) >= 0 {
		return inspect.ErrNotThis
	}
	judgeTemplate(p, f, place{name: "chat template", exact: true}, string(text))
	return nil
}

// tokenizerFiles are the files in which Transformers looks for chat templates.
var tokenizerFiles = []string{"tokenizer_config.json", "processor_config.json", "preprocessor_config.json", "chat_template.json"}

func matchTokenizer(f *inspect.File, head []byte) inspect.Fit {
	if slices.Contains(tokenizerFiles, strings.ToLower(f.Base())) && bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte("{")) {
		return inspect.Maybe
	}
	return inspect.No
}

// inspectTokenizer judges the chat templates of a document; one without them is
// for other readers. It streams, because such files list tokens by the hundred
// thousand.
func inspectTokenizer(p *inspect.Pass, f *inspect.File) error {
	h := header{p: p, r: json.NewReader(f.Reader())}
	h.r.Unique = true
	h.r.Text = jinja.MaxSize
	if _, err := h.want(json.Object); err != nil {
		return inspect.ErrNotThis
	}
	found := false
	for {
		t, err := h.next()
		switch {
		case err != nil:
		case t.Kind == json.ObjectEnd && found:
			return atEndOfText(&h)
		case t.Kind == json.ObjectEnd:
			return inspect.ErrNotThis
		case t.Is("chat_template"):
			found = true
			err = templates(p, f, &h)
		default:
			err = h.r.Skip()
		}
		var e *format.Error
		if errors.As(err, &e) && !found {
			return inspect.ErrNotThis
		}
		if err != nil {
			return err
		}
	}
}

// templates reads the value of chat_template: a string, or a list or object of
// them with their names. Every text in it is judged, since versions differ in
// what they take.
func templates(p *inspect.Pass, f *inspect.File, h *header) error {
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
				judgeTemplate(p, f, place{name: "chat_template", off: t.Off}, text)
			}
		}
		if t.Kind != json.Key && h.r.Depth() <= depth {
			return nil
		}
	}
}
