package configs

import (
	"bytes"
	"errors"
	"strings"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/json"
	"github.com/sallyport/sallyport/internal/inspect"
	"github.com/sallyport/sallyport/internal/inspect/configs/objects"
)

// skopsWatched are the members of nodes that a judgement depends on.
var skopsWatched = []string{"__loader__", "__module__", "__class__", "content", "file", "module_path", "function", "bit_generator", "obj"}

// matchSkops lets through all that may be a JSON object.
func matchSkops(_ *inspect.File, head []byte) inspect.Fit {
	rest := bytes.TrimLeft(head, "\xef\xbb\xbf\xff\xfe\x00 \t\r\n")
	if len(head) > 0 && len(rest) == 0 || len(rest) > 0 && rest[0] == '{' {
		return inspect.Maybe
	}
	return inspect.No
}

// inspectSkops judges the schema of a skops file: a tree of nodes, each of which
// names a type and by which loader it is made.
func inspectSkops(p *inspect.Pass, f *inspect.File) error {
	is, err := isSkops(p, f)
	var broken *format.Error
	switch {
	case errors.As(err, &broken) && f.Base() == "schema.json" && objects.Mentions(f, "__loader__"):
		return err
	case errors.As(err, &broken):
		return inspect.ErrNotThis
	case err != nil:
		return err
	case !is:
		return inspect.ErrNotThis
	}
	s := schema{p, f}
	r := objects.Reader{Watched: skopsWatched, Kept: []string{"content", "obj"}, Unique: true, Ended: s.node}
	return r.Read(p, f.Reader())
}

// isSkops reports whether a document is a tree of nodes: its root is one.
func isSkops(p *inspect.Pass, f *inspect.File) (bool, error) {
	return objects.Any(p, f, "__loader__", skopsWatched, func(o *objects.Object) bool {
		return o.Depth == 0 && o.Has("__loader__")
	})
}

// A schema is one under inspection.
type schema struct {
	p *inspect.Pass
	f *inspect.File
}

func (s schema) find(o *objects.Object, rule *inspect.Rule, v inspect.Verdict, what, why string) {
	s.p.Find(s.f, inspect.Finding{Rule: rule, Verdict: v, Offset: o.Off, What: what, Why: why})
}

// node judges a node of the tree. An object that names no loader is none.
func (s schema) node(o *objects.Object) error {
	if !o.Has("__loader__") {
		return nil
	}
	loader, module, class := o.Text["__loader__"], o.Text["__module__"], o.Text["__class__"]
	if inner := o.Kept["content"]; loader == "FunctionNode" && inner != nil { // of protocol 0
		module, class = inner.Text["module_path"], inner.Text["function"]
	}
	name := module + "." + class
	switch {
	case loader == "CachedNode":
	case skopsTypes()[loader+" "+module+" "+class]:
		if module != "builtins" {
			s.p.Global(module + " " + class)
		}
	case loader == "MethodNode":
		s.method(o, name)
	case loader == "OperatorFuncNode" && module != "operator":
		s.find(o, ruleDisguise, inspect.Malicious, "operator."+class+" as "+name, "the name that people are asked to trust is not what is called")
	default:
		v := inspect.Suspicious
		if refused(name) {
			v = inspect.Malicious
		}
		s.find(o, ruleSkops, v, name, "it is made by "+known(loader)+" when the file is loaded")
	}
	s.generator(o)
	return s.member(o)
}

// known is a loader's name if it is safe to quote in a sentence of ours.
func known(loader string) string {
	if strings.HasSuffix(loader, "Node") && !strings.ContainsFunc(loader, func(r rune) bool { return r != '_' && (r < 'A' || r > 'z') }) {
		return loader
	}
	return "an unknown loader"
}

// method judges a method of an object: any attribute of it can be had so.
func (s schema) method(o *objects.Object, name string) {
	content := o.Kept["content"]
	if content == nil || content.Kept["obj"] == nil {
		s.find(o, ruleDisguise, inspect.Suspicious, name, "a method is of no object")
		return
	}
	of := content.Kept["obj"]
	if real := of.Text["__module__"] + "." + of.Text["__class__"]; real != name {
		s.find(o, ruleDisguise, inspect.Malicious, real+" as "+name, "the name that people are asked to trust is not that of the object whose attribute is taken")
		return
	}
	s.find(o, ruleSkops, inspect.Suspicious, name, "an attribute of the object is taken when the file is loaded")
}

// generator judges the name of numpy's bit generator, which is looked up in
// numpy.random and called but stands in the tree as a plain text.
func (s schema) generator(o *objects.Object) {
	if o.Key != "bit_generator" || o.Text["__loader__"] != "JsonNode" {
		return
	}
	switch text := o.Text["content"]; text {
	case `"PCG64"`, `"PCG64DXSM"`, `"MT19937"`, `"Philox"`, `"SFC64"`:
	default:
		s.find(o, ruleSkops, inspect.Suspicious, "numpy.random."+strings.Trim(text, `"`), "it is called when the file is loaded")
	}
}

// member wants what a node keeps in another member to be there.
func (s schema) member(o *objects.Object) error {
	if o.Kinds["file"] != json.String {
		return nil
	}
	name := o.Text["file"]
	if _, ok := s.f.Around.Lookup(s.f.Beside(name)); !ok && len(s.f.Around.Names()) > 0 {
		s.find(o, ruleMember, inspect.Suspicious, name, "the file is not whole, or the name leads elsewhere")
	}
	return nil
}
