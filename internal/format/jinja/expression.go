package jinja

import "github.com/sallyport/sallyport/internal/format"

func brokenAt(t token, text string) error { return format.Brokenf(int64(t.off), "%s", text) }

// expression reads one with "a if b else c".
func (p *parser) expression() *Node {
	defer p.deeper()()
	n := p.or()
	for links := 0; p.word("if"); links++ {
		t := p.advance()
		p.chain(links)
		cond := p.or()
		var other *Node
		if p.skip(name, "else") {
			other = p.expression()
		}
		n = p.node(Cond, t, n, cond, other)
	}
	return n
}

func (p *parser) or() *Node {
	return p.operands(p.and, func() bool { return p.word("or") })
}

func (p *parser) and() *Node {
	return p.operands(p.not, func() bool { return p.word("and") })
}

// operands reads things with operators between them; those that follow one
// another with the same operator become one node.
func (p *parser) operands(thing func() *Node, between func() bool) *Node {
	n := thing()
	for links := 0; p.err == nil && between(); {
		t := p.advance()
		if t.text == "not" { // "not in"
			p.advance()
			t.text = "not in"
		}
		right := thing()
		if n.Kind == Binary && n.Text == t.text && links > 0 {
			n.Kids = append(n.Kids, right)
			continue
		}
		links++
		p.chain(links)
		n = p.node(Binary, t, n, right)
	}
	return n
}

func (p *parser) not() *Node {
	if !p.word("not") {
		return p.compare()
	}
	defer p.deeper()()
	t := p.advance()
	return p.node(Unary, t, p.not())
}

func (p *parser) compare() *Node {
	return p.operands(p.sum, func() bool {
		switch t := p.at(); t.kind {
		case operator:
			switch t.text {
			case "==", "!=", "<", "<=", ">", ">=":
				return true
			}
		case name:
			return t.text == "in" || t.text == "not" && p.ahead[1] == token{name, p.ahead[1].off, "in"}
		}
		return false
	})
}

func (p *parser) sum() *Node {
	return p.operands(p.concat, func() bool { return p.op("+") || p.op("-") })
}

func (p *parser) concat() *Node {
	return p.operands(p.product, func() bool { return p.op("~") })
}

func (p *parser) product() *Node {
	return p.operands(p.power, func() bool { return p.op("*") || p.op("/") || p.op("//") || p.op("%") })
}

func (p *parser) power() *Node {
	return p.operands(func() *Node { return p.unary(true) }, func() bool { return p.op("**") })
}

// unary reads a primary with its sign and what stands behind it.
func (p *parser) unary(filtered bool) *Node {
	var n *Node
	if p.op("-") || p.op("+") {
		defer p.deeper()()
		t := p.advance()
		n = p.node(Unary, t, p.unary(false))
	} else {
		n = p.primary()
	}
	n = p.postfix(n)
	if filtered {
		n = p.filtered(n)
	}
	return n
}

// primary reads a name, a constant or something in brackets.
func (p *parser) primary() *Node {
	defer p.deeper()()
	t := p.at()
	switch t.kind {
	case name:
		p.advance()
		if constant(t.text) {
			return p.node(Const, lower(t))
		}
		return p.node(Name, t)
	case str:
		p.advance()
		for p.at().kind == str { // written one behind the other they are one
			t.text += p.advance().text
		}
		return p.node(Str, t)
	case integer, float:
		return p.node(Num, p.advance())
	case operator:
		switch t.text {
		case "(":
			p.advance()
			n := p.tuple(conditional | empty)
			p.expect(operator, ")")
			return n
		case "[":
			return p.bracketed(List, "]", p.expression)
		case "{":
			return p.dict()
		}
	}
	p.fail("no value where one must be")
	return p.node(Const, token{off: t.off})
}

// bracketed reads things with commas between them, of which the last may have
// one too, and their brackets.
func (p *parser) bracketed(k Kind, closing string, thing func() *Node) *Node {
	n := p.node(k, token{off: p.advance().off})
	for p.err == nil && !p.op(closing) {
		if len(n.Kids) > 0 {
			p.expect(operator, ",")
			if p.op(closing) {
				break
			}
		}
		n.Kids = append(n.Kids, thing())
	}
	p.expect(operator, closing)
	return n
}

func (p *parser) dict() *Node {
	pairs := p.bracketed(Dict, "}", func() *Node {
		key := p.expression()
		p.expect(operator, ":")
		return p.node(Tuple, token{off: key.Off}, key, p.expression())
	})
	var kids []*Node
	for _, pair := range pairs.Kids {
		kids = append(kids, pair.Kids...)
	}
	pairs.Kids = kids
	return pairs
}

// How the parts of a tuple may look.
const (
	plain       = 1 << iota // without "a if b else c"
	conditional             // any expression
	simple                  // names only, to be assigned to
	empty                   // in brackets: there may be none
)

// tuple reads expressions with commas between them. One without a comma is
// itself.
func (p *parser) tuple(how int, until ...string) *Node {
	defer p.deeper()()
	start := p.at()
	part := p.expression
	switch {
	case how&plain != 0:
		part = p.or
	case how&simple != 0:
		part = p.assigned
	}
	var parts []*Node
	comma := false
	for p.err == nil {
		if len(parts) > 0 {
			p.expect(operator, ",")
		}
		if k := p.at().kind; k == varEnd || k == blockEnd || p.op(")") || p.words(until...) {
			break
		}
		parts = append(parts, part())
		if !p.op(",") {
			break
		}
		comma = true
	}
	if !comma {
		if len(parts) > 0 {
			return parts[0]
		}
		if how&empty == 0 {
			p.fail("no value where one must be")
		}
	}
	return p.node(Tuple, token{off: start.off}, parts...)
}

// assigned reads one part of a target.
func (p *parser) assigned() *Node {
	n := p.primary()
	if n.Kind == Name && p.op(".") {
		p.advance()
		return p.node(Attr, p.name(), n)
	}
	return n
}

// postfix reads attributes, subscripts and calls behind n.
func (p *parser) postfix(n *Node) *Node {
	for links := 0; p.err == nil; links++ {
		p.chain(links)
		switch {
		case p.op("."):
			p.advance()
			n = p.attribute(n)
		case p.op("["):
			n = p.subscript(n)
		case p.op("("):
			n = p.call(n)
		default:
			return n
		}
	}
	return n
}

func (p *parser) attribute(n *Node) *Node {
	t := p.at()
	switch t.kind {
	case name:
		return p.node(Attr, p.advance(), n)
	case integer:
		return p.node(Item, token{off: t.off}, n, p.node(Num, p.advance()))
	}
	p.fail("neither a name nor a number behind a dot")
	return n
}

func (p *parser) subscript(n *Node) *Node {
	t := p.advance()
	var parts []*Node
	for p.err == nil && !p.op("]") {
		if len(parts) > 0 {
			p.expect(operator, ",")
		}
		parts = append(parts, p.index())
	}
	p.expect(operator, "]")
	t.text = ""
	index := p.node(Tuple, t, parts...)
	if len(parts) == 1 {
		index = parts[0]
	}
	return p.node(Item, t, n, index)
}

// index reads an index or a slice.
func (p *parser) index() *Node {
	t := token{off: p.at().off}
	var parts [3]*Node
	if !p.op(":") {
		parts[0] = p.expression()
		if !p.op(":") {
			return parts[0]
		}
	}
	for i := 1; i < 3 && p.skip(operator, ":"); i++ {
		if !p.op(":") && !p.op("]") && !p.op(",") {
			parts[i] = p.expression()
		}
	}
	return p.node(Slice, t, parts[:]...)
}

func (p *parser) call(callee *Node) *Node {
	t := token{off: p.at().off}
	return p.node(Call, t, append([]*Node{callee}, p.arguments()...)...)
}

// arguments reads those of a call, from its bracket on.
func (p *parser) arguments() []*Node {
	var keyword, spread, spread2 bool
	args := p.bracketed(Tuple, ")", func() *Node {
		t := p.at()
		switch {
		case p.op("*"):
			p.unless(spread || spread2)
			spread = true
			p.advance()
			return p.node(Spread, t, p.expression())
		case p.op("**"):
			p.unless(spread2)
			spread2 = true
			p.advance()
			return p.node(Spread, t, p.expression())
		case t.kind == name && p.ahead[1].kind == operator && p.ahead[1].text == "=":
			p.unless(spread2)
			keyword = true
			p.advance()
			p.advance()
			return p.node(Keyword, t, p.expression())
		}
		p.unless(keyword || spread || spread2)
		return p.expression()
	})
	return args.Kids
}

func (p *parser) unless(wrong bool) {
	if wrong {
		p.fail("an argument where its kind may not stand")
	}
}

// filtered reads filters, tests and calls behind n.
func (p *parser) filtered(n *Node) *Node {
	for links := 0; p.err == nil; links++ {
		p.chain(links)
		switch {
		case p.op("|"):
			n = p.filters(n, false)
		case p.word("is"):
			n = p.test(n)
		case p.op("("):
			n = p.call(n)
		default:
			return n
		}
	}
	return n
}

// filters reads filters behind n; the first without its bar where it stands in
// a filter block.
func (p *parser) filters(n *Node, inline bool) *Node {
	for links := 0; p.err == nil && (inline || p.op("|")); links++ {
		p.chain(links)
		if !inline {
			p.advance()
		}
		inline = false
		t := p.dotted()
		kids := []*Node{n}
		if p.op("(") {
			kids = append(kids, p.arguments()...)
		}
		n = p.node(Filter, t, kids...)
	}
	return n
}

// dotted reads a name that may have dots.
func (p *parser) dotted() token {
	t := p.name()
	for links := 0; p.err == nil && p.op("."); links++ {
		p.chain(links)
		p.advance()
		t.text += "." + p.name().text
	}
	return t
}

func (p *parser) test(n *Node) *Node {
	is := p.advance()
	negated := p.skip(name, "not")
	t := p.dotted()
	kids := []*Node{n}
	switch next := p.at(); {
	case p.op("("):
		kids = append(kids, p.arguments()...)
	case next.kind == str || next.kind == integer || next.kind == float || p.op("[") || p.op("{") || next.kind == name && !p.words("else", "or", "and"):
		if p.word("is") {
			p.fail("tests behind one another")
		}
		kids = append(kids, p.postfix(p.primary()))
	}
	n = p.node(Test, t, kids...)
	if negated {
		n = p.node(Unary, token{off: is.off, text: "not"}, n)
	}
	return n
}
