package installed

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/lockfile"
)

// maxMeta bounds the files of metadata that are read whole, in bytes. The
// longest RECORD of a real package has five MiB.
const maxMeta = 32 << 20

// A reader gathers what a folder holds.
type reader struct {
	ctx    context.Context
	fsys   fs.FS
	out    *Result
	sites  []string           // the folders of packages
	whole  bool               // the tree is a virtual environment: nothing else may be in it
	claims map[string][]claim // what RECORDs say, by path
	loose  []string           // folders and files of packages that have no RECORD
}

// Read reads a folder of packages, a virtual environment, or any tree that has
// lib/pythonX.Y/site-packages. A tree without a folder of packages is an error
// of kind NotFound; what cannot be understood in one is a problem or Unread.
func Read(ctx context.Context, fsys fs.FS) (*Result, error) {
	r := &reader{ctx: ctx, fsys: fsys, out: &Result{}, claims: map[string][]claim{}}
	if err := r.findSites(); err != nil {
		return nil, err
	}
	for _, site := range r.sites {
		r.out.List.Files = append(r.out.List.Files, lockfile.File{Path: site, Format: "installed"})
		if err := r.site(site); err != nil {
			return nil, err
		}
	}
	if err := r.conda(); err != nil {
		return nil, err
	}
	r.duplicates()
	if err := r.hold(); err != nil {
		return nil, err
	}
	r.sort()
	return r.out, nil
}

// findSites finds the folders of packages, and the version of Python that they
// are for.
func (r *reader) findSites() error {
	for _, pattern := range []string{"lib/python*/site-packages", "lib/python*/dist-packages", "lib64/python*/site-packages", "Lib/site-packages"} {
		found, err := fs.Glob(r.fsys, pattern)
		if err != nil {
			return fault(err)
		}
		for _, site := range found {
			if r.folder(site) && !slices.Contains(r.sites, site) {
				r.sites = append(r.sites, site)
			}
		}
	}
	config, err := r.small("pyvenv.cfg", 1<<16)
	r.whole = err == nil
	settings := configured(string(config))
	r.out.Python = cmp.Or(settings["version"], settings["version_info"])
	if strings.EqualFold(settings["include-system-site-packages"], "true") {
		r.problem(Problem{Rule: Unseen, Path: "pyvenv.cfg", What: "packages of the interpreter itself can be imported here too, and were not checked"})
	}
	if len(r.sites) == 0 && r.packages(".") {
		r.sites = []string{"."}
	}
	if len(r.sites) == 0 {
		return sallyport.Errorf(sallyport.NotFound, "there is no folder of installed Python packages here").
			Try("name a virtual environment, or its folder site-packages")
	}
	if version, ok := strings.CutPrefix(path.Base(path.Dir(r.sites[0])), "python"); ok && r.out.Python == "" {
		r.out.Python = version
	}
	return nil
}

// folder reports whether a path, with every folder on the way, is no link:
// lib64 is often one to lib.
func (r *reader) folder(name string) bool {
	for ; name != "."; name = path.Dir(name) {
		if info, err := fs.Lstat(r.fsys, name); err != nil || !info.IsDir() {
			return false
		}
	}
	return true
}

// packages reports whether a folder holds metadata of packages.
func (r *reader) packages(dir string) bool {
	entries, err := fs.ReadDir(r.fsys, dir)
	return err == nil && slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		return strings.HasSuffix(e.Name(), ".dist-info") || strings.HasSuffix(e.Name(), ".egg-info")
	})
}

// configured reads the settings of a pyvenv.cfg.
func configured(text string) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(line, "=")
		out[strings.ToLower(strings.TrimSpace(key))] = printable(strings.TrimSpace(value), 40)
	}
	return out
}

// site reads what lies at the top of a folder of packages.
func (r *reader) site(site string) error {
	entries, err := fs.ReadDir(r.fsys, site)
	if err != nil {
		return fault(err)
	}
	for _, e := range entries {
		name := path.Join(site, e.Name())
		read := r.member(e.Name())
		if read == nil {
			continue
		}
		if e.Type()&^fs.ModeDir != 0 {
			r.problem(Problem{Rule: Link, Path: name, What: "a link or a device in the place of metadata; it is not followed"})
			continue
		}
		if err := read(site, e); err != nil {
			return err
		}
	}
	return nil
}

// member returns who reads an entry of a folder of packages by its name, or nil
// if it is a module like any other.
func (r *reader) member(base string) func(site string, e fs.DirEntry) error {
	lower := strings.ToLower(base)
	module, _, _ := strings.Cut(lower, ".")
	switch {
	case strings.HasPrefix(base, "__editable__"):
		return r.elsewhere
	case strings.HasSuffix(base, ".dist-info"):
		return r.distInfo
	case strings.HasSuffix(base, ".egg-info"):
		return r.eggInfo
	case strings.HasSuffix(base, ".egg"), strings.HasSuffix(base, ".egg-link"):
		return r.elsewhere
	case strings.HasSuffix(lower, ".pth"), strings.HasSuffix(lower, ".start"):
		return r.start
	case module == "sitecustomize", module == "usercustomize":
		return r.customize
	}
	return nil
}

// elsewhere notes a package whose code lies elsewhere, or in an archive that
// nothing lists.
func (r *reader) elsewhere(site string, e fs.DirEntry) error {
	name := path.Join(site, e.Name())
	if strings.HasPrefix(e.Name(), "__editable__") && strings.HasSuffix(e.Name(), ".pth") {
		if err := r.start(site, e); err != nil {
			return err
		}
	}
	r.loose = append(r.loose, name)
	r.unread(lockfile.Unread{Place: lockfile.Place{File: name}, Reason: lockfile.Path, Name: eggName(e.Name())})
	return nil
}

// conda notes what a conda environment holds beside Python packages.
func (r *reader) conda() error {
	found, err := fs.Glob(r.fsys, "conda-meta/*.json")
	if err != nil {
		return fault(err)
	}
	for _, name := range found {
		r.unread(lockfile.Unread{Place: lockfile.Place{File: name}, Reason: lockfile.Native, Wants: strings.TrimSuffix(path.Base(name), ".json")})
	}
	return nil
}

// duplicates tells which packages are there more than once. Which of them is
// imported is chance.
func (r *reader) duplicates() {
	first := map[string]Dist{}
	for _, d := range r.out.Dists {
		if other, ok := first[d.Name]; ok {
			r.problem(Problem{Rule: Duplicate, Package: d.Name, Version: d.Version, Path: d.Path, What: "the package is installed twice; the other is " + printable(other.Version, 40)})
			continue
		}
		first[d.Name] = d
	}
}

func (r *reader) problem(p Problem)        { r.out.Problems = append(r.out.Problems, p) }
func (r *reader) unread(u lockfile.Unread) { r.out.List.Unread = append(r.out.List.Unread, u) }

// sort puts everything into an order that is the same for the same tree.
func (r *reader) sort() {
	place := func(a, b lockfile.Place) int { return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line)) }
	slices.SortFunc(r.out.List.Packages, func(a, b lockfile.Package) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version), place(a.Place, b.Place))
	})
	slices.SortFunc(r.out.List.Unread, func(a, b lockfile.Unread) int {
		return cmp.Or(place(a.Place, b.Place), cmp.Compare(a.Reason, b.Reason))
	})
	slices.SortFunc(r.out.Dists, func(a, b Dist) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Path, b.Path)) })
	slices.SortFunc(r.out.Natives, func(a, b Native) int { return cmp.Compare(a.Path, b.Path) })
	inOrder(r.out.Problems)
}

// small reads a file of at most limit bytes that is no link.
func (r *reader) small(name string, limit int64) ([]byte, error) {
	return small(r.fsys, name, limit)
}

func small(fsys fs.FS, name string, limit int64) ([]byte, error) {
	info, err := fs.Lstat(fsys, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("neither a file nor a folder")
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = errors.New("it is too long")
	}
	return b, err
}

// fault is an error of the file system, without the path as the machine has it.
func fault(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return sallyport.Errorf(sallyport.Internal, "cannot be read: %w", e.Err).At("%s", e.Path)
	}
	return sallyport.Errorf(sallyport.Internal, "cannot be read: %w", err)
}

// interrupted is what somebody who asked to stop is told.
func interrupted() error {
	return sallyport.Errorf(sallyport.Interrupted, "stopped while the files of packages were read")
}

// printable returns at most n characters of a text from outside, on one line.
func printable(s string, n int) string {
	s = strings.Map(func(c rune) rune {
		if c < ' ' || c >= 0x7f && c < 0xa0 || c >= 0x200b && c <= 0x202e || c == 0x2066 || c == 0xfeff || c == 0xfffd {
			return '?'
		}
		return c
	}, s)
	if all := []rune(s); len(all) > n {
		return string(all[:n]) + "…"
	}
	return s
}
