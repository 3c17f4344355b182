package tensors

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/internal/format/jinja"
	"github.com/sallyport/sallyport/internal/inspect"
)

// What a template may do is a list: filters, tests, functions and methods that
// templates need (words.txt). Beyond the list lies the way into Python that
// every escape from Jinja takes: attributes that begin with an underscore,
// reached by their name or by a name that the template makes up. The sandbox
// that Transformers renders in closes it; other programs have rendered without.

// A blame is what is wrong with one place of a template.
type blame struct {
	verdict inspect.Verdict
	off     int
	what    string
	why     string
}

// maxBlames bounds what is said about one template.
const maxBlames = 50

// A judgement goes through a template.
type judgement struct {
	words  *words
	flow   *flow
	blames []blame
}

// judge returns what is wrong with a template.
func judge(root *jinja.Node) []blame {
	j := judgement{words: allowedWords(), flow: follow(root)}
	root.Walk(func(n *jinja.Node) bool {
		j.node(n)
		return len(j.blames) < maxBlames
	})
	return j.blames
}

func (j *judgement) blame(v inspect.Verdict, n *jinja.Node, what, why string) {
	j.blames = append(j.blames, blame{v, n.Off, what, why})
}

func (j *judgement) node(n *jinja.Node) {
	switch n.Kind {
	case jinja.Outside:
		j.blame(inspect.Suspicious, n, n.Text, "a chat template stands alone, and this tag reaches for another file or is part of a page")
	case jinja.Name, jinja.Keyword, jinja.Macro:
		j.name(n)
	case jinja.Str:
		j.text(n)
	case jinja.Attr:
		j.attribute(n, n.Text)
	case jinja.Item:
		j.item(n)
	case jinja.Call:
		j.call(n)
	case jinja.Filter:
		j.filter(n)
	case jinja.Test:
		if !j.words.is("test", n.Text) {
			j.blame(inspect.Suspicious, n, "is "+n.Text, "this test is not one that templates have")
		}
	}
}

// name judges a variable, a macro or an argument. Those of the template's own may
// begin with an underscore; two are for names that are to be had as text, which
// dict(__class__=0)|first does.
func (j *judgement) name(n *jinja.Node) {
	if strings.HasPrefix(n.Text, "__") || strings.HasPrefix(n.Text, "_") && n.Text != "_" && n.Kind == jinja.Name && !j.flow.assigned[n.Text] {
		j.attribute(n, n.Text)
	}
}

// text judges a string: whatever names the inside of an object has no place in a
// template, be it used or not.
func (j *judgement) text(n *jinja.Node) {
	if j.dunder(n.Text) {
		j.blame(inspect.Suspicious, n, n.Text, "the text names the inside of a Python object")
	}
}

// dunder reports whether s holds one of Python's names like __class__.
func (j *judgement) dunder(s string) bool {
	for {
		_, rest, ok := strings.Cut(s, "__")
		if !ok {
			return false
		}
		if name, _, ok := strings.Cut(rest, "__"); ok && j.words.is("dunder", name) {
			return true
		}
		s = rest
	}
}

// attribute judges a name behind a dot or in brackets.
func (j *judgement) attribute(n *jinja.Node, name string) {
	switch {
	case strings.HasPrefix(name, "__"), j.words.is("inside", name):
		j.blame(inspect.Malicious, n, name, "this reaches into a Python object, from where any code can be run")
	case strings.HasPrefix(name, "_"):
		j.blame(inspect.Suspicious, n, name, "a name with an underscore before it is not for templates")
	}
}

// item judges a subscript. Jinja looks for an attribute where there is no such
// item, so that a text in brackets is as good as a name behind a dot.
func (j *judgement) item(n *jinja.Node) {
	index := n.Kids[1]
	if index.Kind == jinja.Str {
		j.attribute(n, index.Text)
	} else if j.flow.value(index)&built != 0 {
		j.blame(inspect.Suspicious, n, "computed subscript", "the template makes up the name that it looks for, as is done to hide it")
	}
}

// call judges what is called.
func (j *judgement) call(n *jinja.Node) {
	switch callee := n.Kids[0]; callee.Kind {
	case jinja.Name:
		j.function(n, callee.Text)
	case jinja.Attr:
		j.method(n, callee.Text, callee.Kids[0])
	case jinja.Item:
		if name := callee.Kids[1]; name.Kind == jinja.Str {
			j.method(n, name.Text, callee.Kids[0])
			return
		}
		j.blame(inspect.Suspicious, n, "computed call", "what is called cannot be told")
	default:
		j.blame(inspect.Suspicious, n, "computed call", "what is called cannot be told")
	}
}

func (j *judgement) function(n *jinja.Node, name string) {
	switch {
	case j.words.is("refused", name):
		j.blame(inspect.Malicious, n, name, "this function has no place in a template")
	case !j.words.is("function", name) && !j.flow.macros[name]:
		j.blame(inspect.Suspicious, n, name, "this function is not one that templates need")
	case name == "range":
		j.numbers(n)
	}
}

// longest is as far as the sandbox of Jinja2 lets range go.
const longest = 100_000

func (j *judgement) numbers(n *jinja.Node) {
	for _, arg := range n.Kids[1:] {
		if v, err := strconv.ParseInt(arg.Text, 0, 64); arg.Kind == jinja.Num && (err != nil || v > longest) {
			j.blame(inspect.Suspicious, n, "range", fmt.Sprintf("a loop of more than %d turns exhausts whoever renders it", longest))
		}
	}
}

func (j *judgement) method(n *jinja.Node, name string, object *jinja.Node) {
	switch {
	case strings.HasPrefix(name, "_"): // told where the attribute is
	case name == "format" && object.Kind == jinja.Str && !reaches(object.Text):
	case !j.words.is("method", name):
		j.blame(inspect.Suspicious, n, name, "this method is not one that templates need")
	}
}

// reaches reports whether a format string takes attributes or items of what it
// formats.
func reaches(s string) bool {
	for {
		_, rest, ok := strings.Cut(s, "{")
		if !ok {
			return false
		}
		field, rest, _ := strings.Cut(rest, "}")
		if strings.ContainsAny(field, ".[{_") {
			return true
		}
		s = rest
	}
}

func (j *judgement) filter(n *jinja.Node) {
	if !j.words.is("filter", n.Text) {
		verdict := inspect.Suspicious
		if n.Text == "attr" && j.hides(n.Kids[1:]) {
			verdict = inspect.Malicious
		}
		j.blame(verdict, n, "|"+n.Text, "this filter is not one that templates need")
		return
	}
	if j.words.is("attributes", n.Text) {
		j.path(n)
	}
}

// hides reports whether arguments name the inside of an object or are made up.
func (j *judgement) hides(args []*jinja.Node) bool {
	for _, a := range args {
		if a.Kind == jinja.Str && !strings.HasPrefix(a.Text, "_") && !j.words.is("inside", a.Text) {
			continue
		}
		return true
	}
	return len(args) == 0
}

// path judges filters that look up attributes by name (map, selectattr, sort):
// every name must be written out.
func (j *judgement) path(n *jinja.Node) {
	for i, arg := range n.Kids[1:] {
		value, names := arg, i == 0 && n.Text != "join" || i == 1 && strings.HasSuffix(n.Text, "attr")
		if arg.Kind == jinja.Keyword {
			value, names = arg.Kids[0], arg.Text == "attribute" || arg.Text == "filter"
		}
		switch {
		case arg.Kind == jinja.Spread, names && value.Kind != jinja.Str && value.Kind != jinja.Num && value.Kind != jinja.Const:
			j.blame(inspect.Suspicious, n, "|"+n.Text, "the template makes up the name that it looks for, as is done to hide it")
		case value.Kind == jinja.Str:
			for part := range strings.SplitSeq(value.Text, ".") {
				j.attribute(value, part)
			}
			j.chosen(n, i, arg)
		}
	}
}

// chosen judges the filter or test that a filter applies to every item.
func (j *judgement) chosen(n *jinja.Node, i int, arg *jinja.Node) {
	kind := ""
	switch {
	case arg.Kind != jinja.Str:
	case n.Text == "map" && i == 0:
		kind = "filter"
	case (n.Text == "select" || n.Text == "reject") && i == 0, strings.HasSuffix(n.Text, "attr") && i == 1:
		kind = "test"
	}
	if kind != "" && !j.words.is(kind, arg.Text) {
		j.blame(inspect.Suspicious, n, "|"+n.Text+" "+arg.Text, "it applies a "+kind+" that templates do not need")
	}
}
