package lockfile

import (
	"bytes"
	"io"
	"strings"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/json"
)

// A cellLine is a line of a cell, and where it stands in the notebook's file.
type cellLine struct {
	off  int64
	text string
}

// readNotebook reads what the code cells of a notebook install.
func (r *reader) readNotebook(name string, b []byte) error {
	n := notebook{in: json.NewReader(bytes.NewReader(b)), list: -1}
	n.in.Text = maxFile
	for n.err == nil {
		n.step()
	}
	if n.err != io.EOF {
		return broken(name, b, n.err)
	}
	if n.list < 0 {
		return broken(name, b, errNoCells)
	}
	count := lineCounter{b: b}
	for _, cell := range n.cells {
		var lines []shellLine
		for _, l := range cell {
			lines = append(lines, shellLine{count.at(l.off), l.text})
		}
		if err := r.cell(name, lines); err != nil {
			return err
		}
	}
	return nil
}

var errNoCells = format.Brokenf(-1, "a notebook without cells")

// A notebook walks over a document of Jupyter's: an object with a list of cells,
// or with one of worksheets that have such a list. What a cell printed is not
// kept.
type notebook struct {
	in    *json.Reader
	cells [][]cellLine // of code
	kind  string       // of the open cell
	lines []cellLine   // of the open cell
	open  int          // depth within the open cell; 0: there is none
	list  int          // depth of the list of cells; 0: it is not open, -1: there was none
	err   error
}

func (n *notebook) step() {
	t, err := n.in.Next()
	switch depth := n.in.Depth(); {
	case err != nil:
		n.err = err
	case t.Kind == json.Key && n.open == 0 && t.Is("cells"):
		n.list = depth + 1
	case t.Kind == json.Object && n.list > 0 && depth == n.list+1:
		n.open, n.kind, n.lines = depth, "", nil
	case t.Kind == json.ObjectEnd && n.open > 0 && depth < n.open:
		if n.kind != "markdown" && n.kind != "raw" && n.kind != "heading" {
			n.cells = append(n.cells, n.lines)
		}
		n.open = 0
	case t.Kind == json.ArrayEnd && depth < n.list:
		n.list = 0
	case t.Kind == json.Key && depth == n.open && n.open > 0:
		n.field(t)
	}
}

// field reads a field of a cell.
func (n *notebook) field(key json.Token) {
	switch {
	case key.Is("cell_type"):
		t, err := n.in.Next()
		if n.err = err; t.Kind == json.String {
			n.kind = t.String()
		}
	case key.Is("source"), key.Is("input"): // the second until 2015
		n.source()
	default:
		n.err = n.in.Skip()
	}
}

// source reads a cell's text: a string, or a list of strings that are its lines.
func (n *notebook) source() {
	depth := n.in.Depth()
	var begins []cellLine
	for {
		t, err := n.in.Next()
		if err != nil {
			n.err = err
			return
		}
		if t.Kind == json.String {
			begins = append(begins, cellLine{t.Off, t.String()})
		}
		if n.in.Depth() <= depth {
			break
		}
	}
	n.lines = append(n.lines, splitCell(begins)...)
}

// splitCell splits strings into lines, each with the place of the string in
// which it begins.
func splitCell(pieces []cellLine) []cellLine {
	var out []cellLine
	var open strings.Builder // the line that the next piece may go on with
	off := int64(-1)
	end := func() {
		if off >= 0 {
			out = append(out, cellLine{off, open.String()})
		}
		open.Reset()
		off = -1
	}
	for _, p := range pieces {
		for line := range strings.Lines(p.text) {
			if off < 0 {
				off = p.off
			}
			open.WriteString(strings.TrimRight(line, "\r\n"))
			if strings.HasSuffix(line, "\n") {
				end()
			}
		}
	}
	end()
	return out
}
