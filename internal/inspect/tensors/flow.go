package tensors

import (
	"slices"

	"github.com/sallyport/sallyport/internal/format/jinja"
)

// A value's origin, as far as the template itself decides it. What comes from
// outside (messages, tools) has none: that it may hold hostile names is the
// renderer's affair, and no fault of the template.
type origin uint8

const (
	text      origin = 1 << iota // text that is written in the template
	built                        // text that the template puts together
	holdsText                    // a list or dictionary that has such items
	holdsBuilt
)

// inside is the origin of an item.
func (o origin) inside() origin { return o>>2&(text|built) | o }

// held is the origin of a list of such items.
func (o origin) held() origin { return (o | o>>2) & (text | built) << 2 }

// made is the origin of text made of o: what was text is now built.
func (o origin) made() origin {
	if o != 0 {
		return built
	}
	return 0
}

// maxRounds bounds how often a template is gone through to learn what reaches
// what. Names that reach one another in more roundabout ways count as built.
const maxRounds = 12

// A flow knows of each variable what it may be, at any place of the template.
// Attributes of namespaces and entries of dictionaries that the template makes
// are kept by their name alone, with a dot before it.
type flow struct {
	assigned map[string]bool
	macros   map[string]bool
	params   map[string][][]string // of all macros of a name; of all call blocks, as "caller"
	of       map[string]origin
	changed  bool
}

// follow learns what every variable of a template may be.
func follow(root *jinja.Node) *flow {
	f := &flow{assigned: map[string]bool{}, macros: map[string]bool{}, params: map[string][][]string{}, of: map[string]origin{}}
	root.Walk(func(n *jinja.Node) bool {
		switch n.Kind {
		case jinja.Macro:
			f.macros[n.Text] = true
			f.declare(n.Text, n.Kids[0])
		case jinja.CallBlock:
			f.declare("caller", n.Kids[0])
		}
		return true
	})
	for round := 0; ; round++ {
		f.changed = false
		root.Walk(func(n *jinja.Node) bool {
			f.statement(n)
			return true
		})
		if !f.changed {
			return f
		}
		if round == maxRounds {
			for name := range f.assigned {
				f.of[name] |= built | holdsBuilt
			}
			return f
		}
	}
}

// Macros of one name and parameters of one macro that are told apart; beyond
// them, where people do not write, a parameter counts as built.
const (
	maxSame   = 8
	maxParams = 64
)

// declare notes the parameters of a macro.
func (f *flow) declare(macro string, params *jinja.Node) {
	var names []string
	for i, p := range params.Kids {
		f.assigned[p.Text] = true
		if p.Kind == jinja.Keyword {
			f.add(p.Text, f.value(p.Kids[0]))
		}
		if i < maxParams && len(f.params[macro]) < maxSame {
			names = append(names, p.Text)
		} else {
			f.add(p.Text, built|holdsBuilt)
		}
	}
	if len(names) > 0 {
		f.params[macro] = append(f.params[macro], names)
	}
}

// statement notes what it assigns.
func (f *flow) statement(n *jinja.Node) {
	switch n.Kind {
	case jinja.Set:
		f.assign(n.Kids[0], f.value(n.Kids[1]))
		if v := n.Kids[1]; v.Kind == jinja.Call && v.Kids[0].Kind == jinja.Name && v.Kids[0].Text == "joiner" {
			f.macros[n.Kids[0].Text] = true // it is called as one
		}
	case jinja.SetBlock:
		f.assign(n.Kids[0], built)
	case jinja.For:
		f.assign(n.Kids[0], f.value(n.Kids[1]).inside())
	case jinja.With:
		for i := 0; i+1 < len(n.Kids); i += 2 {
			f.assign(n.Kids[i], f.value(n.Kids[i+1]))
		}
	case jinja.Call:
		f.call(n)
	case jinja.Dict:
		for i := 0; i < len(n.Kids); i += 2 {
			if n.Kids[i].Kind == jinja.Str {
				f.add("."+n.Kids[i].Text, f.value(n.Kids[i+1]))
			}
		}
	}
}

// call notes what a call gives to the parameters of a macro, and the entries of
// namespaces and dictionaries.
func (f *flow) call(n *jinja.Node) {
	callee := n.Kids[0]
	if callee.Kind != jinja.Name {
		return
	}
	makes := callee.Text == "namespace" || callee.Text == "dict"
	for i, a := range n.Kids[1:] {
		o := f.value(a)
		switch {
		case a.Kind == jinja.Keyword && makes:
			f.add("."+a.Text, o)
		case a.Kind == jinja.Keyword:
			f.add("kwargs", o.held()|holdsText)
		case a.Kind == jinja.Spread:
			f.add("varargs", o)
			f.add("kwargs", o)
		default:
			f.add("varargs", o.held())
		}
		for _, params := range f.params[callee.Text] {
			f.give(params, i, a, o)
		}
	}
}

// give hands an argument to the parameter that it is for.
func (f *flow) give(params []string, i int, arg *jinja.Node, o origin) {
	switch {
	case arg.Kind == jinja.Keyword:
		if f.assigned[arg.Text] { // and not only if it is this macro's, which would take a search
			f.add(arg.Text, o)
		}
	case arg.Kind == jinja.Spread:
		for _, p := range params {
			f.add(p, o.inside())
		}
	case i < len(params):
		f.add(params[i], o)
	}
}

func (f *flow) assign(target *jinja.Node, o origin) {
	switch target.Kind {
	case jinja.Name:
		f.assigned[target.Text] = true
		f.add(target.Text, o)
	case jinja.Attr:
		f.add("."+target.Text, o)
	case jinja.Tuple:
		for _, k := range target.Kids {
			f.assign(k, o.inside())
		}
	}
}

func (f *flow) add(name string, o origin) {
	if now := f.of[name]; now|o != now {
		f.of[name] = now | o
		f.changed = true
	}
}

// values is the origin of anything that is one of the nodes.
func (f *flow) values(nodes []*jinja.Node) origin {
	var o origin
	for _, n := range nodes {
		o |= f.value(n)
	}
	return o
}

// value is the origin of an expression.
func (f *flow) value(n *jinja.Node) origin {
	if n == nil {
		return 0
	}
	switch n.Kind {
	case jinja.Str:
		return text
	case jinja.Name:
		return f.of[n.Text]
	case jinja.List, jinja.Tuple, jinja.Dict:
		return f.values(n.Kids).held()
	case jinja.Binary:
		return f.binary(n)
	case jinja.Cond:
		return f.value(n.Kids[0]) | f.value(n.Kids[2])
	case jinja.Attr:
		return f.of["."+n.Text] // of text, no attribute is text
	case jinja.Item:
		return f.item(n)
	case jinja.Call:
		return f.result(n)
	case jinja.Filter:
		return f.filtered(n)
	case jinja.Keyword, jinja.Spread:
		return f.value(n.Kids[0])
	}
	return 0
}

func (f *flow) binary(n *jinja.Node) origin {
	o := f.values(n.Kids)
	switch n.Text {
	case "~":
		return built
	case "+", "%", "*":
		return o.made() | o&(holdsText|holdsBuilt)
	case "and", "or":
		return o
	}
	return 0
}

// item is what stands in brackets behind an object. Of what the template built
// or wrote, every part counts as built.
func (f *flow) item(n *jinja.Node) origin {
	if index := n.Kids[1]; index.Kind == jinja.Str {
		return f.of["."+index.Text]
	}
	o := f.value(n.Kids[0])
	return (o & (text | built)).made() | o>>2 | o&(holdsText|holdsBuilt)
}

// makers are methods and filters whose arguments become part of the text that
// they return, and openers those that return what an object holds.
var (
	makers  = []string{"join", "replace", "format", "center", "ljust", "rjust", "indent", "map", "wordwrap", "truncate", "expandtabs"}
	openers = []string{"items", "values", "keys", "get", "pop", "copy", "setdefault", "next", "cycle",
		"first", "last", "list", "sort", "unique", "dictsort", "select", "reject", "selectattr", "rejectattr", "default", "d", "batch", "slice", "random", "min", "max", "groupby"}
	counters = []string{"length", "count", "int", "float", "abs", "round", "wordcount", "find", "index", "rfind", "rindex"}
)

// result is what a call returns.
func (f *flow) result(n *jinja.Node) origin {
	callee, args := n.Kids[0], n.Kids[1:]
	switch {
	case callee.Kind == jinja.Name && (f.macros[callee.Text] || callee.Text == "caller"):
		return built
	case callee.Kind == jinja.Name && (callee.Text == "namespace" || callee.Text == "dict"):
		var o origin
		for _, a := range args {
			if a.Kind == jinja.Keyword { // its value is kept by its name, which is text
				o |= holdsText
			} else {
				o |= f.value(a)
			}
		}
		return o
	case callee.Kind == jinja.Attr:
		return f.applied(callee.Text, f.value(callee.Kids[0]), args)
	case callee.Kind == jinja.Item && callee.Kids[1].Kind == jinja.Str:
		return f.applied(callee.Kids[1].Text, f.value(callee.Kids[0]), args)
	}
	return f.values(args).made()
}

func (f *flow) filtered(n *jinja.Node) origin {
	return f.applied(n.Text, f.value(n.Kids[0]), n.Kids[1:])
}

// applied is what a method or filter makes of an object.
func (f *flow) applied(name string, object origin, args []*jinja.Node) origin {
	switch {
	case slices.Contains(counters, name):
		return 0
	case slices.Contains(openers, name):
		o := object.inside()
		switch name {
		case "get", "setdefault", "default", "d", "cycle":
			o |= f.values(args)
		}
		return o
	case slices.Contains(makers, name):
		object |= f.values(args)
	}
	return object.made() | object.made().held()
}
