package python

import "strings"

// A frame is an open bracket, or the statement itself.
type frame struct {
	kind    byte // '(' group, 'c' call, 'd' declaration, 'o' other, 0 statement
	call    *Call
	now     element
	chain   chain
	lambdas int // whose ":" has not come
}

// An element is what stands between two commas.
type element struct {
	kind    elementKind
	keyword string
	text    string
	chain   Chain
	at      Place // of the chain
	calls   []string
	used    bool
}

type elementKind uint8

const (
	nothing elementKind = iota
	chainOnly
	textOnly
	mixed
)

func (e *element) arg() Arg {
	a := Arg{Keyword: e.keyword, Calls: e.calls}
	switch e.kind {
	case textOnly:
		a.Literal, a.Text = true, e.text
	case chainOnly:
		c := e.chain
		a.Chain = &c
	}
	return a
}

// A chain is an operand to which a "." or "(" may still belong.
type chain struct {
	Chain
	at     Place
	open   bool // an operand has just ended
	dot    bool // a "." has come, and the name has not
	plain  bool // it is a name and attributes, so that its end is a Use
	quoted bool // it is a string
	parts  int
}

// expression takes a token of a statement that is not an import.
func (w *walker) expression(t Token) {
	f := w.frame()
	f.now.used = true
	switch t.Kind {
	case Name:
		w.nameToken(t)
	case Number:
		w.operand()
	case String:
		w.stringToken(t)
	case FString:
		w.mix()
		w.open(frame{kind: 'o'})
	case FEnd:
		w.close(t)
	case Op:
		w.opToken(t)
	}
}

// flush ends the operand at hand.
func (w *walker) flush() {
	f := w.frame()
	c := f.chain
	f.chain = chain{}
	if !c.open || c.quoted {
		return
	}
	if c.plain {
		w.tell(&Use{c.at, c.Chain})
	}
	if f.now.kind == nothing && (c.plain || c.On != nil) {
		f.now.kind, f.now.chain, f.now.at = chainOnly, c.Chain, c.at
	} else {
		f.now.kind = mixed
	}
}

// mix ends the operand and says that the element is more than one.
func (w *walker) mix() {
	w.flush()
	w.frame().now.kind = mixed
}

// operand is a value that is neither a name nor a string.
func (w *walker) operand() {
	w.mix()
	w.frame().chain = chain{open: true}
}

func (w *walker) nameToken(t Token) {
	f := w.frame()
	switch {
	case f.chain.dot:
		c := &f.chain
		c.dot, c.open, c.plain, c.quoted = false, true, true, false
		if c.parts++; c.parts < maxChain && len(c.Name)+len(t.Text) < maxName {
			c.Name += "." + t.Text
		}
		if c.at.Line == 0 {
			c.at = w.place(t)
		}
	case w.st.naming && t.Text != "def" && t.Text != "class":
		w.define(t)
	case t.Text == "def" || t.Text == "class":
		w.st.word, w.st.naming = t.Text, true
	case t.Text == "lambda":
		w.mix()
		f.lambdas++
	case t.Text == "if" && w.st.pattern:
		w.mix()
		w.st.pattern = false
	case keywords[t.Text]:
		w.mix()
	case t.Text == "True" || t.Text == "False" || t.Text == "None":
		w.operand()
	default:
		w.flush()
		f.chain = chain{Chain: Chain{Name: t.Text}, at: w.place(t), open: true, plain: true, parts: 1}
	}
}

// define takes the name of a function or class.
func (w *walker) define(t Token) {
	w.st.naming = false
	w.st.decl = true
	w.tell(&Def{w.place(t), t.Text, w.st.word == "class"})
	b := &w.st.inner
	if w.st.word == "def" {
		b.scope = Function
	}
	if b.within != "" {
		b.within += "."
	}
	if len(b.within) < 256 {
		b.within += t.Text
	}
}

func (w *walker) stringToken(t Token) {
	f := w.frame()
	if f.chain.open && !f.chain.quoted {
		w.mix()
	}
	f.chain = chain{open: true, quoted: true}
	switch {
	case f.now.kind == nothing:
		f.now.kind, f.now.text = textOnly, Unquote(t.Text)
	case f.now.kind == textOnly && len(f.now.text) < maxText:
		f.now.text += Unquote(t.Text)
	default:
		f.now.kind = mixed
	}
}

func (w *walker) opToken(t Token) {
	f := w.frame()
	top := len(w.frames) == 1
	switch t.Text {
	case "(", "[", "{":
		w.bracket(t)
	case ")", "]", "}":
		w.close(t)
	case ".":
		if f.chain.quoted {
			f.now.kind = mixed
		}
		if f.chain.plain || f.chain.open {
			f.chain.dot, f.chain.open = true, false
		}
	case ",":
		w.comma()
	case "=":
		w.equals(top)
	case ":":
		switch {
		case f.lambdas > 0:
			f.lambdas--
			w.mix()
		case top && w.st.compound:
			w.header()
		default:
			w.mix()
		}
	case ";":
		if top {
			w.finish()
			w.begin = true
		}
	case "+":
		if w.flush(); f.now.kind != textOnly {
			f.now.kind = mixed
		}
	case "...":
		w.operand()
	default:
		w.mix()
	}
}

// equals makes what stands before "=" a keyword of a call or a target.
func (w *walker) equals(top bool) {
	f := w.frame()
	w.flush()
	e := f.now
	name := ""
	if e.kind == chainOnly && e.chain.On == nil && !strings.Contains(e.chain.Name, ".") {
		name = e.chain.Name
	}
	f.now = element{used: true}
	switch {
	case top && !w.st.compound:
		if name != "" && len(w.st.targets) < maxArgs {
			w.st.targets = append(w.st.targets, target{name, e.at})
		}
	case f.kind == 'c':
		f.now.keyword = name
	}
}

// comma ends an element.
func (w *walker) comma() {
	w.flush()
	f := w.frame()
	if f.lambdas > 0 {
		f.now.kind = mixed
		return
	}
	if f.call != nil {
		f.call.add(f.now)
	}
	f.now = element{used: true}
	if f.kind != 'c' { // a tuple, and no longer the one thing in its brackets
		f.now.kind = mixed
	}
}

func (c *Call) add(e element) {
	if len(c.Args) < maxArgs && (e.used || e.kind != nothing) {
		c.Args = append(c.Args, e.arg())
	}
}

// prune forgets the calls that lie deeper within c than maxHeight, so that what
// is kept is bounded however calls are nested or strung together.
func (c *Call) prune() {
	keep := func(on **Call) {
		if *on != nil && (*on).height >= maxHeight {
			*on = nil
		} else if *on != nil {
			c.height = max(c.height, (*on).height+1)
		}
	}
	keep(&c.On)
	for _, a := range c.Args {
		if a.Chain != nil {
			keep(&a.Chain.On)
		}
	}
}

func (w *walker) open(f frame) { w.frames = append(w.frames, f) }

// bracket opens a call, a subscript or a group.
func (w *walker) bracket(t Token) {
	f := w.frame()
	switch {
	case w.st.decl && len(w.frames) == 1:
		w.st.decl = t.Text == "["
		w.open(frame{kind: 'd'})
	case t.Text == "(" && f.chain.open && !w.st.pattern:
		c := f.chain
		f.chain = chain{}
		if c.at.Line == 0 {
			c.at = w.place(t)
		}
		w.open(frame{kind: 'c', call: &Call{Place: c.at, Chain: c.Chain}})
	case t.Text == "(":
		w.flush()
		w.open(frame{kind: '('})
	default:
		w.mix()
		w.open(frame{kind: 'o'})
	}
}

// close ends a bracket and makes it an operand of what is around it.
func (w *walker) close(t Token) {
	w.flush()
	f := w.frames[len(w.frames)-1]
	w.frames = w.frames[:len(w.frames)-1]
	out := w.frame()
	switch {
	case f.kind == 'c':
		if f.now.kind != nothing {
			f.call.add(f.now)
		}
		w.tell(f.call)
		f.call.prune()
		for _, a := range f.call.Args {
			out.now.within(a.Calls...)
		}
		out.now.within(f.call.Name)
		out.chain = chain{Chain: Chain{On: f.call}, at: f.call.Place, open: true}
		return
	case f.kind == 'd':
		return
	case f.kind == '(' && f.now.kind == chainOnly:
		out.chain = chain{Chain: f.now.chain, at: f.now.at, open: true, parts: 1}
	case f.kind == '(' && f.now.kind == textOnly && (out.now.kind == nothing || out.now.kind == textOnly):
		out.now.kind = textOnly
		if len(out.now.text) < maxText {
			out.now.text += f.now.text
		}
		out.chain = chain{open: true, quoted: true}
	default:
		w.operand()
	}
	out.now.within(f.now.calls...)
}

// within notes calls that the element holds.
func (e *element) within(names ...string) {
	for _, n := range names {
		if len(e.calls) < maxCalls {
			e.calls = append(e.calls, n)
		}
	}
}
