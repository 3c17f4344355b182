package sources

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/json"
	"github.com/sallyport/sallyport/internal/format/python"
	"github.com/sallyport/sallyport/internal/inspect"
)

func isFormat(err error) bool {
	var e *format.Error
	return errors.As(err, &e)
}

// matchNotebook takes JSON that is called a notebook or has the keys of one
// early on.
func matchNotebook(f *inspect.File, head []byte) inspect.Fit {
	b := bytes.TrimLeft(head, " \t\r\n")
	if len(b) == 0 || b[0] != '{' {
		return inspect.No
	}
	if f.Ext() == ".ipynb" || bytes.Contains(head, []byte(`"cell_type"`)) && (bytes.Contains(head, []byte(`"cells"`)) || bytes.Contains(head, []byte(`"worksheets"`))) {
		return inspect.Maybe
	}
	return inspect.No
}

// A notebook is one being read: what is collected of the cell at hand.
type notebook struct {
	p     *inspect.Pass
	f     *inspect.File
	at    place
	kind  string // of the cell
	code  strings.Builder
	cut   bool
	off   int64 // where the cell's code begins
	cells int
}

// inspectNotebook reads a notebook (nbformat 3 and 4). Code is judged as that of
// a script that nothing loads; output is judged for what a browser would run.
func inspectNotebook(p *inspect.Pass, f *inspect.File) error {
	nb := &notebook{p: p, f: f}
	in := json.NewReader(f.Reader())
	in.Text = 1 << 20
	key := ""
	for {
		t, err := in.Next()
		if err == io.EOF {
			break
		}
		if err == nil {
			err = p.Step(1 + len(t.Text)/64)
		}
		if err != nil {
			if nb.cells == 0 && f.Ext() != ".ipynb" && isFormat(err) {
				return inspect.ErrNotThis
			}
			return err
		}
		switch t.Kind {
		case json.Key:
			key = t.String()
		case json.Object, json.Array:
			nb.at.path = append(nb.at.path, key)
			key = ""
		case json.ObjectEnd, json.ArrayEnd:
			nb.at.path = nb.at.path[:len(nb.at.path)-1]
			if t.Kind == json.ObjectEnd && nb.inCells() {
				nb.cell()
			}
			key = ""
		case json.String:
			nb.text(key, t)
			key = ""
		default:
			key = ""
		}
	}
	if nb.cells == 0 && f.Ext() != ".ipynb" {
		return inspect.ErrNotThis
	}
	p.Allow()
	return nil
}

// inCells reports whether the innermost open array is that of the cells.
func (nb *notebook) inCells() bool {
	n := len(nb.at.path)
	return n > 0 && nb.at.path[n-1] == "cells"
}

// inOutput reports whether the innermost object holds output by its type.
func (nb *notebook) inOutput() bool {
	return nb.at.under("outputs") || nb.at.under("attachments")
}

// text takes a string under a key or, key being "", in an array under one.
func (nb *notebook) text(key string, t json.Token) {
	n := len(nb.at.path)
	if key == "" && n > 0 {
		key = nb.at.path[n-1]
	}
	switch {
	case nb.inOutput() && (key == "text/html" || key == "html" || key == "image/svg+xml" || key == "svg"):
		nb.script(t.Off, t.String())
	case nb.inOutput() && strings.Contains(strings.ToLower(key), "javascript"):
		nb.script(t.Off, "<script>"+t.String())
	case nb.inOutput():
	case key == "cell_type":
		nb.kind = t.String()
	case (key == "source" || key == "input") && nb.at.under("cells"):
		if nb.code.Len() == 0 {
			nb.off = t.Off
		}
		if nb.cut = nb.cut || t.Cut || nb.code.Len()+len(t.Text) > python.MaxSource; !nb.cut {
			nb.code.WriteString(t.String())
		}
	}
}

// script judges markup of an output or a note. Scripts are what plots are made
// of: nothing loads a notebook as a model, and browsers run what stands in it
// only for somebody who trusts it. But one whose code is hidden in a text shows
// nobody what it does.
func (nb *notebook) script(off int64, markup string) {
	packed := strings.Map(visible, strings.ToLower(markup))
	for _, mark := range []string{"eval(atob(", "eval(window.atob(", "eval(unescape(", "eval(decodeuri", "eval(string.fromcharcode(", "function(atob(", "(0,eval)(atob(", "import('data:", "import(\"data:", "src=data:text/javascript", "src=\"data:text/javascript", "src='data:text/javascript"} {
		if strings.Contains(packed, mark) {
			nb.find(off, inspect.Suspicious, mark, "it runs code that is hidden in a text, in a browser that shows the notebook as trusted")
			return
		}
	}
	for _, mark := range []string{"<script", "javascript:", "onload=", "onerror=", "onclick=", "<iframe", "<object", "<embed", "srcdoc="} {
		if strings.Contains(packed, mark) {
			nb.find(off, inspect.Allowed, "a script", "it runs only in a browser, for those who trust the notebook")
			return
		}
	}
}

// visible drops white space, which may stand anywhere between words.
func visible(r rune) rune {
	if r <= ' ' {
		return -1
	}
	return r
}

func (nb *notebook) find(off int64, v inspect.Verdict, what, why string) {
	nb.p.Find(nb.f, inspect.Finding{Rule: ruleOutput, Verdict: v, Offset: off, What: what, Why: why})
}

func excerpt(s string) string { return s[:min(len(s), 80)] }

// cell judges the cell that has ended.
func (nb *notebook) cell() {
	src, kind := nb.code.String(), nb.kind
	cut := nb.cut
	nb.code.Reset()
	nb.kind, nb.cut = "", false
	nb.cells++
	if kind == "markdown" {
		nb.script(nb.off, src)
		return
	}
	if kind != "code" || cut {
		if cut {
			nb.told("a cell", "it is too long to be read")
		}
		return
	}
	nb.python(src)
}

// magics are cell magics behind which a cell is Python all the same.
var magics = map[string]bool{"time": true, "timeit": true, "capture": true, "prun": true, "python": true, "python3": true, "mprun": true, "skip": true}

// python judges the code of a cell. Offsets are those of its beginning.
func (nb *notebook) python(src string) {
	nb.p.Allow()
	if rest, ok := strings.CutPrefix(strings.TrimLeft(src, " \t\n"), "%%"); ok {
		line, body, _ := strings.Cut(rest, "\n")
		name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !magics[name] {
			nb.shell("%%"+name, body)
			return
		}
		src = body
	}
	src, err := python.Source([]byte(src))
	if err == nil {
		var c *code
		c, err = read(src, true)
		for i := range c.deeds { // the text's offsets are not the file's
			c.deeds[i].at.Off = 0
		}
		for i := range c.strange {
			c.strange[i].Off = 0
		}
		judge(nb.p, nb.f, c, nb.off, "")
		for _, l := range c.lines {
			nb.shell("", l.Text)
		}
	}
	switch {
	case format.Is(err, format.Exceeded):
		nb.p.Find(nb.f, inspect.Finding{Rule: ruleDeed, Verdict: inspect.Inconclusive, Offset: nb.off, What: "a cell", Why: err.Error()})
	case err != nil:
		nb.told("a cell", "it is not Python, and was not followed")
	}
}

// shell judges lines that IPython hands to a shell or another program.
func (nb *notebook) shell(magic, text string) {
	if fetches(text) {
		nb.p.Find(nb.f, inspect.Finding{Rule: ruleHidden, Verdict: inspect.Malicious, Offset: nb.off, What: excerpt(text), Why: "it fetches a program and runs it, when somebody runs the cell"})
		return
	}
	nb.told(excerpt(strings.TrimSpace(magic+" "+text)), "it runs when somebody runs the cell")
}

// told reports what stops nothing.
func (nb *notebook) told(what, why string) {
	nb.p.Find(nb.f, inspect.Finding{Rule: ruleDeed, Verdict: inspect.Allowed, Offset: nb.off, What: what, Why: why})
}
