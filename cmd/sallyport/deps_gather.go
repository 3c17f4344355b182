package main

import (
	"context"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/bom"
	"github.com/sallyport/sallyport/internal/deps"
	"github.com/sallyport/sallyport/internal/env"
	"github.com/sallyport/sallyport/internal/installed"
	"github.com/sallyport/sallyport/internal/ledger"
	"github.com/sallyport/sallyport/internal/lockfile"
	"github.com/sallyport/sallyport/internal/project"
	"github.com/sallyport/sallyport/internal/site"
)

// Materials are what a check of dependencies is about.
type materials struct {
	project  string // its name, or that of its folder
	list     *lockfile.List
	policy   *deps.Policy
	problems []installed.Problem
	archives *deps.Archives
	deeper   []string   // files that ask for packages too, and were not read
	parts    []bom.Part // nil: nobody has looked
}

// gather reads what the paths, the folder of archives and the environment hold.
func (a *app) gather(ctx context.Context, paths []string, wheels, environment string) (*materials, error) {
	m := &materials{list: &lockfile.List{}}
	dir := "."
	p, err := project.Load(".")
	switch {
	case err == nil:
		m.project, dir = p.Name, p.Dir
	case !sallyport.Is(err, sallyport.NotFound):
		return nil, err
	}
	if m.project == "" {
		m.project = base(dir)
	}
	if m.policy, err = deps.ReadPolicy(func(name string) ([]byte, error) {
		return os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	}, m.project); err != nil {
		return nil, err
	}
	switch {
	case environment != "" && len(paths) > 0:
		return nil, sallyport.Errorf(sallyport.Usage, "an environment and paths at once").Try("check one after the other")
	case environment != "":
		err = a.gatherEnvironment(ctx, m, environment)
	case len(paths) == 0 && p != nil && p.Python != "":
		err = m.addFiles(os.DirFS(dir), p.Python)
	case len(paths) == 0:
		err = m.addFolder(ctx, dir)
	}
	for _, path := range paths {
		if err == nil {
			err = m.addPath(ctx, path)
		}
	}
	if err == nil && wheels != "" {
		err = m.addWheels(ctx, wheels)
	}
	return m, err
}

func base(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		return filepath.Base(abs)
	}
	return dir
}

// addPath reads a file or a folder.
func (m *materials) addPath(ctx context.Context, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return sallyport.Errorf(sallyport.NotFound, "there is no such file or folder").At("%s", path)
	}
	if info.IsDir() {
		return m.addFolder(ctx, path)
	}
	if strings.HasSuffix(path, ".json") {
		return m.addBill(path)
	}
	// A file may include others, which lie beside it or above: what it names has
	// to stay below the working directory if the file itself does.
	root, name := ".", filepath.ToSlash(filepath.Clean(path))
	if !fs.ValidPath(name) {
		root, name = filepath.Dir(path), filepath.Base(path)
	}
	return m.addFiles(os.DirFS(root), name)
}

// addFolder reads a folder: what is installed in it, or what asks for packages.
func (m *materials) addFolder(ctx context.Context, dir string) error {
	if isEnvironment(dir) {
		return m.addPackages(ctx, dir)
	}
	fsys := os.DirFS(dir)
	names, err := lockfile.Find(fsys)
	switch {
	case err != nil:
		return err
	case !slices.ContainsFunc(names, func(name string) bool { return path.Dir(name) == "." }) && hasPackages(dir):
		return m.addPackages(ctx, dir)
	case len(names) == 0:
		return sallyport.Errorf(sallyport.NotFound, "nothing here says which packages it needs").At("%s", dir).
			Try("name a file; these are known: %s", strings.Join(lockfile.Formats(), ", "))
	}
	if m.deeper, err = lockfile.Deeper(fsys); err != nil {
		return err
	}
	return m.addFiles(fsys, names...)
}

// addPackages reads a folder of installed packages.
func (m *materials) addPackages(ctx context.Context, dir string) error {
	r, err := installed.Read(ctx, os.DirFS(dir))
	if err == nil {
		m.addInstalled(r, filepath.ToSlash(dir))
	}
	return err
}

// isEnvironment reports whether a folder is an environment, or the folder of one
// in which packages lie.
func isEnvironment(dir string) bool {
	for _, pattern := range []string{"pyvenv.cfg", "lib/python*/site-packages", "Lib/site-packages"} {
		if found, _ := filepath.Glob(filepath.Join(dir, filepath.FromSlash(pattern))); len(found) > 0 {
			return true
		}
	}
	return slices.Contains([]string{"site-packages", "dist-packages"}, base(dir))
}

// hasPackages reports whether a folder holds metadata of packages. A project
// does too, once it has been built or installed in place: only a folder that asks
// for nothing itself is one of installed packages.
func hasPackages(dir string) bool {
	found, _ := filepath.Glob(filepath.Join(dir, "*.dist-info"))
	return len(found) > 0
}

func (m *materials) addFiles(fsys fs.FS, names ...string) error {
	l, err := lockfile.Read(fsys, names...)
	if err == nil {
		m.list.Add(l)
	}
	return err
}

// addBill reads a bill of materials.
func (m *materials) addBill(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return sallyport.Errorf(sallyport.NotFound, "cannot be read: %w", err).At("%s", path)
	}
	l, err := bom.Read(filepath.ToSlash(path), b)
	if err == nil {
		m.list.Add(l)
	}
	return err
}

// addInstalled takes over what is installed, and what is inside of it. Its files
// are told by where it lies, as far as that is not the business of one machine.
func (m *materials) addInstalled(r *installed.Result, place string) {
	if !fs.ValidPath(place) {
		place = base(place)
	}
	at := func(name *string) { *name = path.Join(place, *name) }
	for i := range r.List.Files {
		at(&r.List.Files[i].Path)
	}
	for i := range r.List.Packages {
		at(&r.List.Packages[i].Place.File)
	}
	for i := range r.List.Unread {
		at(&r.List.Unread[i].Place.File)
	}
	for i := range r.Problems {
		if p := &r.Problems[i]; p.Path != "" {
			at(&p.Path)
		}
	}
	m.list.Add(&r.List)
	m.problems = append(m.problems, r.Problems...)
	m.parts = append(m.parts, partsOf(r)...)
}

// partsOf lists what an environment holds beside Python packages.
func partsOf(r *installed.Result) []bom.Part {
	parts := []bom.Part{}
	if r.Python != "" {
		parts = append(parts, bom.Part{Kind: bom.Interpreter, Name: "python", Version: r.Python})
	}
	for _, n := range r.Natives {
		if !n.Extension { // a package's own module, not somebody else's library
			parts = append(parts, bom.Part{Kind: bom.Library, Name: n.Name, Version: n.Version, Digest: n.Digest, Package: n.Package, Path: n.Path})
		}
	}
	for _, p := range r.Parts {
		parts = append(parts, bom.Part{Kind: bom.Library, Name: p.Name, Version: p.Version, PURL: p.PURL, Package: p.Package, Path: p.Path})
	}
	return parts
}

func (m *materials) addWheels(ctx context.Context, dir string) (err error) {
	m.archives, err = deps.ReadArchives(ctx, m.list, os.DirFS(dir))
	return err
}

// gatherEnvironment reads an environment that the site has built.
func (a *app) gatherEnvironment(ctx context.Context, m *materials, prefix string) error {
	return a.look(ctx, func(s *site.Site) error {
		e, err := findEnvironment(ctx, s, prefix)
		if err != nil {
			return err
		}
		if err := s.Envs.Verify(ctx, e); err != nil {
			return err
		}
		r, err := installed.Read(ctx, os.DirFS(s.Envs.Root(e)))
		if err != nil {
			return err
		}
		m.addInstalled(r, "environment "+e.ID[:12])
		return nil
	})
}

// findEnvironment returns the environment whose ID begins so; "last" is that of
// the newest run.
func findEnvironment(ctx context.Context, s *site.Site, prefix string) (*env.Environment, error) {
	if prefix == "last" {
		r, err := s.Runs().Find(ctx, "last")
		if err != nil {
			return nil, err
		}
		if r.Environment == nil {
			return nil, sallyport.Errorf(sallyport.NotFound, "run %s had no environment of its own", r.ID)
		}
		prefix = r.Environment.ID
	}
	var found []string
	err := s.Log.View(ctx, func(tx *ledger.Tx) error {
		return tx.Each("environment", func(id string, _ []byte, _ ledger.Entry) error {
			if strings.HasPrefix(id, prefix) {
				found = append(found, id)
			}
			return nil
		})
	})
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, sallyport.Errorf(sallyport.NotFound, "no environment is called %q", prefix).Try("sallyport runs show says which one a run had")
	case len(found) > 1:
		return nil, sallyport.Errorf(sallyport.Usage, "%d environments begin with %q", len(found), prefix).Try("write more of the name")
	}
	var e env.Environment
	return &e, s.Log.View(ctx, func(tx *ledger.Tx) error { return tx.Get("environment", found[0], &e) })
}
