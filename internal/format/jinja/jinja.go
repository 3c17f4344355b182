// Package jinja reads Jinja templates, as chat templates of language models use
// them, into a syntax tree. It never renders.
//
// The language is that of Jinja2 3.1 with the default delimiters, the tags
// break and continue (jinja2.ext.loopcontrols) and the tag generation that
// Hugging Face Transformers adds. What Jinja2 refuses to parse is refused.
package jinja

// Limits of a template.
const (
	MaxSize  = 256 << 10 // bytes
	maxNodes = 100_000
	maxDepth = 100 // of expressions and of blocks
	maxChain = 400 // of attributes, subscripts, calls and filters behind one another
)

// A Kind is what a node is.
type Kind uint8

// The kinds of nodes, and what their Kids are. Where it says "or nil", a Kid
// may be nil.
const (
	// Expressions.
	Name    Kind = iota // Text is a variable's name
	Str                 // Text is a string, its escapes resolved
	Num                 // Text is a number as it is written
	Const               // Text is true, false or none
	List                // items
	Tuple               // items
	Dict                // keys and values by turns
	Unary               // Text is the operator; operand
	Binary              // Text is the operator, "in" and "not in" among them; two or more operands, of which each but the first stands right of such an operator
	Cond                // value, condition, other value or nil
	Attr                // Text is the name behind the dot; object
	Item                // object, index
	Slice               // start, stop, step, each or nil
	Call                // callee, arguments
	Filter              // Text is its name; input or nil in a filter block, arguments
	Test                // Text is its name; value, arguments
	Keyword             // Text is an argument's name; value
	Spread              // Text is "*" or "**"; value

	// Statements. A Body is a node of its own, so that every Kid has its place.
	Body      // statements
	Output    // expressions that are written
	For       // target, iterated, condition or nil, body, other body or nil; Text is "recursive" or ""
	If        // condition and body by turns, and the last body if there is an else
	Set       // target, value
	SetBlock  // target, filter or nil, body
	With      // target and value by turns, then the body
	Macro     // Text is its name; Params, body
	CallBlock // Params, call, body
	FilterTag // filter, body
	Params    // Name, or Keyword with the default
	Loop      // Text is break or continue
	Region    // Text is generation or autoescape; value or nil, body
	Outside   // Text is include, import, from, extends or block: what reaches for other templates; expressions and bodies
)

// A Node is a part of a template.
type Node struct {
	Kind Kind
	Off  int // byte of the template where it stands
	Text string
	Kids []*Node
}

// Walk calls fn for n and all below it, in their order, until fn returns false
// for a node, whose Kids are left out.
func (n *Node) Walk(fn func(*Node) bool) {
	if n == nil || !fn(n) {
		return
	}
	for _, k := range n.Kids {
		k.Walk(fn)
	}
}
