package lockfile

import (
	"cmp"
	"maps"
	"slices"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/pep508"
)

// A uvTable is a package as it stands in uv.lock.
type uvTable struct {
	Name, Version string
	Source        struct{ Registry, URL, Git, Path, Virtual, Editable, Directory string }
	Markers       []string `toml:"resolution-markers"`
	Dependencies  []uvNeed
	Optional      map[string][]uvNeed `toml:"optional-dependencies"`
	Dev           map[string][]uvNeed `toml:"dev-dependencies"`
	Groups        map[string][]uvNeed `toml:"dependency-groups"` // as some releases have it
	Wheels        []uvFile
	Sdist         *uvFile
}

type uvNeed struct {
	Name, Version, Marker string
	Extra                 []string
}

type uvFile struct {
	Hash     string
	Uploaded moment `toml:"upload-time"`
	Upload   moment `toml:"upload_time"` // as the first revisions have it
}

// readUV reads uv.lock, version 1 in any revision.
func (r *reader) readUV(name string, b []byte) error {
	var root struct {
		Version      int
		Distribution []any // what packages were called before there was a version of the lock to rely on
	}
	all, lines, err := tables[uvTable](name, b, "package", &root)
	if err != nil {
		return err
	}
	if root.Version != 1 || root.Distribution != nil {
		return sallyport.Errorf(sallyport.Invalid, "a uv.lock of another version than 1").At("%s", name).Try("export it: uv export --format requirements-txt -o requirements.lock")
	}
	w := &uvWalk{byName: map[string][]int{}}
	for i, t := range all {
		w.add(t, Place{name, lines[i]})
	}
	if !w.walk() {
		return sallyport.Errorf(sallyport.Limit, "too many ways lead through its dependencies").At("%s", name)
	}
	for i := range w.tables {
		r.uvPackage(&w.tables[i], w.packages[i])
	}
	return nil
}

// uvPackage takes a package when it is known who needs it.
func (r *reader) uvPackage(t *uvTable, p Package) {
	for _, f := range t.Wheels {
		p.file(f)
	}
	if t.Sdist != nil {
		p.file(*t.Sdist)
		p.Sdist = len(t.Wheels) == 0
	}
	switch source := t.Source; {
	case t.local() != "":
		r.local(p, t.local())
	case source.Git != "":
		r.refuse(p, VCS, source.Git)
	case source.Path != "":
		r.refuse(p, Path, source.Path)
	case source.URL != "":
		p.Source = Source{URL: source.URL}
		_, _, p.Sdist = archiveName(source.URL)
		r.locked(p)
	case source.Registry != "":
		p.Source = fromIndex(source.Registry)
		r.named(p.Source, p.Place)
		r.locked(p)
	default:
		r.refuse(p, Syntax, p.Version)
	}
}

func (p *Package) file(f uvFile) {
	if f.Hash != "" {
		p.Hashes = append(p.Hashes, f.Hash)
	}
	p.Uploaded = first(p.Uploaded, first(f.Uploaded.Time, f.Upload.Time))
}

// local returns the folder of code that is no release, or "".
func (t *uvTable) local() string {
	return t.Source.Virtual + t.Source.Editable + t.Source.Directory // at most one is set
}

// A uvWalk goes along the edges of a uv.lock from the project's own packages, to
// find out for whom each of the others is there.
type uvWalk struct {
	tables   []uvTable
	packages []Package
	byName   map[string][]int
	visited  map[uvVisit]bool
	queue    []uvVisit
	noted    map[uvVisit]bool // whose edges have been noted, for any group
	markers  [][]string       // of the edges that lead to each package
	groups   []map[string]bool
	steps    int
}

// A uvVisit is a package, or an extra of it, that a group leads to.
type uvVisit struct {
	at           int
	extra, group string
}

// maxSteps bounds the edges that are gone along, once for each group. A thousand
// packages in ten groups take a twentieth of it.
const maxSteps = 1 << 20

func (w *uvWalk) add(t uvTable, place Place) {
	p := Package{Name: pep508.Normal(t.Name), Version: t.Version, Place: place}
	w.byName[p.Name] = append(w.byName[p.Name], len(w.tables))
	w.tables = append(w.tables, t)
	w.packages = append(w.packages, p)
}

// walk fills in the packages' groups, markers, needs, and which are direct. It
// reports whether it came to an end within bounds.
func (w *uvWalk) walk() bool {
	w.visited, w.noted = map[uvVisit]bool{}, map[uvVisit]bool{}
	w.markers = make([][]string, len(w.tables))
	w.groups = make([]map[string]bool, len(w.tables))
	for i, t := range w.tables {
		if t.local() == "" {
			continue
		}
		w.follow(uvVisit{i, "", ""}, t.Dependencies, true)
		for extra, needs := range t.Optional {
			w.follow(uvVisit{i, extra, extra}, needs, true)
		}
		for _, groups := range []map[string][]uvNeed{t.Dev, t.Groups} {
			for group, needs := range groups {
				w.follow(uvVisit{i, "", group}, needs, true)
			}
		}
	}
	for len(w.queue) > 0 && w.steps <= maxSteps {
		v := w.queue[len(w.queue)-1]
		w.queue = w.queue[:len(w.queue)-1]
		t := &w.tables[v.at]
		if t.local() != "" && v.extra == "" {
			continue // where the walk begins
		}
		needs := t.Dependencies
		if v.extra != "" {
			needs = t.Optional[v.extra]
		}
		edges := uvVisit{v.at, v.extra, ""}
		w.follow(v, needs, !w.noted[edges])
		w.noted[edges] = true
	}
	for i := range w.packages {
		w.packages[i].Marker = cmp.Or(either(w.tables[i].Markers), either(w.markers[i]))
		if !w.groups[i][""] {
			w.packages[i].Groups = slices.Sorted(maps.Keys(w.groups[i]))
		}
	}
	return w.steps <= maxSteps
}

// follow goes along the edges of a package, or of an extra of it. Where they lead
// is the same for every group, and is noted for the first.
func (w *uvWalk) follow(from uvVisit, needs []uvNeed, note bool) {
	p := &w.packages[from.at]
	for _, n := range needs {
		name := pep508.Normal(n.Name)
		if note {
			p.Needs = append(p.Needs, Need{Name: name, Version: n.Version, Marker: n.Marker})
		}
		for _, to := range w.byName[name] {
			if w.steps++; w.steps > maxSteps {
				return
			}
			if n.Version != "" && w.tables[to].Version != n.Version {
				continue
			}
			if note {
				w.packages[to].Direct = w.packages[to].Direct || w.tables[from.at].local() != ""
				w.markers[to] = append(w.markers[to], n.Marker)
			}
			if w.groups[to] == nil {
				w.groups[to] = map[string]bool{}
			}
			w.groups[to][from.group] = true
			w.steps += len(n.Extra)
			for _, extra := range append([]string{""}, n.Extra...) {
				if v := (uvVisit{to, extra, from.group}); !w.visited[v] {
					w.visited[v] = true
					w.queue = append(w.queue, v)
				}
			}
		}
	}
}
