package installed

import (
	"io/fs"
	"path"
	"strings"

	"github.com/sallyport/sallyport/internal/pep508"
)

// eggInfo reads the metadata that setuptools left before there were wheels: a
// folder, or the file of metadata alone.
func (r *reader) eggInfo(site string, e fs.DirEntry) error {
	dir := path.Join(site, e.Name())
	file := dir
	if e.IsDir() {
		file = path.Join(dir, "PKG-INFO")
	}
	name := eggName(e.Name())
	d := r.describe(file, name, "")
	if d == nil {
		d = &Dist{Name: name}
	}
	d.Path = dir
	r.loose = append(r.loose, dir)
	r.modules(site, d)
	r.out.Dists = append(r.out.Dists, *d)
	r.problem(Problem{Rule: Unrecorded, Package: d.Name, Version: d.Version, Path: dir, What: "the package was installed in the old way, without a RECORD: nothing says what its files have to be"})
	return nil
}

// modules notes which files and folders a package without a RECORD owns up to:
// the paths that setuptools listed, or else its modules.
func (r *reader) modules(site string, d *Dist) {
	if text, err := r.small(path.Join(d.Path, "installed-files.txt"), maxMeta); err == nil {
		for line := range strings.Lines(string(text)) {
			r.loose = append(r.loose, path.Join(d.Path, strings.TrimSpace(line)))
		}
		return
	}
	text, err := r.small(path.Join(d.Path, "top_level.txt"), 1<<20)
	if err != nil {
		text = []byte(strings.ReplaceAll(d.Name, "-", "_"))
	}
	for line := range strings.Lines(string(text)) {
		if module := strings.TrimSpace(line); module != "" && fs.ValidPath(module) && module != "." {
			r.loose = append(r.loose, path.Join(site, module), path.Join(site, module+".py"))
		}
	}
}

// eggName is the name of a package as the names of its folders and files have
// it: "PyYAML-6.0-py3.11.egg-info", "__editable__.demo-1.0.pth".
func eggName(base string) string {
	for _, end := range []string{".egg-info", ".egg-link", ".egg", ".pth", ".py"} {
		base = strings.TrimSuffix(base, end)
	}
	base = strings.TrimLeft(strings.TrimPrefix(base, "__editable__"), "._")
	name, _, _ := strings.Cut(base, "-")
	return pep508.Normal(printable(name, 100))
}
