package lockfile

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/sallyport/sallyport"
)

const (
	maxFound   = 50_000  // files and folders that Find looks at
	maxScript  = 1 << 20 // bytes of a Python file in which Find looks for its sign
	findFolder = "requirements"
)

// Find returns the files of a project's folder that Read knows, as far as their
// names and places tell that the project means them: declarations and locks in
// the folder itself and in requirements/, notebooks and scripts that install
// something anywhere below it. A lock stands before what it was made from.
func Find(fsys fs.FS) ([]string, error) {
	var out []string
	order := map[string]int{}
	err := walk(fsys, func(name string) error {
		rank, ok, err := found(fsys, name)
		if ok {
			out = append(out, name)
			order[name] = rank
		}
		return err
	})
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(order[a]-order[b], strings.Compare(a, b)) })
	return out, err
}

// Deeper returns the locks and lists of requirements in folders of the project
// of which Find does not tell whether the project means them: those of its
// parts, of its documentation, of examples.
func Deeper(fsys fs.FS) ([]string, error) {
	var out []string
	err := walk(fsys, func(name string) error {
		folder := path.Dir(name)
		if folder != "." && folder != findFolder && slices.ContainsFunc(formats(), func(f kind) bool { return f.found && f.sign == nil && f.name != "notebook" && f.named(name) }) {
			out = append(out, name)
		}
		return nil
	})
	return out, err
}

// walk calls each with every file of a project that others have not written.
func walk(fsys fs.FS, each func(name string) error) error {
	looked := 0
	return fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return sallyport.Errorf(sallyport.Internal, "cannot be listed: %w", cause(err)).At("%s", name)
		}
		if looked++; looked > maxFound {
			return sallyport.Errorf(sallyport.Limit, "more than %d files", maxFound).Try("name the files that say what the project depends on")
		}
		if d.IsDir() {
			if name != "." && foreign(fsys, name) {
				return fs.SkipDir
			}
			return nil
		}
		return each(name)
	})
}

// foreign reports whether a folder holds what others wrote: hidden, or an
// environment with installed packages.
func foreign(fsys fs.FS, name string) bool {
	base := path.Base(name)
	if strings.HasPrefix(base, ".") || base == "node_modules" || base == "site-packages" || base == "__pycache__" {
		return true
	}
	_, err := fs.Stat(fsys, name+"/pyvenv.cfg")
	return err == nil
}

// found reports whether Find takes a file, and where it stands in the table of
// formats.
func found(fsys fs.FS, name string) (rank int, ok bool, err error) {
	folder := path.Dir(name)
	for i, f := range formats() {
		switch {
		case !f.named(name):
			continue
		case f.name == "notebook":
			return i, true, nil
		case f.name != "script" && folder != "." && folder != findFolder:
			continue
		case f.sign != nil:
			ok, err = signed(fsys, name, f)
		case f.found:
			ok = true
		default:
			ok = folder == findFolder || compiled(fsys, name)
		}
		if ok || err != nil {
			return i, ok, err
		}
	}
	return 0, false, nil
}

// compiled reports whether NAME.txt or NAME.lock stands beside NAME.in: the one
// is made from the other, whatever they are called.
func compiled(fsys fs.FS, name string) bool {
	there := func(ending string) bool {
		_, err := fs.Stat(fsys, stem(name)+ending)
		return err == nil
	}
	return there(".in") && (there(".txt") || there(".lock"))
}

// signed reports whether a file holds the sign of its format.
func signed(fsys fs.FS, name string, k kind) (bool, error) {
	f, err := fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // a link that leads nowhere
	}
	if err != nil {
		return false, sallyport.Errorf(sallyport.Internal, "cannot be opened: %w", cause(err)).At("%s", name)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxScript))
	if err != nil {
		return false, sallyport.Errorf(sallyport.Internal, "cannot be read: %w", cause(err)).At("%s", name)
	}
	return k.sign.Get().Match(b), nil
}
