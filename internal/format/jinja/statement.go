package jinja

// statement reads a tag from its word on, and the blocks that belong to it.
func (p *parser) statement() *Node {
	defer p.deeper()()
	t := p.name()
	switch t.text {
	case "for":
		return p.forLoop(t)
	case "if":
		return p.ifs(t)
	case "set":
		return p.set(t)
	case "macro":
		return p.macro(t)
	case "call":
		return p.callBlock(t)
	case "filter":
		f := p.filters(nil, true)
		return p.node(FilterTag, t, f, p.block("endfilter"))
	case "with":
		return p.with(t)
	case "print":
		return p.node(Output, t, p.list(blockEnd)...)
	case "break", "continue":
		return p.node(Loop, t)
	case "generation":
		return p.node(Region, t, nil, p.block("endgeneration"))
	case "autoescape":
		v := p.expression()
		return p.node(Region, t, v, p.block("endautoescape"))
	case "block", "extends", "include", "import", "from":
		return p.outside(t)
	}
	p.stop(brokenAt(t, "a tag that chat templates do not have"))
	return nil
}

// list reads expressions up to a token.
func (p *parser) list(until kind) []*Node {
	var out []*Node
	for p.err == nil && p.at().kind != until {
		if len(out) > 0 {
			p.expect(operator, ",")
		}
		out = append(out, p.expression())
	}
	return out
}

func (p *parser) forLoop(t token) *Node {
	target := p.target("in")
	p.expect(name, "in")
	iter := p.tuple(plain, "recursive")
	var test, other *Node
	if p.skip(name, "if") {
		test = p.expression()
	}
	t.text = ""
	if p.skip(name, "recursive") {
		t.text = "recursive"
	}
	body := p.block("endfor", "else")
	if p.advance().text == "else" {
		other = p.block("endfor")
	}
	return p.node(For, t, target, iter, test, body, other)
}

func (p *parser) ifs(t token) *Node {
	n := p.node(If, t)
	for p.err == nil {
		test := p.tuple(plain)
		n.Kids = append(n.Kids, test, p.block("elif", "else", "endif"))
		switch p.advance().text {
		case "else":
			n.Kids = append(n.Kids, p.block("endif"))
			return n
		case "endif":
			return n
		}
	}
	return n
}

func (p *parser) set(t token) *Node {
	target := p.target()
	if p.skip(operator, "=") {
		return p.node(Set, t, target, p.tuple(conditional))
	}
	f := p.filters(nil, false)
	return p.node(SetBlock, t, target, f, p.block("endset"))
}

func (p *parser) with(t token) *Node {
	n := p.node(With, t)
	for p.err == nil && p.at().kind != blockEnd {
		if len(n.Kids) > 0 {
			p.expect(operator, ",")
		}
		target := p.target()
		p.expect(operator, "=")
		n.Kids = append(n.Kids, target, p.expression())
	}
	n.Kids = append(n.Kids, p.block("endwith"))
	return n
}

func (p *parser) macro(t token) *Node {
	t.text = p.variable().Text
	params := p.params()
	return p.node(Macro, t, params, p.block("endmacro"))
}

func (p *parser) callBlock(t token) *Node {
	params := p.node(Params, t)
	if p.op("(") {
		params = p.params()
	}
	off := p.at()
	call := p.expression()
	if p.err == nil && call.Kind != Call {
		p.stop(brokenAt(off, "a call block without a call"))
	}
	return p.node(CallBlock, t, params, call, p.block("endcall"))
}

// params reads the parameters of a macro.
func (p *parser) params() *Node {
	n := p.node(Params, p.at())
	p.expect(operator, "(")
	defaults := false
	for p.err == nil && !p.op(")") {
		if len(n.Kids) > 0 {
			p.expect(operator, ",")
		}
		v := p.variable()
		if p.skip(operator, "=") {
			defaults = true
			v = p.node(Keyword, token{off: v.Off, text: v.Text}, p.expression())
		} else if defaults {
			p.fail("a parameter without a default behind one with it")
		}
		n.Kids = append(n.Kids, v)
	}
	p.expect(operator, ")")
	return n
}

// variable reads a name that is assigned to.
func (p *parser) variable() *Node {
	t := p.name()
	if constant(t.text) {
		p.stop(brokenAt(t, "a constant is assigned to"))
	}
	return p.node(Name, t)
}

// target reads what is assigned to: a name, the attribute of a namespace, or a
// tuple of them.
func (p *parser) target(until ...string) *Node {
	off := p.at()
	if off.kind == name && p.ahead[1].text == "." && p.ahead[1].kind == operator {
		object := p.node(Name, p.advance())
		p.advance()
		return p.node(Attr, p.name(), object)
	}
	n := p.tuple(simple, until...)
	if p.err == nil && !assignable(n) {
		p.stop(brokenAt(off, "something is assigned to that cannot be"))
	}
	return n
}

func assignable(n *Node) bool {
	switch n.Kind {
	case Name, Attr:
		return true
	case Tuple:
		for _, k := range n.Kids {
			if !assignable(k) {
				return false
			}
		}
		return true
	}
	return false
}

// outside reads a tag that reaches for other templates.
func (p *parser) outside(t token) *Node {
	switch t.text {
	case "block":
		label := p.node(Name, p.name())
		for p.words("scoped", "required") {
			p.advance()
		}
		n := p.node(Outside, t, label, p.block("endblock"))
		p.skip(name, label.Text)
		return n
	case "extends":
		return p.node(Outside, t, p.expression())
	}
	n := p.node(Outside, t, p.expression())
	for p.err == nil && p.at().kind != blockEnd { // what follows cannot make it harmless
		p.advance()
	}
	return n
}
