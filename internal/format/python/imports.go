package python

import "strings"

// importing is an import statement being read.
type importing struct {
	place  Place
	from   bool
	names  bool // of "from x": "import" was read
	module strings.Builder
	level  int
	name   string
	as     string
	wantAs bool
	some   bool
}

// importToken takes a token of an import statement after its first word.
func (w *walker) importToken(t Token) {
	im := w.st.imports
	switch {
	case t.Kind == Op && t.Text == ";":
		w.finish()
		w.begin = true
	case im.from && !im.names:
		im.source(t)
	case t.Kind == Op && t.Text == ",":
		w.importEnd(im)
	case t.Kind == Name && t.Text == "as":
		im.wantAs = true
	case t.Kind == Name && im.wantAs:
		im.as, im.wantAs = t.Text, false
	case t.Kind == Name && im.from, t.Kind == Op && t.Text == "*":
		im.name, im.some = t.Text, true
	case t.Kind == Name, t.Kind == Op && t.Text == ".":
		im.module.WriteString(t.Text)
		im.some = true
	}
}

// source takes a token between "from" and "import".
func (im *importing) source(t Token) {
	switch {
	case t.Kind == Name && t.Text == "import":
		im.names = true
	case t.Kind == Op && im.module.Len() == 0:
		im.level += strings.Count(t.Text, ".")
	case t.Kind == Name, t.Kind == Op && t.Text == ".":
		im.module.WriteString(t.Text)
	}
}

// importEnd tells of the name that was read, if there is one.
func (w *walker) importEnd(im *importing) {
	if !im.some {
		return
	}
	w.tell(&Import{im.place, im.module.String(), im.level, im.name, im.as})
	im.name, im.as, im.some, im.wantAs = "", "", false, false
	if !im.from {
		im.module.Reset()
	}
}
