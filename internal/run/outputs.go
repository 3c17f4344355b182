package run

import (
	"context"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/sallyport/sallyport"
	"github.com/sallyport/sallyport/internal/blob"
	"github.com/sallyport/sallyport/internal/project"
	"github.com/sallyport/sallyport/scan"
)

// maxArtefacts bounds how many files a stage may leave behind.
const maxArtefacts = 100_000

// outputs collects what a stage wrote.
type outputs struct {
	ctx       context.Context
	shelf     *shelf
	stage     project.Stage
	scanner   *scan.Scanner
	artefacts []Artefact   // sorted by path within each place
	folders   []string     // the places that are folders and hold something
	quotes    *blob.Stream // what the scan quotes of them; nil: nothing
	err       error        // the first that went wrong
}

// collect scans and seals the files of one place: a folder "model/", whose root at is,
// or a file "metrics/train.json", whose folder at is.
//
// What goes wrong is kept in err and not returned: the sandbox has done its part
// and has a result to give.
func (o *outputs) collect(place string, at *os.Root) error {
	if o.err == nil {
		o.err = o.place(place, at)
	}
	return nil
}

func (o *outputs) place(place string, at *os.Root) error {
	if !strings.HasSuffix(place, "/") {
		err := o.file(place, place, path.Base(place), at)
		if os.IsNotExist(err) {
			return nil // the stage's business, unless it is its metrics
		}
		if err != nil {
			return err
		}
		return o.scanFile(place, at)
	}
	before := len(o.artefacts)
	err := fs.WalkDir(at.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return o.file(place, place+name, name, at)
	})
	if err == nil && len(o.artefacts) > before {
		o.folders = append(o.folders, strings.TrimSuffix(place, "/"))
		err = o.scanFolder(place, at, o.artefacts[before:])
	}
	return err
}

// file seals the file name below at, which is place, as the artefact p.
func (o *outputs) file(place, p, name string, at *os.Root) error {
	info, err := at.Lstat(name)
	if err != nil {
		return err
	}
	bad := func(format string, args ...any) error {
		// The name is the stage's choice and may say anything; the place is ours.
		return sallyport.Errorf(sallyport.StageFailed, format, args...).At("stage %s: %s", o.stage.Title(), place)
	}
	switch {
	case !info.Mode().IsRegular():
		return bad("it wrote something that is not a file (%s); only files are kept", kindOf(info.Mode()))
	case strings.ContainsFunc(p, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' || r == '�' }):
		return bad("it wrote a file whose name has control characters or is not UTF-8")
	case len(o.artefacts) >= maxArtefacts:
		return bad("it wrote more than %d files", maxArtefacts)
	case path.Base(p) == "model.sig", slices.Contains(strings.Split(p, "/"), "model.evidence"):
		return bad("model.sig and model.evidence are names that Sallyport gives")
	}
	f, err := at.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := o.shelf.put(f)
	if err != nil {
		return err
	}
	o.artefacts = append(o.artefacts, Artefact{Path: o.stage.Kept(p), Mode: uint32(info.Mode().Perm()), Stored: st})
	return nil
}

func kindOf(m fs.FileMode) string {
	switch {
	case m&fs.ModeSymlink != 0:
		return "a symbolic link"
	case m&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	}
	return "a device"
}
