package lockfile

import (
	_ "embed"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/sallyport/sallyport/internal/format/outline"
	"github.com/sallyport/sallyport/internal/lazyregexp"
	"github.com/sallyport/sallyport/internal/pep440"
	"github.com/sallyport/sallyport/internal/pep508"
)

// condaNames says what packages of conda are that are not called as on the
// Python package index. It was made by hand.
//
// The list cannot be complete: anybody may publish a channel. A package that is
// neither in it nor in the lock's own account of what it is (which only pixi
// writes) is checked under its own name, and Package.Conda tells so. A native
// library that is missing in the list is thus compared with a name that it does
// not have, which finds nothing or too much; a Python package under another name
// that is missing is not found.
//
//go:embed conda.txt
var condaNames string

// native stands for no package of Python at all.
const native = "-"

// condaTable holds the names, and patterns of those that are native.
type condaTable struct {
	names    map[string]string
	patterns []string
}

var condaPackages = sync.OnceValue(func() condaTable {
	t := condaTable{names: map[string]string{}}
	for line := range strings.Lines(condaNames) {
		switch name, other, _ := strings.Cut(strings.TrimSpace(line), " "); {
		case name == "#":
		case strings.ContainsAny(name, "*["):
			t.patterns = append(t.patterns, name)
		default:
			t.names[name] = other
		}
	}
	return t
})

// onIndex returns the name that a package of conda has on the Python package
// index, or "" if it is no package of Python.
func onIndex(name string) string {
	name = strings.ToLower(name)
	table := condaPackages()
	if other, ok := table.names[name]; ok {
		return strings.TrimPrefix(other, native)
	}
	if slices.ContainsFunc(table.patterns, func(pattern string) bool { ok, _ := path.Match(pattern, name); return ok }) {
		return ""
	}
	return pep508.Normal(name)
}

// conda takes a package of a conda channel. p.Name is the channel's name for it.
func (r *reader) conda(p Package) {
	p.Conda = true
	name := onIndex(p.Name)
	if name == "" {
		r.refuse(p, Native, strings.TrimSpace(p.Name+" "+p.Version))
		return
	}
	p.Name = name
	r.locked(p)
}

// environmentSign is what every declaration for conda has.
var environmentSign = lazyregexp.New(`(?m)^["']?dependencies["']?[ \t]*:`)

// readEnvironment reads a declaration for conda: environment.yml.
func (r *reader) readEnvironment(name string, b []byte) error {
	root, err := outline.Parse(b)
	if err != nil {
		return broken(name, b, err)
	}
	dependencies := root.Get("dependencies")
	if dependencies == nil {
		return broken(name, b, errNoDependencies)
	}
	if channels := root.Get("channels"); channels != nil {
		for _, c := range channels.Nodes {
			if c.Text != "" && c.Text != "nodefaults" {
				r.index(Index{URL: channelName(c.Text), Place: Place{name, c.Line}})
			}
		}
	}
	if dependencies.Kind != outline.List && !dependencies.Null() {
		return broken(name, b, errNoDependencies)
	}
	for i := range dependencies.Nodes {
		if err := r.environmentItem(name, &dependencies.Nodes[i]); err != nil {
			return err
		}
	}
	return nil
}

// environmentItem reads an item of the dependencies: a package of a channel, or
// those of pip.
func (r *reader) environmentItem(name string, n *outline.Node) error {
	switch {
	case n.Null():
	case n.Kind == outline.Text:
		r.matchSpec(request{place: Place{name, n.Line}, text: n.Text, direct: true})
	case n.Kind == outline.Map:
		for _, m := range n.Nodes {
			if m.Key != "pip" || m.Kind != outline.List {
				r.unread(Unread{Place: Place{name, m.Line}, Reason: Syntax, Wants: m.Key, Direct: true})
				continue
			}
			for _, item := range m.Nodes {
				if err := r.environmentPip(Place{name, item.Line}, item); err != nil {
					return err
				}
			}
		}
	default:
		r.unread(Unread{Place: Place{name, n.Line}, Reason: Syntax, Direct: true})
	}
	return nil
}

// environmentPip reads an item that conda writes into a requirements file.
func (r *reader) environmentPip(place Place, item outline.Node) error {
	if item.Kind != outline.Text {
		r.unread(Unread{Place: place, Reason: Syntax, Direct: true})
		return nil
	}
	for _, e := range entries(item.Text)[1:] {
		if err := r.requirement(request{place: place, text: e.text, direct: true}); err != nil {
			return err
		}
	}
	return nil
}

// A match specification is channel::name version build, with white space or "="
// between the last, or with fields in brackets.
var (
	specForm    = lazyregexp.New(`^([A-Za-z0-9_.-]+?)\s*(?:([<>=!~\s][^\[\]]*))?(?:\[(.*)\])?$`)
	bracketForm = lazyregexp.New(`^\s*(version|build|build_number|channel|subdir|md5|sha256|url|fn|license|license_family)\s*=\s*(?:'([^']*)'|"([^"]*)"|([^,'"]*))\s*(?:,|$)`)
	subdirForm  = lazyregexp.New(`/(?:noarch|(?:linux|osx|win|emscripten|wasi|freebsd)-[a-z0-9]+)$`)
)

// matchSpec reads what a person asks of a conda channel, or what conda lists.
func (r *reader) matchSpec(q request) {
	text, _, _ := strings.Cut(strings.TrimSpace(q.text), " #")
	channel := ""
	if at := strings.LastIndex(text, "::"); at >= 0 {
		channel, text = text[:at], text[at+2:]
	} else if strings.Contains(text, "://") {
		r.condaURL(q, text)
		return
	}
	m := specForm.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		r.unread(q.unreadable(Syntax, "", q.text))
		return
	}
	p := Package{Name: m[1], Place: q.place, Groups: q.groups, Direct: q.direct, Source: Source{Index: channelName(channel)}}
	fields, ok := bracketed(m[3])
	switch url := fields["url"]; {
	case !ok:
		r.unread(q.unreadable(Syntax, "", q.text))
		return
	case url != "":
		r.condaURL(q, url)
		return
	}
	if c := fields["channel"]; c != "" {
		p.Source.Index = channelName(c)
	}
	if sum := fields["sha256"]; sum != "" {
		p.Hashes = []string{"sha256:" + sum}
	}
	wants := strings.TrimSpace(m[2])
	if v := fields["version"]; v != "" {
		wants = v
		if _, err := pep440.Parse(v); err == nil {
			wants = "==" + v
		}
	}
	r.condaWish(p, wants)
}

// bracketed reads the fields in brackets.
func bracketed(s string) (fields map[string]string, ok bool) {
	fields = map[string]string{}
	for s != "" {
		m := bracketForm.FindStringSubmatch(s)
		if m == nil {
			return nil, false
		}
		fields[m[1]] = m[2] + m[3] + strings.TrimSpace(m[4])
		s = s[len(m[0]):]
	}
	return fields, true
}

// condaWish takes a package of a channel if one version of it is wanted.
func (r *reader) condaWish(p Package, wants string) {
	version, build, exact := condaExact(wants)
	name := onIndex(p.Name)
	switch p.Conda = true; {
	case exact && strings.HasPrefix(build, "pypi_"):
		// Conda lists what pip has installed as if of a channel of that name.
		p.Version, p.Conda = version, false
		p.Name = pep508.Normal(p.Name)
		r.locked(p)
	case exact:
		p.Version = version
		r.conda(p)
	case name == "":
		r.refuse(p, Native, strings.TrimSpace(p.Name+" "+wants))
	default:
		p.Name = name
		if wants == "" || wants == "*" {
			r.refuse(p, Unpinned, "")
		} else {
			r.refuse(p, Range, wants)
		}
	}
}

// condaExact returns the one version that a match specification allows. A single
// "=" allows whatever begins with the version, unless the build follows: then
// somebody has listed what was installed.
func condaExact(wants string) (version, build string, exact bool) {
	rest, twice := strings.CutPrefix(wants, "==")
	if !twice {
		rest = strings.TrimPrefix(wants, "=")
	}
	version, build, _ = strings.Cut(strings.Join(strings.Fields(rest), "="), "=")
	exact = version != "" && !strings.ContainsAny(version+build, "*,|<>!~=") && (twice || build != "")
	return version, build, exact
}
