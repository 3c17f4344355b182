package lockfile

import (
	"path"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/lazyregexp"
	"github.com/sallyport/sallyport/internal/pep508"
)

// Tools that compile a requirements file note in comments what it was made from
// and who needs each entry:
//
//	#    pip-compile --output-file=requirements.txt requirements.in
//	flask==3.0.0
//	    # via
//	    #   -r requirements.in
//	    #   flask-login

// vias are these comments.
type vias struct {
	header   []string
	any      bool            // some entry says who needs it
	compiled bool            // a tool made the file
	names    map[string]bool // of the packages in the file
}

var compilerForm = lazyregexp.New(`\b(?:pip-compile|uv pip compile|uv export|pdm export|poetry export|pipenv requirements)\b`)

func viasOf(all []entry) vias {
	v := vias{header: all[0].notes, names: map[string]bool{}}
	for _, e := range all[1:] {
		v.any = v.any || len(requesters(e.notes)) > 0
		if r, _ := pep508.Parse(e.text); r.Name != "" {
			v.names[r.Name] = true
		} else if head, _, _ := strings.Cut(e.text, " "); head != "" {
			if r, err := pep508.Parse(head); err == nil {
				v.names[r.Name] = true // options follow
			}
		}
	}
	v.compiled = slices.ContainsFunc(v.header, compilerForm.MatchString)
	return v
}

// requesters returns who needs an entry, as its comments say: names of packages,
// and "-r FILE" or "NAME (FILE)" for declarations.
func requesters(notes []string) []string {
	var out []string
	within := false // the lines below "via"
	for _, note := range notes {
		text := strings.TrimSpace(note)
		list, inline := strings.CutPrefix(text, "via ")
		switch {
		case within && strings.HasPrefix(note, "  "):
			out = append(out, text)
		case inline:
			for name := range strings.SplitSeq(list, ",") {
				out = append(out, strings.TrimSpace(name))
			}
			within = false
		default:
			within = text == "via"
		}
	}
	return out
}

// needer returns the package of the same file that a requester is, or "" for a
// declaration.
func (v vias) needer(requester string) string {
	name, _, _ := strings.Cut(requester, "[")
	if name = pep508.Normal(name); v.names[name] {
		return name
	}
	return ""
}

// direct reports whether the project asks for an entry by name.
func (v vias) direct(e entry) bool {
	if !v.any {
		return !v.compiled // written by hand: every line was somebody's wish
	}
	return slices.ContainsFunc(requesters(e.notes), func(s string) bool {
		return !strings.HasPrefix(s, "-c ") && v.needer(s) == ""
	})
}

// connect turns "needed by" around: into what each package needs.
func (v vias) connect(packages []Package, file string, all []entry) {
	needs := map[string][]Need{}
	notes := map[int][]string{}
	for _, e := range all {
		notes[e.line] = e.notes
	}
	for _, p := range packages {
		if p.Place.File != file {
			continue // of an included file
		}
		for _, s := range requesters(notes[p.Place.Line]) {
			if name := v.needer(s); name != "" {
				needs[name] = append(needs[name], Need{Name: p.Name, Version: p.Version, Marker: p.Marker})
			}
		}
	}
	for i, p := range packages {
		if p.Place.File == file {
			packages[i].Needs = append(p.Needs, needs[p.Name]...)
		}
	}
}

// sources returns the declarations that a file says it was made from, by the
// paths that they may have: from the project's folder, and from the file's own.
func (v vias) sources(file string) []string {
	var out []string
	for _, note := range v.header {
		if !compilerForm.MatchString(note) {
			continue
		}
		if strings.Contains(note, " export") {
			out = append(out, path.Join(path.Dir(file), "pyproject.toml"))
		}
		for word := range strings.FieldsSeq(note) {
			if strings.HasPrefix(word, "-") || path.Ext(word) == "" {
				continue
			}
			out = append(out, path.Clean(word), path.Join(path.Dir(file), word))
		}
	}
	return out
}
