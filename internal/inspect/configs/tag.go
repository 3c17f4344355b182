package configs

import (
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/sallyport/sallyport/internal/inspect"
)

// tag judges a tag. Those of YAML itself and PyYAML's names of plain values
// pass, and so do local tags, which a loader refuses unless its program gave
// them a meaning; but for those whose meaning is known to be code.
func (y *document) tag(n *ast.TagNode) {
	tag := n.Start.Value
	off := offset(n)
	switch plain := strings.TrimLeft(tag, "!"); {
	case strings.ContainsAny(plain, "%<>"):
		y.find(ruleTag, inspect.Suspicious, off, tag, "its name is not written plainly")
	case strings.HasPrefix(plain, "python/"):
		y.python(tag, strings.TrimPrefix(plain, "python/"), off)
	case strings.HasPrefix(tag, "!!"):
	default:
		y.local(tag, plain, off)
	}
}

// python judges one of PyYAML's tags for Python.
func (y *document) python(tag, kind string, off int64) {
	switch kind {
	case "none", "bool", "str", "unicode", "bytes", "int", "long", "float", "complex", "list", "tuple", "dict":
		return
	}
	y.find(ruleTag, inspect.Malicious, off, tag, "PyYAML imports or calls it when the file is loaded")
}

// local judges a tag that only some programs know. HyperPyYAML, which
// SpeechBrain loads its models with, has tags that import and call.
func (y *document) local(tag, plain string, off int64) {
	kind, name, _ := strings.Cut(plain, ":")
	switch kind {
	case "new", "name", "apply", "module":
		if name != "" {
			y.target(off, name)
			return
		}
	case "include", "import", "eval", "exec", "call", "env", "ENV", "shell", "cmd", "path", "getattr", "obj", "object", "pickle",
		"func", "function", "python", "code", "lambda", "file", "load":
		y.find(ruleTag, inspect.Suspicious, off, tag, "programs that know it read files or call code for it")
	}
}

// scalar looks for the resolvers of OmegaConf, ${name:…}, that take a value from
// outside of the file or compute it.
func (y *document) scalar(n ast.Node, value string) {
	for _, name := range [...]string{"oc.env", "oc.decode", "env", "oc.create", "hydra", "eval", "exec", "python", "import"} {
		if strings.Contains(value, "${"+name+":") {
			y.find(ruleResolver, inspect.Suspicious, offset(n), "${"+name+":", "the value is what the resolver makes of it where the file is read")
		}
	}
}
