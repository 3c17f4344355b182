package sources

import (
	"strings"

	"github.com/sallyport/sallyport/internal/format/python"
	"github.com/sallyport/sallyport/internal/inspect"
)

// inArchive reports whether f is code of a TorchScript archive: such an archive
// has the folder "code" beside "constants.pkl".
func inArchive(f *inspect.File) bool {
	if f.Ext() != ".py" {
		return false
	}
	const folder = "code/"
	for at := 0; ; at += len(folder) {
		i := strings.Index(f.Name[at:], folder)
		if i < 0 {
			return false
		}
		at += i
		if root := f.Name[:at]; root == "" || strings.HasSuffix(root, "/") {
			if _, ok := f.Around.Lookup(root + "constants.pkl"); ok {
				return true
			}
		}
	}
}

func matchTorchScript(f *inspect.File, _ []byte) inspect.Fit {
	if inArchive(f) {
		return inspect.Yes
	}
	return inspect.No
}

// A script is the code of one file of an archive.
type script struct {
	p       *inspect.Pass
	f       *inspect.File
	locals  map[string]string // what short names stand for
	defined map[string]bool
}

// inspectTorchScript reads the code of a compiled model, which is a part of
// Python (torch/csrc/jit/serialization/python_print.cpp): all it can do is to
// call operators, and code of its own archive.
func inspectTorchScript(p *inspect.Pass, f *inspect.File) error {
	src, err := sourceOf(f)
	if err != nil {
		return err
	}
	p.Allow()
	s := &script{p, f, map[string]string{}, map[string]bool{}}
	return python.Walk(src, s.fact)
}

func (s *script) fact(fact python.Fact) error {
	if err := s.p.Step(1); err != nil {
		return err
	}
	switch fact := fact.(type) {
	case *python.Def:
		s.keep(fact.Name, "", true)
	case *python.Alias:
		if fact.Value.Chain != nil && fact.Value.Chain.On == nil {
			s.keep(fact.Name, fact.Value.Chain.Name, false)
		}
	case *python.Import:
		if fact.Module != "__torch__" && !strings.HasPrefix(fact.Module, "__torch__.") {
			s.unknown(fact.Place, fact.Module, "TorchScript imports nothing but its own code")
		}
	case *python.Use:
		s.name(fact.Place, fact.Name)
	case *python.Call:
		if fact.On == nil {
			s.call(fact)
		}
	}
	return nil
}

// keep remembers a local name, of as many as code may need.
func (s *script) keep(name, means string, def bool) {
	if len(s.locals)+len(s.defined) > maxEdges {
		return
	}
	if def {
		s.defined[name] = true
	} else if means != name {
		s.locals[name] = means
	}
}

// name judges a name for operators that reach out, used as values too, and for
// classes that C++ defines outside of the archive.
func (s *script) name(at python.Place, name string) {
	if op := opOf(name); ops()[op] == "reach" {
		judgeOp(s.p, s.f, int64(at.Off), op)
	}
	class, ok := strings.CutPrefix(name, "__torch__.torch.classes.")
	if !ok {
		return
	}
	space, _, _ := strings.Cut(class, ".")
	switch space {
	case "quantized", "rnn", "sparse", "xnnpack", "mkldnn":
	default:
		s.unknown(at, name, "a class in machine code that is not part of the archive")
	}
}

// scriptBuiltins are names that TorchScript calls without a namespace.
var scriptBuiltins = map[string]bool{
	"annotate": true, "uninitialized": true, "unchecked_cast": true, "int": true, "float": true, "bool": true, "str": true, "complex": true,
	"ord": true, "chr": true, "len": true, "range": true, "print": true, "getattr": true, "isinstance": true, "hasattr": true, "list": true, "tuple": true,
	"min": true, "max": true, "abs": true, "sum": true, "sorted": true, "round": true, "divmod": true, "pow": true, "hex": true, "oct": true, "bin": true, "hash": true,
	"all": true, "any": true, "enumerate": true, "zip": true, "reversed": true, "dict": true, "fork": true, "awaitable": true, "Exception": true, "device": true, "unwrap_optional": true,
}

// call judges one call by what it is called.
func (s *script) call(c *python.Call) {
	name := c.Name
	head, tail, dotted := strings.Cut(name, ".")
	if means, ok := s.locals[head]; ok && head != "" {
		name = means
		if dotted {
			name += "." + tail
		}
		head, _, dotted = strings.Cut(name, ".")
	}
	s.name(c.Place, name)
	switch op := opOf(name); {
	case op != "":
		judgeOp(s.p, s.f, int64(c.Off), op)
	case head == "__torch__" || head == "" || dotted || s.defined[name] || scriptBuiltins[name]:
		// code of the archive, judged itself, or the method of a value
	default:
		s.unknown(c.Place, name, "it is no function that TorchScript has")
	}
}

// opOf is the operator that a name in code stands for, or "".
func opOf(name string) string {
	head, tail, dotted := strings.Cut(name, ".")
	switch {
	case head == "torch" && dotted:
		return "aten::" + tail
	case head == "ops" && dotted:
		return strings.Replace(tail, ".", "::", 1)
	}
	return ""
}

func (s *script) unknown(at python.Place, what, why string) {
	s.p.Find(s.f, inspect.Finding{Rule: ruleOp, Verdict: inspect.Suspicious, Offset: int64(at.Off), What: what, Why: why})
}

// judgeOp judges an operator by its name without an overload.
func judgeOp(p *inspect.Pass, f *inspect.File, off int64, op string) {
	switch ops()[op] {
	case "op":
		p.Allow()
	case "reach":
		p.Find(f, inspect.Finding{Rule: ruleOp, Verdict: inspect.Malicious, Offset: off, What: op, Why: "it reads or writes files, calls Python or other machines when the model runs"})
	default:
		p.Find(f, inspect.Finding{Rule: ruleOp, Verdict: inspect.Suspicious, Offset: off, What: op, Why: "no operator of this name is known to only compute"})
	}
}
