package lockfile

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/internal/lazyregexp"
	"github.com/sallyport/sallyport/internal/pep440"
	"github.com/sallyport/sallyport/internal/pep508"
)

// poetry reads what Poetry had before projects could say it in tables for all
// tools.
func (d *declaration) poetry(t map[string]any) {
	const at = "tool.poetry"
	d.constraints(d.table(t, "dependencies"), at+".dependencies", nil)
	d.constraints(d.table(t, "dev-dependencies"), at+".dev-dependencies", []string{"dev"})
	groups := d.table(t, "group")
	for _, group := range slices.Sorted(maps.Keys(groups)) {
		d.constraints(d.table(groups, group, "dependencies"), at+".group."+group+".dependencies", []string{pep508.Normal(group)})
	}
	d.indexes(t["source"], at+".source", func(s map[string]any) bool { return textOf(s["priority"]) == "supplemental" || s["secondary"] == true })
}

// tools reads what other tools have tables for.
func (d *declaration) tools(root map[string]any) {
	uv := d.table(root, "tool", "uv")
	d.list(uv["dev-dependencies"], "tool.uv.dev-dependencies", []string{"dev"}, true)
	d.list(uv["constraint-dependencies"], "tool.uv.constraint-dependencies", nil, false)
	d.list(uv["override-dependencies"], "tool.uv.override-dependencies", nil, false)
	d.list(uv["build-constraint-dependencies"], "tool.uv.build-constraint-dependencies", []string{buildGroup}, false)
	d.indexes(uv["index"], "tool.uv.index", func(s map[string]any) bool { return s["default"] != true && s["explicit"] != true })
	d.plainIndexes(uv["index-url"], "tool.uv.index-url", false)
	d.plainIndexes(uv["extra-index-url"], "tool.uv.extra-index-url", true)
	d.plainIndexes(uv["find-links"], "tool.uv.find-links", true)
	pip := d.table(uv, "pip")
	d.plainIndexes(pip["index-url"], "tool.uv.pip.index-url", false)
	d.plainIndexes(pip["extra-index-url"], "tool.uv.pip.extra-index-url", true)
	d.plainIndexes(pip["find-links"], "tool.uv.pip.find-links", true)

	flit := d.table(root, "tool", "flit", "metadata")
	d.list(flit["requires"], "tool.flit.metadata.requires", nil, true)
	d.lists(d.table(flit, "requires-extra"), "tool.flit.metadata.requires-extra")
	d.list(flit["dev-requires"], "tool.flit.metadata.dev-requires", []string{"dev"}, true)
	d.list(d.table(root, "tool", "rye")["dev-dependencies"], "tool.rye.dev-dependencies", []string{"dev"}, true)

	d.lists(d.table(root, "tool", "pdm", "dev-dependencies"), "tool.pdm.dev-dependencies")
	d.indexes(d.table(root, "tool", "pdm")["source"], "tool.pdm.source", func(s map[string]any) bool { return textOf(s["name"]) != "pypi" })

	environments := d.table(root, "tool", "hatch", "envs")
	for _, name := range slices.Sorted(maps.Keys(environments)) {
		e := d.table(environments, name)
		for _, key := range []string{"dependencies", "extra-dependencies"} {
			d.list(e[key], "tool.hatch.envs."+name+"."+key, []string{pep508.Normal(name)}, true)
		}
	}
	d.pixi(d.table(root, "tool", "pixi"), "tool.pixi", nil)
	features := d.table(root, "tool", "pixi", "feature")
	for _, name := range slices.Sorted(maps.Keys(features)) {
		d.pixi(d.table(features, name), "tool.pixi.feature."+name, []string{pep508.Normal(name)})
	}
}

// pixi reads the tables of pixi: of Python's packages and of conda's, for all
// machines and for some.
func (d *declaration) pixi(t map[string]any, at string, groups []string) {
	d.constraints(d.table(t, "pypi-dependencies"), at+".pypi-dependencies", groups)
	for _, key := range []string{"dependencies", "host-dependencies", "build-dependencies"} {
		d.channels(d.table(t, key), at+"."+key, groups)
	}
	targets := d.table(t, "target")
	for _, name := range slices.Sorted(maps.Keys(targets)) {
		d.pixi(d.table(targets, name), at+".target."+name, groups)
	}
}

// channels reads a table of packages of conda and what is wanted of them. One
// that is a table with more than a version in it is as any other.
func (d *declaration) channels(packages map[string]any, at string, groups []string) {
	for _, name := range slices.Sorted(maps.Keys(packages)) {
		t, isTable := packages[name].(map[string]any)
		version, isText := packages[name].(string)
		if isTable {
			version, isText = t["version"].(string)
		}
		if !isText {
			d.constraints(map[string]any{name: packages[name]}, at, groups)
			continue
		}
		if _, err := pep440.Parse(version); err == nil {
			version = "==" + version
		}
		if pep508.Normal(name) != "python" {
			p := Package{Name: name, Place: d.placeOf(at, name), Groups: groups, Direct: true}
			p.Source.Index = channelName(textOf(t["channel"]))
			d.r.condaWish(p, version)
		}
	}
}

// constraints reads tables of packages and what is wanted of them, as Poetry,
// Pipenv and pixi have them: a version, a table, or a list of tables for
// different machines.
func (d *declaration) constraints(packages map[string]any, at string, groups []string) {
	for _, name := range slices.Sorted(maps.Keys(packages)) {
		q := request{place: d.placeOf(at, name), groups: groups, direct: true}
		if pep508.Normal(name) == "python" {
			continue // the interpreter: which ones, not a package
		}
		options, ok := many(packages[name])
		if !ok {
			options = []any{packages[name]}
		}
		for _, v := range options {
			d.constraint(q, name, v)
		}
	}
}

// placeOf is where a table has a package.
func (d *declaration) placeOf(at, name string) Place {
	line := d.lines.take(at, name)
	if line == 0 {
		line = d.lines.take(at + "." + name) // a table of its own
	}
	return Place{d.name, line}
}

// constraint reads what is wanted of one package.
func (d *declaration) constraint(q request, name string, v any) {
	t, isTable := v.(map[string]any)
	version, isText := v.(string)
	if isTable {
		version = textOf(t["version"])
	}
	u := q.unreadable(Range, pep508.Normal(name), version)
	u.Marker = textOf(t["markers"])
	_, err := pep508.ParseMarker(u.Marker)
	exact, pinned := exactly(version)
	switch {
	case !pep508.ValidName(name) || !isTable && !isText:
		u.Reason, u.Name = Syntax, ""
	case textOf(t["git"]) != "" || textOf(t["hg"]) != "" || textOf(t["svn"]) != "":
		u.Reason, u.Wants = VCS, textOf(t["git"])+textOf(t["hg"])+textOf(t["svn"])
	case textOf(t["url"]) != "" || strings.Contains(textOf(t["file"]), "://"):
		u.Reason, u.Wants = URL, textOf(t["url"])+textOf(t["file"])
	case textOf(t["path"]) != "" || textOf(t["file"]) != "":
		u.Reason, u.Wants = Path, textOf(t["path"])+textOf(t["file"])
	case u.Marker != "" && err != nil:
		u.Reason = Marker
	case variableForm.MatchString(version):
		u.Reason = Variable
	case version == "" || version == "*":
		u.Reason = Unpinned
	case pinned:
		d.r.add(Package{Name: u.Name, Version: exact, Place: q.place, Marker: u.Marker, Groups: q.groups, Direct: true})
		return
	default:
		if _, ok := alternatives(version); !ok {
			u.Reason = Version
		}
	}
	d.r.unread(u)
}

// exactly returns the one version that a constraint allows: "1.2" or "==1.2".
func exactly(wants string) (string, bool) {
	version := strings.TrimSpace(strings.TrimLeft(wants, "="))
	if _, err := pep440.Parse(version); err != nil {
		return "", false
	}
	return version, true
}

// indexes reads a list of tables, each an index.
func (d *declaration) indexes(v any, at string, extra func(map[string]any) bool) {
	items, ok := many(v)
	if !ok && v != nil {
		d.odd(Place{d.name, d.lines.take(at)}, "", nil)
	}
	for _, item := range items {
		t, _ := item.(map[string]any)
		if url := textOf(t["url"]); url != "" {
			d.index(url, at+".url", extra(t))
		}
	}
}

// plainIndexes reads an index's URL, or a list of them.
func (d *declaration) plainIndexes(v any, at string, extra bool) {
	items, ok := many(v)
	if !ok {
		items = []any{v}
	}
	for _, item := range items {
		if url := textOf(item); url != "" {
			d.index(url, at, extra)
		}
	}
}

func (d *declaration) index(url, at string, extra bool) {
	d.r.index(Index{URL: url, Extra: extra, Place: Place{d.name, d.lines.take(at, url)}})
}

var caretForm = lazyregexp.New(`^(\^|~)\s*v?([0-9]+(?:\.[0-9]+)*)\S*$`)

// alternatives reads a constraint as Poetry has them: clauses of PEP 440,
// "^1.2" and "~1.2", with commas or white space between them and "||" between
// alternatives.
func alternatives(wants string) ([]pep440.Specifiers, bool) {
	var out []pep440.Specifiers
	for part := range strings.SplitSeq(strings.ReplaceAll(wants, "||", "|"), "|") {
		var all pep440.Specifiers
		for clause := range strings.SplitSeq(joined(part), ",") {
			clauses, err := pep440.ParseSpecifiers(poetryClause(strings.TrimSpace(clause)))
			if err != nil {
				return nil, false
			}
			all = append(all, clauses...)
		}
		out = append(out, all)
	}
	return out, true
}

var gapForm = lazyregexp.New(`([0-9A-Za-z*])\s+([<>=!~^])`)

// joined puts commas where Poetry lets white space stand.
func joined(s string) string {
	return gapForm.ReplaceAllString(strings.TrimSpace(s), "$1,$2")
}

// poetryClause turns one of Poetry's clauses into PEP 440's.
func poetryClause(s string) string {
	if s == "*" || s == "" {
		return ""
	}
	if m := caretForm.FindStringSubmatch(s); m != nil && !strings.HasPrefix(s, "~=") {
		return ">=" + strings.TrimSpace(strings.TrimLeft(s, "^~ ")) + ",<" + nextVersion(m[1], strings.Split(m[2], "."))
	}
	if strings.IndexByte("0123456789v", s[0]) >= 0 {
		return "==" + s
	}
	return s
}

// nextVersion is the first version that "^1.2.3" (the next one to the left-most
// number that is not zero) or "~1.2.3" (to the second number) does not take.
func nextVersion(sign string, release []string) string {
	up := min(1, len(release)-1)
	if sign == "^" {
		up = slices.IndexFunc(release, func(n string) bool { return strings.Trim(n, "0") != "" })
		if up < 0 {
			up = len(release) - 1
		}
	}
	n, err := strconv.Atoi(release[up])
	if err != nil {
		return release[up] // beyond any number of a release: takes nothing, which leaves the line unread
	}
	return strings.Join(append(slices.Clone(release[:up]), strconv.Itoa(n+1)), ".")
}
