package lockfile

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/format/json"
	"github.com/sallyport/sallyport/internal/pep440"
	"github.com/sallyport/sallyport/internal/pep508"
)

// pipenvGroup is the group that a category of Pipenv is: none for what the
// project itself needs.
func pipenvGroup(category string) []string {
	switch category {
	case "packages", "default":
		return nil
	case "dev-packages", "develop":
		return []string{"dev"}
	}
	return []string{pep508.Normal(category)}
}

// readPipfile reads the declaration of Pipenv. Every table that is not one of
// its own is a category of packages.
func (r *reader) readPipfile(name string, b []byte) error {
	root, d, err := r.declaration(name, b)
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(root)) {
		switch key {
		case "source":
			first := true
			d.indexes(root[key], key, func(map[string]any) bool {
				extra := !first
				first = false
				return extra
			})
		case "requires", "scripts", "pipenv", "pipfile":
		default:
			d.constraints(d.table(root, key), key, pipenvGroup(key))
		}
	}
	return d.err
}

// memory is about how many bytes the tree of a document in JSON may take.
const memory = 16 * maxFile

// readPipfileLock reads the lock of Pipenv.
func (r *reader) readPipfileLock(name string, b []byte) error {
	root, err := json.Parse(bytes.NewReader(b), 0, int64(len(b)), memory)
	if err != nil {
		return broken(name, b, err)
	}
	if !root.Is(json.Object) {
		return broken(name, b, errNoObject)
	}
	count := lineCounter{b: b}
	indexes := map[string]string{}
	for i, source := range items(root.Get("_meta").Get("sources")) {
		url := source.Get("url").Str()
		if i > 0 { // the first is where packages come from that name none
			indexes[source.Get("name").Str()] = url
		}
		r.index(Index{URL: url, Extra: i > 0, Place: Place{name, count.at(source.Off)}})
	}
	for _, category := range root.Members {
		if category.Key == "_meta" {
			continue
		}
		if !category.Value.Is(json.Object) {
			r.unread(Unread{Place: Place{name, count.at(category.Off)}, Reason: Syntax, Wants: category.Key})
			continue
		}
		for _, m := range category.Value.Members {
			q := request{place: Place{name, count.at(m.Off)}, groups: pipenvGroup(category.Key)}
			r.pipenvPackage(q, m.Key, m.Value, indexes)
		}
	}
	return nil
}

// pipenvPackage reads one entry of Pipfile.lock.
func (r *reader) pipenvPackage(q request, name string, v *json.Value, indexes map[string]string) {
	version, marked := strings.CutPrefix(v.Get("version").Str(), "==")
	p := Package{Name: pep508.Normal(name), Version: version, Place: q.place, Marker: v.Get("markers").Str(), Groups: q.groups,
		Source: Source{Index: indexes[v.Get("index").Str()]}}
	for _, h := range items(v.Get("hashes")) {
		p.Hashes = append(p.Hashes, h.Str())
	}
	u := q.unreadable(Syntax, p.Name, v.Get("version").Str())
	u.Marker = p.Marker
	_, badMarker := pep508.ParseMarker(p.Marker)
	_, badVersion := pep440.Parse(version)
	url, git, local := v.Get("file").Str(), v.Get("git").Str()+v.Get("hg").Str()+v.Get("svn").Str(), v.Get("path").Str()
	if !strings.Contains(url, "://") {
		url, local = "", local+url
	}
	switch {
	case !pep508.ValidName(name) || !v.Is(json.Object):
		u.Name = ""
	case git != "":
		u.Reason, u.Wants = VCS, git
	case url != "":
		if _, version, source := archiveName(url); version != "" {
			p.Version, p.Source, p.Sdist = version, Source{URL: url}, source
			r.add(p)
			return
		}
		u.Reason, u.Wants = URL, url
	case local != "":
		u.Reason, u.Wants = Path, local
	case p.Marker != "" && badMarker != nil:
		u.Reason = Marker
	case version == "" || version == "*":
		u.Reason = Unpinned
	case !marked || strings.HasSuffix(version, ".*"):
		u.Reason = Range
	case badVersion != nil:
		u.Reason = Version
	default:
		r.add(p)
		return
	}
	r.unread(u)
}

// items are those of an array in JSON, which may be missing.
func items(v *json.Value) []*json.Value {
	if !v.Is(json.Array) {
		return nil
	}
	return v.Items
}
