package env

import (
	"archive/zip"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/dist"
)

// checkWheels reads every wheel of a folder before an installer does. A hash
// proves that a wheel is the one that was locked, not that it means well, and
// there are installers that follow an entry point named ../../x out of the tree.
func (b *build) checkWheels(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return fault("cannot read what was fetched", err)
	}
	for _, e := range entries {
		if err := checkWheel(filepath.Join(folder, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// checkWheel proves that whatever a wheel's names say lies below the tree that
// it is installed into.
func checkWheel(name string) error {
	refuse := func(why string) error {
		return sallyport.Errorf(sallyport.Refused, "the wheel %s", why).At("%s", printable(filepath.Base(name))).Try("do not use this package")
	}
	z, err := zip.OpenReader(name)
	if err != nil {
		return refuse("is not a readable archive")
	}
	defer z.Close()
	for _, f := range z.File {
		if !filepath.IsLocal(filepath.FromSlash(f.Name)) || strings.Contains(f.Name, `\`) {
			return refuse("holds a file whose path leaves the environment")
		}
		if m := f.Mode(); !m.IsRegular() && !m.IsDir() {
			return refuse("holds what is neither a file nor a folder")
		}
		if path.Base(f.Name) != "entry_points.txt" {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return refuse("cannot be unpacked")
		}
		ok := dist.Safe(io.LimitReader(r, bound))
		r.Close()
		if !ok {
			return refuse("has an entry point whose name leaves the environment")
		}
	}
	return nil
}
