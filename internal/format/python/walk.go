package python

// Walk tells see of the facts in src, which Source has checked, in the order in
// which they end. It returns see's first error or a *format.Error, and has told
// everything that came before.
func Walk(src string, see func(Fact) error) error { return walk(NewLexer(src), see) }

// WalkCell is Walk for a cell of a notebook, which may hold lines for IPython.
func WalkCell(src string, see func(Fact) error) error {
	l := NewLexer(src)
	l.Magics = true
	return walk(l, see)
}

func walk(l *Lexer, see func(Fact) error) error {
	w := &walker{lex: l, see: see, frames: []frame{{}}, blocks: []block{{}}, begin: true}
	for {
		t, err := w.lex.Next()
		if err == nil {
			if t.Kind == End {
				return w.err
			}
			w.step(t)
			err = w.err
		}
		if err != nil {
			for len(w.frames) > 1 { // what the broken statement began to call
				w.close(Token{})
			}
			return err
		}
	}
}

// A walker holds what is open: brackets, blocks, and the statement at hand.
type walker struct {
	lex    *Lexer
	see    func(Fact) error
	err    error
	frames []frame // brackets; the first is the statement itself
	blocks []block // the last is that of the statement
	begin  bool    // a statement begins with the next token
	st     statement
}

// A block is an indented part of the file.
type block struct {
	scope  Scope
	within string
	match  bool // its statements are cases
}

// A statement is the one being read.
type statement struct {
	word     string // the keyword that it begins with, or ""
	compound bool   // a ":" ends its header
	decl     bool   // brackets that follow are the parameters of a def or class
	naming   bool   // the next name is the one defined
	pattern  bool   // brackets are a pattern of a case
	inner    block  // of the statements in its body
	targets  []target
	imports  *importing
	main     uint8 // tokens of `__name__ == "__main__"` seen
	inline   bool  // it stands behind the ":" of a header
	later    bool  // it does not begin its line
}

type target struct {
	name string
	at   Place
}

func (w *walker) tell(f Fact) {
	if w.err == nil {
		w.err = w.see(f)
	}
}

func (w *walker) block() *block { return &w.blocks[len(w.blocks)-1] }

func (w *walker) frame() *frame { return &w.frames[len(w.frames)-1] }

func (w *walker) place(t Token) Place {
	b := w.block()
	return Place{t.Off, t.Line, t.Col, b.scope, b.within}
}

// step takes the next token.
func (w *walker) step(t Token) {
	switch t.Kind {
	case Indent:
		w.blocks = append(w.blocks, w.st.inner)
		w.begin = true
		return
	case Dedent:
		w.blocks = w.blocks[:len(w.blocks)-1]
		w.st = statement{inner: *w.block()}
		w.begin = true
		return
	case Newline:
		w.finish()
		w.st.later = false
		if w.st.inline {
			w.blocks = w.blocks[:len(w.blocks)-1]
			w.st = statement{inner: *w.block()}
		}
		w.begin = true
		return
	}
	if w.begin {
		w.start(t)
		if w.st.imports != nil || w.st.word == "@" || w.st.word == "match" || w.st.word == "case" {
			return
		}
	}
	if w.st.imports != nil {
		w.importToken(t)
		return
	}
	if t.Kind == Magic {
		w.tell(&Line{w.place(t), t.Text})
		return
	}
	w.mainToken(t)
	w.expression(t)
}

// start looks at the first token of a statement.
func (w *walker) start(t Token) {
	w.begin = false
	inline, later := w.st.inline, w.st.later
	outer := *w.block()
	w.st = statement{inner: block{scope: outer.scope, within: outer.within}, inline: inline}
	*w.frame() = frame{}
	if t.Kind == Op && t.Text == "@" {
		w.st.word = "@"
	}
	if t.Kind != Name {
		return
	}
	switch t.Text {
	case "import", "from":
		w.st.imports = &importing{from: t.Text == "from", place: w.place(t)}
	case "def", "class", "async", "if", "elif", "else", "for", "while", "try", "except", "finally", "with":
		w.st.word, w.st.compound = t.Text, true
	case "match":
		w.st.compound = !inline && !later && w.isMatch()
		w.soft(w.st.compound, t.Text)
		w.st.inner.match = w.st.compound
	case "case":
		w.st.compound = outer.match
		w.st.pattern = outer.match
		w.soft(outer.match, t.Text)
	}
	w.st.naming = t.Text == "def" || t.Text == "class"
}

// soft makes a name that is a keyword in this place only the statement's word.
func (w *walker) soft(is bool, word string) {
	if is {
		w.st.word = word
	}
}

// finish ends a simple statement or a header whose body comes indented.
func (w *walker) finish() {
	if im := w.st.imports; im != nil {
		w.importEnd(im)
		w.st.imports = nil
		w.st.later = true
		return
	}
	w.flush()
	e := w.frame().now
	if c := e.chain; w.st.word == "@" && e.kind == chainOnly && c.On == nil {
		w.tell(&Call{Place: e.at, Chain: c, Decorator: true})
	}
	if len(w.st.targets) > 0 && (e.kind == chainOnly || e.kind == textOnly) {
		for _, target := range w.st.targets {
			w.tell(&Alias{target.at, target.name, e.arg()})
		}
	}
	w.st.targets = nil
	w.st.word = ""
	w.st.later = true
	*w.frame() = frame{}
}

// header ends the header of a compound statement at its colon. The statements
// after it, on its line or indented, are in the block that it opens.
func (w *walker) header() {
	w.flush()
	if w.st.main == 3 {
		w.st.inner.scope = max(w.st.inner.scope, Script)
	}
	inner := w.st.inner
	inline := w.st.inline
	*w.frame() = frame{}
	next, err := w.lex.clone().Next()
	if err != nil || next.Kind == Newline {
		w.st = statement{inner: inner, inline: inline}
		return
	}
	if inline {
		*w.block() = inner
	} else {
		w.blocks = append(w.blocks, inner)
	}
	w.st = statement{inner: inner, inline: true}
	w.begin = true
}

// mainToken follows a statement for as long as it is
// `if __name__ == "__main__":` and nothing else.
func (w *walker) mainToken(t Token) {
	if w.st.word != "if" {
		return
	}
	switch {
	case t.Kind == Name && t.Text == "if", t.Kind == Op && (t.Text == ":" || t.Text == "(" || t.Text == ")"):
	case w.st.main == 0 && t.Kind == Name && t.Text == "__name__":
		w.st.main = 1
	case w.st.main == 1 && t.Kind == Op && t.Text == "==":
		w.st.main = 2
	case w.st.main == 2 && t.Kind == String && Unquote(t.Text) == "__main__":
		w.st.main = 3
	default:
		w.st.main = 9
	}
}

// isMatch reports whether "match", which was just read, is a keyword: whether
// an operand follows and the logical line ends in a colon.
func (w *walker) isMatch() bool {
	ahead := w.lex.clone()
	first, err := ahead.Next()
	if err != nil || first.Kind == Newline || first.Kind == Op && !isOp("( [ { - * ~ ...", first.Text) || first.Kind == Name && keywords[first.Text] && first.Text != "not" && first.Text != "await" && first.Text != "lambda" {
		return false
	}
	last := first
	for t := first; ; {
		if t.Kind == Newline || t.Kind == End {
			return last.Kind == Op && last.Text == ":"
		}
		last = t
		if t, err = ahead.Next(); err != nil {
			return false
		}
	}
}
