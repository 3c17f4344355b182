package env

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/lazyregexp"
)

// traces are files of an installed package's metadata that say who installed
// it, when, and from where. The lock says that already.
var traces = map[string]bool{"INSTALLER": true, "REQUESTED": true, "direct_url.json": true, "uv_build.json": true, "uv_cache.json": true, "uv_metadata.json": true}

// settle removes every trace of where and by what the tree was made: what is
// left is a function of the wheels.
func (b *build) settle() error {
	for _, step := range []func() error{b.removeTraces, b.rewriteScripts, b.prune, b.rewriteRecords} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// removeTraces also removes byte code that packages bring: it need not be what
// their sources say, and compile makes it anew.
func (b *build) removeTraces() error {
	return filepath.WalkDir(b.tree(), func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "__pycache__":
			if err := os.RemoveAll(path); err != nil {
				return err
			}
			return fs.SkipDir
		case strings.HasSuffix(filepath.Dir(path), ".dist-info") && traces[d.Name()], path == filepath.Join(b.tree(), ".lock"):
			return os.Remove(path)
		}
		return nil
	})
}

// prune removes empty folders, which installers leave as they please.
func (b *build) prune() error {
	var folders []string
	err := filepath.WalkDir(b.tree(), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			folders = append(folders, path)
		}
		return err
	})
	keep := map[string]bool{b.tree(): true, filepath.Join(b.tree(), "bin"): true, filepath.Join(b.tree(), "lib"): true}
	for _, f := range slices.Backward(folders) { // the deepest first
		if !keep[f] && !strings.HasSuffix(f, "site-packages") {
			_ = os.Remove(f) // fails on a folder that is not empty, which is the test
		}
	}
	return err
}

// checkInstalled proves that what is there is what the lock pins: no package
// more, none less, none of another version.
func (b *build) checkInstalled() error {
	dirs, err := b.distInfos()
	if err != nil {
		return fault("cannot read what was installed", err)
	}
	pinned := map[string]string{}
	for _, p := range b.pins {
		pinned[p.Name] = p.Version
	}
	for _, dir := range dirs {
		name, version := nameOf(dir)
		want, ok := pinned[name]
		if !ok || want != "" && canonical(want) != canonical(version) {
			return sallyport.Errorf(sallyport.Refused, "%s %s was installed, which the lock does not pin", printable(name), printable(version)).At("%s", b.lock.file).
				Try("the wheel is not what its name says; do not use it")
		}
		delete(pinned, name)
		b.env.Packages = append(b.env.Packages, Package{name, version})
	}
	for name := range pinned {
		return sallyport.Errorf(sallyport.Refused, "%s was not installed", name).At("%s", b.lock.file).Try("run again; if it stays, the package's wheel is broken")
	}
	return nil
}

var (
	joints       = lazyregexp.New(`[-_.]+([a-z])`)
	leadingZeros = lazyregexp.New(`(^|[^0-9])0+([0-9])`)
	closingZeros = lazyregexp.New(`(\.0)+($|[^0-9.])`)
)

// canonical brings the spellings of a version that PEP 440 holds to be equal
// close enough together to compare what an installer wrote with what was asked.
func canonical(version string) string {
	v := strings.TrimPrefix(strings.ToLower(version), "v")
	v = joints.ReplaceAllString(v, "$1")
	v = strings.NewReplacer("alpha", "a", "beta", "b", "preview", "rc", "pre", "rc").Replace(v)
	return closingZeros.ReplaceAllString(leadingZeros.ReplaceAllString(v, "$1$2"), "$2")
}
