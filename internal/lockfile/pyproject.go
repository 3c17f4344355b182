package lockfile

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/format/toml"
	"github.com/sallyport/sallyport/internal/pep508"
)

// A declaration is a file in TOML in which a project says what it wants.
type declaration struct {
	r       *reader
	name    string
	lines   tomlLines
	project string         // its own name, normalised
	sources map[string]any // of packages, by normalised name, as uv has them
	err     error          // a limit
}

// readPyproject reads a project's declaration: as PEP 621 and PEP 735 have it,
// and the tables of the tools that came before them or go beyond.
func (r *reader) readPyproject(name string, b []byte) error {
	root, d, err := r.declaration(name, b)
	if err != nil {
		return err
	}
	project := d.table(root, "project")
	d.project = pep508.Normal(textOf(project["name"]))
	for source, value := range d.table(root, "tool", "uv", "sources") {
		d.sources[pep508.Normal(source)] = value
	}
	d.list(d.table(root, "build-system")["requires"], "build-system.requires", []string{buildGroup}, false)
	d.list(project["dependencies"], "project.dependencies", nil, true)
	d.lists(d.table(project, "optional-dependencies"), "project.optional-dependencies")
	if err := d.dynamic(root, project); err != nil {
		return err
	}
	d.groups(d.table(root, "dependency-groups"))
	d.poetry(d.table(root, "tool", "poetry"))
	d.tools(root)
	return d.err
}

func (r *reader) declaration(name string, b []byte) (map[string]any, *declaration, error) {
	var root map[string]any
	text := []byte(decode(b))
	if _, err := toml.Decode(text, "", &root); err != nil {
		return nil, nil, broken(name, text, err)
	}
	return root, &declaration{r: r, name: name, lines: linesOfTOML(string(text)), sources: map[string]any{}}, nil
}

// table returns a table within tables; one that is not there is empty.
func (d *declaration) table(root map[string]any, keys ...string) map[string]any {
	for i, k := range keys {
		v, ok := root[k]
		if root, _ = v.(map[string]any); root == nil {
			if ok {
				d.odd(Place{d.name, d.lines.take(keys[:i+1]...)}, "", nil)
			}
			return nil
		}
	}
	return root
}

// many returns the items of a list, or of tables [[key]].
func many(v any) (items []any, ok bool) {
	if tables, ok := v.([]map[string]any); ok {
		for _, t := range tables {
			items = append(items, t)
		}
		return items, true
	}
	items, ok = v.([]any)
	return items, ok
}

func textOf(v any) string {
	s, _ := v.(string)
	return s
}

// list reads a list of requirements. at is its key.
func (d *declaration) list(v any, at string, groups []string, direct bool) {
	items, ok := many(v)
	if !ok && v != nil {
		d.odd(Place{d.name, d.lines.take(at)}, "", groups)
	}
	for _, item := range items {
		s, ok := item.(string)
		q := request{place: Place{d.name, d.lines.take(at, s)}, text: s, groups: groups, direct: direct}
		if !ok {
			d.odd(q.place, "", groups)
			continue
		}
		d.requirement(q)
	}
}

// lists reads tables of lists, the keys of which are groups.
func (d *declaration) lists(lists map[string]any, at string) {
	for _, group := range slices.Sorted(maps.Keys(lists)) {
		d.list(lists[group], at+"."+group, []string{pep508.Normal(group)}, true)
	}
}

// odd notes what is not of the kind that its key should have.
func (d *declaration) odd(at Place, name string, groups []string) {
	d.r.unread(Unread{Place: at, Reason: Syntax, Name: name, Groups: groups, Direct: true})
}

// requirement reads one requirement of PEP 508, and looks up where uv is told to
// take it from.
func (d *declaration) requirement(q request) {
	req, err := pep508.Parse(q.text)
	if err == nil && req.Name == d.project && req.URL == "" {
		return // extras of its own, which stand in the same file
	}
	if v, ok := d.sources[req.Name]; ok && err == nil {
		u := q.unreadable(Range, req.Name, req.Wants)
		u.Marker = req.When
		if d.source(u, v) {
			return
		}
	}
	d.err = cmp.Or(d.err, d.r.ask(q, nil))
}

// source takes a requirement from where uv's table says, and reports whether it
// did: an index only delivers what the requirement asks for.
func (d *declaration) source(u Unread, v any) bool {
	options, ok := many(v)
	if !ok {
		options = []any{v}
	}
	taken := false
	for _, option := range options {
		t, _ := option.(map[string]any)
		o := u
		if when := textOf(t["marker"]); when != "" {
			o.Marker = when
		}
		switch {
		case textOf(t["git"]) != "":
			o.Reason, o.Wants = VCS, textOf(t["git"])
		case textOf(t["url"]) != "":
			o.Reason, o.Wants = URL, textOf(t["url"])
		case textOf(t["path"]) != "":
			o.Reason, o.Wants = Path, textOf(t["path"])
		case t["workspace"] == true:
			o.Reason, o.Wants = Path, "a member of the workspace"
		case textOf(t["index"]) != "":
			continue
		default:
			o.Reason = Syntax
		}
		d.r.unread(o)
		taken = true
	}
	return taken
}

// groups reads the dependency groups of PEP 735. What one group includes of
// another is of both.
func (d *declaration) groups(groups map[string]any) {
	includedBy := map[string][]string{}
	names := map[string]bool{}
	for name := range groups {
		names[pep508.Normal(name)] = true
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		items, _ := many(groups[name])
		for _, item := range items {
			t, _ := item.(map[string]any)
			if textOf(t["include-group"]) == "" {
				continue
			}
			other := pep508.Normal(textOf(t["include-group"]))
			if !names[other] {
				d.r.unread(Unread{Place: Place{d.name, d.lines.take("dependency-groups", name)}, Reason: Missing, Wants: other, Groups: []string{pep508.Normal(name)}})
			}
			includedBy[other] = append(includedBy[other], pep508.Normal(name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		items, ok := many(groups[name])
		if !ok {
			d.odd(Place{d.name, d.lines.take("dependency-groups", name)}, "", []string{pep508.Normal(name)})
			continue
		}
		items = slices.DeleteFunc(slices.Clone(items), func(item any) bool {
			t, ok := item.(map[string]any)
			return ok && textOf(t["include-group"]) != "" // done above
		})
		d.list(items, "dependency-groups."+name, closure(pep508.Normal(name), includedBy), true)
	}
}

// closure returns a group and all that include it, however far up.
func closure(group string, includedBy map[string][]string) []string {
	all := []string{group}
	for i := 0; i < len(all); i++ {
		for _, by := range includedBy[all[i]] {
			if !slices.Contains(all, by) {
				all = append(all, by)
			}
		}
	}
	slices.Sort(all)
	return all
}

// dynamic reads what the project leaves to its build backend to find out.
func (d *declaration) dynamic(root, project map[string]any) error {
	fields, _ := project["dynamic"].([]any)
	setuptools := d.table(root, "tool", "setuptools", "dynamic")
	for _, field := range fields {
		key := textOf(field)
		if key != "dependencies" && key != "optional-dependencies" {
			continue
		}
		at := Place{d.name, d.lines.take("project.dynamic", key)}
		files, ok := filesOf(setuptools[key], key)
		if !ok {
			// setup.cfg or setup.py beside it, or code of the backend.
			d.r.unread(Unread{Place: at, Reason: Syntax, Wants: key + " that the build finds out", Direct: true})
		}
		for _, f := range files {
			if err := d.r.include(at, f, include); err != nil {
				return err
			}
		}
	}
	return nil
}

// filesOf returns the files that setuptools is told to read a field from.
func filesOf(v any, key string) (files []string, ok bool) {
	t, _ := v.(map[string]any)
	parts := []any{t}
	if key == "optional-dependencies" {
		parts = parts[:0]
		for _, group := range slices.Sorted(maps.Keys(t)) {
			parts = append(parts, t[group])
		}
	}
	for _, part := range parts {
		t, _ := part.(map[string]any)
		switch f := t["file"].(type) {
		case string:
			for name := range strings.SplitSeq(f, ",") {
				files = append(files, strings.TrimSpace(name))
			}
		case []any:
			for _, name := range f {
				files = append(files, textOf(name))
			}
		default:
			return nil, false
		}
	}
	return files, len(files) > 0
}
