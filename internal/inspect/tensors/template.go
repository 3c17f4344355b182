package tensors

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/jinja"
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

// Template judges a chat template of f that a document holds under a name, in
// the string that begins at off.
func Template(p *inspect.Pass, f *inspect.File, off int64, name, text string) {
	judgeTemplate(p, f, place{name: name, off: off}, text)
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

// matchTemplate goes by the name: a template is any text. ".template" is what
// many programs call theirs, so that a file of it must look like Jinja.
func matchTemplate(f *inspect.File, head []byte) inspect.Fit {
	switch f.Ext() {
	case ".jinja", ".jinja2", ".j2":
	case ".template":
		if !bytes.Contains(head, []byte("{%")) && !bytes.Contains(head, []byte("{{")) {
			return inspect.No
		}
	default:
		return inspect.No
	}
	if bytes.IndexByte(head, 0) >= 0 {
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
	if f.Ext() == ".template" && !bytes.Contains(text, []byte("{%")) {
		if _, err := jinja.Parse(string(text)); format.Is(err, format.Broken) {
			return inspect.ErrNotThis // of another language that has braces
		}
	}
	judgeTemplate(p, f, place{name: "chat template", exact: true}, string(text))
	return nil
}
