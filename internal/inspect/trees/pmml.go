package trees

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/xml"
	"github.com/sallyport/sallyport/internal/inspect"
)

func matchPMML(f *inspect.File, head []byte) inspect.Fit {
	b := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	if len(b) == 0 || b[0] != '<' {
		return inspect.No
	}
	if f.Ext() == ".pmml" || bytes.Contains(head, []byte("PMML")) {
		return inspect.Maybe
	}
	return inspect.No
}

// pmmlSpaces are beginnings of the namespaces that PMML documents use.
var pmmlSpaces = []string{
	"http://www.dmg.org/PMML-", "https://www.dmg.org/PMML-", // of PMML itself
	"http://jpmml.org/", "http://www.w3.org/2001/XMLSchema", "http://www.w3.org/XML/1998/namespace",
}

// scripts are elements by which products put programs into PMML.
var scripts = map[string]bool{"script": true, "scriptclass": true, "code": true, "lambda": true, "custommodel": true, "customtransformation": true}

// A pmml is a document being read.
type pmml struct {
	subject
	spaces    []map[string]string // prefixes that each open element declares
	doctype   *xml.Token
	root      bool
	extension int // depth of the outermost Extension; 0: none
	functions map[string]bool
}

func inspectPMML(p *inspect.Pass, f *inspect.File) error {
	m := &pmml{subject: subject{p, f}, functions: map[string]bool{}}
	r := xml.NewReader(f.Reader())
	for {
		t, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = p.Step(1)
		}
		if err == nil {
			err = m.token(t, r.Depth())
		}
		if err != nil && !m.root && f.Ext() != ".pmml" && errorOfFormat(err) {
			return inspect.ErrNotThis
		}
		if err != nil {
			m.tellDoctype()
			return err
		}
	}
}

func errorOfFormat(err error) bool {
	var e *format.Error
	return errors.As(err, &e)
}

func (m *pmml) token(t xml.Token, depth int) error {
	switch t.Kind {
	case xml.Doctype:
		m.doctype = &t
	case xml.Start:
		return m.start(t, depth)
	case xml.End:
		m.spaces = m.spaces[:len(m.spaces)-1]
		if depth < m.extension {
			m.extension = 0
		}
	case xml.Text:
		if m.extension > 0 && program(t.Text) {
			m.find(rulePMML, t.Off, t.Text, "an extension that holds what looks like a program")
		}
	case xml.Instruction:
		if m.root {
			m.find(rulePMML, t.Off, t.Name, "an instruction to the program that reads the document")
		}
	}
	return nil
}

// start judges an element by its name, namespace and attributes.
func (m *pmml) start(t xml.Token, depth int) error {
	m.declare(t)
	prefix, local, ok := strings.Cut(t.Name, ":")
	if !ok {
		prefix, local = "", t.Name
	}
	if !m.root {
		if local != "PMML" {
			return inspect.ErrNotThis
		}
		m.root = true
		m.tellDoctype()
	}
	space := m.space(prefix)
	switch {
	case space == "" && prefix != "", space != "" && !knownSpace(space):
		m.find(rulePMML, t.Off, t.Name, "an element of a namespace that PMML does not have")
	case scripts[strings.ToLower(local)]:
		m.find(rulePMML, t.Off, t.Name, "an element in which products keep programs")
	}
	switch local {
	case "Extension":
		if m.extension == 0 {
			m.extension = depth
		}
	case "DefineFunction":
		if len(m.functions) < 1<<16 {
			m.functions[t.Attr("name")] = true
		}
	case "Apply":
		if name := t.Attr("function"); strings.Count(name, ".") > 1 && !m.functions[name] {
			m.find(rulePMML, t.Off, name, "a function that is neither PMML's nor the document's: evaluators load the class of this name")
		}
	}
	if m.extension > 0 {
		for _, a := range t.Attrs {
			if program(a.Value) {
				m.find(rulePMML, t.Off, a.Value, "an extension that holds what looks like a program")
			}
		}
	}
	return nil
}

// declare keeps the namespaces that an element declares.
func (m *pmml) declare(t xml.Token) {
	var spaces map[string]string
	for _, a := range t.Attrs {
		prefix, ok := strings.CutPrefix(a.Name, "xmlns:")
		if a.Name == "xmlns" {
			prefix, ok = "", true
		}
		if ok && spaces == nil {
			spaces = map[string]string{}
		}
		if ok {
			spaces[prefix] = a.Value
		}
	}
	m.spaces = append(m.spaces, spaces)
}

// space is the namespace of a prefix, "" if none is declared.
func (m *pmml) space(prefix string) string {
	for i := len(m.spaces) - 1; i >= 0; i-- {
		if s, ok := m.spaces[i][prefix]; ok {
			return s
		}
	}
	return ""
}

func knownSpace(space string) bool {
	for _, s := range pmmlSpaces {
		if strings.HasPrefix(space, s) {
			return true
		}
	}
	return false
}

// tellDoctype reports the document type, once the document is known to be PMML
// or is broken.
func (m *pmml) tellDoctype() {
	t := m.doctype
	if t == nil {
		return
	}
	m.doctype = nil
	verdict, why := inspect.Suspicious, "no library writes one"
	for _, word := range []string{"SYSTEM", "PUBLIC", "ENTITY"} {
		if strings.Contains(t.Name, word) {
			verdict, why = inspect.Malicious, "it has parsers read files, fetch addresses or expand text without end"
		}
	}
	m.p.Find(m.f, inspect.Finding{Rule: ruleDoctype, Verdict: verdict, Offset: t.Off, What: "<!" + t.Name + ">", Why: why})
}

// program reports whether text of an extension has the marks of code for the
// languages that evaluators of PMML run.
func program(text string) bool {
	text = strings.ToLower(text)
	for _, mark := range []string{"javascript", "<script", "java.lang", "getruntime", "processbuilder", "eval(", "exec(", "__import__", "os.system", "subprocess", "import os"} {
		if strings.Contains(text, mark) {
			return true
		}
	}
	return false
}
