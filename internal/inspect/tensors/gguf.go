package tensors

import (
	"bytes"
	"strings"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/gguf"
	"github.com/sallyport/sallyport/internal/format/jinja"
	"github.com/sallyport/sallyport/internal/inspect"
)

func matchGGUF(_ *inspect.File, head []byte) inspect.Fit {
	if bytes.HasPrefix(head, []byte(gguf.Magic)) {
		return inspect.Yes
	}
	return inspect.No
}

// inspectGGUF reads pairs and tensors, judges chat templates, and wants the file
// to end where the data does.
func inspectGGUF(p *inspect.Pass, f *inspect.File) error {
	c := f.Cursor()
	r, err := gguf.Open(c, p.Step)
	if err != nil {
		return err
	}
	for {
		pair, ok, err := r.Pair()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		if pair.Key == "tokenizer.chat_template" || strings.HasPrefix(pair.Key, "tokenizer.chat_template.") {
			if err := pairTemplate(p, f, pair); err != nil {
				return err
			}
		}
	}
	var last gguf.Tensor
	for {
		t, ok, err := r.Tensor()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		last = t
	}
	_, end, padded := r.Data()
	if r.Tensors == 0 {
		end = c.Offset()
	}
	switch {
	case f.Size < end:
		return format.Brokenf(f.Size, "the file ends before the data of its tensors, which takes %d bytes more", end-f.Size)
	case f.Size > padded:
		p.Find(f, inspect.Finding{Rule: ruleLayout, Verdict: inspect.Suspicious, Offset: padded, What: last.Name,
			Why: "behind the last tensor the file has bytes that belong to none"})
	}
	return nil
}

// pairTemplate judges the chat template that a pair is.
func pairTemplate(p *inspect.Pass, f *inspect.File, pair gguf.Pair) error {
	if pair.Type != gguf.String {
		return format.Brokenf(pair.Off, "a chat template is not text")
	}
	if pair.Len > jinja.MaxSize {
		return format.Exceededf(pair.Off, "a chat template is longer than %d bytes", jinja.MaxSize)
	}
	text := make([]byte, pair.Len)
	if n, err := f.ReadAt(text, pair.At); n < len(text) {
		return err
	}
	judgeTemplate(p, f, place{name: pair.Key, off: pair.At, exact: true}, string(text))
	return nil
}
