package jinja

import (
	"strings"
	"unicode/utf8"

	"github.com/sallyport/sallyport/internal/format"
)

// Parse reads a template. What is wrong with it is a *format.Error with the byte
// of the template.
func Parse(src string) (*Node, error) {
	if len(src) > MaxSize {
		return nil, format.Exceededf(MaxSize, "a template is longer than %d bytes", MaxSize)
	}
	if !utf8.ValidString(src) {
		return nil, format.Brokenf(0, "a template is not UTF-8")
	}
	p := &parser{lex: lexer{src: src}}
	for range p.ahead {
		p.advance()
	}
	root := p.body()
	if p.err == nil && p.at().kind != end {
		p.fail("a tag that nothing began")
	}
	if p.err != nil {
		return nil, p.err
	}
	return root, nil
}

// A parser follows parser.py of Jinja2, one method for each of its rules. After
// the first error all tokens are the end, so that every loop ends.
type parser struct {
	lex   lexer
	ahead [2]token
	err   error
	nodes int
	depth int
}

func (p *parser) at() token { return p.ahead[0] }

// advance moves one token on and returns the one that it leaves.
func (p *parser) advance() token {
	t := p.ahead[0]
	p.ahead[0] = p.ahead[1]
	p.ahead[1] = token{kind: end, off: len(p.lex.src)}
	if p.err != nil {
		p.ahead[0] = p.ahead[1]
		return t
	}
	next, err := p.lex.next()
	if err != nil {
		// What stands before it is read first: the end is where it comes to light.
		p.stop(err)
		return t
	}
	p.ahead[1] = next
	return t
}

// stop ends the reading.
func (p *parser) stop(err error) {
	if p.err == nil {
		p.err = err
	}
	p.ahead = [2]token{{kind: end}, {kind: end}}
}

func (p *parser) fail(text string) {
	p.stop(format.Brokenf(int64(p.at().off), "%s", text))
}

func (p *parser) is(k kind, text string) bool { return p.at().kind == k && p.at().text == text }

// op and word report whether the next token is an operator or a name.
func (p *parser) op(text string) bool   { return p.is(operator, text) }
func (p *parser) word(text string) bool { return p.is(name, text) }

func (p *parser) words(words ...string) bool {
	for _, w := range words {
		if p.word(w) {
			return true
		}
	}
	return false
}

// skip moves over a token if it is the next.
func (p *parser) skip(k kind, text string) bool {
	ok := p.is(k, text)
	if ok {
		p.advance()
	}
	return ok
}

// expect moves over a token that must be the next.
func (p *parser) expect(k kind, text string) {
	if !p.skip(k, text) {
		p.fail("something else than what must stand here")
	}
}

// name moves over any name.
func (p *parser) name() token {
	if p.at().kind != name {
		p.fail("no name where one must be")
	}
	return p.advance()
}

// node makes one.
func (p *parser) node(k Kind, t token, kids ...*Node) *Node {
	if p.nodes++; p.nodes > maxNodes {
		p.stop(format.Exceededf(int64(t.off), "a template has more than %d parts", maxNodes))
	}
	return &Node{Kind: k, Off: t.off, Text: t.text, Kids: kids}
}

// deeper guards what calls itself.
func (p *parser) deeper() func() {
	if p.depth++; p.depth > maxDepth {
		p.stop(format.Exceededf(int64(p.at().off), "a template is nested more than %d deep", maxDepth))
	}
	return func() { p.depth-- }
}

// chain guards what is as deep as a chain is long.
func (p *parser) chain(n int) {
	if n > maxChain {
		p.stop(format.Exceededf(int64(p.at().off), "an expression is a chain of more than %d links", maxChain))
	}
}

// body reads text and tags up to a tag that is one of the words.
func (p *parser) body(until ...string) *Node {
	defer p.deeper()()
	body := p.node(Body, token{off: p.at().off})
	for p.err == nil {
		switch t := p.at(); t.kind {
		case end:
			if len(until) > 0 {
				p.fail("a block without an end")
			}
			return body
		case data:
			p.advance()
		case varBegin:
			p.advance()
			body.Kids = append(body.Kids, p.node(Output, t, p.tuple(conditional)))
			p.expect(varEnd, "")
		default:
			p.advance()
			if p.words(until...) {
				return body
			}
			if s := p.statement(); s != nil {
				body.Kids = append(body.Kids, s)
			}
			p.expect(blockEnd, "")
		}
	}
	return body
}

// block reads the body of a statement up to its end tag, whose word it leaves if
// there are several.
func (p *parser) block(until ...string) *Node {
	p.skip(operator, ":")
	p.expect(blockEnd, "")
	b := p.body(until...)
	if len(until) == 1 {
		p.advance()
	}
	return b
}

// constant reports whether a name stands for a value of the language.
func constant(s string) bool {
	switch s {
	case "true", "false", "none", "True", "False", "None":
		return true
	}
	return false
}

// lower is the one spelling of a constant.
func lower(t token) token {
	t.text = strings.ToLower(t.text)
	return t
}
