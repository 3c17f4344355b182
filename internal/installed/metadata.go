package installed

import (
	"bytes"
	"errors"
	"io/fs"
	"net/url"
	"path"
	"strings"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/dist"
	"github.com/sallyport/sallyport/internal/format/json"
	"github.com/sallyport/sallyport/internal/lazyregexp"
	"github.com/sallyport/sallyport/internal/lockfile"
	"github.com/sallyport/sallyport/internal/pep440"
	"github.com/sallyport/sallyport/internal/pep508"
)

// distInfo reads the metadata of a package that an installer of today left.
func (r *reader) distInfo(site string, e fs.DirEntry) error {
	dir := path.Join(site, e.Name())
	name, version := dist.Folder(e.Name())
	if !e.IsDir() {
		r.unread(lockfile.Unread{Place: lockfile.Place{File: dir}, Reason: lockfile.Syntax, Name: name})
		return nil
	}
	d := r.describe(path.Join(dir, "METADATA"), name, version)
	if d == nil {
		d = &Dist{Name: name, Version: version}
	}
	d.Path = dir
	if text, err := r.small(path.Join(dir, "INSTALLER"), 1<<10); err == nil {
		d.Installer = printable(strings.TrimSpace(string(text)), 40)
	}
	if err := r.record(site, d); err != nil {
		return err
	}
	r.out.Dists = append(r.out.Dists, *d)
	return r.bills(d)
}

// describe reads a file of metadata into the list. The name and version are
// those that the folder gives; it returns nil for metadata that cannot be
// understood, which is Unread then.
func (r *reader) describe(file, name, version string) *Dist {
	place := lockfile.Place{File: file}
	head, err := r.head(file)
	if err != nil {
		r.unread(lockfile.Unread{Place: place, Reason: lockfile.Syntax, Name: name})
		return nil
	}
	d := &Dist{Name: pep508.Normal(head.Get("name")), Version: head.Get("version"), Python: printable(head.Get("requires-python"), 200), License: license(head)}
	if d.Name == "" || name != "" && d.Name != name || version != "" && !sameVersion(d.Version, version) {
		r.problem(Problem{Rule: Misnamed, Package: name, Version: version, Path: file, What: "the folder's name and the metadata in it name different packages"})
	}
	if d.Name == "" {
		d.Name = name
	}
	direct, source, here := r.origin(path.Dir(file))
	switch {
	case !here:
		r.unread(lockfile.Unread{Place: place, Reason: lockfile.Path, Name: d.Name, Wants: "==" + printable(d.Version, 80), Direct: direct})
		return d
	case d.Name == "" || !versionForm(d.Version):
		r.unread(lockfile.Unread{Place: place, Reason: lockfile.Version, Name: d.Name, Wants: printable(d.Version, 80), Direct: direct})
		return d
	}
	r.out.List.Packages = append(r.out.List.Packages, lockfile.Package{Name: d.Name, Version: d.Version, Place: place, Source: source, Direct: direct, Needs: r.needs(place, d.Name, head)})
	return d
}

func (r *reader) head(file string) (dist.Head, error) {
	if info, err := fs.Lstat(r.fsys, file); err != nil || !info.Mode().IsRegular() {
		return nil, errors.New("there is no metadata")
	}
	f, err := r.fsys.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return dist.ReadHead(f)
}

func versionForm(s string) bool {
	_, err := pep440.Parse(s)
	return err == nil
}

// sameVersion reports whether two spellings are of one version.
func sameVersion(a, b string) bool {
	v, err := pep440.Parse(a)
	w, werr := pep440.Parse(strings.ReplaceAll(b, "_", "-"))
	if err != nil || werr != nil {
		return a == b
	}
	return v.Compare(w) == 0
}

// license is what the metadata says about the licence, if it says it in a few
// words: some packages put the whole text there.
func license(head dist.Head) string {
	for _, field := range []string{"license-expression", "license"} {
		if text := head.Get(field); text != "" && len(text) <= 200 && !strings.Contains(text, "\n") {
			return printable(text, 200)
		}
	}
	for _, c := range head["classifier"] {
		if text, ok := strings.CutPrefix(c, "License :: "); ok {
			return printable(text, 200)
		}
	}
	return ""
}

// needForm is the beginning of a requirement: its name, and its extras.
var needForm = lazyregexp.New(`^([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\])?\s*(.*)$`)

// needs reads what a package depends on. A requirement that has no name is
// Unread.
func (r *reader) needs(place lockfile.Place, name string, head dist.Head) []lockfile.Need {
	var out []lockfile.Need
	for _, text := range head["requires-dist"] {
		m := needForm.FindStringSubmatch(strings.Join(strings.Fields(text), " "))
		if m == nil {
			r.unread(lockfile.Unread{Place: place, Reason: lockfile.Syntax, Name: name, Wants: "a requirement without a name"})
			continue
		}
		// An address may hold a semicolon, but no space.
		end := ";"
		if strings.HasPrefix(m[2], "@") {
			end = " ;"
		}
		_, marker, _ := strings.Cut(m[2], end)
		out = append(out, lockfile.Need{Name: pep508.Normal(m[1]), Marker: strings.TrimSpace(marker)})
	}
	return out
}

// origin reads who asked for a package, and where it came from (PEP 610). It
// reports that the package is not here if its code stays in a folder of
// somebody's.
func (r *reader) origin(dir string) (direct bool, source lockfile.Source, here bool) {
	_, err := fs.Lstat(r.fsys, path.Join(dir, "REQUESTED"))
	direct = err == nil
	text, err := r.small(path.Join(dir, "direct_url.json"), 1<<20)
	if errors.Is(err, fs.ErrNotExist) {
		return direct, source, true
	}
	if err != nil {
		return direct, source, false
	}
	v, err := json.Parse(bytes.NewReader(text), 0, int64(len(text)), 8<<20)
	u, uerr := url.Parse(v.Get("url").Str())
	if err != nil || uerr != nil || u.Scheme == "" {
		return direct, source, false
	}
	u.User = nil
	switch vcs := v.Get("vcs_info"); {
	case v.Get("dir_info").Get("editable").Is(json.True):
		return direct, source, false
	case vcs != nil:
		source.URL = printable(vcs.Get("vcs").Str()+"+"+u.String()+"@"+vcs.Get("commit_id").Str(), 1000)
	case u.Scheme == "file":
		// Of a wheel or a folder of some machine, as all that conda builds: what it is
		// called is all that is known of it, and what counts.
	default:
		u.RawQuery, u.Fragment = "", "" // where secrets are put too
		source.URL = printable(u.String(), 1000)
	}
	return direct, source, true
}

// record reads the list of files of a package.
func (r *reader) record(site string, d *Dist) error {
	file := path.Join(d.Path, "RECORD")
	text, err := r.small(file, maxMeta)
	if err != nil {
		r.loose = append(r.loose, d.Path)
		r.modules(site, d)
		r.problem(Problem{Rule: Unrecorded, Package: d.Name, Version: d.Version, Path: d.Path, What: "the package has no RECORD that can be read, so nothing says what its files have to be"})
		return nil
	}
	beside := 0
	var programs []string
	err = dist.Record(bytes.NewReader(text), func(row dist.Row) error {
		d.Files++
		given := strings.ReplaceAll(row.Path, `\`, "/")
		name := path.Join(site, given)
		switch {
		case path.IsAbs(given), strings.Contains(given, ":/"), !fs.ValidPath(name) && (site != "." || !installs(name)):
			r.problem(Problem{Rule: Outside, Package: d.Name, Version: d.Version, Path: file, What: "the RECORD names a file outside of the tree: " + printable(given, 120)})
		case !fs.ValidPath(name):
			beside++
		default:
			if base := path.Base(path.Dir(name)); strings.HasPrefix(given, "../") && (base == "bin" || base == "Scripts") {
				programs = append(programs, name)
			}
			r.claims[name] = append(r.claims[name], claim{pkg: d.Name, version: d.Version, row: row})
		}
		return nil
	})
	if e, ok := errors.AsType[*sallyport.Error](err); ok {
		r.problem(Problem{Rule: Unreadable, Package: d.Name, Version: d.Version, Path: file, What: e.Msg})
	}
	if beside > 0 {
		r.problem(Problem{Rule: Unseen, Package: d.Name, Version: d.Version, Path: file, What: "some of its files lie beside the folder that was given, and were not checked"})
	}
	r.programs(d, programs)
	return nil
}

// programs tells which programs of a package are none of its entry points: they
// came as they are.
func (r *reader) programs(d *Dist, programs []string) {
	known := map[string]bool{}
	if text, err := r.small(path.Join(d.Path, "entry_points.txt"), maxMeta); err == nil {
		// A line that cannot be read names no program, which is then shown.
		_ = dist.Entries(bytes.NewReader(text), func(e dist.Entry) error {
			known[program(e.Name)] = known[program(e.Name)] || e.Script()
			return nil
		})
	}
	for _, name := range programs {
		if !known[program(path.Base(name))] {
			r.problem(Problem{Rule: Script, Package: d.Name, Version: d.Version, Path: name, What: "a program that is no entry point"})
		}
	}
}

// program is the name of an entry point without what installers add: ".exe",
// "-script.py", and the version of Python that pip puts behind its own.
func program(base string) string {
	base = strings.TrimSuffix(strings.TrimSuffix(base, ".exe"), "-script.py")
	return strings.TrimRight(base, "0123456789.")
}

// installs reports whether a path that leaves a folder of packages stays within
// the environment that such a folder is in: lib/pythonX.Y/site-packages.
func installs(name string) bool {
	rest := strings.TrimPrefix(name, "../../../")
	return !strings.HasPrefix(rest, "../") && rest != ".."
}
