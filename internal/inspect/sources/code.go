package sources

import (
	"strings"

	"github.com/sallyport/sallyport/internal/format"
	"github.com/sallyport/sallyport/internal/format/python"
)

// code is what is known about one source.
type code struct {
	deeds    []deed
	relative []string            // modules imported from the same package
	calls    map[string][]string // last names of what each function calls; "" is what runs on import
	defs     map[string][]string // functions and classes by last name, with what is around them
	strange  []python.Place      // names in letters that Python takes for others
	lines    []*python.Line

	aliases map[string]string
	edges   int  // in calls and defs
	full    bool // there are more aliases than are kept
}

// A deed is a use of a name that deeds.txt knows.
type deed struct {
	at     python.Place
	kind   string
	name   string
	hidden bool   // code that was decoded or fetched is run
	args   string // its first argument, if it is a string
	called bool
}

// Bounds of what is kept of one source.
const (
	maxDeeds   = 2000
	maxAliases = 20_000
	maxEdges   = 100_000
)

// read gathers what a source does. What it found before an error stands.
func read(src string, cell bool) (*code, error) {
	c := &code{calls: map[string][]string{}, defs: map[string][]string{}, aliases: map[string]string{}}
	walk := python.Walk
	if cell {
		walk = python.WalkCell
	}
	return c, walk(src, c.fact)
}

func (c *code) fact(f python.Fact) error {
	switch f := f.(type) {
	case *python.Import:
		c.imported(f)
	case *python.Def:
		if c.edges++; c.edges < maxEdges {
			c.defs[f.Name] = append(c.defs[f.Name], inside(f.Within, f.Name))
		}
		c.odd(f.Name, f.Place)
	case *python.Alias:
		if name := c.argument(f.Value); name != "" {
			c.alias(f.Name, name)
		}
	case *python.Use:
		c.use(f.Place, f.Chain, nil)
	case *python.Call:
		c.edge(f.Place, f.Name)
		c.use(f.Place, f.Chain, f)
	case *python.Line:
		if len(c.lines) < maxDeeds {
			c.lines = append(c.lines, f)
		}
	}
	if c.full {
		return format.Exceededf(int64(f.At().Off), "source with more than %d names for other names", maxAliases)
	}
	return nil
}

func inside(outer, name string) string {
	if outer == "" {
		return name
	}
	return outer + "." + name
}

func (c *code) alias(name, means string) {
	if name == means || len(means) > 256 {
		return
	}
	_, again := c.aliases[name]
	if c.full = c.full || !again && len(c.aliases) >= maxAliases; !c.full {
		c.aliases[name] = means
	}
}

func (c *code) imported(f *python.Import) {
	module := f.Module
	c.odd(module+f.Name, f.Place)
	if f.Level > 0 {
		if len(c.relative) < maxDeeds {
			c.relative = append(c.relative, first(module, f.Name))
		}
		return
	}
	switch {
	case f.Name == "" && f.As == "":
	case f.Name == "":
		c.alias(f.As, module)
	case f.Name == "*":
		for name := range deeds() {
			if last, ok := strings.CutPrefix(name, module+"."); ok && last != "*" {
				c.alias(last, name)
			}
		}
	default:
		c.alias(first(f.As, f.Name), module+"."+f.Name)
	}
	if kind := kindOf(module); kind != "" {
		c.add(deed{at: f.Place, kind: kind, name: module})
	} else if f.Name != "" {
		if kind := kindOf(module + "." + f.Name); kind != "" {
			c.add(deed{at: f.Place, kind: kind, name: module + "." + f.Name})
		}
	}
}

// first is the first that is not empty.
func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// resolve says what a name means, as far as imports and assignments of the file
// tell.
func (c *code) resolve(name string) string {
	name = fold(name)
	head, tail, dotted := strings.Cut(name, ".")
	if means, ok := c.aliases[head]; ok && head != "" {
		name = means
		if dotted {
			name += "." + tail
		}
	}
	for _, prefix := range []string{"builtins.", "__builtins__.", "__builtin__."} {
		name = strings.TrimPrefix(name, prefix)
	}
	return name
}

// chain resolves a chain; what a call returns is known for those that import or
// look up by a name.
func (c *code) chain(ch python.Chain) string {
	if ch.On == nil {
		return c.resolve(ch.Name)
	}
	return c.resolve(c.result(ch.On) + ch.Name)
}

func (c *code) result(call *python.Call) string {
	name := c.chain(call.Chain)
	arg := func(i int) python.Arg {
		if i < len(call.Args) {
			return call.Args[i]
		}
		return python.Arg{}
	}
	switch name {
	case "__import__", "importlib.import_module", "importlib.__import__":
		if a := arg(0); a.Literal {
			return a.Text
		}
	case "getattr":
		if base := c.argument(arg(0)); base != "" && arg(1).Literal {
			return base + "." + arg(1).Text
		}
	}
	return name + "()"
}

// argument is what an argument means, if it is a name or a result.
func (c *code) argument(a python.Arg) string {
	if a.Chain == nil {
		return ""
	}
	return c.chain(*a.Chain)
}

// use judges a name that is read or called.
func (c *code) use(at python.Place, ch python.Chain, call *python.Call) {
	c.odd(ch.Name, at)
	name := c.chain(ch)
	d := deed{at: at, kind: kindOf(name), name: name, called: call != nil}
	if call == nil {
		if d.kind == "" || d.kind == "decode" || !strings.Contains(name, ".") {
			return // "compile" as a name is often another thing
		}
		c.add(d)
		return
	}
	if len(call.Args) > 0 && call.Args[0].Literal {
		d.args = call.Args[0].Text
	}
	switch {
	case d.kind == "run":
		if d.hidden = c.decodes(call); !d.hidden && d.args != "" && name == "compile" {
			return
		}
	case name == "marshal.loads":
		d.kind, d.hidden = "load", c.decodes(call)
	case name == "__import__" || name == "importlib.import_module":
		if d.args != "" || len(call.Args) == 0 {
			return
		}
		d.kind = "run"
		if d.hidden = c.decodes(call); !d.hidden {
			return
		}
	case name == "getattr" && len(call.Args) > 1 && c.decoded(call.Args[1]):
		d.kind, d.hidden = "run", true
	case d.kind == "decode":
		return
	}
	if d.kind != "" {
		c.add(d)
	}
}

// decodes reports whether what a call gets has been decoded or fetched.
func (c *code) decodes(call *python.Call) bool {
	for _, a := range call.Args {
		if c.decoded(a) {
			return true
		}
	}
	return false
}

func (c *code) decoded(a python.Arg) bool {
	for _, name := range append(a.Calls, c.argument(a)) {
		name = strings.TrimSuffix(c.resolve(name), "()")
		if i := strings.Index(name, "()"); i >= 0 {
			name = name[:i]
		}
		switch kind := kindOf(name); {
		case kind == "decode", kind == "network", name == "chr", name == "__import__":
			return true
		}
	}
	return false
}

func (c *code) add(d deed) {
	if len(c.deeds) < maxDeeds || d.hidden && len(c.deeds) < 2*maxDeeds { // no flood drowns the worst
		c.deeds = append(c.deeds, d)
	}
}

// edge notes that a function, or "" for what runs on import, calls another; only
// the last name counts.
func (c *code) edge(at python.Place, name string) {
	from := at.Within
	switch at.Scope {
	case python.Module:
		from = ""
	case python.Script:
		return
	}
	if c.edges++; name != "" && c.edges < maxEdges {
		c.calls[from] = append(c.calls[from], name[strings.LastIndexByte(name, '.')+1:])
	}
}

// kindOf finds a name or its module among the deeds.
func kindOf(name string) string {
	if kind := deeds()[name]; kind != "" {
		return kind
	}
	for i := len(name); i > 0; {
		if kind := deeds()[name[:i]+".*"]; kind != "" {
			return kind
		}
		i = strings.LastIndexByte(name[:i], '.')
	}
	return ""
}

// onImport finds the functions that importing the file may run: those that the
// module calls, what these call, and what making an object of a class calls.
// Names count by their last part, so that it finds rather too many.
func (c *code) onImport() map[string]bool {
	runs := map[string]bool{}
	open := []string{""}
	for len(open) > 0 {
		from := open[len(open)-1]
		open = open[:len(open)-1]
		for _, name := range c.calls[from] {
			for _, def := range c.defs[name] {
				if runs[def] {
					continue
				}
				for _, method := range []string{"", ".__init__", ".__new__", ".__call__", ".__enter__", ".__post_init__"} {
					runs[def+method] = true
					open = append(open, def+method)
				}
			}
		}
	}
	return runs
}
