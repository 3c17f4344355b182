package lockfile

import (
	"strings"

	"github.com/sallyport/sallyport/internal/lazyregexp"
)

// A request is text that asks for a package, with what stands around it.
type request struct {
	place  Place
	text   string
	groups []string
	direct bool
}

// unreadable returns the request as Unread.
func (q request) unreadable(why Reason, name, wants string) Unread {
	return Unread{Place: q.place, Reason: why, Name: name, Wants: wants, Groups: q.groups, Direct: q.direct}
}

// readRequirements reads the file format of pip: requirements and constraints.
func (r *reader) readRequirements(name string, b []byte) error {
	all := entries(decode(b))
	v := viasOf(all)
	r.madeFrom[name] = append(r.madeFrom[name], v.sources(name)...)
	first := len(r.list.Packages)
	for _, e := range all[1:] {
		q := request{place: Place{name, e.line}, text: e.text, direct: !r.constrains(name) && v.direct(e)}
		if err := r.requirement(q); err != nil {
			return err
		}
	}
	v.connect(r.list.Packages[first:], name, all)
	return nil
}

// requirement reads one line of a requirements file: a requirement, options, or
// one with the other.
func (r *reader) requirement(q request) error {
	// pip takes everything up to the first word that begins with a dash for the
	// requirement, and the rest as a shell would.
	text, rest := q.text, ""
	for at, begin := 0, true; at < len(q.text); at++ {
		if begin && q.text[at] == '-' {
			text, rest = strings.TrimFunc(q.text[:at], space), q.text[at:]
			break
		}
		begin = q.text[at] == ' '
	}
	args, closed := words(rest)
	if !closed {
		r.unread(q.unreadable(Syntax, "", q.text))
		return nil
	}
	given, loose := settings(args, options)
	for _, word := range loose {
		r.unread(q.unreadable(Syntax, "", word))
	}
	var hashes []string
	for _, s := range given {
		if s.does == hashed && hashForm.MatchString(s.value) && text != "" {
			hashes = append(hashes, s.value)
			continue
		}
		if err := r.setting(q, s); err != nil {
			return err
		}
	}
	if text == "" {
		return nil
	}
	q.text = text
	return r.ask(q, hashes)
}

var (
	hashForm     = lazyregexp.New(`^[a-z0-9_]+:[0-9a-fA-F]{16,}$`)
	variableForm = lazyregexp.New(`\$\{[A-Za-z0-9_]+\}`)
)

// setting does what an option says.
func (r *reader) setting(q request, s setting) error {
	switch s.does {
	case harmless:
	case mainIndex, extraIndex:
		if variableForm.MatchString(scrub(s.value)) {
			r.unread(q.unreadable(Variable, "", s.name+" "+s.value))
		}
		r.index(Index{URL: s.value, Extra: s.does == extraIndex, Place: q.place})
	case include, includeConda, constrain:
		if variableForm.MatchString(s.value) {
			r.unread(q.unreadable(Variable, "", s.value))
			return nil
		}
		return r.include(q.place, s.value, s.does)
	case editable:
		q.text = s.value
		return r.editable(q)
	default:
		r.unread(q.unreadable(Option, "", strings.TrimSpace(s.name+" "+s.value)))
	}
	return nil
}
